/*
 * npy.c - NumPy's NPY format, versions 1 to 3. Invariant: the header is read by its own small grammar, never evaluated, and
 * must hold its three keys once each and nothing else.
 */
#include "base/fp.h"

#include "data/npy.h"

#include <string.h>

#include "base/number.h"
#include "data/bytes.h"
#include "data/reader.h"

#define NPY_MAGIC "\x93NUMPY"

/* Text of the header being read. */
typedef struct npy_text {
    const char *at, *end;
} npy_text;

static void npy_blanks(npy_text *text)
{
    while (text->at < text->end && (*text->at == ' ' || *text->at == '\n'))
        text->at++;
}

/* Takes `word` if it comes next. */
static bool npy_take(npy_text *text, const char *word)
{
    size_t length = strlen(word);
    npy_blanks(text);
    if ((size_t)(text->end - text->at) < length || memcmp(text->at, word, length) != 0)
        return false;
    text->at += length;
    return true;
}

/* A string in single or double quotes without escapes. */
static bool npy_string(npy_text *text, const char **string, size_t *length)
{
    bool single = npy_take(text, "'");
    if (!single && !npy_take(text, "\""))
        return false;
    const char *from = text->at;
    while (text->at < text->end && *text->at != (single ? '\'' : '"') && *text->at != '\\')
        text->at++;
    *string = from;
    *length = (size_t)(text->at - from);
    return npy_take(text, single ? "'" : "\"");
}

/* "(3, 4)", "(3,)", "()". */
static bool npy_shape(npy_text *text, hill__array *array)
{
    array->axes = 0;
    if (!npy_take(text, "("))
        return false;
    while (!npy_take(text, ")")) {
        npy_blanks(text);
        const char *from = text->at;
        while (text->at < text->end && *text->at >= '0' && *text->at <= '9')
            text->at++;
        uint64_t size;
        if (!hill__parse_unsigned(from, (size_t)(text->at - from), &size) || array->axes > HILL__ARRAY_AXES)
            return false;
        if (array->axes < HILL__ARRAY_AXES)
            array->shape[array->axes] = size;
        array->axes++;
        if (!npy_take(text, ",") && (array->axes == 1 || text->at >= text->end || *text->at != ')'))
            return false;
    }
    return true;
}

/* "<f8", "|u1", ">i2", "|b1", "<f2". */
static bool npy_type(const char *type, size_t length, hill__array *array)
{
    if (length != 3 || !memchr("<>|=", type[0], 4) || !memchr("1248", type[2], 4))
        return false;
    array->big = type[0] == '>';
    array->item = (size_t)(type[2] - '0');
    switch (type[1]) {
    case 'b':
    case 'u':
        array->kind = HILL__ARRAY_UNSIGNED;
        return type[1] == 'u' || array->item == 1;
    case 'i':
        array->kind = HILL__ARRAY_SIGNED;
        return true;
    case 'f':
        array->kind = HILL__ARRAY_FLOAT;
        return array->item > 1;
    default:
        return false;
    }
}

static int npy_bad_type(const char *name, const char *type, size_t length, hill_error *error)
{
    bool objects = memchr(type, 'O', length) != NULL;
    return hill__fail(error, HILL_EDATA, "%s: holds %s (type %.*s); whole or floating-point numbers are needed", name,
                      objects ? "Python objects" : "no plain numbers", (int)(length < 40 ? length : 40), type);
}

static int npy_bad_header(const char *name, hill_error *error)
{
    return hill__fail(error, HILL_EDATA, "%s: its NPY header is damaged", name);
}

/* A structured type stands as a list where others are a string. */
static int npy_descr(const char *name, npy_text *text, hill__array *array, hill_error *error)
{
    const char *type;
    size_t length;
    if (npy_take(text, "["))
        return npy_bad_type(name, "a record", strlen("a record"), error);
    if (!npy_string(text, &type, &length))
        return npy_bad_header(name, error);
    return npy_type(type, length, array) ? HILL_OK : npy_bad_type(name, type, length, error);
}

static int npy_header(const char *name, npy_text *text, hill__array *array, hill_error *error)
{
    unsigned seen = 0;
    bool comma = true;
    if (!npy_take(text, "{"))
        return npy_bad_header(name, error);
    while (!npy_take(text, "}")) {
        const char *key;
        size_t length;
        if (!comma || !npy_string(text, &key, &length) || !npy_take(text, ":"))
            return npy_bad_header(name, error);
        unsigned bit = 0;
        bool good = true;
        if (length == 5 && memcmp(key, "descr", 5) == 0) {
            HILL__TRY(npy_descr(name, text, array, error));
            bit = 1;
        } else if (length == 13 && memcmp(key, "fortran_order", 13) == 0) {
            array->columns_first = npy_take(text, "True");
            good = array->columns_first || npy_take(text, "False");
            bit = 2;
        } else if (length == 5 && memcmp(key, "shape", 5) == 0) {
            good = npy_shape(text, array);
            bit = 4;
        }
        if (!good || bit == 0 || (seen & bit))
            return npy_bad_header(name, error);
        seen |= bit;
        comma = npy_take(text, ",");
    }
    npy_blanks(text);
    return seen == 7 && text->at == text->end ? HILL_OK : npy_bad_header(name, error);
}

bool hill__npy_is(const hill_bytes *bytes)
{
    return bytes->length >= 6 && memcmp(bytes->data, NPY_MAGIC, 6) == 0;
}

int hill__npy_parse(const hill_bytes *bytes, hill__array *array, hill_error *error)
{
    const unsigned char *p = bytes->data;
    *array = (hill__array){.name = bytes->name};
    if (!hill__npy_is(bytes))
        return hill__fail(error, HILL_EDATA, "%s: is no NPY file", bytes->name);
    size_t start = bytes->length >= 7 && p[6] > 1 ? 12 : 10;
    if (bytes->length < start)
        return hill__fail(error, HILL_EDATA, "%s: is cut off within its header", bytes->name);
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return hill__fail(error, HILL_EDATA, "%s: NPY version %u.%u; 1.0, 2.0 and 3.0 are known", bytes->name, p[6], p[7]);
    size_t length = p[6] > 1 ? hill__bytes_u32(p + 8) : hill__bytes_u16(p + 8);
    if (length > bytes->length - start)
        return hill__fail(error, HILL_EDATA, "%s: is cut off within its header", bytes->name);
    npy_text text = {(const char *)p + start, (const char *)p + start + length};
    HILL__TRY(npy_header(bytes->name, &text, array, error));
    if (array->axes == 0 || array->axes > HILL__ARRAY_AXES)
        return hill__fail(error, HILL_EDATA, "%s: %s axes; 1 or 2 of numbers, or 3 or 4 of bytes (images) are needed",
                          bytes->name, array->axes ? "more than 4" : "no");
    array->data = p + start + length;
    return hill__array_check(array, bytes->length - start - length, error);
}

int hill__npy_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error)
{
    hill__array array;
    *out = NULL;
    HILL__TRY(hill__npy_parse(bytes, &array, error));
    array.lasting = reading->lasting;
    hill_table *table = hill__table_new(bytes->name, "npy", &reading->allocator);
    if (!table)
        return hill__fail_memory(error);
    int status = hill__array_fill(&array, NULL, table, error);
    if (status < 0)
        hill_table_free(table);
    else
        *out = table;
    return status;
}
