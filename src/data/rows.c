/*
 * rows.c - gathering encoded rows. Invariant: a row's floats depend on the row and the encoder alone, whatever the batch.
 */
#include "base/fp.h"

#include "data/rows.h"

#include <math.h>
#include <string.h>

#include "data/bins.h"
#include "data/embed.h"

/* Columns that a message about a missing one names. */
#define ROWS_NAMED 8u

/* By name where both tables name their columns or neither does ("c1", "c2", ...), else by position. `hint` is looked at first. */
static size_t rows_find(const hill__rows *rows, const hill__wanted *wanted, size_t hint)
{
    const hill_table *table = rows->table;
    size_t count = table->column_count;
    if (rows->encoder->has_header != table->has_header)
        return wanted->position < count ? wanted->position : SIZE_MAX;
    for (size_t i = 0, at = hint < count ? hint : 0; i < count; i++, at = at + 1 < count ? at + 1 : 0)
        if (strcmp(table->columns[at].name, wanted->name) == 0)
            return at;
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

/* Finds a column of the kind that is wanted. *column is where to look first, and gets where it is. */
static int rows_find_kind(const hill__rows *rows, const hill__wanted *wanted, size_t *column, hill_error *error)
{
    *column = rows_find(rows, wanted, *column);
    if (*column == SIZE_MAX)
        return rows_not_found(rows, wanted->target ? "target" : "input", wanted->name, error);
    const hill__column *found = &rows->table->columns[*column];
    if (found->kind == wanted->kind)
        return HILL_OK;
    if (found->kind == HILL_COLUMN_CATEGORY)
        return hill__fail(error, HILL_EDATA, "%s: column %s holds text where numbers are needed", rows->table->name,
                          found->name);
    return hill__fail(error, HILL_EDATA, "%s: column %s holds numbers where text is needed; --category %s reads them as text",
                      rows->table->name, found->name, found->name);
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
    int status = HILL_OK;
    if (view->targets) {
        hill__wanted wanted = {target->name, target->position, target->kind, true};
        rows->target = target->position;
        HILL__TRY(rows_find_kind(rows, &wanted, &rows->target, error));
    }
    if (view->targets && view->encoder->task == HILL_TASK_CLASSES) {
        rows->labels = hill__alloc(&rows->allocator, (size_t)rows->room, sizeof *rows->labels);
        if (target->kind == HILL_COLUMN_CATEGORY)
            map = rows_map(rows, rows->target, &target->classes, HILL__MISSING - 1, HILL__MISSING);
        if (!rows->labels || (target->kind == HILL_COLUMN_CATEGORY && !map))
            status = hill__fail_memory(error);
    }
    if (status == HILL_OK)
        rows_list(rows, view, map);
    if (map)
        hill__free(&rows->allocator, map, rows_map_size(rows, rows->target), sizeof *map);
    return status;
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
    rows->scale = (float)(1 / (input->unit * input->deviation));
    rows->shift = (float)(-input->mean / input->deviation);
    if (!isfinite(rows->scale) || !isfinite(rows->shift))
        return hill__fail(error, HILL_EMODEL, "%s: the model scales its images by a number that is too large", table->name);
    return HILL_OK;
}

static int rows_too_large(const hill__rows *rows, const hill__column *column, uint64_t row, hill_error *error)
{
    char place[300];
    hill__table_place(rows->table, row, place, sizeof place);
    return hill__fail(error, HILL_EDATA, "%s: column %s: the number is too large", place, column->name);
}

/* Of a missing cell that has a unit of its own: in the number of its bin. */
#define ROWS_MISSING ((uint32_t)1 << 31)

/* Cells of an input in a row: a number in bins has two, which bin it is in and how far it fills that. */
static size_t rows_cells(const hill__input *input)
{
    return input->kind == HILL_COLUMN_IMAGE ? 0 : input->edge_count ? 2 : 1;
}

/* Packs a number column in bins as cells k and k + 1 of each row. */
static int rows_pack_bins(hill__rows *rows, const hill__input *input, size_t column, size_t k, hill_error *error)
{
    const hill__column *from = &rows->table->columns[column];
    hill__cell *to = rows->cells + k;
    for (uint64_t i = 0; i < rows->count; i++, to += rows->cell_count) {
        double number = from->numbers[rows->list[i]];
        bool missing = isnan(number);
        to[0].unit = (uint32_t)hill__bins_find(input, missing ? input->fill : number, &to[1].number);
        if (!isfinite(to[1].number))
            return rows_too_large(rows, from, rows->list[i], error);
        to[0].unit |= missing && input->missing ? ROWS_MISSING : 0;
    }
    rows->plain = false;
    return HILL_OK;
}

/* Packs a number column as cell k of each row. */
static int rows_pack_numbers(hill__rows *rows, const hill__input *input, size_t column, size_t k, hill_error *error)
{
    const hill__column *from = &rows->table->columns[column];
    hill__cell *to = rows->cells + k;
    for (uint64_t i = 0; i < rows->count; i++, to += rows->cell_count) {
        double number = from->numbers[rows->list[i]];
        to->number = rows_scaled(number, input->mean, input->deviation);
        if (!isfinite(to->number) && !isnan(number))
            return rows_too_large(rows, from, rows->list[i], error);
        rows->plain = rows->plain && !isnan(number);
    }
    rows->plain = rows->plain && !input->missing;
    return HILL_OK;
}

static int rows_pack_units(hill__rows *rows, const hill__input *input, size_t column, size_t k, hill_error *error)
{
    const hill__column *from = &rows->table->columns[column];
    hill__cell *to = rows->cells + k;
    uint32_t unseen = (uint32_t)(hill__embed_rows(input) - 1), missing = input->missing ? unseen - 1 : unseen;
    uint32_t *map = rows_map(rows, column, &input->values, unseen, missing);
    if (!map)
        return hill__fail_memory(error);
    for (uint64_t i = 0; i < rows->count; i++, to += rows->cell_count) {
        uint32_t unit = rows_mapped(map, rows_map_size(rows, column), from->codes[rows->list[i]]);
        if (input->embedded)
            to->number = (float)unit;
        else
            to->unit = unit;
    }
    hill__free(&rows->allocator, map, rows_map_size(rows, column), sizeof *map);
    return HILL_OK;
}

/* Finds and packs every number and category input, in their order. */
static int rows_pack(hill__rows *rows, hill_error *error)
{
    const hill__encoder *encoder = rows->encoder;
    size_t k = 0, column = SIZE_MAX;
    rows->plain = true;
    for (size_t i = 0; i < encoder->input_count; i++) {
        const hill__input *input = &encoder->inputs[i];
        rows->plain = rows->plain && (input->kind == HILL_COLUMN_NUMBER || input->embedded);
        if (input->kind == HILL_COLUMN_IMAGE)
            continue;
        hill__wanted wanted = {input->name, input->position, input->kind, false};
        column++;
        HILL__TRY(rows_find_kind(rows, &wanted, &column, error));
        if (input->edge_count)
            HILL__TRY(rows_pack_bins(rows, input, column, k, error));
        else if (input->kind == HILL_COLUMN_NUMBER)
            HILL__TRY(rows_pack_numbers(rows, input, column, k, error));
        else
            HILL__TRY(rows_pack_units(rows, input, column, k, error));
        k += rows_cells(input);
    }
    return HILL_OK;
}

static int rows_room(hill__rows *rows, hill_error *error)
{
    size_t row = 0;
    for (size_t i = 0; i < rows->encoder->input_count; i++)
        rows->cell_count += rows_cells(&rows->encoder->inputs[i]);
    if (hill__mul(rows->cell_count, sizeof *rows->cells, &row))
        rows->cells = hill__alloc(&rows->allocator, (size_t)rows->count, row);
    rows->cell_rows = rows->count;
    return rows->cells ? HILL_OK : hill__fail_memory(error);
}

/* Bins under the number's are full, those above are empty. */
static void rows_fill_bins(const hill__input *input, const hill__cell *cells, float *at)
{
    const size_t bins = input->edge_count - 1, own = cells[0].unit & ~ROWS_MISSING;
    for (size_t i = 0; i < bins; i++)
        at[i] = i < own ? 1.0f : 0.0f;
    at[own] = cells[1].number;
    if (input->missing)
        at[bins] = cells[0].unit & ROWS_MISSING ? 1.0f : 0.0f;
}

static void rows_fill_input(const hill__input *input, hill__cell cell, float *at)
{
    if (input->embedded) {
        at[0] = cell.number;
        return;
    }
    if (input->kind == HILL_COLUMN_CATEGORY) {
        memset(at, 0, input->units * sizeof *at);
        at[cell.unit] = 1;
        return;
    }
    bool missing = isnan(cell.number);
    at[0] = missing ? rows_scaled(input->fill, input->mean, input->deviation) : cell.number;
    if (input->missing)
        at[1] = missing ? 1.0f : 0.0f;
}

static const unsigned char *rows_image(const hill__rows *rows, uint64_t i)
{
    return rows->table->image + (size_t)rows->list[i] * rows->table->image_bytes;
}

/* Bytes that the machine fetches at once, on all machines that matter. */
#define ROWS_LINE 64u

static void rows_fetch(const void *begin, size_t bytes)
{
#if defined(__GNUC__)
    for (size_t at = 0; at < bytes; at += ROWS_LINE)
        __builtin_prefetch((const char *)begin + at);
#else
    (void)begin;
    (void)bytes;
#endif
}

/*
 * Rows come in random order, and waiting for memory was most of a gather. Of an image the first lines are enough: they bring
 * its page along, and the machine guesses the rest.
 */
static void rows_expect(void *self, const uint64_t *indices, size_t count)
{
    const hill__rows *rows = self;
    for (size_t i = 0; i < count; i++) {
        if (rows->table->image)
            rows_fetch(rows_image(rows, indices[i]), 2 * ROWS_LINE);
        if (rows->cell_count)
            rows_fetch(rows->cells + (size_t)indices[i] * rows->cell_count, rows->cell_count * sizeof *rows->cells);
    }
}

/* Images that are asked for in full before they are needed. */
#define ROWS_AHEAD 6u

static void rows_fill_inputs(const hill__rows *rows, uint64_t i, float *inputs)
{
    const hill__encoder *encoder = rows->encoder;
    const hill__cell *cell = rows->cells + (size_t)i * rows->cell_count;
    for (size_t k = 0; k < encoder->input_count; k++) {
        const hill__input *input = &encoder->inputs[k];
        float *at = inputs + input->first;
        if (input->kind == HILL_COLUMN_IMAGE)
            rows->spread(at, rows_image(rows, i), rows->table->image_bytes, rows->scale, rows->shift);
        else if (input->edge_count)
            rows_fill_bins(input, cell, at);
        else
            rows_fill_input(input, *cell, at);
        cell += rows_cells(input);
    }
}

static void rows_fill_target(const hill__rows *rows, uint64_t i, float *targets)
{
    const hill__encoder *encoder = rows->encoder;
    if (encoder->task == HILL_TASK_CLASSES) {
        memset(targets, 0, encoder->target.classes.count * sizeof *targets);
        targets[rows->labels[i]] = 1;
    } else {
        targets[0] = rows->targets[i];
    }
}

static int rows_fill(void *self, const uint64_t *indices, size_t count, float *inputs, float *targets)
{
    const hill__rows *rows = self;
    const hill__encoder *encoder = rows->encoder;
    size_t outputs = hill__encoder_outputs(encoder), width = encoder->width;
    for (size_t i = 0; i < count; i++)
        if (indices[i] >= rows->count || (targets && rows->target == SIZE_MAX))
            return HILL_EARGUMENT;
    for (size_t i = 0, asked = 0; i < count; i++) {
        for (; rows->table->image && asked < count && asked < i + ROWS_AHEAD; asked++)
            rows_fetch(rows_image(rows, indices[asked]), rows->table->image_bytes);
        if (rows->plain)
            memcpy(inputs + i * width, rows->cells + indices[i] * width, width * sizeof *inputs);
        else
            rows_fill_inputs(rows, indices[i], inputs + i * width);
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
    hill__free(&allocator, rows->cells, (size_t)rows->cell_rows, rows->cell_count * sizeof *rows->cells);
    hill__free(&allocator, rows->weights, (size_t)rows->cell_rows, sizeof *rows->weights);
    hill__free(&allocator, rows->targets, (size_t)rows->cell_rows, sizeof *rows->targets);
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

static int rows_pack_targets(hill__rows *rows, hill_error *error)
{
    const hill__target *target = &rows->encoder->target;
    rows->targets = hill__alloc(&rows->allocator, (size_t)rows->count, sizeof *rows->targets);
    if (!rows->targets)
        return hill__fail_memory(error);
    for (uint64_t i = 0; i < rows->count; i++) {
        rows->targets[i] = rows_scaled(hill__rows_number(rows, i), target->mean, target->deviation);
        if (!isfinite(rows->targets[i]))
            return rows_too_large(rows, &rows->table->columns[rows->target], rows->list[i], error);
    }
    return HILL_OK;
}

int hill__rows_bind(hill__rows *rows, hill_error *error)
{
    const hill__encoder *encoder = rows->encoder;
    HILL__TRY(rows_room(rows, error));
    for (size_t i = 0; i < encoder->input_count; i++)
        if (encoder->inputs[i].kind == HILL_COLUMN_IMAGE)
            HILL__TRY(rows_bind_image(rows, &encoder->inputs[i], error));
    HILL__TRY(rows_pack(rows, error));
    return rows->target == SIZE_MAX || encoder->task == HILL_TASK_CLASSES ? HILL_OK : rows_pack_targets(rows, error);
}

/* Bytes of a table that stay in a near cache without being asked for. */
#define ROWS_NEAR ((uint64_t)1 << 18)

/* The row of the table, counted from 1. */
static uint64_t rows_number_of(void *self, uint64_t row)
{
    const hill__rows *rows = self;
    return rows->list[row] + 1;
}

static int rows_weigh_batch(void *self, const uint64_t *indices, size_t count, float *weights)
{
    const hill__rows *rows = self;
    for (size_t i = 0; i < count; i++)
        weights[i] = rows->weights[indices[i]];
    return HILL_OK;
}

hill_source hill__rows_source(hill__rows *rows, hill__spread spread)
{
    uint64_t row = rows->table->image_bytes + rows->cell_count * sizeof *rows->cells;
    hill_source source = {.size = sizeof source,
                          .self = rows,
                          .rows = rows->count,
                          .inputs = rows->encoder->width,
                          .targets = hill__encoder_outputs(rows->encoder),
                          .fill = rows_fill,
                          .expect = row > 0 && rows->count > ROWS_NEAR / row ? rows_expect : NULL,
                          .number = rows_number_of,
                          .weigh = rows->weights ? rows_weigh_batch : NULL};
    rows->spread = spread;
    return source;
}

double hill__rows_number(const hill__rows *rows, uint64_t i)
{
    return rows->table->columns[rows->target].numbers[rows->list[i]];
}
