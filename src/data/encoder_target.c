/*
 * encoder_target.c - begins an encoder with its target. Invariant: classes are those of all rows, so that the list of them
 * doesn't depend on how rows are split.
 */
#include "base/fp.h"

#include "data/encoder.h"

#include <math.h>
#include <string.h>

#include "base/number.h"

static int target_text_classes(hill__encoder *encoder, const hill_table *table, const hill__column *column, hill_error *error)
{
    hill__census census = {.column = column, .row_count = table->rows, .numeric = true, .most = HILL__CLASSES_MOST};
    HILL__TRY(hill__names_census(&encoder->target.classes, &census, &encoder->allocator, error));
    if (census.found > HILL__CLASSES_MOST)
        return hill__fail(error, HILL_EDATA, "%s: the target %s has %zu different texts, at most %u can be classes",
                          table->name, column->name, census.found, HILL__CLASSES_MOST);
    return HILL_OK;
}

/* Puts `value` into the ascending list where it isn't in it yet; false: the list is full. */
static bool target_insert(double *list, size_t *count, double value)
{
    size_t low = 0, high = *count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (list[middle] < value)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < *count && list[low] == value)
        return true;
    if (*count == HILL__CLASSES_MOST)
        return false;
    memmove(list + low + 1, list + low, (*count - low) * sizeof *list);
    list[low] = value;
    ++*count;
    return true;
}

static int target_name_classes(hill__encoder *encoder, const double *list, size_t count, hill_error *error)
{
    hill__target *target = &encoder->target;
    double *numbers = hill__alloc(&encoder->allocator, count, sizeof *numbers);
    if (!numbers)
        return hill__fail_memory(error);
    if (!hill__names_init(&target->classes, count, &encoder->allocator)) {
        hill__free(&encoder->allocator, numbers, count, sizeof *numbers);
        return hill__fail_memory(error);
    }
    bool good = true;
    for (size_t i = 0; i < count && good; i++) {
        char text[HILL__NUMBER_TEXT];
        numbers[i] = list[i];
        good = hill__names_add(&target->classes, text, hill__format_double(list[i], text));
    }
    if (!good || !hill__names_close(&target->classes)) {
        hill__free(&encoder->allocator, numbers, count, sizeof *numbers);
        return hill__fail_memory(error);
    }
    target->numbers = numbers;
    return HILL_OK;
}

static int target_number_classes(hill__encoder *encoder, const hill_table *table, const hill__column *column, hill_error *error)
{
    double *list = hill__alloc(&encoder->allocator, HILL__CLASSES_MOST, sizeof *list);
    if (!list)
        return hill__fail_memory(error);
    size_t count = 0;
    bool room = true;
    for (uint64_t i = 0; i < table->rows && room; i++)
        if (!isnan(column->numbers[i]))
            room = target_insert(list, &count, column->numbers[i] + 0.0); /* -0 and 0 are one class */
    int status = HILL_OK;
    if (room)
        status = target_name_classes(encoder, list, count, error);
    else
        status =
            hill__fail(error, HILL_EDATA, "%s: the target %s has more than %u different values to be classes; --task numbers?",
                       table->name, column->name, HILL__CLASSES_MOST);
    hill__free(&encoder->allocator, list, HILL__CLASSES_MOST, sizeof *list);
    return status;
}

static int target_classes(hill__encoder *encoder, const hill_table *table, const hill__column *column, hill_error *error)
{
    if (column->kind == HILL_COLUMN_CATEGORY)
        HILL__TRY(target_text_classes(encoder, table, column, error));
    else
        HILL__TRY(target_number_classes(encoder, table, column, error));
    const hill__names *classes = &encoder->target.classes;
    if (classes->count == 0)
        return hill__fail(error, HILL_EDATA, "%s: every cell of the target %s is missing", table->name, column->name);
    if (classes->count == 1)
        return hill__fail(error, HILL_EDATA, "%s: the target %s has one class only, %.200s: there is nothing to learn",
                          table->name, column->name, classes->items[0]);
    return HILL_OK;
}

int hill__encoder_new(const hill_table *table, const hill__encoder_options *options, const hill_allocator *allocator,
                      hill__encoder **out, hill_error *error)
{
    *out = NULL;
    const hill__column *column = &table->columns[options->target];
    hill__encoder *encoder = hill__alloc(allocator, 1, sizeof *encoder);
    if (!encoder)
        return hill__fail_memory(error);
    encoder->allocator = *allocator;
    encoder->has_header = table->has_header;
    encoder->task = options->task;
    encoder->target.position = options->target;
    encoder->target.kind = column->kind;
    encoder->target.deviation = 1;
    encoder->target.name = hill__copy_text(allocator, column->name, strlen(column->name));
    hill__lines_init(&encoder->lines, allocator);
    int status = encoder->target.name ? HILL_OK : hill__fail_memory(error);
    if (status == HILL_OK && options->task == HILL_TASK_CLASSES)
        status = target_classes(encoder, table, column, error);
    else if (status == HILL_OK && column->kind != HILL_COLUMN_NUMBER)
        status = hill__fail(error, HILL_EDATA, "%s: the target %s is text, which is learned as classes: --task classes",
                            table->name, column->name);
    if (status < 0) {
        hill__encoder_free(encoder);
        return status;
    }
    *out = encoder;
    return HILL_OK;
}
