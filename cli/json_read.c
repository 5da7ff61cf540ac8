/*
 * json_read.c - looks into JSON text (RFC 8259) that a stranger may have written: is it whole, what are its members.
 *
 * Invariant: what json_whole called whole is not judged again: members of it are found by the same walk.
 */
#include "json_read.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH 32
#define LONGEST_NUMBER 400

typedef struct reader {
    const unsigned char *at, *end;
} reader;

static int peek(const reader *r)
{
    return r->at < r->end ? *r->at : -1;
}

static void skip_blanks(reader *r)
{
    while (r->at < r->end && (*r->at == ' ' || *r->at == '\t' || *r->at == '\n' || *r->at == '\r'))
        r->at++;
}

static bool take(reader *r, int c)
{
    bool there = peek(r) == c;
    r->at += there;
    return there;
}

/* The four digits behind a backslash and u. */
static bool take_hex(reader *r, uint32_t *out)
{
    *out = 0;
    for (int i = 0; i < 4; i++, r->at++) {
        int c = peek(r), digit = c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint32_t)digit;
    }
    return true;
}

static bool take_code_point(reader *r, uint32_t *point)
{
    uint32_t low;
    if (!take_hex(r, point) || (*point >= 0xdc00 && *point <= 0xdfff) || *point == 0)
        return false;
    if (*point < 0xd800 || *point > 0xdbff)
        return true;
    if (!take(r, '\\') || !take(r, 'u') || !take_hex(r, &low) || low < 0xdc00 || low > 0xdfff)
        return false;
    *point = 0x10000 + ((*point - 0xd800) << 10) + (low - 0xdc00);
    return true;
}

static void add_code_point(text *out, uint32_t point)
{
    unsigned tail = point < 0x80 ? 0 : point < 0x800 ? 1 : point < 0x10000 ? 2 : 3;
    static const unsigned char heads[] = {0, 0xc0, 0xe0, 0xf0};
    char bytes[4] = {(char)(heads[tail] | point >> (6 * tail))};
    for (unsigned i = 1; i <= tail; i++)
        bytes[i] = (char)(0x80 | (point >> (6 * (tail - i)) & 0x3f));
    text_bytes(out, bytes, tail + 1);
}

/* What stands behind a backslash. */
static bool take_escape(reader *r, text *out)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    uint32_t point;
    int c = peek(r);
    const char *found = c > 0 ? strchr(names, c) : NULL;
    r->at += c >= 0;
    if (found && out)
        text_bytes(out, values + (found - names), 1);
    if (found)
        return true;
    if (c != 'u' || !take_code_point(r, &point))
        return false;
    if (out)
        add_code_point(out, point);
    return true;
}

/* A string with its quotes; its characters are appended to `out`, unless that is NULL. */
static bool take_string(reader *r, text *out)
{
    if (!take(r, '"'))
        return false;
    while (peek(r) != '"') {
        if (peek(r) < 0x20)
            return false;
        if (take(r, '\\')) {
            if (!take_escape(r, out))
                return false;
            continue;
        }
        size_t length = text_character((const char *)r->at, (size_t)(r->end - r->at));
        if (length == 0)
            return false;
        if (out)
            text_bytes(out, (const char *)r->at, length);
        r->at += length;
    }
    r->at++;
    return true;
}

static bool take_digits(reader *r)
{
    const unsigned char *begin = r->at;
    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at > begin;
}

static bool take_number(reader *r)
{
    (void)take(r, '-');
    if (!take(r, '0') && !take_digits(r))
        return false;
    if (take(r, '.') && !take_digits(r))
        return false;
    if (peek(r) != 'e' && peek(r) != 'E')
        return true;
    r->at++;
    if (!take(r, '+'))
        (void)take(r, '-');
    return take_digits(r);
}

static bool take_word(reader *r, const char *word)
{
    size_t length = strlen(word);
    bool there = (size_t)(r->end - r->at) >= length && memcmp(r->at, word, length) == 0;
    r->at += there ? length : 0;
    return there;
}

static bool take_value(reader *r, unsigned depth, json_value *out);

