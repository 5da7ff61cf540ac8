/*
 * schema.c - finding in a file the columns that a model wants. Invariant: a wanted input is found or named in an error; only
 * the target may be absent.
 */
#include "base/fp.h"

#include "data/reader.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

/* Columns that a message about a missing one names. */
#define SCHEMA_NAMED 12u

static bool schema_is_column(const hill__wanted *wanted)
{
    return wanted->kind != HILL_COLUMN_IMAGE;
}

static int schema_missing(const hill__match *match, const char *name, hill_error *error)
{
    const hill__lines *names = match->names->values;
    hill__text list;
    hill__text_init(&list, &names->text.allocator);
    for (size_t i = 0; i < names->count && i < SCHEMA_NAMED; i++) {
        hill__text_add_string(&list, i ? ", " : "");
        hill__text_add_string(&list, hill__lines_at(names, i));
    }
    if (names->count > SCHEMA_NAMED)
        hill__text_add_format(&list, " and %zu more", names->count - SCHEMA_NAMED);
    int status =
        hill__fail(error, HILL_EDATA, "%s: column %.100s isn't there, which the model needs; there %s %.600s", match->file,
                   name, names->count == 1 ? "is" : "are", names->count ? hill__text_string(&list) : "no columns");
    hill__text_free(&list);
    return status;
}

static int schema_match_names(const hill__schema *schema, const hill__match *match, size_t *map, hill_error *error)
{
    for (size_t i = 0; i < schema->count; i++) {
        const hill__wanted *wanted = &schema->columns[i];
        if (!schema_is_column(wanted) || (wanted->target && match->targets_apart))
            continue;
        map[i] = hill__dictionary_find(match->names, wanted->name, strlen(wanted->name));
        if (map[i] == SIZE_MAX && !wanted->target)
            return schema_missing(match, wanted->name, error);
    }
    return HILL_OK;
}

/*
 * By position: the file has the columns of the training table, or lacks the target alone, and then what stood behind it has
 * moved up by one.
 */
static int schema_match_positions(const hill__schema *schema, const hill__match *match, size_t *map, hill_error *error)
{
    size_t width = 0, target = SIZE_MAX, have = match->names->values->count;
    for (size_t i = 0; i < schema->count; i++) {
        const hill__wanted *wanted = &schema->columns[i];
        if (!schema_is_column(wanted))
            continue;
        width = wanted->position >= width ? wanted->position + 1 : width;
        if (wanted->target)
            target = wanted->position;
    }
    bool lacks_target = target != SIZE_MAX && have + 1 == width;
    if (have < width && !lacks_target)
        return hill__fail(error, HILL_EDATA,
                          "%s: has %zu column%s where the model was trained on %zu (a file without names needs them all; the "
                          "target may be left out)",
                          match->file, have, have == 1 ? "" : "s", width);
    for (size_t i = 0; i < schema->count; i++) {
        const hill__wanted *wanted = &schema->columns[i];
        if (!schema_is_column(wanted) || (wanted->target && (match->targets_apart || lacks_target)))
            continue;
        map[i] = wanted->position - (lacks_target && wanted->position > target);
    }
    return HILL_OK;
}

/* A model file that was tampered with may want a column twice, or as an input where its target stood. */
static int schema_check_twice(const hill__schema *schema, const hill__match *match, const size_t *map, hill_error *error)
{
    const hill__lines *names = match->names->values;
    bool *taken = hill__alloc(&names->text.allocator, names->count, sizeof *taken);
    if (!taken)
        return hill__fail_memory(error);
    bool twice = false;
    for (size_t i = 0; i < schema->count; i++) {
        if (map[i] == SIZE_MAX)
            continue;
        twice = twice || map[i] >= names->count || taken[map[i]];
        if (!twice)
            taken[map[i]] = true;
    }
    hill__free(&names->text.allocator, taken, names->count, sizeof *taken);
    return twice ? hill__fail(error, HILL_EMODEL, "%s: the model wants one of its columns twice", match->file) : HILL_OK;
}

int hill__schema_match(const hill__schema *schema, const hill__match *match, size_t *map, hill_error *error)
{
    for (size_t i = 0; i < schema->count; i++) {
        map[i] = SIZE_MAX;
        if (schema->columns[i].kind == HILL_COLUMN_IMAGE && !match->image)
            return hill__fail(error, HILL_EDATA, "%s: holds no images, which the model was trained on", match->file);
    }
    if (match->by_name)
        HILL__TRY(schema_match_names(schema, match, map, error));
    else
        HILL__TRY(schema_match_positions(schema, match, map, error));
    return schema_check_twice(schema, match, map, error);
}

size_t hill__schema_named(const hill__schema *schema, const hill__dictionary *names, size_t *all)
{
    size_t found = 0;
    *all = 0;
    for (size_t i = 0; i < schema->count; i++) {
        const hill__wanted *wanted = &schema->columns[i];
        if (!schema_is_column(wanted) || wanted->target)
            continue;
        ++*all;
        found += hill__dictionary_find(names, wanted->name, strlen(wanted->name)) != SIZE_MAX;
    }
    return found;
}

/* A text that isn't a number, with its place. */
static int schema_not_number(const hill_table *table, const hill__column *column, size_t code, hill_error *error)
{
    char place[300] = "";
    uint64_t row = 0;
    while (row < table->rows && column->codes[row] != code)
        row++;
    hill__table_place(table, row, place, sizeof place);
    return hill__fail(error, HILL_EDATA, "%s: column %.100s: \"%.60s\" where the model needs a number", place, column->name,
                      hill__lines_at(&column->values, code));
}

