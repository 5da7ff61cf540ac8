/*
 * grow.h - what training rows become before a step sees them: a function of (seed, epoch, row), for mixup of the place, too.
 */
#ifndef HILL_TRAIN_GROW_H
#define HILL_TRAIN_GROW_H

#include "plan/walk.h"

/* The seed of an epoch's growth. */
uint64_t hill__grow_seed(uint64_t seed, uint64_t epoch);

/*
 * Rows of a block: walk->inputs grow into the plan's buffer, which then is walk->inputs; `targets` are mixed where inputs are, and
 * with them what rows count for, `row_weights`, NULL where every row counts once.
 */
void hill__grow_rows(const hill_plan *plan, uint64_t epoch_seed, const uint64_t *rows, hill__walk *walk, float *targets,
                     float *row_weights);

#endif
