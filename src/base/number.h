/*
 * number.h - numbers in text: locale-free and correctly rounded, both ways.
 */
#ifndef HILL_BASE_NUMBER_H
#define HILL_BASE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that any number's text fits in, zero byte included. */
#define HILL__NUMBER_TEXT 40

typedef enum hill__number_kind {
    HILL__NUMBER_NONE,    /* not a number */
    HILL__NUMBER_FINITE,  /* a finite number */
    HILL__NUMBER_INFINITE /* "inf", "-Infinity", 1e999: *value is an infinity */
} hill__number_kind;

/*
 * Reads all `length` bytes as a decimal: [+-] digits [. digits] [eE [+-] digits], at least one digit. No blanks, no hex, no
 * thousands marks; "inf" and "infinity" in any case are INFINITE, "nan" is NONE. *value is the nearest double, ties to even,
 * whatever the number of digits.
 */
hill__number_kind hill__parse_double(const char *text, size_t length, double *value);

/* The same rounded once to float (from the decimal, not from the double). */
hill__number_kind hill__parse_float(const char *text, size_t length, float *value);

/* All `length` bytes as a decimal unsigned integer without sign or blanks; false where it isn't one or doesn't fit. */
bool hill__parse_unsigned(const char *text, size_t length, uint64_t *value);

/*
 * Writes the shortest decimal that reads back as the same double (float), zero byte included; returns its length. Fixed
 * notation for exponents -5..16 ("0.001", "1200"), else like "1.5e-07"; whole numbers have no point; "nan", "inf", "-inf".
 */
size_t hill__format_double(double value, char *text);
size_t hill__format_float(float value, char *text);

/* `value` rounded to `digits` (1..17) significant digits, trailing zeros cut off, in the same notation. */
size_t hill__format_rounded(double value, int digits, char *text);

#endif
