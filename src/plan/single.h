/*
 * single.h - a plan of small layers that takes one row a step, bound to a run's memory once, so that a step is one call.
 */
#ifndef HILL_PLAN_SINGLE_H
#define HILL_PLAN_SINGLE_H

#include "plan/walk.h"

typedef struct hill__singles {
    hill__single *layers; /* NULL: the plan isn't one of these */
    size_t count;
    hill__cost cost;
    hill__cost_kind kind;
} hill__singles;

/* How many layers a single row would walk; 0 where the plan takes more rows a step, or a layer is too wide for it. */
size_t hill__singles_count(const hill_plan *plan);

/* Fills singles->layers, room for hill__singles_count(plan), from a walk that says where everything is. */
void hill__singles_bind(hill__singles *singles, const hill_plan *plan, const hill__walk *walk);

/* hill__walk_gradient for the walk's one row; true where the whole gradient is finite. *cost gets the row's cost. */
bool hill__singles_gradient(const hill__singles *singles, const hill__kernels *kernels, float *cost);

#endif
