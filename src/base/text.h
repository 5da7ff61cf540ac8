/*
 * text.h - text that grows while it is written.
 *
 * Appending never fails in the middle: when memory ends, `failed` is set, later appends do nothing, and whoever takes the
 * text looks at it once.
 */
#ifndef HILL_BASE_TEXT_H
#define HILL_BASE_TEXT_H

#include "base/memory.h"
#include "base/status.h"

/* Length of the UTF-8 character at p, 0 where there is none: no overlong forms, no surrogates, nothing over U+10FFFF. */
size_t hill__utf8(const unsigned char *p, size_t left);

/* Makes a text fit to be shown: what is no UTF-8 becomes a question mark, control characters blanks, `line_ends` of them apart. */
void hill__text_show(char *text, unsigned line_ends);

/* The next item of a comma list that isn't blank, without the blanks around it, and its length; NULL behind the last. */
const char *hill__list_next(const char **list, size_t *length);

typedef struct hill__text {
    hill_allocator allocator;
    char *data; /* zero-ended, "" when empty after the first append; NULL before */
    size_t length;
    size_t capacity;
    bool failed;
} hill__text;

void hill__text_init(hill__text *text, const hill_allocator *allocator);
void hill__text_free(hill__text *text);
void hill__text_clear(hill__text *text);
void hill__text_add(hill__text *text, const char *bytes, size_t length);
void hill__text_add_string(hill__text *text, const char *string);

/* printf-like; no floating-point conversions (locale): use hill__text_add_double. At most 2,000 bytes a call. */
void hill__text_add_format(hill__text *text, const char *format, ...) HILL__PRINTF(2, 3);

/* The shortest decimal that reads back as the same double (float). */
void hill__text_add_double(hill__text *text, double value);
void hill__text_add_float(hill__text *text, float value);

/* `value` with at most `digits` significant digits, for people: "0.125", "1.5e-07". */
void hill__text_add_rounded(hill__text *text, double value, int digits);

/* data, or "" where nothing was ever appended. */
const char *hill__text_string(const hill__text *text);

/* A list of lines for people: notes, descriptions. Each is added as hill__text_show leaves it. */
typedef struct hill__lines {
    hill__text text; /* the lines, each with its zero byte */
    size_t *starts;
    size_t count;
    size_t capacity;
} hill__lines;

void hill__lines_init(hill__lines *lines, const hill_allocator *allocator);
void hill__lines_free(hill__lines *lines);
void hill__lines_add(hill__lines *lines, const char *format, ...) HILL__PRINTF(2, 3);
const char *hill__lines_at(const hill__lines *lines, size_t i); /* NULL past the end */

#endif
