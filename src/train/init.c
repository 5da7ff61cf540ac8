/*
 * init.c - start weights. Invariant: weight `element` of tensor t is a function of (seed, t, element) and the widths alone.
 */
#include "base/fp.h"

#include "train/init.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "train/schedule.h"

/* The activation behind a layer: fused into it, or the next instruction, which may be a layer of its own. */
static const hill__op *activation_behind(const hill_plan *plan, size_t i)
{
    const hill__instr *instr = &plan->instrs[i];
    if (instr->activation != hill__op_at(HILL__OP_identity))
        return instr->activation;
    const hill__op *next = instr[1].op;
    return next->family == HILL__ACTIVATION || next->flags & HILL__OP_BENDS ? next : instr->activation;
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

/*
 * Rows of tables begin within this of 0, so that a value that is seldom met adds little; the last, which stands for values that
 * training doesn't meet, at 0, where it stays.
 */
#define INIT_TABLE 0.05f
#define LN_TWO 0.69314718055994530942

/* Uniform in low .. low + width. */
static void draw(float *out, size_t count, uint64_t seed, uint64_t tensor, float low, float width)
{
    for (size_t i = 0; i < count; i++)
        out[i] = fmaf(hill__random_uniform(seed, tensor, HILL__PURPOSE_INIT, i), width, low);
}

/* Normal numbers, two uniform ones for each (Box and Muller, 1958). */
static void draw_normal(float *out, size_t count, uint64_t seed, uint64_t tensor, double deviation)
{
    for (size_t i = 0; i < count; i++) {
        double u = 1 - (double)hill__random_uniform(seed, tensor, HILL__PURPOSE_INIT, 2 * i);
        double v = (double)hill__random_uniform(seed, tensor, HILL__PURPOSE_INIT, 2 * i + 1);
        double length = sqrt(2 * LN_TWO * hill__log2(1 / u));
        out[i] = (float)(deviation * length * hill__cos_pi(v < 0.5 ? 2 * v : 2 - 2 * v));
    }
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

/* Where weights and biases are drawn from: the rule of `init`, or anywhere, where nothing is 0 or 1. */
typedef struct init_draw {
    const hill_plan *plan;
    uint64_t seed;
    int chosen; /* hill__init_id, or below 0 for auto */
    bool anywhere;
} init_draw;

/*
 * Every unit gets weights of the same length, and a bias within that, which puts its bend somewhere else among inputs of -1 to 1
 * (Nguyen and Widrow: Improving the learning speed of 2-layer neural networks, 1990).
 */
static void draw_apart(const init_draw *how, size_t tensor, float *out)
{
    const hill__slot *slot = &how->plan->slots[tensor];
    const hill__instr *instr = &how->plan->instrs[slot->instr];
    const size_t units = instr->biases;
    const double length = 0.7 * root_of((double)units, instr->fan_in);
    const float most = (float)(slot->start == HILL__START_BIAS ? length : 1);
    draw(out, slot->count, how->seed, tensor, -most, 2 * most);
    for (size_t unit = 0; unit < units && slot->start == HILL__START_DRAWN; unit++) {
        double sum = 0;
        for (size_t i = unit; i < slot->count; i += units)
            sum += (double)out[i] * (double)out[i];
        for (size_t i = unit; i < slot->count && sum > 0; i += units)
            out[i] = (float)(length * (double)out[i] / sqrt(sum));
    }
}

/* What a tensor begins as that isn't drawn. */
static float constant_of(hill__start start)
{
    return start == HILL__START_ONE ? 1.0f : start == HILL__START_QUARTER ? 0.25f : 0.0f;
}

static void draw_tensor(const init_draw *how, size_t tensor, float *out)
{
    const hill__slot *slot = &how->plan->slots[tensor];
    const hill__instr *instr = &how->plan->instrs[slot->instr];
    hill__init_id init = how->chosen < 0 ? auto_init(activation_behind(how->plan, slot->instr)) : (hill__init_id)how->chosen;
    float low = 0, width = 0;
    bool drawn = slot->start == HILL__START_DRAWN || slot->start == HILL__START_BIAS;
    if (drawn && init == HILL__INIT_nguyen_widrow && slot->layer < how->plan->layers) {
        draw_apart(how, tensor, out);
        return;
    }
    if (slot->start == HILL__START_NORMAL && !how->anywhere) {
        draw_normal(out, slot->count, how->seed, tensor, slot->deviation);
        return;
    }
    if (!drawn) {
        low = constant_of(slot->start) - (how->anywhere ? 0.5f : 0.0f);
        width = how->anywhere ? 1.0f : 0.0f;
    } else if (init == HILL__INIT_uniform) {
        width = 1;
    } else if (slot->start == HILL__START_TABLE) {
        low = how->anywhere ? -0.5f : init == HILL__INIT_zero ? 0 : -INIT_TABLE;
        width = -2 * low;
    } else {
        float spread = slot->start == HILL__START_BIAS ? how->anywhere ? 0.1f : 0.0f : (float)spread_of(init, instr);
        low = -spread;
        width = 2 * spread;
    }
    if (low != 0 || width > 0)
        draw(out, slot->count, how->seed, tensor, low, width);
    if (slot->start == HILL__START_TABLE && !how->anywhere)
        memset(out + slot->count - slot->shape[1], 0, slot->shape[1] * sizeof *out);
}

static void draw_all(const init_draw *how, float *weights)
{
    memset(weights, 0, how->plan->vector * sizeof *weights);
    for (size_t i = 0; i < how->plan->slot_count; i++)
        draw_tensor(how, i, weights + how->plan->slots[i].offset);
}

void hill__init_weights(const hill_plan *plan, uint64_t seed, float *weights)
{
    int chosen = hill__word_index(HILL_WORDS_INIT, hill_recipe_get(plan->recipe, "init"));
    draw_all(&(init_draw){plan, seed, chosen, false}, weights);
}

void hill__init_anywhere(const hill_plan *plan, uint64_t seed, float *weights)
{
    draw_all(&(init_draw){plan, seed, -1, true}, weights);
}
