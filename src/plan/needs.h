/*
 * needs.h - what a rule asks of a plan: memory to work in, and nets and knobs that it can do with.
 */
#ifndef HILL_PLAN_NEEDS_H
#define HILL_PLAN_NEEDS_H

#include "plan/plan.h"

/* Weights that lm takes at most: it keeps a matrix of their square in double, and solves it at each step. */
#define HILL__LM_WEIGHTS 3000u
/* Rows of the Jacobian that are multiplied at once, and doubles that lie side by side. */
#define HILL__LM_ROWS 8u
#define HILL__LM_LANES 8u

/* Bytes behind a run's vectors that the rule works in from one end of a step to the other; false where they don't fit a size. */
bool hill__plan_work(const hill_plan *plan, size_t *bytes);

/* What the rule needs of a plan that is otherwise ready; HILL_ERECIPE: it can't do with this net, cost or knob. */
int hill__plan_suits(hill_plan *plan, hill_error *error);

#endif
