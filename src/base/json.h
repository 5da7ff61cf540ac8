/*
 * json.h - one strict JSON reader and writer (RFC 8259), used for the header of model files and for encoder text.
 *
 * The reader makes a tree in one array of nodes; it refuses: anything after the value, duplicate keys, depth over 32, invalid
 * UTF-8, control characters, lone surrogates, numbers with leading zeros or plus signs, NaN; more than a million values unless
 * the text has 16 bytes for each, so that the tree takes no more memory than the text justifies.
 */
#ifndef HILL_BASE_JSON_H
#define HILL_BASE_JSON_H

#include "base/text.h"

typedef enum hill__json_kind {
    HILL__JSON_NULL,
    HILL__JSON_FALSE,
    HILL__JSON_TRUE,
    HILL__JSON_NUMBER,
    HILL__JSON_STRING,
    HILL__JSON_ARRAY,
    HILL__JSON_OBJECT
} hill__json_kind;

/* A value. Members of arrays and objects are chained by `next`; `key` is set for members of an object. */
typedef struct hill__json {
    hill__json_kind kind;
    uint32_t at;     /* byte of the text, as long as that is less than 4 GiB */
    const char *key; /* zero-ended; without escapes */
    union {
        const char
            *string; /* of a string: decoded, zero-ended, `length` bytes (it may hold zero bytes); of a number: its text */
        const struct hill__json *first; /* of an array or object: its first member, of `count` */
    };
    union {
        size_t length;
        size_t count;
    };
    const struct hill__json *next;
} hill__json;

typedef struct hill__json_tree hill__json_tree;

/*
 * Reads `length` bytes. HILL_EDATA with a text that ends in "at byte N" when they are no JSON; the caller puts its file's name
 * in front. The tree holds its own copies.
 */
int hill__json_parse(const char *text, size_t length, const hill_allocator *allocator, hill__json_tree **out,
                     hill_error *error);
void hill__json_free(hill__json_tree *tree);
const hill__json *hill__json_root(const hill__json_tree *tree);

/* The member called `key` of an object, or NULL. */
const hill__json *hill__json_get(const hill__json *object, const char *key);

/* The value as a double (an unsigned integer): false where it isn't one exactly of that kind. */
bool hill__json_double(const hill__json *value, double *out);
bool hill__json_unsigned(const hill__json *value, uint64_t *out);

/* Appends `length` bytes as a JSON string, quotes included. */
void hill__json_add_string(hill__text *text, const char *bytes, size_t length);

/* Appends a number that reads back as the same double; NaN and infinities become null. */
void hill__json_add_double(hill__text *text, double value);

#endif
