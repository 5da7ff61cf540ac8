/*
 * split.h - which rows are held out to see how training goes.
 */
#ifndef HILL_DATA_SPLIT_H
#define HILL_DATA_SPLIT_H

#include "base/memory.h"

/* Rows below which "auto" holds none out, and the fraction above it. */
#define HILL__HOLDOUT_LEAST 50u
#define HILL__HOLDOUT_AUTO 0.1

typedef struct hill__holdout {
    const uint32_t *labels; /* [rows] class of each row, each below `classes`; NULL: rows are one group */
    uint64_t rows;
    size_t classes; /* 1 without labels */
    double fraction;
    uint64_t seed;
} hill__holdout;

/*
 * Marks held[row] = 1 for the rows to hold out and counts them: rows * fraction, rounded, shared out over the classes by
 * largest remainder, of each class at most all rows but one; which of a class, a permutation of the seed says.
 * HILL_EMEMORY is the only failure.
 */
int hill__holdout_rows(const hill__holdout *split, const hill_allocator *allocator, unsigned char *held, uint64_t *count);

#endif