/* A member's key and colon, where it has such. */
static bool take_key(reader *r, bool has)
{
    if (!has)
        return true;
    if (!take_string(r, NULL))
        return false;
    skip_blanks(r);
    bool there = take(r, ':');
    skip_blanks(r);
    return there;
}

static bool take_members(reader *r, unsigned depth, int close)
{
    r->at++;
    skip_blanks(r);
    if (take(r, close))
        return true;
    do {
        json_value member;
        skip_blanks(r);
        if (!take_key(r, close == '}') || !take_value(r, depth + 1, &member))
            return false;
        skip_blanks(r);
    } while (take(r, ','));
    return take(r, close);
}

static bool take_value(reader *r, unsigned depth, json_value *out)
{
    const int c = peek(r);
    bool good = depth < DEPTH || (c != '{' && c != '[');
    out->begin = (const char *)r->at;
    out->kind = c == '{'   ? JSON_OBJECT
                : c == '[' ? JSON_ARRAY
                : c == '"' ? JSON_STRING
                : c == 't' ? JSON_TRUE
                : c == 'f' ? JSON_FALSE
                : c == 'n' ? JSON_NULL
                           : JSON_NUMBER;
    if (good)
        good = c == '{' || c == '[' ? take_members(r, depth, c == '{' ? '}' : ']')
               : c == '"'           ? take_string(r, NULL)
               : c == 't'           ? take_word(r, "true")
               : c == 'f'           ? take_word(r, "false")
               : c == 'n'           ? take_word(r, "null")
                                    : take_number(r);
    out->length = (size_t)((const char *)r->at - out->begin);
    return good;
}

bool json_whole(const char *bytes, size_t length, json_value *out)
{
    reader r = {(const unsigned char *)bytes, (const unsigned char *)bytes + length};
    skip_blanks(&r);
    if (!take_value(&r, 0, out))
        return false;
    skip_blanks(&r);
    return r.at == r.end;
}

/* Whether a string of JSON is a key: it may be written with escapes. */
static bool is_key(const char *begin, size_t length, const char *key)
{
    text decoded = TEXT_INIT;
    const json_value string = {JSON_STRING, begin, length};
    bool same = length == strlen(key) + 2 && memcmp(begin + 1, key, length - 2) == 0;
    if (!same && memchr(begin, '\\', length))
        same = json_take(&string, &decoded) && strcmp(text_get(&decoded), key) == 0;
    text_free(&decoded);
    return same;
}

bool json_member(const json_value *object, const char *key, json_value *out)
{
    reader r = {(const unsigned char *)object->begin, (const unsigned char *)object->begin + object->length};
    size_t found = 0;
    if (object->kind != JSON_OBJECT)
        return false;
    r.at++;
    skip_blanks(&r);
    while (peek(&r) == '"') {
        json_value member;
        const char *begin = (const char *)r.at;
        (void)take_string(&r, NULL);
        bool wanted = is_key(begin, (size_t)((const char *)r.at - begin), key);
        skip_blanks(&r);
        (void)take(&r, ':');
        skip_blanks(&r);
        (void)take_value(&r, 1, &member);
        if (wanted && found++ == 0)
            *out = member;
        skip_blanks(&r);
        (void)take(&r, ',');
        skip_blanks(&r);
    }
    return found == 1;
}

bool json_take(const json_value *string, text *out)
{
    reader r = {(const unsigned char *)string->begin, (const unsigned char *)string->begin + string->length};
    return string->kind == JSON_STRING && take_string(&r, out) && !out->failed;
}

bool json_number(const json_value *value, double *out)
{
    char digits[LONGEST_NUMBER];
    if (value->kind != JSON_NUMBER || value->length >= sizeof digits)
        return false;
    memcpy(digits, value->begin, value->length);
    digits[value->length] = '\0';
    *out = strtod(digits, NULL);
    return isfinite(*out);
}

bool json_whole_number(const json_value *value, uint64_t *out)
{
    double number;
    if (!json_number(value, &number) || number < 0 || number > 9007199254740992.0 || number != floor(number))
        return false;
    *out = (uint64_t)number;
    return true;
}
