/*
 * text.c - growing text. Invariant: data[length] is zero whenever data is not NULL.
 */
#include "base/fp.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

void hill__text_init(hill__text *text, const hill_allocator *allocator)
{
    *text = (hill__text){.allocator = *allocator};
}

void hill__text_free(hill__text *text)
{
    hill__free(&text->allocator, text->data, text->capacity, 1);
    text->data = NULL;
    text->length = text->capacity = 0;
}

void hill__text_clear(hill__text *text)
{
    text->length = 0;
    if (text->data)
        text->data[0] = '\0';
}

void hill__text_add(hill__text *text, const char *bytes, size_t length)
{
    size_t needed;
    void *data = text->data;
    if (text->failed || !hill__add(text->length, length, &needed) || !hill__add(needed, 1, &needed) ||
        !hill__grow(&text->allocator, &data, &text->capacity, needed, 1)) {
        text->failed = true;
        return;
    }
    text->data = data;
    if (length)
        memcpy(text->data + text->length, bytes, length);
    text->length += length;
    text->data[text->length] = '\0';
}

void hill__text_add_string(hill__text *text, const char *string)
{
    hill__text_add(text, string, strlen(string));
}

static void add_arguments(hill__text *text, const char *format, va_list arguments)
{
    char buffer[2000];
    int length = vsnprintf(buffer, sizeof buffer, format, arguments);
    if (length < 0)
        text->failed = true;
    else
        hill__text_add(text, buffer, (size_t)length < sizeof buffer ? (size_t)length : sizeof buffer - 1);
}

void hill__text_add_format(hill__text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    add_arguments(text, format, arguments);
    va_end(arguments);
}

void hill__text_add_double(hill__text *text, double value)
{
    char buffer[HILL__NUMBER_TEXT];
    hill__text_add(text, buffer, hill__format_double(value, buffer));
}

void hill__text_add_float(hill__text *text, float value)
{
    char buffer[HILL__NUMBER_TEXT];
    hill__text_add(text, buffer, hill__format_float(value, buffer));
}

void hill__text_add_rounded(hill__text *text, double value, int digits)
{
    char buffer[HILL__NUMBER_TEXT];
    hill__text_add(text, buffer, hill__format_rounded(value, digits, buffer));
}

const char *hill__text_string(const hill__text *text)
{
    return text->data ? text->data : "";
}

void hill__lines_init(hill__lines *lines, const hill_allocator *allocator)
{
    *lines = (hill__lines){.starts = NULL};
    hill__text_init(&lines->text, allocator);
}

void hill__lines_free(hill__lines *lines)
{
    hill__free(&lines->text.allocator, lines->starts, lines->capacity, sizeof *lines->starts);
    hill__text_free(&lines->text);
    lines->starts = NULL;
    lines->count = lines->capacity = 0;
}

void hill__lines_add(hill__lines *lines, const char *format, ...)
{
    void *starts = lines->starts;
    if (!hill__grow(&lines->text.allocator, &starts, &lines->capacity, lines->count + 1, sizeof *lines->starts)) {
        lines->text.failed = true;
        return;
    }
    lines->starts = starts;
    size_t start = lines->text.length;
    va_list arguments;
    va_start(arguments, format);
    add_arguments(&lines->text, format, arguments);
    va_end(arguments);
    hill__text_add(&lines->text, "", 1);
    if (!lines->text.failed)
        lines->starts[lines->count++] = start;
}

const char *hill__lines_at(const hill__lines *lines, size_t i)
{
    return i < lines->count ? lines->text.data + lines->starts[i] : NULL;
}

size_t hill__utf8(const unsigned char *bytes, size_t length)
{
    unsigned char c = bytes[0];
    size_t size = c < 0x80 ? 1 : c >= 0xc2 && c <= 0xdf ? 2 : c >= 0xe0 && c <= 0xef ? 3 : c >= 0xf0 && c <= 0xf4 ? 4 : 0;
    if (size == 0 || size > length)
        return 0;
    for (size_t i = 1; i < size; i++)
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
    if ((c == 0xe0 && bytes[1] < 0xa0) || (c == 0xed && bytes[1] > 0x9f))
        return 0;
    if ((c == 0xf0 && bytes[1] < 0x90) || (c == 0xf4 && bytes[1] > 0x8f))
        return 0;
    return size;
}
