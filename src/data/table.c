/*
 * table.c - the table itself. Invariant: every array of a column has table->rows items, so rows are set before columns are
 * given room and never change afterwards.
 */
#include "base/fp.h"
#include "base/hash.h"

#include "data/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "data/dictionary.h"

/* Counting different values stops here. */
#define TABLE_DISTINCT_MOST 1000000u

static void table_free_column(hill_table *table, hill__column *column)
{
    if (column->name)
        hill__free(&table->allocator, column->name, strlen(column->name) + 1, 1);
    hill__free(&table->allocator, column->numbers, (size_t)table->rows, sizeof *column->numbers);
    hill__free(&table->allocator, column->codes, (size_t)table->rows, sizeof *column->codes);
    hill__lines_free(&column->values);
}

bool hill__table_make_image(hill_table *table, uint64_t rows, size_t bytes)
{
    size_t all;
    if (rows > SIZE_MAX || !hill__mul((size_t)rows, bytes, &all))
        return false;
    unsigned char *block = hill__alloc(&table->allocator, all, 1);
    if (!block)
        return false;
    table->image_block = (hill__file_bytes){block, all, all};
    table->image = block;
    return true;
}

void hill_table_free(hill_table *table)
{
    if (!table)
        return;
    hill_allocator allocator = table->allocator;
    for (size_t i = 0; i < table->column_count; i++)
        table_free_column(table, &table->columns[i]);
    hill__free(&allocator, table->columns, table->column_count, sizeof *table->columns);
    hill__free(&allocator, table->image_block.data, table->image_block.capacity, 1);
    hill__free(&allocator, table->lines, (size_t)table->rows, sizeof *table->lines);
    hill__text_free(&table->guesses);
    hill__lines_free(&table->notes);
    if (table->name)
        hill__free(&allocator, table->name, strlen(table->name) + 1, 1);
    hill__free(&allocator, table, 1, sizeof *table);
}

uint64_t hill_table_rows(const hill_table *table)
{
    return table->rows;
}

size_t hill_table_columns(const hill_table *table)
{
    return table->column_count + (table->image != NULL);
}

/* The caller may know fewer or more fields than this library: as many are filled as both know. */
static void table_give(hill_column *out, hill_column facts)
{
    size_t size = out->size < sizeof facts ? out->size : sizeof facts;
    facts.size = out->size;
    memcpy(out, &facts, size);
}

int hill_table_column(const hill_table *table, size_t i, hill_column *column)
{
    if (!column || column->size < sizeof column->size || i >= hill_table_columns(table))
        return HILL_EARGUMENT;
    hill_column facts = {.name = "image", .kind = HILL_COLUMN_IMAGE, .low = NAN, .high = NAN, .mean = NAN};
    if (table->image && i == 0) {
        facts.image_height = table->image_height;
        facts.image_width = table->image_width;
        facts.image_channels = table->image_channels;
    } else {
        const hill__column *found = &table->columns[i - (table->image != NULL)];
        facts.name = found->name;
        facts.kind = found->kind;
        facts.missing = found->missing;
        facts.distinct = found->distinct;
        facts.low = found->low;
        facts.high = found->high;
        facts.mean = found->mean;
    }
    table_give(column, facts);
    return HILL_OK;
}

const char *hill_table_category(const hill_table *table, size_t column, size_t i)
{
    if (table->image && column == 0)
        return NULL;
    column -= table->image != NULL;
    return column < table->column_count ? hill__lines_at(&table->columns[column].values, i) : NULL;
}

int hill_table_cell(const hill_table *table, size_t column, uint64_t row, double *value)
{
    const size_t first = table->image != NULL;
    if (!value || row >= table->rows || column < first || column - first >= table->column_count)
        return HILL_EARGUMENT;
    const hill__column *found = &table->columns[column - first];
    if (found->kind == HILL_COLUMN_NUMBER)
        *value = found->numbers[row];
    else
        *value = found->codes[row] == HILL__MISSING ? NAN : (double)found->codes[row];
    return HILL_OK;
}

