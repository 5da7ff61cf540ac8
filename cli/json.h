/*
 * json.h - writes one JSON value: commas and quotes in their places, NaN as null.
 */
#ifndef CLI_JSON_H
#define CLI_JSON_H

#include "text.h"

typedef struct json {
    text *out;
    bool comma; /* the next member needs one before it */
} json;

/* Opening and closing; `key` is NULL inside arrays and at the top. */
void json_open(json *j, const char *key, char bracket);
void json_close(json *j, char bracket);

void json_string(json *j, const char *key, const char *value); /* NULL: null */
void json_count(json *j, const char *key, uint64_t value);
void json_double(json *j, const char *key, double value); /* what isn't finite: null */
void json_null(json *j, const char *key);

#endif
