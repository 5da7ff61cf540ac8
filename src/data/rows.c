/*
 * rows.c - gathering encoded rows. Invariant: a row's floats depend on the row and the encoder alone, whatever the batch.
 */
#include "base/fp.h"

#include "data/rows.h"

#include <math.h>
#include <string.h>

/* Columns that a message about a missing one names. */
#define ROWS_NAMED 8u

static const char *rows_kind_name(hill_column_kind kind)
{
    return kind == HILL_COLUMN_NUMBER ? "numbers" : "text";
}

/* By name where both tables name their columns or neither does ("c1", "c2", ...), else by position. */
static size_t rows_find(const hill__rows *rows, const char *name, size_t position)
{
    const hill_table *table = rows->table;
    if (rows->encoder->has_header != table->has_header)
        return position < table->column_count ? position : SIZE_MAX;
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return i;
    return SIZE_MAX;
}

static int rows_not_found(const hill__rows *rows, const char *what, const char *name, hill_error *error)
{
    hill__text names;
    hill__text_init(&names, &rows->allocator);
    const hill_table *table = rows->table;
    for (size_t i = 0; i < table->column_count && i < ROWS_NAMED; i++) {
        hill__text_add_string(&names, i ? ", " : "");
        hill__text_add_string(&names, table->columns[i].name);
    }
    if (table->column_count > ROWS_NAMED)
        hill__text_add_format(&names, " and %zu more", table->column_count - ROWS_NAMED);
    int status = hill__fail(error, HILL_EDATA, "%s: the %s column %s isn't there; there is %.500s", table->name, what, name,
                            table->column_count ? hill__text_string(&names) : "none");
    hill__text_free(&names);
    return status;
}

static int rows_find_kind(const hill__rows *rows, const char *what, const hill__wanted *wanted, size_t *out, hill_error *error)
{
    *out = rows_find(rows, wanted->name, wanted->position);
    if (*out == SIZE_MAX)
        return rows_not_found(rows, what, wanted->name, error);
    const hill__column *column = &rows->table->columns[*out];
    if (column->kind != wanted->kind)
        return hill__fail(error, HILL_EDATA, "%s: column %s holds %s, %s are needed", rows->table->name, column->name,
                          rows_kind_name(column->kind), rows_kind_name(wanted->kind));
    return HILL_OK;
}

/* For each value of a table's category column, its index in `names`; `other` for what isn't there. The last is of missing cells. */
static uint32_t *rows_map(const hill__rows *rows, size_t column, const hill__names *names, uint32_t other, uint32_t missing)
{
    const hill__lines *values = &rows->table->columns[column].values;
    uint32_t *map = hill__alloc(&rows->allocator, values->count + 1, sizeof *map);
    for (size_t code = 0; map && code < values->count; code++) {
        size_t found = hill__names_find(names, hill__lines_at(values, code));
        map[code] = found == SIZE_MAX ? other : (uint32_t)found;
    }
    if (map)
        map[values->count] = missing;
    return map;
}

static size_t rows_map_size(const hill__rows *rows, size_t column)
{
    return rows->table->columns[column].values.count + 1;
}

static uint32_t rows_mapped(const uint32_t *map, size_t size, uint32_t code)
{
    return map[code < size - 1 ? code : size - 1];
}

static float rows_scaled(double value, double mean, double deviation)
{
    return (float)((value - mean) / deviation);
}

/* The class of a row; HILL__MISSING where its cell is missing, HILL__MISSING - 1 where the class is unknown. */
static uint32_t rows_label(const hill__rows *rows, const uint32_t *map, uint64_t row)
{
    const hill__column *column = &rows->table->columns[rows->target];
    if (map)
        return rows_mapped(map, rows_map_size(rows, rows->target), column->codes[row]);
    if (isnan(column->numbers[row]))
        return HILL__MISSING;
    size_t found = hill__encoder_class_of(rows->encoder, column->numbers[row]);
    return found == SIZE_MAX ? HILL__MISSING - 1 : (uint32_t)found;
}

static void rows_list(hill__rows *rows, const hill__view *view, const uint32_t *map)
{
    for (uint64_t row = view->first; row < view->first + view->count; row++) {
        if (rows->labels) {
            uint32_t label = rows_label(rows, map, row);
            rows->without += label == HILL__MISSING;
            rows->unknown += label == HILL__MISSING - 1;
            if (label >= HILL__MISSING - 1)
                continue;
            rows->labels[rows->count] = label;
        } else if (view->targets && isnan(rows->table->columns[rows->target].numbers[row])) {
            rows->without++;
            continue;
        }
        rows->list[rows->count++] = row;
    }
}