static int schema_make_numbers(hill_table *table, size_t index, hill_error *error)
{
    hill__column *column = &table->columns[index];
    double *values = hill__alloc(&table->allocator, column->values.count, sizeof *values);
    int status = values ? HILL_OK : hill__fail_memory(error);
    for (size_t code = 0; status == HILL_OK && code < column->values.count; code++) {
        const char *text = hill__lines_at(&column->values, code);
        if (hill__parse_double(text, strlen(text), &values[code]) != HILL__NUMBER_FINITE)
            status = schema_not_number(table, column, code, error);
    }
    if (status == HILL_OK && !hill__table_set_kind(table, index, HILL_COLUMN_NUMBER))
        status = hill__fail_memory(error);
    for (uint64_t row = 0; status == HILL_OK && column->numbers && row < table->rows; row++)
        column->numbers[row] = column->codes[row] == HILL__MISSING ? NAN : values[column->codes[row]];
    hill__free(&table->allocator, values, column->values.count, sizeof *values);
    if (status < 0)
        return status;
    hill__free(&table->allocator, column->codes, (size_t)table->rows, sizeof *column->codes);
    column->codes = NULL;
    hill__lines_free(&column->values);
    return HILL_OK;
}

int hill__schema_convert(hill_table *table, size_t column, hill_column_kind kind, hill_error *error)
{
    if (table->columns[column].kind == kind)
        return HILL_OK;
    if (kind == HILL_COLUMN_NUMBER)
        return schema_make_numbers(table, column, error);
    return hill__table_make_category(table, column) ? HILL_OK : hill__fail_memory(error);
}

/* By name where all wanted columns are there; of images alone, where the target is. */
static bool schema_is_named(const hill__schema *schema, const hill__dictionary *names)
{
    size_t all, found = hill__schema_named(schema, names, &all);
    for (size_t i = 0; all == 0 && i < schema->count; i++)
        if (schema->columns[i].target)
            return hill__dictionary_find(names, schema->columns[i].name, strlen(schema->columns[i].name)) != SIZE_MAX;
    return found == all;
}

/* Moves the wanted columns to the front of a new list, in the schema's order; the others are freed with the old one. */
static int schema_take(const hill__schema *schema, hill_table *table, const size_t *map, hill_error *error)
{
    hill_table taken = {.allocator = table->allocator};
    size_t count = 0;
    for (size_t i = 0; i < schema->count; i++)
        count += map[i] != SIZE_MAX;
    hill_table *old = hill__table_new("", table->format, &table->allocator);
    if (!old || !hill__table_set_columns(&taken, count)) {
        hill_table_free(old);
        return hill__fail_memory(error);
    }
    old->rows = table->rows;
    old->columns = table->columns;
    old->column_count = table->column_count;
    table->columns = taken.columns;
    table->column_count = count;
    for (size_t i = 0, k = 0; i < schema->count; i++) {
        if (map[i] == SIZE_MAX)
            continue;
        table->columns[k] = old->columns[map[i]];
        old->columns[map[i]] = (hill__column){.values.text.allocator = table->allocator};
        k++;
    }
    hill_table_free(old);
    return HILL_OK;
}

static int schema_type(const hill__schema *schema, hill_table *table, const size_t *map, hill_error *error)
{
    for (size_t i = 0, k = 0; i < schema->count; i++) {
        const hill__wanted *wanted = &schema->columns[i];
        if (map[i] == SIZE_MAX)
            continue;
        HILL__TRY(hill__schema_convert(table, k, wanted->kind, error));
        if (!hill__table_set_name(table, k, wanted->name, strlen(wanted->name)))
            return hill__fail_memory(error);
        k++;
    }
    table->has_header = schema->has_header;
    return HILL_OK;
}

static int schema_apply_map(const hill__schema *schema, hill_table *table, const hill__match *match, size_t *map,
                            hill_error *error)
{
    HILL__TRY(hill__schema_match(schema, match, map, error));
    HILL__TRY(schema_take(schema, table, map, error));
    return schema_type(schema, table, map, error);
}

int hill__schema_apply(const hill__schema *schema, hill_table *table, bool targets_apart, hill_error *error)
{
    hill__lines names;
    hill__dictionary dictionary;
    hill__lines_init(&names, &table->allocator);
    hill__dictionary_init(&dictionary, &names);
    size_t *map = hill__alloc(&table->allocator, schema->count, sizeof *map);
    int status = map ? HILL_OK : hill__fail_memory(error);
    for (size_t i = 0; status == HILL_OK && i < table->column_count; i++) {
        uint32_t code;
        const char *name = table->columns[i].name;
        if (!hill__dictionary_code(&dictionary, name, strlen(name), &code))
            status = hill__fail_memory(error);
    }
    if (status == HILL_OK) {
        hill__match match = {table->name, &dictionary, schema_is_named(schema, &dictionary), table->image != NULL,
                             targets_apart};
        status = schema_apply_map(schema, table, &match, map, error);
    }
    hill__free(&table->allocator, map, schema->count, sizeof *map);
    hill__dictionary_free(&dictionary);
    hill__lines_free(&names);
    return status;
}
