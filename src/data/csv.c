/*
 * csv.c - columns out of the cells of a CSV file, in two passes: the first counts what each column holds, the second fills
 * arrays of exactly that size. Invariant: whatever is wrong in the file is found by the first.
 */
#include "base/fp.h"

#include "data/csv.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "data/reader.h"

/* The first cell of a kind in a column. */
typedef struct csv_place {
    uint64_t line;
    size_t column;
    char text[HILL__CSV_EXCERPT];
} csv_place;

/* What a column of the file holds, cells that are missing apart. */
typedef struct csv_profile {
    uint64_t numbers, infinite, texts;
    csv_place first_infinite, first_text;
    hill_column_kind kind;
    size_t target; /* column of the table; SIZE_MAX: not read */
} csv_profile;

typedef struct csv_reader {
    const hill__reading *reading;
    hill_allocator allocator;
    const char *name;
    hill_error *error;
    hill__text scratch;
    hill__csv begin; /* at the first row */
    hill__csv rows;  /* at the first row of data */
    hill__csv_missing missing;
    hill__csv_cells first;
    hill__lines names; /* of the file's columns, all different */
    hill__dictionary name_index;
    size_t renamed; /* 1-based column that was renamed first; 0: none */
    bool has_header;
    size_t width;
    csv_profile *profiles;          /* [width] */
    hill__dictionary *dictionaries; /* [table->column_count] */
    uint64_t blank;
    hill_table *table;
} csv_reader;

static void csv_close(csv_reader *reader)
{
    hill_table *table = reader->table;
    for (size_t i = 0; reader->dictionaries && i < table->column_count; i++)
        hill__dictionary_free(&reader->dictionaries[i]);
    hill__free(&reader->allocator, reader->dictionaries, table ? table->column_count : 0, sizeof *reader->dictionaries);
    hill__free(&reader->allocator, reader->profiles, reader->width, sizeof *reader->profiles);
    hill__dictionary_free(&reader->name_index);
    hill__lines_free(&reader->names);
    hill__csv_cells_free(&reader->first);
    hill__csv_missing_free(&reader->missing);
    hill__text_free(&reader->scratch);
}

/* The delimiter and the first row. */
static int csv_read_first(csv_reader *reader, const hill_bytes *bytes)
{
    const hill_table_options *options = &reader->reading->options;
    HILL__TRY(hill__csv_check_text(bytes, reader->error));
    hill__csv_begin(&reader->rows, bytes, options->delimiter ? options->delimiter : ',', &reader->scratch, reader->error);
    reader->rows.limits = reader->reading->limits;
    if (!options->delimiter)
        hill__csv_set_delimiter(&reader->rows, hill__csv_sniff_delimiter(&reader->rows));
    if (!hill__csv_row(&reader->rows))
        return hill__fail(reader->error, HILL_EDATA, "%s: has no rows", reader->name);
    reader->begin = reader->rows;
    HILL__TRY(hill__csv_cells_read(&reader->first, &reader->rows));
    reader->width = reader->first.count;
    reader->profiles = hill__alloc(&reader->allocator, reader->width, sizeof *reader->profiles);
    return reader->profiles ? HILL_OK : hill__fail_memory(reader->error);
}

/* Appends the name of column i: the given one, or "cN" where it is empty, with " (N)" behind it where another has it. */
static bool csv_add_name(csv_reader *reader, size_t i, const char *given, size_t length)
{
    uint32_t code;
    hill__text name;
    hill__text_init(&name, &reader->allocator);
    hill__text_add(&name, given, length);
    if (length == 0)
        hill__text_add_format(&name, "c%zu", i + 1);
    bool good = !name.failed && hill__dictionary_code(&reader->name_index, name.data, name.length, &code);
    while (good && code != i) {
        reader->renamed = reader->renamed ? reader->renamed : i + 1;
        hill__text_add_format(&name, " (%zu)", i + 1);
        good = !name.failed && hill__dictionary_code(&reader->name_index, name.data, name.length, &code);
    }
    hill__text_free(&name);
    return good;
}

/* Names by the first row, or "c1", "c2", ... */
static int csv_make_names(csv_reader *reader, bool from_first)
{
    uint64_t most = HILL__LIMIT(reader->reading->limits, header);
    if (from_first && reader->first.text.length > most)
        return hill__fail(reader->error, HILL_EDATA,
                          "%s:%" PRIu64 ":1: a row of names longer than %" PRIu64
                          " bytes; --limit-header raises that, --header no says that these are no names",
                          reader->name, reader->first.line, most);
    hill__dictionary_free(&reader->name_index);
    hill__lines_free(&reader->names);
    hill__dictionary_init(&reader->name_index, &reader->names);
    reader->renamed = 0;
    for (size_t i = 0; i < reader->width; i++) {
        size_t length = 0;
        const char *given = from_first ? hill__csv_cells_at(&reader->first, i, &length) : "";
        if (!csv_add_name(reader, i, given, length))
            return hill__fail_memory(reader->error);
    }
    return HILL_OK;
}

