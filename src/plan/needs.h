/*
 * needs.h - what a rule asks of a plan: memory to work in, and nets and knobs that it can do with.
 */
#ifndef HILL_PLAN_NEEDS_H
#define HILL_PLAN_NEEDS_H

#include "plan/plan.h"

/* Bytes behind a run's vectors that the rule works in from one end of a step to the other; false where they don't fit a size. */
bool hill__plan_work(const hill_plan *plan, size_t *bytes);

#endif