/* Finds the target and lists the rows that have one. */
static int rows_fill_list(hill__rows *rows, const hill__view *view, hill_error *error)
{
    const hill__target *target = &view->encoder->target;
    uint32_t *map = NULL;
    if (view->targets) {
        hill__wanted wanted = {target->name, target->position, target->kind, true};
        HILL__TRY(rows_find_kind(rows, "target", &wanted, &rows->target, error));
    }
    if (view->targets && view->encoder->task == HILL_TASK_CLASSES) {
        rows->labels = hill__alloc(&rows->allocator, (size_t)rows->room, sizeof *rows->labels);
        if (target->kind == HILL_COLUMN_CATEGORY)
            map = rows_map(rows, rows->target, &target->classes, HILL__MISSING - 1, HILL__MISSING);
        if (!rows->labels || (target->kind == HILL_COLUMN_CATEGORY && !map)) {
            return hill__fail_memory(error);
        }
    }
    rows_list(rows, view, map);
    if (map)
        hill__free(&rows->allocator, map, rows_map_size(rows, rows->target), sizeof *map);
    return HILL_OK;
}

static hill__rows *rows_make(const hill__encoder *encoder, const hill_table *table, uint64_t room,
                             const hill_allocator *allocator)
{
    hill__rows *rows = hill__alloc(allocator, 1, sizeof *rows);
    if (!rows)
        return NULL;
    rows->allocator = *allocator;
    rows->encoder = encoder;
    rows->table = table;
    rows->room = room;
    rows->target = SIZE_MAX;
    rows->list = room <= SIZE_MAX ? hill__alloc(allocator, (size_t)room, sizeof *rows->list) : NULL;
    if (rows->list)
        return rows;
    hill__rows_free(rows);
    return NULL;
}

static int rows_bind_image(hill__rows *rows, const hill__input *input, hill_error *error)
{
    const hill_table *table = rows->table;
    if (!table->image || table->image_height != input->height || table->image_width != input->width ||
        table->image_channels != input->channels)
        return hill__fail(error, HILL_EDATA, "%s: images of %u x %u x %u are needed", table->name, input->height, input->width,
                          input->channels);
    rows->pixels = hill__alloc(&rows->allocator, 256, sizeof *rows->pixels);
    if (!rows->pixels)
        return hill__fail_memory(error);
    for (int byte = 0; byte < 256; byte++)
        rows->pixels[byte] = rows_scaled((double)byte / input->unit, input->mean, input->deviation);
    return HILL_OK;
}

static double rows_cell(const hill__input *input, double number)
{
    return isnan(number) ? input->fill : number;
}

/* Sees that no number of the column is beyond what a float can hold once scaled. */
static int rows_check(const hill__rows *rows, const hill__column *column, double mean, double deviation, hill_error *error)
{
    for (uint64_t i = 0; i < rows->count; i++) {
        double number = column->numbers[rows->list[i]];
        if (isnan(number) || isfinite(rows_scaled(number, mean, deviation)))
            continue;
        char place[300];
        hill__table_place(rows->table, rows->list[i], place, sizeof place);
        return hill__fail(error, HILL_EDATA, "%s: column %s: the number is too large", place, column->name);
    }
    return HILL_OK;
}

static int rows_bind_input(hill__rows *rows, size_t i, hill_error *error)
{
    const hill__input *input = &rows->encoder->inputs[i];
    if (input->kind == HILL_COLUMN_IMAGE)
        return rows_bind_image(rows, input, error);
    hill__wanted wanted = {input->name, input->position, input->kind, false};
    HILL__TRY(rows_find_kind(rows, "input", &wanted, &rows->columns[i], error));
    size_t column = rows->columns[i];
    if (input->kind == HILL_COLUMN_NUMBER)
        return rows_check(rows, &rows->table->columns[column], input->mean, input->deviation, error);
    uint32_t unseen = (uint32_t)(input->units - 1), missing = input->missing ? unseen - 1 : unseen;
    rows->units[i] = rows_map(rows, column, &input->values, unseen, missing);
    return rows->units[i] ? HILL_OK : hill__fail_memory(error);
}

static void rows_fill_input(const hill__rows *rows, size_t i, uint64_t row, float *inputs)
{
    const hill__input *input = &rows->encoder->inputs[i];
    const hill_table *table = rows->table;
    float *at = inputs + input->first;
    if (input->kind == HILL_COLUMN_IMAGE) {
        const unsigned char *bytes = table->image + (size_t)row * table->image_bytes;
        for (size_t k = 0; k < table->image_bytes; k++)
            at[k] = rows->pixels[bytes[k]];
        return;
    }
    const hill__column *column = &table->columns[rows->columns[i]];
    if (input->kind == HILL_COLUMN_CATEGORY) {
        memset(at, 0, input->units * sizeof *at);
        at[rows_mapped(rows->units[i], column->values.count + 1, column->codes[row])] = 1;
        return;
    }
    double number = column->numbers[row];
    at[0] = rows_scaled(rows_cell(input, number), input->mean, input->deviation);
    if (input->missing)
        at[1] = isnan(number) ? 1.0f : 0.0f;
}

