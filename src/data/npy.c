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

/* Text of the header being read; `begin` is the file's. */
typedef struct npy_text {
    const char *name, *begin, *at, *end;
    hill_error *error;
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
        size_t digits = (size_t)(text->at - from);
        if (!hill__parse_unsigned(from, digits, &size) || (*from == '0' && digits > 1) || array->axes > HILL__ARRAY_AXES)
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

static int npy_bad_type(const npy_text *text, const char *type, size_t length)
{
    bool objects = memchr(type, 'O', length) != NULL;
    return hill__fail(text->error, HILL_EDATA,
                      "%s: holds %s (type %.*s, before byte %zu); whole or floating-point numbers are needed", text->name,
                      objects ? "Python objects" : "no plain numbers", (int)(length < 40 ? length : 40), type,
                      (size_t)(text->at - text->begin));
}

static int npy_bad_header(const npy_text *text)
{
    return hill__fail(text->error, HILL_EDATA, "%s: its NPY header is damaged at byte %zu", text->name,
                      (size_t)(text->at - text->begin));
}

/* A structured type stands as a list where others are a string. */
static int npy_descr(npy_text *text, hill__array *array)
{
    const char *type;
    size_t length;
    if (npy_take(text, "["))
        return npy_bad_type(text, "a record", strlen("a record"));
    if (!npy_string(text, &type, &length))
        return npy_bad_header(text);
    return npy_type(type, length, array) ? HILL_OK : npy_bad_type(text, type, length);
}

static int npy_header(npy_text *text, hill__array *array)
{
    unsigned seen = 0;
    bool comma = true;
    if (!npy_take(text, "{"))
        return npy_bad_header(text);
    while (!npy_take(text, "}")) {
        const char *key;
        size_t length;
        if (!comma || !npy_string(text, &key, &length) || !npy_take(text, ":"))
            return npy_bad_header(text);
        unsigned bit = 0;
        bool good = true;
        if (length == 5 && memcmp(key, "descr", 5) == 0) {
            HILL__TRY(npy_descr(text, array));
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
            return npy_bad_header(text);
        seen |= bit;
        comma = npy_take(text, ",");
    }
    npy_blanks(text);
    return seen == 7 && text->at == text->end ? HILL_OK : npy_bad_header(text);
}

bool hill__npy_is(const hill_bytes *bytes)
{
    return bytes->length >= 6 && memcmp(bytes->data, NPY_MAGIC, 6) == 0;
}

int hill__npy_parse(const hill_bytes *bytes, const hill_limits *limits, hill__array *array, hill_error *error)
{
    const unsigned char *p = bytes->data;
    uint64_t most = HILL__LIMIT(*limits, header);
    size_t start = bytes->length >= 7 && p[6] > 1 ? 12 : 10;
    *array = (hill__array){.name = bytes->name, .limits = *limits, .header = start};
    if (!hill__npy_is(bytes))
        return hill__fail(error, HILL_EDATA, "%s: is no NPY file, at byte 0", bytes->name);
    if (bytes->length < start)
        return hill__fail(error, HILL_EDATA, "%s: is cut off within its header, at byte %zu", bytes->name, bytes->length);
    if (p[6] < 1 || p[6] > 3 || p[7] != 0)
        return hill__fail(error, HILL_EDATA, "%s: NPY version %u.%u at byte 6; 1.0, 2.0 and 3.0 are known", bytes->name, p[6],
                          p[7]);
    size_t length = p[6] > 1 ? hill__bytes_u32(p + 8) : hill__bytes_u16(p + 8);
    if (length > most)
        return hill__fail(error, HILL_EDATA, "%s: its header of %zu bytes, by byte 8, is over %llu; --limit-header raises that",
                          bytes->name, length, (unsigned long long)most);
    if (length > bytes->length - start)
        return hill__fail(error, HILL_EDATA, "%s: is cut off within its header, at byte %zu", bytes->name, bytes->length);
    const char *begin = (const char *)p;
    npy_text text = {bytes->name, begin, begin + start, begin + start + length, error};
    HILL__TRY(npy_header(&text, array));
    array->start = start + length;
    array->data = p + array->start;
    return hill__array_check(array, bytes->length - array->start, error);
}

int hill__npy_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error)
{
    hill__array array;
    *out = NULL;
    HILL__TRY(hill__npy_parse(bytes, &reading->limits, &array, error));
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
