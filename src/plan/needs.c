/*
 * needs.c - what the rules ask of a plan. Invariant: what a rule can't do is refused here, before anything is allocated for it.
 */
#include "base/fp.h"

#include "plan/needs.h"

size_t hill__plan_moments(const hill_plan *plan)
{
    return hill__rule_facts_of(plan->rule)->moments;
}

bool hill__plan_work(const hill_plan *plan, size_t *bytes)
{
    size_t vectors = plan->rule == HILL__RULE_ID_schedule_free ? 1 : 0; /* the point where gradients are taken */
    return hill__mul(plan->vector, vectors * sizeof(float), bytes);
}
