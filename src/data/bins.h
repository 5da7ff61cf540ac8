/*
 * bins.h - numbers as pieces of a line (Gorishniy, Rubachev, Babenko: On embeddings for numerical features in tabular deep
 * learning, 2022): between two edges a number fills a unit from 0 to 1, while those of the bins below are 1 and those above 0.
 */
#ifndef HILL_DATA_BINS_H
#define HILL_DATA_BINS_H

#include "data/encoder.h"

/* Bins of a number, at most. */
#define HILL__BINS_MOST 1024u

/*
 * Edges at the quantiles 0, 1 / bins, ..., 1 of the cells that aren't missing, equal ones once; none where that leaves one.
 * false: no memory.
 */
bool hill__bins_fit(hill__input *input, const double *numbers, const uint64_t *rows, uint64_t count, size_t bins,
                    const hill_allocator *allocator);

/* The bin of a number, and how far it fills that: below 0 under the first edge, above 1 over the last. */
size_t hill__bins_find(const hill__input *input, double number, float *part);

#endif
