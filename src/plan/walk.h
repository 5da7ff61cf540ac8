/*
 * walk.h - the walks over a plan's instructions: up for answers and costs, up and down for a gradient.
 */
#ifndef HILL_PLAN_WALK_H
#define HILL_PLAN_WALK_H

#include "plan/plan.h"

/* All walks take at most plan->block_rows rows, in walk->inputs (and walk->targets). */

/* Points the walk's buffers into its scratch. */
void hill__walk_begin(const hill_plan *plan, hill__walk *walk);

/* Inputs to answers; returns them, [rows][outputs]. */
const float *hill__walk_answer(const hill_plan *plan, hill__walk *walk);

/* Inputs to what instruction `instr` makes of them; returns it, [rows][its outputs]. */
const float *hill__walk_units(const hill_plan *plan, hill__walk *walk, size_t instr);

/* Inputs and targets to walk->costs; returns the units the cost was taken of (logits, where it holds the output activation). */
const float *hill__walk_cost(const hill_plan *plan, hill__walk *walk);

/* The same, and the gradient of scale * the sum of the costs into (walk->add: onto) walk->gradient. */
void hill__walk_gradient(const hill_plan *plan, hill__walk *walk);

/* After hill__walk_cost: the gradient of one of the units it returned, summed over rows, into walk->gradient. */
void hill__walk_slope(const hill_plan *plan, hill__walk *walk, size_t unit);

#endif
