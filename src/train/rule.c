/*
 * rule.c - the rules: which numbers their loops get for a step. Constants are computed in double and rounded once.
 */
#include "base/fp.h"

#include "train/rule.h"

#include <math.h>

#include "train/schedule.h"

static const hill__rule_kind rule_loops[] = {
#define RULE(id, word, loop, moments, formula, sentence) HILL__RULE_##loop,
#include "plan/words.def"
};

hill__rule hill__rule_make(const hill_recipe *recipe)
{
    hill__rule rule = {.id = (hill__rule_id)hill__word_index(HILL_WORDS_RULE, hill_recipe_get(recipe, "rule"))};
    rule.loop = rule_loops[rule.id];
    rule.momentum = hill__recipe_number(recipe, "momentum");
    rule.alpha = hill__recipe_number(recipe, "alpha");
    rule.beta1 = hill__recipe_number(recipe, "beta1");
    rule.beta2 = hill__recipe_number(recipe, "beta2");
    rule.epsilon = hill__recipe_number(recipe, "epsilon");
    rule.decay = hill__recipe_number(recipe, "decay");
    rule.lasso = hill__recipe_number(recipe, "l1");
    return rule;
}

/* The running mean that a rule keeps: of its steps, or of the squared gradient for rmsprop. */
static double memory_of(const hill__rule *rule)
{
    switch (rule->id) {
    case HILL__RULE_ID_adam:
    case HILL__RULE_ID_adamw:
        return rule->beta1;
    case HILL__RULE_ID_rmsprop:
        return rule->alpha;
    default:
        return rule->momentum;
    }
}

hill__update hill__rule_update(const hill__rule *rule, uint64_t step, double rate)
{
    bool is_adam = rule->loop == HILL__RULE_adam, apart = rule->id == HILL__RULE_ID_adamw;
    double memory = memory_of(rule);
    hill__update update = {
        .rate = (float)(is_adam ? rate / (1 - hill__power(rule->beta1, step)) : rate),
        .decay = apart ? 0.0f : (float)rule->decay,
        .lasso = (float)rule->lasso,
        .keep = apart ? (float)(1 - rate * rule->decay) : 1.0f,
        .momentum = (float)memory,
        .square = (float)rule->beta2,
        .momentum_rest = (float)(1 - memory),
        .square_rest = (float)(1 - rule->beta2),
        .epsilon = (float)rule->epsilon,
        .correction = is_adam ? (float)(1 / sqrt(1 - hill__power(rule->beta2, step))) : 1.0f,
    };
    return update;
}