static void rows_fill_target(const hill__rows *rows, uint64_t i, float *targets)
{
    const hill__encoder *encoder = rows->encoder;
    if (encoder->task == HILL_TASK_CLASSES) {
        memset(targets, 0, encoder->target.classes.count * sizeof *targets);
        targets[rows->labels[i]] = 1;
    } else {
        targets[0] = rows_scaled(hill__rows_number(rows, i), encoder->target.mean, encoder->target.deviation);
    }
}

static int rows_fill(void *self, const uint64_t *indices, size_t count, float *inputs, float *targets)
{
    const hill__rows *rows = self;
    const hill__encoder *encoder = rows->encoder;
    size_t outputs = hill__encoder_outputs(encoder);
    for (size_t i = 0; i < count; i++) {
        if (indices[i] >= rows->count || (targets && rows->target == SIZE_MAX))
            return HILL_EARGUMENT;
        for (size_t k = 0; k < encoder->input_count; k++)
            rows_fill_input(rows, k, rows->list[indices[i]], inputs + i * encoder->width);
        if (targets)
            rows_fill_target(rows, indices[i], targets + i * outputs);
    }
    return HILL_OK;
}

int hill__rows_new(const hill__view *view, const hill_allocator *allocator, hill__rows **out, hill_error *error)
{
    *out = NULL;
    hill__rows *rows = rows_make(view->encoder, view->table, view->count, allocator);
    if (!rows)
        return hill__fail_memory(error);
    int status = rows_fill_list(rows, view, error);
    if (status < 0) {
        hill__rows_free(rows);
        return status;
    }
    *out = rows;
    return HILL_OK;
}

void hill__rows_free(hill__rows *rows)
{
    if (!rows)
        return;
    hill_allocator allocator = rows->allocator;
    for (size_t i = 0; rows->units && i < rows->bound; i++)
        if (rows->units[i])
            hill__free(&allocator, rows->units[i], rows_map_size(rows, rows->columns[i]), sizeof *rows->units[i]);
    hill__free(&allocator, rows->units, rows->bound, sizeof *rows->units);
    hill__free(&allocator, rows->columns, rows->bound, sizeof *rows->columns);
    hill__free(&allocator, rows->pixels, 256, sizeof *rows->pixels);
    hill__free(&allocator, rows->labels, (size_t)rows->room, sizeof *rows->labels);
    hill__free(&allocator, rows->list, (size_t)rows->room, sizeof *rows->list);
    hill__free(&allocator, rows, 1, sizeof *rows);
}

int hill__rows_split(hill__rows *rows, const unsigned char *held, hill__rows **out, hill_error *error)
{
    *out = NULL;
    uint64_t count = 0, kept = 0;
    for (uint64_t i = 0; i < rows->count; i++)
        count += held[i] != 0;
    hill__rows *other = rows_make(rows->encoder, rows->table, count, &rows->allocator);
    if (other && rows->labels)
        other->labels = hill__alloc(&other->allocator, (size_t)count, sizeof *other->labels);
    if (!other || (rows->labels && !other->labels)) {
        hill__rows_free(other);
        return hill__fail_memory(error);
    }
    other->target = rows->target;
    for (uint64_t i = 0; i < rows->count; i++) {
        hill__rows *side = held[i] ? other : rows;
        uint64_t at = held[i] ? other->count++ : kept++;
        side->list[at] = rows->list[i];
        if (rows->labels)
            side->labels[at] = rows->labels[i];
    }
    rows->count = kept;
    *out = other;
    return HILL_OK;
}

int hill__rows_bind(hill__rows *rows, hill_error *error)
{
    const hill__encoder *encoder = rows->encoder;
    rows->bound = encoder->input_count;
    rows->columns = hill__alloc(&rows->allocator, rows->bound, sizeof *rows->columns);
    rows->units = hill__alloc(&rows->allocator, rows->bound, sizeof *rows->units);
    if (!rows->columns || !rows->units)
        return hill__fail_memory(error);
    for (size_t i = 0; i < rows->bound; i++)
        HILL__TRY(rows_bind_input(rows, i, error));
    if (rows->target != SIZE_MAX && encoder->task == HILL_TASK_NUMBERS)
        return rows_check(rows, &rows->table->columns[rows->target], encoder->target.mean, encoder->target.deviation, error);
    return HILL_OK;
}

hill_source hill__rows_source(hill__rows *rows)
{
    return (hill_source){
        sizeof(hill_source), rows, rows->count, rows->encoder->width, hill__encoder_outputs(rows->encoder), rows_fill};
}

double hill__rows_number(const hill__rows *rows, uint64_t i)
{
    return rows->table->columns[rows->target].numbers[rows->list[i]];
}
