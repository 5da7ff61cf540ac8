/*
 * weights.c - what each row counts for: by its class, by a column, or by both. Invariant: the weights of the rows make one on
 * the mean, so that they say which rows count and never how long a step is.
 */
#include "base/fp.h"

#include "data/rows.h"

#include <math.h>

static int weights_bad(const hill__rows *rows, size_t column, uint64_t i, const char *what, hill_error *error)
{
    char place[300];
    hill__table_place(rows->table, rows->list[i], place, sizeof place);
    return hill__fail(error, HILL_EDATA, "%s: column %s: %s, where a weight of 0 or more is needed", place,
                      rows->table->columns[column].name, what);
}

/* Sees that a column holds weights for all rows. */
static int weights_see(const hill__rows *rows, size_t column, hill_error *error)
{
    if (rows->table->columns[column].kind != HILL_COLUMN_NUMBER)
        return hill__fail(error, HILL_EDATA, "%s: column %s holds text where weights are needed", rows->table->name,
                          rows->table->columns[column].name);
    const double *numbers = rows->table->columns[column].numbers;
    for (uint64_t i = 0; i < rows->count; i++) {
        double number = numbers[rows->list[i]];
        if (isnan(number))
            return weights_bad(rows, column, i, "a missing cell", error);
        if (!(number >= 0) || number > (double)FLT_MAX)
            return weights_bad(rows, column, i, number < 0 ? "a number below 0" : "a number that is too large", error);
    }
    return HILL_OK;
}

static double weight_of(const hill__rows *rows, const double *classes, size_t column, uint64_t i)
{
    double weight = classes ? classes[rows->labels[i]] : 1;
    return column == SIZE_MAX ? weight : weight * rows->table->columns[column].numbers[rows->list[i]];
}

int hill__rows_weigh(hill__rows *rows, const double *classes, size_t column, hill_error *error)
{
    double sum = 0;
    if (column != SIZE_MAX)
        HILL__TRY(weights_see(rows, column, error));
    for (uint64_t i = 0; i < rows->count; i++)
        sum += weight_of(rows, classes, column, i);
    if (!(sum > 0))
        return hill__fail(error, HILL_EDATA, "%s: every row has weight 0: there is nothing to learn from", rows->table->name);
    rows->weights = hill__alloc(&rows->allocator, (size_t)rows->count, sizeof *rows->weights);
    if (!rows->weights)
        return hill__fail_memory(error);
    for (uint64_t i = 0; i < rows->count; i++)
        rows->weights[i] = (float)(weight_of(rows, classes, column, i) / sum * (double)rows->count);
    return HILL_OK;
}
