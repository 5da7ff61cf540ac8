/*
 * json.c - writes one JSON value: commas and quotes in their places, NaN as null.
 *
 * Invariant: `comma` says whether a member stands before the place that is written next.
 */
#include "json.h"

#include <math.h>
#include <string.h>

/* JSON is UTF-8: a byte that isn't, as the name of a file may have, becomes U+FFFD. */
static void json_quote(text *out, const char *string)
{
    const char *end = string + strlen(string);
    text_string(out, "\"");
    for (size_t length; *string; string += length ? length : 1) {
        unsigned char c = (unsigned char)*string;
        length = text_character(string, (size_t)(end - string));
        if (c == '"' || c == '\\')
            text_format(out, "\\%c", c);
        else if (c == '\n')
            text_string(out, "\\n");
        else if (c == '\t')
            text_string(out, "\\t");
        else if (c < 0x20 || c == 0x7f)
            text_format(out, "\\u%04x", c);
        else if (length == 0)
            text_string(out, "\xef\xbf\xbd");
        else
            text_bytes(out, string, length);
    }
    text_string(out, "\"");
}

static void json_key(json *j, const char *key)
{
    if (j->comma)
        text_string(j->out, ",");
    j->comma = true;
    if (key) {
        json_quote(j->out, key);
        text_string(j->out, ":");
    }
}

void json_open(json *j, const char *key, char bracket)
{
    json_key(j, key);
    text_bytes(j->out, &bracket, 1);
    j->comma = false;
}

void json_close(json *j, char bracket)
{
    text_bytes(j->out, &bracket, 1);
    j->comma = true;
}

void json_string(json *j, const char *key, const char *value)
{
    json_key(j, key);
    if (value)
        json_quote(j->out, value);
    else
        text_string(j->out, "null");
}

void json_count(json *j, const char *key, uint64_t value)
{
    json_key(j, key);
    text_format(j->out, "%llu", (unsigned long long)value);
}

void json_double(json *j, const char *key, double value)
{
    json_key(j, key);
    if (isfinite(value))
        text_double(j->out, value);
    else
        text_string(j->out, "null");
}

void json_null(json *j, const char *key)
{
    json_key(j, key);
    text_string(j->out, "null");
}
