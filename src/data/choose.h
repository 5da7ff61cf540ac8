/*
 * choose.h - which column is learned, and as what.
 */
#ifndef HILL_DATA_CHOOSE_H
#define HILL_DATA_CHOOSE_H

#include "data/table.h"

/*
 * The target column: the one called `text` or of that 1-based number; for "auto" one called target, label, class or y in any
 * case, else the last that isn't column `weight`, of weights (SIZE_MAX: there is none). HILL_EDATA: it isn't there, or no column is left to learn from.
 */
int hill__choose_target(const hill_table *table, const char *text, size_t weight, size_t *out, hill_error *error);

/* The task: "classes" or "numbers" as `text` says; for "auto" classes for text and whole numbers of at most 10 values. */
hill_task hill__choose_task(const hill_table *table, size_t target, const char *text);

#endif