/*
 * Whether the first row is a header. With a model it is one if it holds the names of its columns (one at least, where the model
 * was trained on named columns), or stands as text over numbers.
 */
static int csv_find_header(csv_reader *reader)
{
    const char *asked = reader->reading->options.header;
    const hill__schema *schema = reader->reading->schema;
    hill__csv_header guess = HILL__CSV_HEADER_NO;
    if (asked) {
        reader->has_header = strcmp(asked, "yes") == 0;
        return csv_make_names(reader, reader->has_header);
    }
    HILL__TRY(csv_make_names(reader, true));
    HILL__TRY(hill__csv_sniff_header(&reader->rows, &reader->first, &reader->missing, &guess));
    reader->has_header = guess != HILL__CSV_HEADER_NO;
    if (schema) {
        size_t all, found = hill__schema_named(schema, &reader->name_index, &all);
        bool named = schema->has_header ? found > 0 : found == all;
        reader->has_header = guess == HILL__CSV_HEADER_CERTAIN || (named && all > 0);
    }
    return reader->has_header ? HILL_OK : csv_make_names(reader, false);
}

/* By name where file and model have names; a model trained on a file without names has none but "c1", "c2", ... */
static bool csv_match_by_name(const csv_reader *reader)
{
    const hill__schema *schema = reader->reading->schema;
    size_t all;
    return reader->has_header && (schema->has_header || hill__schema_named(schema, &reader->name_index, &all) == all);
}

/* The table's columns are those of the schema that are there. */
static int csv_take_wanted(csv_reader *reader, size_t *map)
{
    const hill__schema *schema = reader->reading->schema;
    hill__match match = {reader->name, &reader->name_index, csv_match_by_name(reader), false,
                         reader->reading->options.targets != NULL};
    HILL__TRY(hill__schema_match(schema, &match, map, reader->error));
    size_t count = 0;
    for (size_t i = 0; i < schema->count; i++) {
        if (map[i] == SIZE_MAX)
            continue;
        reader->profiles[map[i]].target = count++;
        reader->profiles[map[i]].kind = schema->columns[i].kind;
    }
    for (size_t i = 0; !match.by_name && i < schema->count; i++)
        if (schema->columns[i].target && map[i] != SIZE_MAX)
            hill__lines_add(&reader->table->notes, "columns were taken by position, column %zu as the target", map[i] + 1);
    if (!hill__table_set_columns(reader->table, count))
        return hill__fail_memory(reader->error);
    for (size_t i = 0, k = 0; i < schema->count; i++)
        if (map[i] != SIZE_MAX &&
            !hill__table_set_name(reader->table, k++, schema->columns[i].name, strlen(schema->columns[i].name)))
            return hill__fail_memory(reader->error);
    reader->table->has_header = schema->has_header;
    return HILL_OK;
}

static int csv_take_all(csv_reader *reader)
{
    if (!hill__table_set_columns(reader->table, reader->width))
        return hill__fail_memory(reader->error);
    for (size_t i = 0; i < reader->width; i++) {
        const char *name = hill__lines_at(&reader->names, i);
        reader->profiles[i].target = i;
        if (!hill__table_set_name(reader->table, i, name, strlen(name)))
            return hill__fail_memory(reader->error);
    }
    reader->table->has_header = reader->has_header;
    return HILL_OK;
}

static int csv_take_columns(csv_reader *reader)
{
    const hill__schema *schema = reader->reading->schema;
    if (!schema)
        return csv_take_all(reader);
    for (size_t i = 0; i < reader->width; i++)
        reader->profiles[i].target = SIZE_MAX;
    size_t *map = hill__alloc(&reader->allocator, schema->count, sizeof *map);
    if (!map)
        return hill__fail_memory(reader->error);
    int status = csv_take_wanted(reader, map);
    hill__free(&reader->allocator, map, schema->count, sizeof *map);
    return status;
}

static void csv_set_place(csv_place *place, const hill__csv_cell *cell)
{
    place->line = cell->line;
    place->column = cell->column;
    hill__csv_excerpt(cell->text, cell->length, place->text);
}

