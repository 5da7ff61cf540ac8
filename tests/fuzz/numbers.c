/*
 * numbers.c - text as numbers and back, held against the C library, whose strtod rounds correctly too.
 */
#include "fuzz.h"

#include <errno.h>

#include "base/number.h"

static bool same(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0;
}

/* What the text is by the C library: without its blanks in front, hex and NaN, which are none here. */
static hill__number_kind expected(const char *text, size_t length, double *value)
{
    char *end;
    const char *digits = text + (*text == '+' || *text == '-');
    bool word = length > 0 && (*digits == 'i' || *digits == 'I');
    *value = strtod(text, &end);
    if (length == 0 || strlen(text) != length || end != text + length || (!word && strspn(text, "+-.0123456789eE") != length))
        return HILL__NUMBER_NONE;
    return isinf(*value) ? HILL__NUMBER_INFINITE : HILL__NUMBER_FINITE;
}

/* Written and read it is the same; no shorter text is; and rounding is the C library's. */
static void write_double(double value, int digits)
{
    char text[HILL__NUMBER_TEXT], other[64];
    double again;
    size_t length = hill__format_double(value, text);
    must(length == strlen(text) && length < sizeof text);
    must(hill__parse_double(text, length, &again) != HILL__NUMBER_NONE && same(again, value) &&
         same(strtod(text, NULL), value));
    if (isinf(value))
        return;
    int needed = 1;
    while (snprintf(other, sizeof other, "%.*e", needed - 1, value) > 0 && !same(strtod(other, NULL), value))
        needed++;
    size_t mantissa = strcspn(text, "e"), written = 0, zeros = 0;
    for (size_t i = 0; i < mantissa; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9' && (written || text[i] != '0');
        written += digit;
        zeros = text[i] == '0' ? zeros + digit : text[i] == '.' ? zeros : 0;
    }
    must(value == 0 || (int)(written - (strchr(text, '.') ? 0 : zeros)) <= needed);
    must(hill__format_rounded(value, digits, text) < sizeof text);
    must(snprintf(other, sizeof other, "%.*e", digits - 1, value) > 0 && same(strtod(text, NULL), strtod(other, NULL)));
}

static void write_float(float value)
{
    char text[HILL__NUMBER_TEXT];
    float again;
    size_t length = hill__format_float(value, text);
    must(hill__parse_float(text, length, &again) != HILL__NUMBER_NONE && memcmp(&again, &value, sizeof value) == 0);
    again = strtof(text, NULL);
    must(memcmp(&again, &value, sizeof value) == 0);
}

static void read_text(const char *text, size_t length)
{
    double want, got = 0;
    float small = 0, small_want = strtof(text, NULL);
    uint64_t whole;
    hill__number_kind kind = expected(text, length, &want);
    must(hill__parse_double(text, length, &got) == kind && (kind == HILL__NUMBER_NONE || same(got, want)));
    hill__number_kind small_kind = hill__parse_float(text, length, &small);
    must((small_kind == HILL__NUMBER_NONE) == (kind == HILL__NUMBER_NONE));
    must(small_kind == HILL__NUMBER_NONE || (small_kind == HILL__NUMBER_INFINITE) == (isinf(small_want) != 0));
    must(small_kind == HILL__NUMBER_NONE || memcmp(&small, &small_want, sizeof small) == 0);
    errno = 0;
    uint64_t want_whole = strtoull(text, NULL, 10);
    bool fits = length > 0 && strspn(text, "0123456789") == length && errno == 0;
    must(hill__parse_unsigned(text, length, &whole) == fits && (!fits || whole == want_whole));
    if (kind != HILL__NUMBER_NONE) {
        write_double(got, 1 + (int)(length % 17));
        write_float(small);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    double value;
    float small;
    char *text = malloc(size + 1);
    must(text);
    if (size)
        memcpy(text, data, size);
    text[size] = '\0';
    read_text(text, size);
    free(text);
    if (size == sizeof value) {
        memcpy(&value, data, sizeof value);
        memcpy(&small, data, sizeof small);
        if (!isnan(value))
            write_double(value, 1 + data[0] % 17);
        if (!isnan(small))
            write_float(small);
    }
    return 0;
}
