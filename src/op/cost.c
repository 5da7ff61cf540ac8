/*
 * cost.c - costs: how far up the hill the outputs of a row stand, value and gradient in one loop.
 *
 * A cost that belongs to an output activation (cross-entropy to softmax) reads the units before it, where the pair is exact.
 */
#include "base/fp.h"

#include "op/op.h"

#include <math.h>

/* Each row's cost and gradient, times what the row counts for. */
static void weigh_rows(hill__walk *walk, float *d, size_t n)
{
    for (size_t r = 0; r < walk->rows; r++) {
        const float weight = walk->row_weights[r];
        walk->costs[r] *= weight;
        for (size_t i = 0; d && i < n; i++)
            d[r * n + i] *= weight;
    }
}

static void run_cost(const hill__instr *instr, hill__walk *walk, float *d)
{
    walk->kernels->cost[instr->op->kernel](&(hill__cost){.y = hill__input_of(instr, walk),
                                                         .t = walk->targets,
                                                         .d = d,
                                                         .cost = walk->costs,
                                                         .rows = walk->rows,
                                                         .n = instr->inputs,
                                                         .scale = walk->scale,
                                                         .knobs = walk->knobs});
    if (walk->row_weights)
        weigh_rows(walk, d, instr->inputs);
}

/* Values alone. */
void hill__cost_forward(const hill__instr *instr, hill__walk *walk)
{
    run_cost(instr, walk, NULL);
}

/* Values and gradient: where a backward walk begins. */
void hill__cost_backward(const hill__instr *instr, hill__walk *walk)
{
    run_cost(instr, walk, walk->d);
}

#define COST_FORMULA(id, expression)                                     \
    void hill__##id##_formula(const hill__formula *f)                    \
    {                                                                    \
        f->y[0] = 0;                                                     \
        for (size_t i = 0; i < f->inputs; i++) {                         \
            const double y = f->x[i], t = f->target[i], e = fabs(y - t); \
            (void)e;                                                     \
            f->y[0] += (expression);                                     \
        }                                                                \
    }

#define KNOB_OF(name) ((double)f->knobs->name)

/* A target with its part of the smoothing (Szegedy 2016). */
#define SMOOTHED(t, among) ((t) * (1 - KNOB_OF(smoothing)) + KNOB_OF(smoothing) / (double)(among))

/* t ln y, also where both are 0. */
static double times_log(double t, double y)
{
    return t == 0 ? 0 * y : t * log(y);
}

/* -t ln y - (1 - t) ln(1 - y). */
static double yes_or_no(double t, double y)
{
    return -times_log(t, y) - (t == 1 ? 0 * y : (1 - t) * log1p(-y));
}

COST_FORMULA(squared, e *e / 2)
COST_FORMULA(absolute, e)
COST_FORMULA(huber, e <= KNOB_OF(delta) ? e * e / 2 : KNOB_OF(delta) * (e - KNOB_OF(delta) / 2))
COST_FORMULA(quantile, y < t ? KNOB_OF(quantile) * e : (1 - KNOB_OF(quantile)) * e)
COST_FORMULA(poisson, y - t + times_log(t, t / y))
COST_FORMULA(cross_entropy, -times_log(SMOOTHED(t, f->inputs), y))
COST_FORMULA(binary_cross_entropy, yes_or_no(SMOOTHED(t, 2), y))
COST_FORMULA(focal, -pow(1 - y, KNOB_OF(focus)) * times_log(SMOOTHED(t, f->inputs), y))

static size_t right_class(const hill__formula *f)
{
    size_t best = 0;
    for (size_t i = 1; i < f->inputs; i++)
        if (f->target[i] > f->target[best])
            best = i;
    return best;
}

void hill__hinge_formula(const hill__formula *f)
{
    size_t c = right_class(f);
    if (f->inputs == 1) {
        f->y[0] = fmax(0, 1 - (f->target[0] > 0 ? f->x[0] : -f->x[0]));
        return;
    }
    f->y[0] = 0;
    for (size_t j = 0; j < f->inputs; j++)
        if (f->target[j] < f->target[c])
            f->y[0] += fmax(0, 1 - f->x[c] + f->x[j]) / (double)f->inputs;
}

double hill__cost_edge(const hill__op *cost, const hill__formula *f, size_t i)
{
    if (cost->flags & HILL__OP_KINK)
        return f->x[i] - f->target[i];
    if (f->inputs == 1)
        return 1 - (f->target[0] > 0 ? f->x[0] : -f->x[0]);
    size_t c = right_class(f);
    return f->target[i] < f->target[c] ? 1 - f->x[c] + f->x[i] : 1;
}
