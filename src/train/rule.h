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
    double momentum, alpha, beta1, beta2, epsilon, decay, lasso;
} hill__rule;

hill__rule hill__rule_make(const hill_recipe *recipe);

/* The numbers of step `step` (from 1) at `rate`. */
hill__update hill__rule_update(const hill__rule *rule, uint64_t step, double rate);

#endif
