/*
 * reading.h - reads small files in memory and looks at what came of them, for the tests of the readers.
 */
#ifndef HILL_TEST_READING_H
#define HILL_TEST_READING_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "data/reader.h"
#include "reader_files.h"

static inline hill__reading plain(void)
{
    return (hill__reading){.options = HILL_TABLE_OPTIONS_INIT, .allocator = hill__allocator(NULL)};
}

static inline int parse_status(const bytes_buffer *file, const hill__reading *reading, hill_table **out, hill_error *error)
{
    hill_bytes bytes = {file->data, file->length, "f"};
    return hill__table_parse(&bytes, reading, out, error);
}

static inline hill_table *parse_with(const bytes_buffer *file, const hill__reading *reading)
{
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    if (parse_status(file, reading, &table, &error) != HILL_OK)
        fail_msg("%s", error.text);
    assert_non_null(table);
    return table;
}

static inline hill_table *parse_text(const char *text)
{
    bytes_buffer file = make_text(text);
    hill__reading reading = plain();
    return parse_with(&file, &reading);
}

static inline void assert_fails(const bytes_buffer *file, const hill__reading *reading, int status, const char *text)
{
    hill_table *table = NULL;
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(parse_status(file, reading, &table, &error), status);
    assert_null(table);
    assert_int_equal(error.status, status);
    if (strncmp(error.text, text, strlen(text)) != 0)
        fail_msg("says \"%s\", should begin \"%s\"", error.text, text);
}

static inline void assert_text_fails(const char *content, const char *text)
{
    bytes_buffer file = make_text(content);
    hill__reading reading = plain();
    assert_fails(&file, &reading, HILL_EDATA, text);
}

static inline const char *cell(const hill_table *table, size_t column, uint64_t row)
{
    assert_true(column < table->column_count && row < table->rows);
    assert_int_equal(table->columns[column].kind, HILL_COLUMN_CATEGORY);
    uint32_t code = table->columns[column].codes[row];
    return code == HILL__MISSING ? NULL : hill__lines_at(&table->columns[column].values, code);
}

static inline void assert_numbers(const hill_table *table, size_t column, const char *name, const double *numbers)
{
    assert_true(column < table->column_count);
    assert_string_equal(table->columns[column].name, name);
    assert_int_equal(table->columns[column].kind, HILL_COLUMN_NUMBER);
    for (uint64_t i = 0; i < table->rows; i++) {
        double x = table->columns[column].numbers[i];
        assert_true(isnan(numbers[i]) ? isnan(x) : x == numbers[i]);
    }
}

#endif