static void csv_profile_cell(const csv_reader *reader, csv_profile *profile, const hill__csv_cell *cell)
{
    double number;
    if (profile->target == SIZE_MAX || hill__csv_missing_is(&reader->missing, cell->text, cell->length))
        return;
    switch (hill__parse_double(cell->text, cell->length, &number)) {
    case HILL__NUMBER_FINITE:
        profile->numbers++;
        break;
    case HILL__NUMBER_INFINITE:
        if (profile->infinite++ == 0)
            csv_set_place(&profile->first_infinite, cell);
        break;
    default:
        if (profile->texts++ == 0)
            csv_set_place(&profile->first_text, cell);
    }
}

/* `place` is the first cell too many, or the last of too few. Goes on to the row's end to count the cells. */
static int csv_ragged(const csv_reader *reader, hill__csv *csv, const hill__csv_cell *place, size_t count)
{
    hill__csv_cell cell = *place;
    for (; !cell.last; count++)
        HILL__TRY(hill__csv_cell_read(csv, &cell));
    return hill__fail(reader->error, HILL_EDATA,
                      "%s:%" PRIu64
                      ":%zu: %zu cell%s where the first row has %zu; is a delimiter missing, or one not in quotes?",
                      reader->name, place->line, place->column, count, count == 1 ? "" : "s", reader->width);
}

/* The first pass: every cell is met, every row has the same number of them. */
static int csv_profile_rows(csv_reader *reader)
{
    hill__csv csv = reader->rows;
    while (hill__csv_row(&csv)) {
        hill__csv_cell cell;
        size_t count = 0;
        do {
            HILL__TRY(hill__csv_cell_read(&csv, &cell));
            if (count++ == reader->width)
                return csv_ragged(reader, &csv, &cell, count);
            csv_profile_cell(reader, &reader->profiles[count - 1], &cell);
        } while (!cell.last);
        if (count < reader->width)
            return csv_ragged(reader, &csv, &cell, count);
        reader->table->rows++;
    }
    reader->blank = csv.blank;
    if (reader->table->rows == 0)
        return hill__fail(reader->error, HILL_EDATA, "%s: has a header and no rows", reader->name);
    return HILL_OK;
}

static int csv_bad_cell(const csv_reader *reader, size_t i, const csv_place *place, const char *problem)
{
    return hill__fail(reader->error, HILL_EDATA, "%s:%" PRIu64 ":%zu: column %.100s: \"%s\" %s", reader->name, place->line,
                      place->column, hill__lines_at(&reader->names, i), place->text, problem);
}

/* The topmost cell that a number column cannot hold. */
static int csv_check_numbers(const csv_reader *reader)
{
    const csv_place *worst = NULL;
    size_t column = 0;
    bool text = false;
    for (size_t i = 0; i < reader->width; i++) {
        const csv_profile *profile = &reader->profiles[i];
        if (profile->target == SIZE_MAX || profile->kind != HILL_COLUMN_NUMBER)
            continue;
        for (int k = 0; k < 2; k++) {
            const csv_place *place = k ? &profile->first_text : &profile->first_infinite;
            if ((k ? profile->texts : profile->infinite) == 0 || (worst && worst->line <= place->line))
                continue;
            worst = place;
            column = i;
            text = k;
        }
    }
    if (!worst)
        return HILL_OK;
    return csv_bad_cell(reader, column, worst, text ? "where the model needs a number" : "is no finite number");
}

/* Without a model a column is numbers unless a cell says otherwise or the caller does. */
static int csv_choose_kinds(csv_reader *reader)
{
    const char *list = reader->reading->options.categories;
    bool *marks = hill__alloc(&reader->allocator, reader->width, sizeof *marks);
    if (!marks)
        return hill__fail_memory(reader->error);
    int status = list ? hill__table_mark(reader->table, list, marks, reader->error) : HILL_OK;
    for (size_t i = 0; i < reader->width; i++)
        reader->profiles[i].kind = marks[i] || reader->profiles[i].texts ? HILL_COLUMN_CATEGORY : HILL_COLUMN_NUMBER;
    hill__free(&reader->allocator, marks, reader->width, sizeof *marks);
    return status;
}

static int csv_make_room(csv_reader *reader)
{
    hill_table *table = reader->table;
    table->lines = hill__alloc(&reader->allocator, (size_t)table->rows, sizeof *table->lines);
    reader->dictionaries = hill__alloc(&reader->allocator, table->column_count, sizeof *reader->dictionaries);
    if (!table->lines || !reader->dictionaries)
        return hill__fail_memory(reader->error);
    for (size_t i = 0; i < table->column_count; i++)
        hill__dictionary_init(&reader->dictionaries[i], &table->columns[i].values);
    for (size_t i = 0; i < reader->width; i++) {
        const csv_profile *profile = &reader->profiles[i];
        if (profile->target != SIZE_MAX && !hill__table_set_kind(table, profile->target, profile->kind))
            return hill__fail_memory(reader->error);
    }
    return HILL_OK;
}

