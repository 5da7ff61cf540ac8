/*
 * text.c - text that grows, numbers for people and for programs, and how wide text is on a screen.
 *
 * The command never calls setlocale, so that printf and strtod speak the "C" locale here: a point is a point everywhere.
 */
#define _POSIX_C_SOURCE 200809L

#include "text.h"

#include <float.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool text_reserve(text *t, size_t more)
{
    if (t->failed)
        return false;
    if (more < t->capacity - t->length)
        return true;
    size_t capacity = t->capacity ? t->capacity : 256;
    while (capacity - t->length <= more) {
        if (capacity > SIZE_MAX / 2) {
            t->failed = true;
            return false;
        }
        capacity *= 2;
    }
    char *data = realloc(t->data, capacity);
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->capacity = capacity;
    return true;
}

/* Decodes one character; a byte that is no UTF-8 stands for itself. Returns its length in bytes. */
static size_t decode(const char *string, uint32_t *code)
{
    const unsigned char *s = (const unsigned char *)string;
    size_t length = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : s[0] >= 0xc2 ? 2 : 0;
    *code = s[0];
    if (length <= 1)
        return 1;
    uint32_t value = s[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 1;
        value = value << 6 | (s[i] & 0x3fu);
    }
    *code = value;
    return length;
}

size_t text_character(const char *bytes, size_t left)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    const unsigned char *p = (const unsigned char *)bytes;
    size_t length = *p < 0x80 ? 1 : *p >> 5 == 6 ? 2 : *p >> 4 == 14 ? 3 : *p >> 3 == 30 ? 4 : 0;
    if (length == 0 || left < length)
        return 0;
    uint32_t point = length == 1 ? *p : *p & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if (p[i] >> 6 != 2)
            return 0;
        point = point << 6 | (p[i] & 0x3f);
    }
    return point < least[length] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff) ? 0 : length;
}

typedef struct range {
    uint32_t first, last;
} range;

static bool within(const range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Cells of one character: 0 for marks that combine, 2 for East Asian wide ones and emoji, else 1. */
static size_t cells_of(uint32_t code)
{
    static const range none[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},
                                 {0x64b, 0x65f},   {0x200b, 0x200f}, {0x202a, 0x202e}, {0x2060, 0x2069},
                                 {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}};
    static const range wide[] = {{0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},  {0xac00, 0xd7a3},
                                 {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},  {0xffe0, 0xffe6},
                                 {0x1f300, 0x1f64f}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    if (within(none, sizeof none / sizeof *none, code))
        return 0;
    return within(wide, sizeof wide / sizeof *wide, code) ? 2 : 1;
}

/* Control characters, the C1 ones and those that turn the writing direction included, must not reach a terminal. */
static bool controls(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x202a && code <= 0x202e) ||
           (code >= 0x2066 && code <= 0x2069);
}

void text_free(text *t)
{
    free(t->data);
    *t = (text)TEXT_INIT;
}

void text_end(text *whole, text *part)
{
    whole->failed = whole->failed || part->failed;
    text_free(part);
}

void text_clear(text *t)
{
    t->length = 0;
    if (t->data)
        t->data[0] = '\0';
}

void text_bytes(text *t, const char *bytes, size_t length)
{
    if (!text_reserve(t, length))
        return;
    memcpy(t->data + t->length, bytes, length);
    t->length += length;
    t->data[t->length] = '\0';
}

void text_string(text *t, const char *string)
{
    text_bytes(t, string, strlen(string));
}

void text_format(text *t, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    if (length < 0) {
        t->failed = true;
        return;
    }
    if (!text_reserve(t, (size_t)length))
        return;
    va_start(arguments, format);
    length = vsnprintf(t->data + t->length, t->capacity - t->length, format, arguments);
    va_end(arguments);
    if (length < 0)
        t->failed = true;
    else
        t->length += (size_t)length;
}

void text_repeat(text *t, const char *string, size_t times)
{
    for (size_t i = 0; i < times; i++)
        text_string(t, string);
}

const char *text_get(const text *t)
{
    return t->data && !t->failed ? t->data : "";
}

void text_safe(text *t, const char *string, bool lines)
{
    while (*string) {
        uint32_t code = 0;
        size_t length = decode(string, &code);
        if (controls(code) && !(lines && code == '\n'))
            text_bytes(t, "?", 1);
        else
            text_bytes(t, string, length);
        string += length;
    }
}

