/*
 * cost.c - costs: how far up the hill the outputs of a row stand, value and gradient in one loop.
 *
 * A cost that belongs to an output activation (cross-entropy to softmax) reads the units before it, where the pair is exact.
 */
#include "base/fp.h"

#include "op/op.h"

#include <math.h>

static void run_cost(const hill__instr *instr, hill__walk *walk, float *d)
{
    walk->kernels->cost[instr->op->kernel](&(hill__cost){.y = hill__input_of(instr, walk),
                                                         .t = walk->targets,
                                                         .d = d,
                                                         .cost = walk->costs,
                                                         .rows = walk->rows,
                                                         .n = instr->inputs,
                                                         .scale = walk->scale,
                                                         .delta = walk->delta});
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
            f->y[0] += (expression);                                     \
        }                                                                \
    }

COST_FORMULA(squared, e *e / 2)
COST_FORMULA(absolute, e)
COST_FORMULA(huber, e <= f->delta ? e * e / 2 : f->delta * (e - f->delta / 2))
COST_FORMULA(cross_entropy, t == 0 ? 0 * e : -t * log(y))
COST_FORMULA(binary_cross_entropy, -(t == 0 ? 0 * e : t * log(y)) - (t == 1 ? 0 * e : (1 - t) * log1p(-y)))