/* false: no memory. */
static bool csv_fill_cell(csv_reader *reader, size_t target, uint64_t row, const hill__csv_cell *cell)
{
    hill__column *column = &reader->table->columns[target];
    bool missing = hill__csv_missing_is(&reader->missing, cell->text, cell->length);
    if (column->kind == HILL_COLUMN_NUMBER) {
        double number = NAN;
        if (!missing)
            (void)hill__parse_double(cell->text, cell->length, &number);
        column->numbers[row] = number;
        return true;
    }
    column->codes[row] = HILL__MISSING;
    return missing || hill__dictionary_code(&reader->dictionaries[target], cell->text, cell->length, &column->codes[row]);
}

/* The second pass; what could fail in a cell, the scratch's memory included, has gone well in the first. */
static int csv_fill_rows(csv_reader *reader)
{
    hill__csv csv = reader->rows;
    for (uint64_t row = 0; row < reader->table->rows; row++) {
        hill__csv_cell cell;
        size_t i = 0;
        (void)hill__csv_row(&csv);
        reader->table->lines[row] = csv.line;
        do {
            (void)hill__csv_cell_read(&csv, &cell);
            size_t target = reader->profiles[i++].target;
            if (target != SIZE_MAX && !csv_fill_cell(reader, target, row, &cell))
                return hill__fail_memory(reader->error);
        } while (!cell.last);
    }
    return HILL_OK;
}

/* What a person should know, and what was guessed. */
static void csv_say(csv_reader *reader)
{
    hill_table *table = reader->table;
    const hill_table_options *options = &reader->reading->options;
    if (reader->blank)
        hill__lines_add(&table->notes,
                        reader->blank == 1 ? "%" PRIu64 " blank line was skipped" : "%" PRIu64 " blank lines were skipped",
                        reader->blank);
    if (reader->renamed)
        hill__lines_add(&table->notes, "column %zu has the name of another and is called %.200s", reader->renamed,
                        hill__lines_at(&reader->names, reader->renamed - 1));
    for (size_t i = 0; !reader->reading->schema && i < reader->width; i++) {
        const csv_profile *profile = &reader->profiles[i];
        if (profile->texts && profile->numbers / 9 > profile->texts)
            hill__lines_add(&table->notes, "column %.200s was read as a category because line %" PRIu64 " holds \"%s\"",
                            hill__lines_at(&reader->names, i), profile->first_text.line, profile->first_text.text);
    }
    if (!options->delimiter) {
        char quoted[] = "','";
        quoted[1] = (char)reader->rows.delimiter;
        const char *word = quoted[1] == '\t' ? "tab" : quoted[1] == ' ' ? "space" : quoted;
        hill__text_add_format(&table->guesses, "--delimiter %s", word);
    }
    if (!options->header)
        hill__text_add_format(&table->guesses, "%s--header %s", options->delimiter ? "" : " ",
                              reader->has_header ? "yes" : "no");
}

static int csv_read_all(csv_reader *reader, const hill_bytes *bytes)
{
    hill_table *table = reader->table;
    HILL__TRY(csv_read_first(reader, bytes));
    HILL__TRY(csv_find_header(reader));
    if (!reader->has_header)
        reader->rows = reader->begin;
    HILL__TRY(csv_take_columns(reader));
    HILL__TRY(csv_profile_rows(reader));
    if (!reader->reading->schema)
        HILL__TRY(csv_choose_kinds(reader));
    HILL__TRY(csv_check_numbers(reader));
    HILL__TRY(csv_make_room(reader));
    HILL__TRY(csv_fill_rows(reader));
    csv_say(reader);
    table->format = reader->rows.delimiter == '\t' ? "tsv" : "csv";
    return table->guesses.failed || table->notes.text.failed ? hill__fail_memory(reader->error) : HILL_OK;
}

int hill__csv_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error)
{
    csv_reader reader = {.reading = reading, .allocator = reading->allocator, .name = bytes->name, .error = error};
    hill__text_init(&reader.scratch, &reading->allocator);
    hill__csv_cells_init(&reader.first, &reading->allocator);
    hill__lines_init(&reader.names, &reading->allocator);
    hill__dictionary_init(&reader.name_index, &reader.names);
    *out = NULL;
    int status = HILL_OK;
    bool words = hill__csv_missing_init(&reader.missing, reading->options.missing, &reading->allocator);
    reader.table = hill__table_new(bytes->name, "csv", &reading->allocator);
    if (!words || !reader.table)
        status = hill__fail_memory(error);
    else
        status = csv_read_all(&reader, bytes);
    csv_close(&reader);
    if (status < 0)
        hill_table_free(reader.table);
    else
        *out = reader.table;
    return status;
}
