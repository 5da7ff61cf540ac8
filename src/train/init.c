/*
 * init.c - start weights. Invariant: weight `element` of tensor t is a function of (seed, t, element) and the widths alone.
 */
#include "base/fp.h"

#include "train/init.h"

#include <math.h>
#include <string.h>

#include "base/random.h"

/* The activation behind a layer: fused into it, or the next instruction. */
static const hill__op *activation_behind(const hill_plan *plan, size_t i)
{
    const hill__instr *instr = &plan->instrs[i];
    if (instr->activation != hill__op_at(HILL__OP_identity))
        return instr->activation;
    const hill__op *next = instr[1].op;
    return next->family == HILL__ACTIVATION ? next : instr->activation;
}

static hill__init_id auto_init(const hill__op *activation)
{
    if (activation == hill__op_at(HILL__OP_selu))
        return HILL__INIT_lecun;
    bool squashing = activation == hill__op_at(HILL__OP_identity) || activation == hill__op_at(HILL__OP_sigmoid) ||
                     activation == hill__op_at(HILL__OP_tanh) || activation == hill__op_at(HILL__OP_softmax);
    return squashing ? HILL__INIT_glorot : HILL__INIT_he;
}

static double spread_of(hill__init_id init, const hill__instr *instr)
{
    double inputs = (double)instr->fan_in, outputs = (double)instr->fan_out;
    switch (init) {
    case HILL__INIT_glorot:
        return sqrt(6 / (inputs + outputs));
    case HILL__INIT_he:
        return sqrt(6 / inputs);
    case HILL__INIT_lecun:
        return sqrt(3 / inputs);
    default:
        return 0;
    }
}

/* Uniform in low .. low + width. */
static void draw(float *out, size_t count, uint64_t seed, uint64_t tensor, float low, float width)
{
    for (size_t i = 0; i < count; i++)
        out[i] = fmaf(hill__random_uniform(seed, tensor, HILL__PURPOSE_INIT, i), width, low);
}

static void draw_all(const hill_plan *plan, uint64_t seed, float *weights, int chosen, float bias_spread)
{
    uint64_t tensor = 0;
    memset(weights, 0, plan->vector * sizeof *weights);
    for (size_t i = 0; i < plan->count; i++) {
        const hill__instr *instr = &plan->instrs[i];
        if (!(instr->op->flags & HILL__OP_WEIGHTS))
            continue;
        hill__init_id init = chosen < 0 ? auto_init(activation_behind(plan, i)) : (hill__init_id)chosen;
        float spread = (float)spread_of(init, instr);
        if (init == HILL__INIT_uniform) {
            draw(weights + instr->weight, instr->weights, seed, tensor, 0, 1);
            draw(weights + instr->bias, instr->biases, seed, tensor + 1, 0, 1);
        } else {
            if (spread > 0)
                draw(weights + instr->weight, instr->weights, seed, tensor, -spread, 2 * spread);
            if (bias_spread > 0)
                draw(weights + instr->bias, instr->biases, seed, tensor + 1, -bias_spread, 2 * bias_spread);
        }
        tensor += 2;
    }
}

void hill__init_weights(const hill_plan *plan, uint64_t seed, float *weights)
{
    draw_all(plan, seed, weights, hill__word_index(HILL_WORDS_INIT, hill_recipe_get(plan->recipe, "init")), 0);
}

void hill__init_anywhere(const hill_plan *plan, uint64_t seed, float *weights)
{
    draw_all(plan, seed, weights, -1, 0.1f);
}
