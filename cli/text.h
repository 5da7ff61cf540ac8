/*
 * text.h - text that grows, numbers for people and for programs, and how wide text is on a screen.
 *
 * Appending never fails in the middle: when memory ends `failed` is set, and whoever writes the text out looks at it once.
 */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define CLI_PRINTF(words, values) __attribute__((format(printf, words, values)))
#else
#define CLI_PRINTF(words, values)
#endif

typedef struct text {
    char *data; /* zero-ended once anything was appended */
    size_t length;
    size_t capacity;
    bool failed;
} text;
#define TEXT_INIT         \
    {                     \
        NULL, 0, 0, false \
    }

void text_free(text *t);

/* Frees a part that went into `whole`, which has failed if the part had. */
void text_end(text *whole, text *part);

void text_clear(text *t);
void text_bytes(text *t, const char *bytes, size_t length);
void text_string(text *t, const char *string);
void text_format(text *t, const char *format, ...) CLI_PRINTF(2, 3);
void text_repeat(text *t, const char *string, size_t times);

/* data, or "" where nothing was appended. */
const char *text_get(const text *t);

/* Bytes of the UTF-8 character that begins here, of `left` (1 or more) that are there; 0: it is none, or written longer than need be. */
size_t text_character(const char *bytes, size_t left);

/* Appends `string` without what could drive a terminal: control bytes become '?', newlines stay where `lines`. */
void text_safe(text *t, const char *string, bool lines);

/* The same cut or padded with blanks to exactly `cells` cells; a cut name ends in '~'. */
void text_cells(text *t, const char *string, size_t cells, bool right);

/* Cells that UTF-8 text takes on a terminal. */
size_t text_width(const char *string);

/* 1234567 as "1,234,567". */
void text_count(text *t, uint64_t count);

/* A number for people: at most `digits` significant digits. */
void text_number(text *t, double value, int digits);

/* A part of one as percent: "97.4%"; never "100%" unless it is all, never "0%" unless it is none. */
void text_percent(text *t, double part);

/* A time for people: "0.12 s", "2 min 05 s". */
void text_seconds(text *t, double seconds);

/* The shortest decimal that reads back as the same double (float). */
void text_double(text *t, double value);
void text_float(text *t, float value);

/* A word as a shell takes it, quoted where it must be. */
void text_shell(text *t, const char *word);

/* A CSV cell, quoted where it must be. */
void text_cell(text *t, const char *cell);

/*
 * Appends words of `string` in lines of at most `width` cells. The first line continues one that already has `column` cells;
 * later ones begin with `indent` blanks. Ends with a newline.
 */
void text_wrap(text *t, const char *string, size_t column, size_t indent, size_t width);

#endif
