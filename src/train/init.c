/*
 * init.c - start weights. Invariant: weight `element` of tensor t is a function of (seed, t, element) and the widths alone.
 */
#include "base/fp.h"

#include "train/init.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "train/schedule.h"

/* The activation behind a layer: fused into it, or the next instruction. */
static const hill__op *activation_behind(const hill_plan *plan, size_t i)
{
    const hill__instr *instr = &plan->instrs[i];
    if (instr->activation != hill__op_at(HILL__OP_identity))
        return instr->activation;
    const hill__op *next = instr[1].op;
    return next->family == HILL__ACTIVATION ? next : instr->activation;
}

/* Rules of second order see no way out of the symmetry of biases that are all 0 where the data is as symmetric. */
static hill__init_id auto_init(const hill_plan *plan, const hill__op *activation, bool last)
{
    bool bends = activation == hill__op_at(HILL__OP_tanh) || activation == hill__op_at(HILL__OP_sigmoid);
    if (bends && !last && hill__rule_facts_of(plan->rule)->rows == HILL__ROWS_ALWAYS)
        return HILL__INIT_nguyen_widrow;
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
    case HILL__INIT_nguyen_widrow: /* the output layer */
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

/* The n-th root of x >= 1, by halving. */
static double root_of(double x, uint64_t n)
{
    double low = 1, high = x;
    for (int i = 0; i < 60; i++) {
        double middle = low + (high - low) / 2;
        *(hill__power(middle, n) < x ? &low : &high) = middle;
    }
    return low;
}

/*
 * Every unit gets weights of the same length, and a bias that puts its bend somewhere else among inputs of -1 to 1 (Nguyen and
 * Widrow: Improving the learning speed of 2-layer neural networks, 1990).
 */
static void draw_apart(const hill__instr *instr, uint64_t seed, uint64_t tensor, float *weights)
{
    const size_t units = instr->biases;
    const double length = 0.7 * root_of((double)units, instr->fan_in);
    float *w = weights + instr->weight;
    draw(w, instr->weights, seed, tensor, -1, 2);
    draw(weights + instr->bias, units, seed, tensor + 1, -(float)length, 2 * (float)length);
    for (size_t unit = 0; unit < units; unit++) {
        double sum = 0;
        for (size_t i = unit; i < instr->weights; i += units)
            sum += (double)w[i] * (double)w[i];
        for (size_t i = unit; i < instr->weights && sum > 0; i += units)
            w[i] = (float)(length * (double)w[i] / sqrt(sum));
    }
}

static void draw_all(const hill_plan *plan, uint64_t seed, float *weights, int chosen, float bias_spread)
{
    uint64_t tensor = 0;
    memset(weights, 0, plan->vector * sizeof *weights);
    for (size_t i = 0; i < plan->count; i++) {
        const hill__instr *instr = &plan->instrs[i];
        if (!(instr->op->flags & HILL__OP_WEIGHTS))
            continue;
        bool last = tensor / 2 + 1 == plan->layers;
        hill__init_id init = chosen < 0 ? auto_init(plan, activation_behind(plan, i), last) : (hill__init_id)chosen;
        float spread = (float)spread_of(init, instr);
        if (init == HILL__INIT_uniform) {
            draw(weights + instr->weight, instr->weights, seed, tensor, 0, 1);
            draw(weights + instr->bias, instr->biases, seed, tensor + 1, 0, 1);
        } else if (init == HILL__INIT_nguyen_widrow && !last) {
            draw_apart(instr, seed, tensor, weights);
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
