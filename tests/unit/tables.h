/*
 * tables.h - tables made by hand, for tests that shouldn't depend on a reader.
 */
#ifndef HILL_TESTS_TABLES_H
#define HILL_TESTS_TABLES_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "data/dictionary.h"
#include "data/table.h"

/* A table with named columns that have no room for values yet. */
static inline hill_table *make_table(uint64_t rows, const char *const *names, size_t count)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill_table *table = hill__table_new("hand.csv", "csv", &allocator);
    assert_non_null(table);
    table->rows = rows;
    table->has_header = true;
    assert_true(hill__table_set_columns(table, count));
    for (size_t i = 0; i < count; i++)
        assert_true(hill__table_set_name(table, i, names[i], strlen(names[i])));
    return table;
}

static inline void set_numbers(hill_table *table, size_t column, const double *values)
{
    assert_true(hill__table_set_kind(table, column, HILL_COLUMN_NUMBER));
    memcpy(table->columns[column].numbers, values, (size_t)table->rows * sizeof *values);
}

/* NULL is a missing cell. */
static inline void set_texts(hill_table *table, size_t column, const char *const *texts)
{
    assert_true(hill__table_set_kind(table, column, HILL_COLUMN_CATEGORY));
    hill__dictionary dictionary;
    hill__dictionary_init(&dictionary, &table->columns[column].values);
    for (uint64_t i = 0; i < table->rows; i++) {
        uint32_t code = HILL__MISSING;
        if (texts[i])
            assert_true(hill__dictionary_code(&dictionary, texts[i], strlen(texts[i]), &code));
        table->columns[column].codes[i] = code;
    }
    hill__dictionary_free(&dictionary);
}

static inline void set_images(hill_table *table, const unsigned char *bytes, uint32_t height, uint32_t width)
{
    table->image_height = height;
    table->image_width = width;
    table->image_channels = 1;
    table->image_bytes = (size_t)height * width;
    assert_true(hill__table_make_image(table, table->rows, table->image_bytes));
    memcpy(table->image_block.data, bytes, (size_t)table->rows * table->image_bytes);
}

#endif
