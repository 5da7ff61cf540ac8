/*
 * json_read.h - looks into JSON text (RFC 8259) that a stranger may have written: is it whole, what are its members.
 *
 * Nothing is copied or allocated but by json_take: a value is a stretch of the text. Refused are depths over 32, invalid UTF-8,
 * control characters, lone surrogates, zero bytes, numbers with leading zeros or plus signs.
 */
#ifndef CLI_JSON_READ_H
#define CLI_JSON_READ_H

#include "text.h"

typedef enum json_kind { JSON_NULL, JSON_FALSE, JSON_TRUE, JSON_NUMBER, JSON_STRING, JSON_ARRAY, JSON_OBJECT } json_kind;

typedef struct json_value {
    json_kind kind;
    const char *begin; /* quotes and brackets included */
    size_t length;
} json_value;

/* One value and nothing but blanks around it; false where it isn't that. */
bool json_whole(const char *bytes, size_t length, json_value *out);

/* The member of a whole object that is called `key` (plain ASCII); false where there is none, or more than one. */
bool json_member(const json_value *object, const char *key, json_value *out);

/* Appends the characters of a string; false where it isn't one. */
bool json_take(const json_value *string, text *out);

/* A finite number; a whole number from 0 to 2^53. False where it isn't one. */
bool json_number(const json_value *value, double *out);
bool json_whole_number(const json_value *value, uint64_t *out);

#endif
