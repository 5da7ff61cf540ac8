/*
 * needs.c - what the rules ask of a plan. Invariant: what a rule can't do is refused here, before anything is allocated for it.
 */
#include "base/fp.h"

#include "plan/needs.h"

#include "plan/factors.h"

size_t hill__plan_moments(const hill_plan *plan)
{
    return hill__rule_facts_of(plan->rule)->moments + (plan->average > 0 ? 1 : 0);
}

bool hill__slot_is_matrix(const hill_plan *plan, const hill__slot *slot, size_t *cols)
{
    *cols = slot->rank > 1 ? slot->shape[slot->rank - 1] : 1;
    return slot->trained && slot->start == HILL__START_DRAWN && slot->rank > 1 && slot->layer < plan->layers;
}

/* Room for muon's largest matrices, padded as vectors are, with a group of lanes behind. */
static bool measure_muon(hill_plan *plan)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        const hill__slot *slot = &plan->slots[i];
        size_t cols, room, square;
        if (!hill__slot_is_matrix(plan, slot, &cols))
            continue;
        size_t side = cols < slot->count / cols ? cols : slot->count / cols;
        if (!hill__round_up(slot->count + HILL__PAD, HILL__PAD, &room) || !hill__mul(side, side, &square) ||
            !hill__round_up(square + HILL__PAD, HILL__PAD, &square))
            return false;
        plan->muon_room = room > plan->muon_room ? room : plan->muon_room;
        plan->muon_square = square > plan->muon_square ? square : plan->muon_square;
    }
    return true;
}

/* Vectors of floats and of doubles, and doubles besides. */
bool hill__plan_work(const hill_plan *plan, size_t *bytes)
{
    size_t vectors = 0, doubles = 0, square = 0, more;
    switch (plan->rule) {
    case HILL__RULE_ID_schedule_free: /* the point where gradients are taken */
        vectors = 1;
        break;
    case HILL__RULE_ID_muon:
        return hill__mul(plan->muon_room, 3 * sizeof(float), bytes) && hill__mul(plan->muon_square, 2 * sizeof(float), &more) &&
               hill__add(*bytes, more, bytes);
    case HILL__RULE_ID_lbfgs: /* a trial, and in double where it lies from here */
        vectors = 1;
        doubles = plan->vector;
        break;
    case HILL__RULE_ID_lm: /* a trial; the matrix, its factor's diagonal, gradient, step, rows of the Jacobian */
        vectors = 1;
        if (!hill__round_up(plan->parameters, HILL__LM_LANES, &doubles) || !hill__mul(doubles, plan->parameters, &square) ||
            !hill__mul(doubles, 3 + HILL__LM_ROWS, &doubles))
            return false;
        break;
    default:
        break;
    }
    return hill__mul(plan->vector, vectors * sizeof(float), bytes) && hill__add(doubles, square, &more) &&
           hill__mul(more, sizeof(double), &more) && hill__add(*bytes, more, bytes);
}

/* The first knob that such a rule has no use for and that is set; NULL: none. */
static const char *knob_in_use(const hill_recipe *recipe)
{
    static const char *const knobs[] = {"clip", "clip-value", "l1", "max-norm"};
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; i++)
        if (hill__recipe_number(recipe, knobs[i]) > 0)
            return knobs[i];
    return hill_recipe_get(recipe, "rate-factors")[0] ? "rate-factors" : NULL;
}

/* lm takes the cost apart, and a matrix. */
static int suits_lm(const hill_plan *plan, hill_error *error)
{
    const hill__op *cost = hill__plan_cost(plan)->op;
    if (cost != hill__op_at(HILL__OP_squared))
        return hill__fail(error, HILL_ERECIPE,
                          "cost: lm takes squares apart, so it needs the cost squared, not %s; or --rule lbfgs", cost->word);
    if (plan->parameters > HILL__LM_WEIGHTS)
        return hill__fail(
            error, HILL_ERECIPE,
            "net: it has %zu weights, of which lm takes at most %u, for it solves a matrix of their square; try a "
            "smaller --net, or --rule lbfgs",
            plan->parameters, HILL__LM_WEIGHTS);
    return HILL_OK;
}

int hill__plan_suits(hill_plan *plan, hill_error *error)
{
    const char *rule = hill_recipe_get(plan->recipe, "rule"), *knob = knob_in_use(plan->recipe);
    HILL__TRY(hill__factors_check(hill_recipe_get(plan->recipe, "rate-factors"), plan->layers, error));
    if (plan->rule == HILL__RULE_ID_muon && !measure_muon(plan))
        return hill__fail_memory(error);
    if (hill__rule_facts_of(plan->rule)->rows != HILL__ROWS_ALWAYS)
        return HILL_OK;
    if (plan->batch > 0)
        return hill__fail(error, HILL_ERECIPE, "batch: %s looks at all rows in every step; --batch full, or another --rule",
                          rule);
    if (knob)
        return hill__fail(error, HILL_ERECIPE,
                          "%s: %s finds its steps by the cost alone; leave it away, or take another --rule", knob, rule);
    if (plan->dropouts > 0 || plan->trained < plan->vector)
        return hill__fail(error, HILL_ERECIPE,
                          "net: %s compares costs of one row at one point, which dropout and batchnorm make others each time; "
                          "leave them out, or take another --rule",
                          rule);
    if (plan->growth.any)
        return hill__fail(error, HILL_ERECIPE, "grow: %s compares costs of the same rows; --grow none, or another --rule",
                          rule);
    return plan->rule == HILL__RULE_ID_lm ? suits_lm(plan, error) : HILL_OK;
}
