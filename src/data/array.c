/*
 * array.c - arrays of any number type into columns of doubles or images. Invariant: nothing is read or allocated before the
 * shape was found to be just what the bytes hold.
 */
#include "base/fp.h"

#include "data/array.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int hill__array_check(const hill__array *array, size_t length, hill_error *error)
{
    size_t bytes = array->item;
    bool fits = true;
    if (array->axes == 0 || array->axes > HILL__ARRAY_AXES)
        return hill__fail(error, HILL_EDATA,
                          "%s: %s axes, by its header at byte %zu; 1 or 2 of numbers, or 3 or 4 of bytes (images) are needed",
                          array->name, array->axes ? "more than 4" : "no", array->header);
    for (size_t i = 0; i < array->axes; i++) {
        if (array->shape[i] == 0)
            return hill__fail(error, HILL_EDATA, "%s: has no %s, by its header at byte %zu", array->name,
                              i ? "columns" : "rows", array->header);
        fits = fits && array->shape[i] <= SIZE_MAX && hill__mul(bytes, (size_t)array->shape[i], &bytes);
    }
    if (!fits)
        return hill__fail(error, HILL_EDATA, "%s: its header promises more data than any memory holds, at byte %zu",
                          array->name, array->header);
    if (bytes != length)
        return hill__fail(error, HILL_EDATA, "%s: its header promises %zu bytes of data, %zu are there: it %s at byte %zu",
                          array->name, bytes, length, bytes > length ? "is cut off" : "goes on behind its end",
                          array->start + (bytes > length ? length : bytes));
    return HILL_OK;
}

/* Half precision: 1 sign bit, 5 of exponent, 10 of significand. */
static double array_half(uint64_t bits)
{
    double significand = (double)(bits & 0x3ff);
    int exponent = (int)(bits >> 10 & 0x1f);
    double value = NAN;
    if (exponent == 0)
        value = significand * 0x1p-24;
    else if (exponent < 31)
        value = (significand + 1024) * 0x1p-24 * (double)((uint32_t)1 << (exponent - 1));
    else if (significand == 0)
        value = INFINITY;
    return bits >> 15 ? -value : value;
}

static double array_number(const hill__array *array, const unsigned char *p)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < array->item; i++)
        bits = bits << 8 | p[array->big ? i : array->item - 1 - i];
    if (array->kind == HILL__ARRAY_UNSIGNED)
        return (double)bits;
    if (array->kind == HILL__ARRAY_SIGNED) {
        uint64_t sign = (uint64_t)1 << (array->item * 8 - 1);
        return bits & sign ? -(double)((~bits & (sign - 1)) + 1) : (double)bits;
    }
    if (array->item == 2)
        return array_half(bits);
    float narrow;
    double wide;
    uint32_t word = (uint32_t)bits;
    memcpy(&narrow, &word, sizeof narrow);
    memcpy(&wide, &bits, sizeof wide);
    return array->item == 4 ? (double)narrow : wide;
}

static int array_fill_column(const hill__array *array, size_t column, hill_table *table, hill_error *error)
{
    size_t rows = (size_t)table->rows, width = table->column_count;
    double *numbers = table->columns[column].numbers;
    size_t first = array->columns_first ? column * rows : column, step = array->columns_first ? 1 : width;
    for (size_t row = 0; row < rows; row++) {
        size_t at = (first + row * step) * array->item;
        double x = array_number(array, array->data + at);
        if (isinf(x))
            return hill__fail(error, HILL_EDATA, "%s: row %zu, column %zu: an infinity, which is no finite number, at byte %zu",
                              array->name, row + 1, column + 1, array->start + at);
        numbers[row] = x;
    }
    return HILL_OK;
}

static int array_fill_numbers(const hill__array *array, const char *name, hill_table *table, hill_error *error)
{
    size_t width = array->axes == 2 ? (size_t)array->shape[1] : 1;
    uint64_t most = HILL__LIMIT(array->limits, columns);
    if (width > most)
        return hill__fail(error, HILL_EDATA,
                          "%s: %zu columns, by its header at byte %zu, are more than %llu; --limit-columns raises that",
                          array->name, width, array->header, (unsigned long long)most);
    table->rows = array->shape[0];
    if (!hill__table_set_columns(table, width))
        return hill__fail_memory(error);
    for (size_t i = 0; i < width; i++) {
        char number[32];
        snprintf(number, sizeof number, "c%zu", i + 1);
        const char *called = width == 1 && name ? name : number;
        if (!hill__table_set_name(table, i, called, strlen(called)) || !hill__table_set_kind(table, i, HILL_COLUMN_NUMBER))
            return hill__fail_memory(error);
        HILL__TRY(array_fill_column(array, i, table, error));
    }
    return HILL_OK;
}

/* Byte k of image `row` where the first axis varies fastest. */
static size_t array_turned(const hill__array *array, size_t row, size_t k)
{
    size_t index[HILL__ARRAY_AXES] = {row, 0, 0, 0}, at = 0;
    for (size_t i = array->axes - 1; i > 0; i--) {
        index[i] = k % (size_t)array->shape[i];
        k /= (size_t)array->shape[i];
    }
    for (size_t i = array->axes; i-- > 0;)
        at = at * (size_t)array->shape[i] + index[i];
    return at;
}

static int array_fill_images(const hill__array *array, hill_table *table, hill_error *error)
{
    size_t bytes = 1;
    for (size_t i = 1; i < array->axes; i++) {
        if (array->shape[i] > UINT32_MAX)
            return hill__fail(error, HILL_EDATA, "%s: its images are too large, by its header at byte %zu", array->name,
                              array->header);
        bytes *= (size_t)array->shape[i]; /* part of what the file holds */
    }
    bool stays = array->lasting && !array->columns_first;
    if (!stays && !hill__table_make_image(table, array->shape[0], bytes))
        return hill__fail_memory(error);
    table->rows = array->shape[0];
    table->image_bytes = bytes;
    table->image_height = (uint32_t)array->shape[1];
    table->image_width = (uint32_t)array->shape[2];
    table->image_channels = array->axes == 4 ? (uint32_t)array->shape[3] : 1;
    if (stays) {
        table->image = array->data;
        return HILL_OK;
    }
    unsigned char *image = table->image_block.data;
    if (!array->columns_first)
        memcpy(image, array->data, (size_t)table->rows * bytes);
    for (size_t row = 0; array->columns_first && row < table->rows; row++)
        for (size_t k = 0; k < bytes; k++)
            image[row * bytes + k] = array->data[array_turned(array, row, k)];
    return HILL_OK;
}

int hill__array_fill(const hill__array *array, const char *name, hill_table *table, hill_error *error)
{
    if (array->axes == 1 || array->axes == 2)
        return array_fill_numbers(array, name, table, error);
    if (array->kind != HILL__ARRAY_UNSIGNED || array->item != 1)
        return hill__fail(error, HILL_EDATA, "%s: %zu axes, by its header at byte %zu, are images and must hold bytes (uint8)",
                          array->name, array->axes, array->header);
    return array_fill_images(array, table, error);
}
