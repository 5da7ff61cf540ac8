/*
 * move.h - how each rule takes a step: it asks for gradients where it wants them, and moves the weights.
 */
#ifndef HILL_TRAIN_MOVE_H
#define HILL_TRAIN_MOVE_H

#include "train/run.h"

/*
 * One step of the run's rule, at `rate`: batch->cost becomes the sum of the rows' costs before it. What isn't finite is told by
 * batch->fault; an error is the source's, and leaves the weights as they were.
 */
int hill__move(hill_run *run, hill__batch *batch, double rate);

/* The average of the weights, where one is wanted, takes those of the step that was just made and isn't counted yet. */
void hill__move_average(hill_run *run);

/* Euclidean length of a padded stretch of floats, by a kernel. */
double hill__gradient_length(const hill__kernels *kernels, const float *gradient, size_t n);

/* One for each name in words.def; hill__move calls the rule's. */
typedef int hill__mover(hill_run *run, hill__batch *batch, double rate);
hill__mover hill__move_each;  /* the same for every weight: one pass of a kernel's loop */
hill__mover hill__move_ahead; /* the same, by a gradient that was taken somewhere else */
hill__mover hill__move_muon;
hill__mover hill__move_lbfgs;
hill__mover hill__move_lm;

#endif