void text_cells(text *t, const char *string, size_t cells, bool right)
{
    text safe = TEXT_INIT;
    text_safe(&safe, string, false);
    size_t width = text_width(text_get(&safe));
    if (right && width < cells)
        text_repeat(t, " ", cells - width);
    if (width <= cells) {
        text_string(t, text_get(&safe));
    } else {
        size_t used = 0;
        const char *s = text_get(&safe);
        while (*s) {
            uint32_t code = 0;
            size_t length = decode(s, &code);
            if (used + cells_of(code) + 1 > cells)
                break;
            used += cells_of(code);
            text_bytes(t, s, length);
            s += length;
        }
        text_string(t, "~");
        text_repeat(t, " ", cells - used - 1);
    }
    if (!right && width < cells)
        text_repeat(t, " ", cells - width);
    text_end(t, &safe);
}

size_t text_width(const char *string)
{
    size_t cells = 0;
    while (*string) {
        uint32_t code = 0;
        string += decode(string, &code);
        cells += cells_of(code);
    }
    return cells;
}

void text_count(text *t, uint64_t count)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%llu", (unsigned long long)count);
    for (int i = 0; i < length; i++) {
        if (i > 0 && (length - i) % 3 == 0)
            text_string(t, ",");
        text_bytes(t, digits + i, 1);
    }
}

void text_number(text *t, double value, int digits)
{
    text_format(t, "%.*g", digits, value);
}

void text_percent(text *t, double part)
{
    double percent = part * 100;
    if (part >= 1 || part <= 0)
        text_format(t, "%.0f%%", percent);
    else if (percent > 99.9)
        text_format(t, "%.2f%%", percent > 99.99 ? 99.99 : percent);
    else
        text_format(t, "%.1f%%", percent < 0.1 ? 0.1 : percent);
}

void text_seconds(text *t, double seconds)
{
    unsigned long long whole = (unsigned long long)(seconds + 0.5);
    if (seconds < 1)
        text_format(t, "%.2g s", seconds);
    else if (seconds < 60)
        text_format(t, "%.1f s", seconds);
    else if (whole < 3600)
        text_format(t, "%llu min %02llu s", whole / 60, whole % 60);
    else
        text_format(t, "%llu h %02llu min", whole / 3600, whole / 60 % 60);
}

void text_double(text *t, double value)
{
    char digits[40] = "";
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, value);
        if (strtod(digits, NULL) == value)
            break;
    }
    text_string(t, digits);
}

void text_float(text *t, float value)
{
    char digits[40] = "";
    for (int precision = 6; precision <= 9; precision++) {
        (void)snprintf(digits, sizeof digits, "%.*g", precision, (double)value);
        if (strtof(digits, NULL) == value)
            break;
    }
    text_string(t, digits);
}

void text_shell(text *t, const char *word)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-+=.,:/@%";
    if (*word && word[strspn(word, plain)] == '\0') {
        text_string(t, word);
        return;
    }
    text_string(t, "'");
    for (; *word; word++)
        if (*word == '\'')
            text_string(t, "'\\''");
        else
            text_bytes(t, word, 1);
    text_string(t, "'");
}

void text_cell(text *t, const char *cell)
{
    size_t length = strlen(cell);
    bool blank = length > 0 && (cell[0] == ' ' || cell[length - 1] == ' ');
    if (!blank && !strpbrk(cell, ",;|\t\"\r\n")) {
        text_bytes(t, cell, length);
        return;
    }
    text_string(t, "\"");
    for (; *cell; cell++) {
        if (*cell == '"')
            text_string(t, "\"");
        text_bytes(t, cell, 1);
    }
    text_string(t, "\"");
}

void text_wrap(text *t, const char *string, size_t column, size_t indent, size_t width)
{
    bool fresh = true;
    while (*string) {
        while (*string == ' ')
            string++;
        size_t length = strcspn(string, " ");
        if (length == 0)
            break;
        size_t cells = 0;
        for (size_t i = 0; i < length;) {
            uint32_t code = 0;
            i += decode(string + i, &code);
            cells += cells_of(code);
        }
        if (!fresh && column + 1 + cells > width) {
            text_string(t, "\n");
            text_repeat(t, " ", indent);
            column = indent;
            fresh = true;
        }
        if (!fresh) {
            text_string(t, " ");
            column++;
        }
        text_bytes(t, string, length);
        column += cells;
        string += length;
        fresh = false;
    }
    text_string(t, "\n");
}
