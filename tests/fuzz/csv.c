/*
 * csv.c - text as a table, by every way of guessing; what was guessed, said, gives the same table.
 */
#include "fuzz.h"

static void same_column(const hill__column *a, const hill__column *b, uint64_t rows)
{
    must(a->kind == b->kind && strcmp(a->name, b->name) == 0 && a->missing == b->missing && a->distinct == b->distinct);
    if (a->kind == HILL_COLUMN_NUMBER)
        must(memcmp(a->numbers, b->numbers, rows * sizeof *a->numbers) == 0);
    else
        must(memcmp(a->codes, b->codes, rows * sizeof *a->codes) == 0);
}

/* The options that stand in a table's guesses, beside those that were given. */
static void take_guesses(const char *guesses, hill_table_options *options)
{
    const char *delimiter = strstr(guesses, "--delimiter "), *header = strstr(guesses, "--header ");
    must((delimiter != NULL) == !options->delimiter && (header != NULL) == !options->header);
    if (delimiter)
        options->delimiter = delimiter[12] == 't' ? '\t' : delimiter[12] == 's' ? ' ' : delimiter[13];
    if (header)
        options->header = header[9] == 'y' ? "yes" : "no";
}

static void read_as_guessed(const hill_table *table, const uint8_t *data, size_t size, hill__reading reading)
{
    take_guesses(hill_table_guesses(table), &reading.options);
    hill_table *again = fuzz_table(data, size, &reading);
    must(again && again->rows == table->rows && again->column_count == table->column_count);
    must(again->has_header == table->has_header && strcmp(again->format, table->format) == 0);
    for (size_t i = 0; i < table->column_count; i++)
        same_column(&table->columns[i], &again->columns[i], table->rows);
    hill_table_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char delimiters[] = {0, ',', '\t', ';', '|', ' ', 0, 0};
    static const char *const headers[] = {NULL, "yes", "no", NULL};
    if (size < 1)
        return 0;
    unsigned how = data[0];
    fuzz_memory memory = {0, 0, 0};
    hill__reading reading = fuzz_reading(how & 3, &memory);
    reading.options.missing = how & 4 ? "?,x" : NULL;
    reading.options.header = headers[how >> 3 & 3];
    reading.options.delimiter = delimiters[how >> 5];
    if (hill__npy_is(&(hill_bytes){data + 1, size - 1, NULL}) || hill__zip_is(&(hill_bytes){data + 1, size - 1, NULL}) ||
        hill__idx_is(&(hill_bytes){data + 1, size - 1, NULL}) || hill__bytes_are_gzip(data + 1, size - 1))
        return 0;
    hill_table *table = fuzz_table(data + 1, size - 1, &reading);
    if (table)
        read_as_guessed(table, data + 1, size - 1, reading);
    hill_table_free(table);
    must(memory.used == 0 && memory.asked <= FUZZ_JUSTIFIED(size));
    return 0;
}