const unsigned char *hill_table_image(const hill_table *table, uint64_t row)
{
    return table->image && row < table->rows ? table->image + (size_t)row * table->image_bytes : NULL;
}

const char *hill_table_format(const hill_table *table)
{
    return table->format;
}

const char *hill_table_guesses(const hill_table *table)
{
    return hill__text_string(&table->guesses);
}

const char *hill_table_note(const hill_table *table, size_t i)
{
    return hill__lines_at(&table->notes, i);
}

size_t hill__table_find(const hill_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    uint64_t number;
    if (!hill__parse_unsigned(name, strlen(name), &number) || number < 1 || number > table->column_count)
        return SIZE_MAX;
    return (size_t)number - 1;
}

void hill__table_place(const hill_table *table, uint64_t row, char *out, size_t size)
{
    if (table->lines && row < table->rows)
        snprintf(out, size, "%s:%" PRIu64, table->name, table->lines[row]);
    else
        snprintf(out, size, "%s: row %" PRIu64, table->name, row + 1);
}

uint64_t hill__table_hash(const hill_table *table)
{
    const size_t rows = (size_t)table->rows;
    const uint64_t shape[] = {table->rows, table->column_count, table->image_height, table->image_width, table->image_channels};
    uint64_t hash = hill__hash(shape, sizeof shape, 0);
    for (size_t i = 0; i < table->column_count; i++) {
        const hill__column *column = &table->columns[i];
        hash = hill__hash(column->name, strlen(column->name), hash);
        if (column->kind == HILL_COLUMN_NUMBER)
            hash = hill__hash(column->numbers, rows * sizeof *column->numbers, hash);
        else {
            hash = hill__hash(column->codes, rows * sizeof *column->codes, hash);
            hash = hill__hash(column->values.text.data, column->values.text.length, hash);
        }
    }
    return table->image ? hill__hash(table->image, rows * table->image_bytes, hash) : hash;
}

hill_table *hill__table_new(const char *name, const char *format, const hill_allocator *allocator)
{
    hill_table *table = hill__alloc(allocator, 1, sizeof *table);
    if (!table)
        return NULL;
    table->allocator = *allocator;
    table->format = format;
    hill__text_init(&table->guesses, allocator);
    hill__lines_init(&table->notes, allocator);
    table->name = hill__copy_text(allocator, name, strlen(name));
    if (table->name)
        return table;
    hill_table_free(table);
    return NULL;
}

bool hill__table_set_columns(hill_table *table, size_t count)
{
    table->columns = hill__alloc(&table->allocator, count, sizeof *table->columns);
    if (!table->columns)
        return false;
    table->column_count = count;
    for (size_t i = 0; i < count; i++)
        hill__lines_init(&table->columns[i].values, &table->allocator);
    return true;
}

bool hill__table_set_name(hill_table *table, size_t column, const char *name, size_t length)
{
    char *copy = hill__copy_text(&table->allocator, name, length);
    char **old = &table->columns[column].name;
    if (!copy)
        return false;
    if (*old)
        hill__free(&table->allocator, *old, strlen(*old) + 1, 1);
    *old = copy;
    return true;
}

bool hill__table_set_kind(hill_table *table, size_t column, hill_column_kind kind)
{
    hill__column *found = &table->columns[column];
    found->kind = kind;
    if (kind == HILL_COLUMN_NUMBER)
        found->numbers = hill__alloc(&table->allocator, (size_t)table->rows, sizeof *found->numbers);
    else
        found->codes = hill__alloc(&table->allocator, (size_t)table->rows, sizeof *found->codes);
    return found->numbers || found->codes;
}

/*
 * A set of numbers that aren't 0, by their bits; 0 marks a free slot. At most half full. Where numbers crowd in a few slots, as
 * those of a hostile file may be chosen to do, all are dealt anew by another factor.
 */
typedef struct table_set {
    uint64_t *slots;
    size_t room; /* a power of two */
    unsigned shift;
    uint64_t factor; /* odd */
} table_set;

/* Slots looked at before numbers are said to crowd: many more than chance makes it. */
#define TABLE_CROWD 256u

