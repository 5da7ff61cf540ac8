/*
 * sort.h - sorting without the C library's qsort, which may take memory that the host never gave.
 */
#ifndef HILL_BASE_SORT_H
#define HILL_BASE_SORT_H

#include <stddef.h>
#include <stdint.h>

/* Negative, 0 or positive as item a stands before, beside or behind item b of the caller's array. */
typedef int hill__compare(const void *self, size_t a, size_t b);

/*
 * Arranges order[0..count-1], which the caller filled with indices, so that the items they name ascend. In place, at most
 * about 2 n log n comparisons whatever the input; items that compare equal come out by index, so the result is one of its kind.
 */
void hill__sort(size_t *order, size_t count, hill__compare *compare, const void *self);

#endif
