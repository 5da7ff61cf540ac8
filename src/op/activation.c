/*
 * activation.c - activations: loops over whole buffers, fused into dense layers or as instructions of their own.
 *
 * Invariant: the fused and the unfused form run the same loops on the same numbers.
 */
#include "base/fp.h"

#include "op/op.h"

#include <math.h>

/* An activation costs about as much as this many multiply-adds. */
#define ACTIVATION_WORK 16

typedef struct activation_job {
    const hill__op *activation;
    const hill__walk *walk;
    float *out;
    const float *in;
    size_t units;
    bool slope;
} activation_job;

static void activation_part(void *context, unsigned part, unsigned parts)
{
    const activation_job *job = context;
    const hill__kernels *kernels = job->walk->kernels;
    size_t begin, end;
    hill__split(job->walk->rows, 1, part, parts, &begin, &end);
    float *out = job->out + begin * job->units;
    const float *in = job->in + begin * job->units;
    size_t rows = end - begin, map = job->activation->kernel;
    if (job->activation->flags & HILL__OP_ROW)
        (job->slope ? kernels->softmax_slope(out, in, rows, job->units) : kernels->softmax(out, in, rows, job->units));
    else
        (job->slope ? kernels->slope[map] : kernels->map[map])(out, in, rows * job->units);
}

static void run_activation(const activation_job *job)
{
    activation_job copy = *job;
    hill__walk_share(job->walk, job->walk->rows * job->units * ACTIVATION_WORK, activation_part, &copy);
}

void hill__activate(const hill__op *activation, const hill__walk *walk, float *y, const float *x, size_t units)
{
    run_activation(&(activation_job){activation, walk, y, x, units, false});
}

void hill__activate_slope(const hill__op *activation, const hill__walk *walk, float *d, const float *v, size_t units)
{
    if (activation != hill__op_at(HILL__OP_identity))
        run_activation(&(activation_job){activation, walk, d, v, units, true});
}

void hill__slope_own(const hill__instr *instr, const hill__walk *walk)
{
    if (!instr->slope_above)
        hill__activate_slope(instr->activation, walk, walk->d, hill__buffer(walk, instr->z), instr->outputs);
}

void hill__slope_below(const hill__instr *instr, const hill__walk *walk, size_t first, size_t rows)
{
    hill__slope_loop slope = walk->kernels->slope[instr->below->kernel];
    size_t at = first * instr->inputs;
    if (slope)
        slope(walk->d_next + at, hill__buffer(walk, instr->below_z) + at, rows * instr->inputs);
}

void hill__activation_forward(const hill__instr *instr, hill__walk *walk)
{
    hill__activate(instr->op, walk, hill__buffer(walk, instr->y), hill__input_of(instr, walk), instr->outputs);
}

void hill__activation_backward(const hill__instr *instr, hill__walk *walk)
{
    hill__activate_slope(instr->op, walk, walk->d, hill__buffer(walk, instr->z), instr->outputs);
}

/* EACH(y): the naive form, for x and y one unit. */
#define EACH(expression)                                      \
    for (size_t i = f->first; i < f->first + f->count; i++) { \
        const double x = f->x[i];                             \
        f->y[i] = (expression);                               \
    }
#define FORMULA(id, expression)                       \
    void hill__##id##_formula(const hill__formula *f) \
    {                                                 \
        EACH(expression)                              \
    }

#define SELU_SCALE_DOUBLE 1.0507009873554805
#define SELU_ALPHA_DOUBLE 1.6732632423543772

FORMULA(identity, x)
FORMULA(sigmoid, 1 / (1 + exp(-x)))
FORMULA(tanh, tanh(x))
FORMULA(exp, exp(x))
FORMULA(relu, x > 0 ? x : 0)
FORMULA(leaky_relu, x > 0 ? x : 0.01 * x)
FORMULA(elu, x > 0 ? x : expm1(x))
FORMULA(selu, SELU_SCALE_DOUBLE *(x > 0 ? x : SELU_ALPHA_DOUBLE * expm1(x)))
FORMULA(gelu, x *(1 + erf(x / sqrt(2))) / 2)
FORMULA(silu, x / (1 + exp(-x)))
FORMULA(mish, x *tanh(log1p(exp(x))))
FORMULA(softplus, log1p(exp(x)))

void hill__softmax_formula(const hill__formula *f)
{
    double most = f->x[0], sum = 0;
    for (size_t i = 1; i < f->outputs; i++)
        most = f->x[i] > most ? f->x[i] : most;
    for (size_t i = 0; i < f->outputs; i++)
        sum += exp(f->x[i] - most);
    EACH(exp(x - most) / sum)
}
