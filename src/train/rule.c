/*
 * rule.c - the rules: which numbers their loops get for a step. Constants are computed in double and rounded once.
 */
#include "base/fp.h"

#include "train/rule.h"

#include <math.h>

#include "train/schedule.h"

static const hill__rule_kind rule_loops[] = {
#define RULE(id, word, move, loop, moments, rows, rate, decay, formula, sentence) HILL__RULE_##loop,
#include "plan/words.def"
};

hill__rule hill__rule_make(const hill_recipe *recipe)
{
    hill__rule rule = {.id = (hill__rule_id)hill__word_index(HILL_WORDS_RULE, hill_recipe_get(recipe, "rule"))};
    rule.loop = rule_loops[rule.id];
    rule.apart = hill__rule_facts_of(rule.id)->decay == HILL__DECAY_APART;
    rule.rate = hill__recipe_number(recipe, "rate");
    rule.momentum = hill__recipe_number(recipe, "momentum");
    rule.alpha = hill__recipe_number(recipe, "alpha");
    rule.beta1 = hill__recipe_number(recipe, "beta1");
    rule.beta2 = hill__recipe_number(recipe, "beta2");
    rule.epsilon = hill__recipe_number(recipe, "epsilon");
    rule.decay = hill__recipe_number(recipe, "decay");
    rule.lasso = hill__recipe_number(recipe, "l1");
    return rule;
}

/* nadam: beta1 of step `step`, which grows to its full value; the 0.004th power of 0.96 is a number to start from. */
static double nadam_beta(const hill__rule *rule, uint64_t step)
{
    const double root = 0.99983672535267528;
    return rule->beta1 * (1 - 0.5 * hill__power(root, step));
}

/* schedule-free: the rate with the correction of the squares' mean in it. */
static double free_rate(const hill__rule *rule, uint64_t step, double rate)
{
    return rate * sqrt(1 - hill__power(rule->beta2, step));
}

void hill__rule_advance(const hill__rule *rule, double *numbers, uint64_t step, double rate)
{
    if (rule->loop == HILL__RULE_nadam) /* the product of all betas so far */
        numbers[0] = (step == 1 ? 1 : numbers[0]) * nadam_beta(rule, step);
    if (rule->loop == HILL__RULE_schedule_free) { /* the sum of all squared rates so far */
        double gamma = free_rate(rule, step, rate);
        numbers[0] += gamma * gamma;
    }
}

/* The running mean that a rule keeps: of its steps, or of the squared gradient for rmsprop. */
static double memory_of(const hill__rule *rule)
{
    switch (rule->loop) {
    case HILL__RULE_adam:
    case HILL__RULE_nadam:
    case HILL__RULE_schedule_free:
        return rule->beta1;
    case HILL__RULE_rmsprop:
        return rule->alpha;
    default:
        return rule->momentum;
    }
}

static void update_nadam(const hill__rule *rule, const double *numbers, uint64_t step, hill__update *update)
{
    double next = nadam_beta(rule, step + 1);
    update->mean_part = (float)(next / (1 - numbers[0] * next));
    update->slope_part = (float)((1 - nadam_beta(rule, step)) / (1 - numbers[0]));
    update->correction = (float)(1 / sqrt(1 - hill__power(rule->beta2, step)));
}

/* Points are averaged by the square of the rate; the factor of a layer is no part of that. */
static void update_free(const hill__rule *rule, const double *numbers, uint64_t step, double rate, double factor,
                        hill__update *update)
{
    double gamma = free_rate(rule, step, rate);
    update->rate = (float)(gamma * factor);
    update->decay = (float)rule->decay;
    update->blend = numbers[0] > 0 ? (float)(gamma * gamma / numbers[0]) : 0.0f;
}

/* The bounds of a weight's step are those of the paper, and of PyTorch. */
static void update_rprop(const hill__rule *rule, hill__update *update)
{
    const double least = 1e-6, most = 50;
    bool moves = rule->rate > least * least;
    update->least = moves ? (float)(least / rule->rate) : 0.0f;
    update->most = moves ? (float)(most / rule->rate) : 1.0f;
}

hill__update hill__rule_update(const hill__rule *rule, const double *numbers, uint64_t step, double rate, double factor)
{
    bool is_adam = rule->loop == HILL__RULE_adam;
    double memory = memory_of(rule), own = rate * factor;
    hill__update update = {
        .rate = (float)(is_adam ? own / (1 - hill__power(rule->beta1, step)) : own),
        .decay = rule->apart ? 0.0f : (float)rule->decay,
        .lasso = (float)rule->lasso,
        .keep = rule->apart ? (float)(1 - own * rule->decay) : 1.0f,
        .momentum = (float)memory,
        .square = (float)rule->beta2,
        .momentum_rest = (float)(1 - memory),
        .square_rest = (float)(1 - rule->beta2),
        .epsilon = (float)rule->epsilon,
        .correction = is_adam ? (float)(1 / sqrt(1 - hill__power(rule->beta2, step))) : 1.0f,
    };
    if (rule->loop == HILL__RULE_nadam)
        update_nadam(rule, numbers, step, &update);
    else if (rule->loop == HILL__RULE_schedule_free)
        update_free(rule, numbers, step, rate, factor, &update);
    else if (rule->loop == HILL__RULE_rprop)
        update_rprop(rule, &update);
    return update;
}