static bool table_set_init(table_set *set, uint64_t rows, const hill_allocator *allocator)
{
    uint64_t most = rows < TABLE_DISTINCT_MOST ? rows : TABLE_DISTINCT_MOST;
    *set = (table_set){.room = 16, .shift = 60, .factor = 0x9e3779b97f4a7c15u};
    for (; set->room < 2 * most + 2; set->shift--)
        set->room *= 2;
    set->slots = hill__alloc(allocator, set->room, sizeof *set->slots);
    return set->slots != NULL;
}

/* How many slots were looked at to put the number into one; 0 where it was there. */
static size_t table_set_add(table_set *set, uint64_t bits)
{
    size_t looks = 1, slot = (size_t)((bits * set->factor) >> set->shift);
    for (; set->slots[slot]; slot = (slot + 1) & (set->room - 1), looks++)
        if (set->slots[slot] == bits)
            return 0;
    set->slots[slot] = bits;
    return looks;
}

static bool table_set_deal(table_set *set, const hill_allocator *allocator)
{
    uint64_t *old = set->slots;
    set->slots = hill__alloc(allocator, set->room, sizeof *set->slots);
    set->factor = set->factor * 0xd1342543de82ef95u | 1;
    for (size_t i = 0; set->slots && i < set->room; i++)
        if (old[i])
            (void)table_set_add(set, old[i]);
    hill__free(allocator, old, set->room, sizeof *old);
    return set->slots != NULL;
}

/* Counts a number that isn't 0. false: no memory. */
static bool table_count(hill__column *column, double number, table_set *set, const hill_allocator *allocator)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    size_t looks = table_set_add(set, bits);
    column->distinct += looks > 0;
    return looks <= TABLE_CROWD || table_set_deal(set, allocator);
}

/* The sum of numbers within range may be beyond it; their mean is not. */
static double table_mean(const hill__column *column, uint64_t rows)
{
    double count = (double)(rows - column->missing), sum = 0;
    for (uint64_t i = 0; i < rows; i++)
        sum += isnan(column->numbers[i]) ? 0 : column->numbers[i];
    if (isfinite(sum))
        return sum / count;
    sum = 0;
    for (uint64_t i = 0; i < rows; i++)
        sum += isnan(column->numbers[i]) ? 0 : column->numbers[i] / count;
    return sum;
}

/* From 2^52 on every double is whole; below, a 64-bit integer holds the whole part. */
static bool table_is_whole(double x)
{
    return x >= 0x1p52 || x <= -0x1p52 || x == (double)(int64_t)x;
}

static bool table_measure_numbers(hill__column *column, uint64_t rows, table_set *set, const hill_allocator *allocator)
{
    bool zero = false;
    column->low = column->high = column->mean = NAN;
    column->whole = true;
    column->missing = column->distinct = 0;
    memset(set->slots, 0, set->room * sizeof *set->slots);
    for (uint64_t i = 0; i < rows; i++) {
        double x = column->numbers[i];
        if (isnan(x)) {
            column->missing++;
            continue;
        }
        column->low = x >= column->low ? column->low : x;
        column->high = x <= column->high ? column->high : x;
        column->whole = column->whole && table_is_whole(x);
        zero = zero || x == 0;
        if (x != 0 && column->distinct + zero < TABLE_DISTINCT_MOST && !table_count(column, x, set, allocator))
            return false;
    }
    column->distinct += zero;
    if (column->missing < rows)
        column->mean = table_mean(column, rows);
    return true;
}

static void table_measure_codes(hill__column *column, uint64_t rows)
{
    column->low = column->high = column->mean = NAN;
    column->missing = 0;
    for (uint64_t i = 0; i < rows; i++)
        column->missing += column->codes[i] == HILL__MISSING;
    column->distinct = column->values.count < TABLE_DISTINCT_MOST ? column->values.count : TABLE_DISTINCT_MOST;
}

