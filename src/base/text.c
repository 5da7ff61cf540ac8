/*
 * text.c - growing text. Invariant: data[length] is zero whenever data is not NULL.
 */
#include "base/fp.h"

#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"

size_t hill__utf8(const unsigned char *p, size_t left)
{
    unsigned low = 0x80, high = 0xbf;
    size_t length = p[0] < 0xc2 ? 0 : p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : p[0] < 0xf5 ? 4 : 0;
    if (p[0] < 0x80)
        return 1;
    if (length == 0 || left < length)
        return 0;
    if (p[0] == 0xe0)
        low = 0xa0;
    if (p[0] == 0xed)
        high = 0x9f;
    if (p[0] == 0xf0)
        low = 0x90;
    if (p[0] == 0xf4)
        high = 0x8f;
    if (p[1] < low || p[1] > high)
        return 0;
    for (size_t i = 2; i < length; i++)
        if (p[i] < 0x80 || p[i] > 0xbf)
            return 0;
    return length;
}

void hill__text_show(char *text, unsigned line_ends)
{
    size_t left = strlen(text), step;
    for (; left > 0; text += step, left -= step) {
        unsigned char *p = (unsigned char *)text;
        step = hill__utf8(p, left);
        if (step == 0)
            *p = '?';
        else if (*p == '\n' && line_ends > 0)
            line_ends--;
        else if (*p < ' ' || *p == 0x7f)
            *p = ' ';
        step = step ? step : 1;
    }
}

const char *hill__list_next(const char **list, size_t *length)
{
    const char *item = *list + strspn(*list, " ,");
    *length = strcspn(item, ",");
    *list = item + *length;
    while (*length > 0 && item[*length - 1] == ' ')
        --*length;
    return *length > 0 ? item : NULL;
}

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
    if (lines->text.failed)
        return;
    hill__text_show(lines->text.data + start, 0);
    lines->starts[lines->count++] = start;
}

const char *hill__lines_at(const hill__lines *lines, size_t i)
{
    return i < lines->count ? lines->text.data + lines->starts[i] : NULL;
}
