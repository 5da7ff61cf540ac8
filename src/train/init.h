/*
 * init.h - start weights, drawn by the seed.
 */
#ifndef HILL_TRAIN_INIT_H
#define HILL_TRAIN_INIT_H

#include "plan/plan.h"

/* Fills a vector of the plan by its recipe's `init`. */
void hill__init_weights(const hill_plan *plan, uint64_t seed, float *weights);

/* The same with glorot or he whatever the recipe says, and small biases: a point where no gradient is zero by symmetry. */
void hill__init_anywhere(const hill_plan *plan, uint64_t seed, float *weights);

#endif