bool hill__table_measure(hill_table *table)
{
    table_set set;
    bool good = table_set_init(&set, table->rows, &table->allocator);
    for (size_t i = 0; good && i < table->column_count; i++) {
        if (table->columns[i].kind == HILL_COLUMN_NUMBER)
            good = table_measure_numbers(&table->columns[i], table->rows, &set, &table->allocator);
        else
            table_measure_codes(&table->columns[i], table->rows);
    }
    hill__free(&table->allocator, set.slots, set.room, sizeof *set.slots);
    return good;
}

bool hill__table_make_category(hill_table *table, size_t column)
{
    hill__column *found = &table->columns[column];
    (void)hill__table_set_kind(table, column, HILL_COLUMN_CATEGORY);
    if (!found->codes)
        return false;
    hill__dictionary dictionary;
    hill__dictionary_init(&dictionary, &found->values);
    bool good = true;
    for (uint64_t i = 0; good && i < table->rows; i++) {
        char text[HILL__NUMBER_TEXT];
        if (isnan(found->numbers[i]))
            found->codes[i] = HILL__MISSING;
        else
            good = hill__dictionary_code(&dictionary, text, hill__format_double(found->numbers[i], text), &found->codes[i]);
    }
    hill__dictionary_free(&dictionary);
    hill__free(&table->allocator, found->numbers, (size_t)table->rows, sizeof *found->numbers);
    found->numbers = NULL;
    return good;
}

/* Names the last column so that no other is called the same. */
static bool table_name_last(hill_table *table, const char *name)
{
    hill__text text;
    hill__text_init(&text, &table->allocator);
    hill__text_add_string(&text, name);
    size_t last = table->column_count - 1;
    for (size_t i = 0; i < last && !text.failed; i++) {
        if (strcmp(table->columns[i].name, hill__text_string(&text)) != 0)
            continue;
        hill__text_add_format(&text, " (%zu)", last + 1);
        i = SIZE_MAX;
    }
    bool good = !text.failed && hill__table_set_name(table, last, hill__text_string(&text), text.length);
    hill__text_free(&text);
    return good;
}

int hill__table_append(hill_table *table, hill_table *other, const char *name, hill_error *error)
{
    if (other->image || other->column_count != 1)
        return hill__fail(error, HILL_EDATA, "%s: holds %zu columns where the one column of targets is needed", other->name,
                          hill_table_columns(other));
    if (other->rows != table->rows)
        return hill__fail(error, HILL_EDATA, "%s: %" PRIu64 " rows, but %s has %" PRIu64 ": the counts must agree", other->name,
                          other->rows, table->name, table->rows);
    size_t count = table->column_count;
    hill__column *columns = hill__alloc(&table->allocator, count + 1, sizeof *columns);
    if (!columns)
        return hill__fail_memory(error);
    if (count > 0)
        memcpy(columns, table->columns, count * sizeof *columns);
    hill__free(&table->allocator, table->columns, count, sizeof *columns);
    columns[count] = other->columns[0];
    other->columns[0] = (hill__column){.values.text.allocator = other->allocator};
    table->columns = columns;
    table->column_count = count + 1;
    return !name || table_name_last(table, name) ? HILL_OK : hill__fail_memory(error);
}

int hill__table_find_bytes(const hill_table *table, const char *name, size_t length, size_t *column, hill_error *error)
{
    char *copy = hill__copy_text(&table->allocator, name, length);
    if (!copy)
        return hill__fail_memory(error);
    *column = hill__table_find(table, copy);
    hill__free(&table->allocator, copy, length + 1, 1);
    return HILL_OK;
}

int hill__table_mark(const hill_table *table, const char *list, bool *marks, hill_error *error)
{
    size_t length, column = SIZE_MAX;
    for (const char *item; (item = hill__list_next(&list, &length)) != NULL;) {
        HILL__TRY(hill__table_find_bytes(table, item, length, &column, error));
        if (column == SIZE_MAX)
            return hill__fail(error, HILL_EDATA, "%s: there is no column %.*s to read as a category; it has %zu columns",
                              table->name, (int)(length < 200 ? length : 200), item, table->column_count);
        marks[column] = true;
    }
    return HILL_OK;
}
