/*
 * rule.h - how a step follows from the gradient.
 */
#ifndef HILL_TRAIN_RULE_H
#define HILL_TRAIN_RULE_H

#include "kernel/kernel.h"
#include "plan/recipe.h"
#include "plan/words.h"

/* A rule with its knobs, in double; what of it a step needs is made anew for each step. */
typedef struct hill__rule {
    hill__rule_id id;
    hill__rule_kind loop;
    bool apart;  /* decay is */
    double rate; /* the knob */
    double momentum, alpha, beta1, beta2, epsilon, decay, lasso;
} hill__rule;

/* Numbers that a rule remembers from step to step besides its moments; all 0 before the first. */
#define HILL__RULE_NUMBERS 2

hill__rule hill__rule_make(const hill_recipe *recipe);

/* What the rule remembers moves on to step `step` (from 1), which is taken at `rate`. */
void hill__rule_advance(const hill__rule *rule, double *numbers, uint64_t step, double rate);

/* The numbers of that step for weights whose rate is `factor` times as large. */
hill__update hill__rule_update(const hill__rule *rule, const double *numbers, uint64_t step, double rate, double factor);

#endif
