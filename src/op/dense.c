/*
 * dense.c - the dense layer: y = activation(x W + b), with W [inputs, outputs] as stored.
 *
 * Forward is one product. Backward takes the activation's slope, then W's gradient is x^T d, b's is the sum of d's rows, and
 * the input's is d W^T, times the slope of the layer below. Invariant: threads own whole tiles of results, so their number
 * never shows.
 */
#include "base/fp.h"

#include "op/op.h"

/* Adding up a bias's gradient, or turning W over, costs about as much as this many multiply-adds a float. */
#define MOVE_WORK 4

/* The part of a product that one thread computes: a stretch of rows, or of columns where b is the larger operand. */
static hill__gemm product_part(const hill__kernels *kernels, const hill__gemm *whole, unsigned part, unsigned parts)
{
    hill__gemm g = *whole;
    size_t begin, end, first;
    if (parts == 1)
        return g;
    if (g.rows >= g.cols || g.cols < parts * kernels->tile_cols) {
        hill__split(g.rows, kernels->tile_rows, part, parts, &begin, &end);
        g.a += begin * g.a_row;
        g.rows = end - begin;
        first = begin * g.c_row;
    } else {
        hill__split(g.cols, kernels->tile_cols, part, parts, &begin, &end);
        g.b += begin;
        g.bias = g.bias ? g.bias + begin : NULL;
        g.cols = end - begin;
        first = begin;
    }
    g.c += first;
    g.y = g.y ? g.y + first : NULL;
    g.v = g.v ? g.v + first : NULL;
    return g;
}

typedef struct dense_product {
    const hill__walk *walk;
    hill__gemm gemm;
} dense_product;

static void run_product(void *context, unsigned part, unsigned parts)
{
    const dense_product *product = context;
    const hill__kernels *kernels = product->walk->kernels;
    hill__gemm g = product_part(kernels, &product->gemm, part, parts);
    if (g.rows > 0) /* columns are only shared where there are enough for all */
        kernels->gemm(&g);
}

static void multiply(dense_product *product)
{
    const hill__gemm *g = &product->gemm;
    hill__walk_share(product->walk, g->rows * g->cols * g->depth, run_product, product);
}

void hill__multiply(const hill__walk *walk, const hill__gemm *gemm)
{
    dense_product product = {walk, *gemm};
    multiply(&product);
}

void hill__dense_forward(const hill__instr *instr, hill__walk *walk)
{
    const hill__op *activation = instr->activation;
    float *y = hill__buffer(walk, instr->y), *z = hill__buffer(walk, instr->z);
    bool by_row = activation->flags & HILL__OP_ROW;
    dense_product product = {walk,
                             {.a = hill__input_of(instr, walk),
                              .a_row = instr->inputs,
                              .a_step = 1,
                              .b = walk->weights + instr->weight,
                              .b_row = instr->outputs,
                              .c = z,
                              .c_row = instr->outputs,
                              .rows = walk->rows,
                              .cols = instr->outputs,
                              .depth = instr->inputs,
                              .bias = walk->weights + instr->bias,
                              .map = by_row ? NULL : walk->kernels->map[activation->kernel],
                              .y = y}};
    multiply(&product);
    if (by_row)
        hill__activate(activation, walk, y, z, instr->outputs);
}

typedef struct dense_gradient {
    const hill__instr *instr;
    hill__walk *walk;
    hill__gemm gemm; /* of the weights' gradient */
} dense_gradient;

/* A part of W's gradient, of b's, and of what the input's gradient needs turned over. */
static void run_gradient(void *context, unsigned part, unsigned parts)
{
    dense_gradient *job = context;
    hill__walk *walk = job->walk;
    const hill__instr *instr = job->instr;
    const hill__kernels *kernels = walk->kernels;
    float broken[HILL__LANES] = {0};
    size_t begin, end;
    hill__gemm g = product_part(kernels, &job->gemm, part, parts);
    g.broken = broken;
    if (g.rows > 0)
        kernels->gemm(&g);
    hill__split(instr->outputs, HILL__LANES, part, parts, &begin, &end);
    float *bias = walk->gradient + instr->bias + begin;
    kernels->add_rows(bias, walk->d + begin, walk->rows, end - begin, instr->outputs, walk->add);
    if (!kernels->finite(broken, HILL__LANES) || !kernels->finite(bias, end - begin))
        hill__flag_raise(&walk->broken);
    if (instr->first)
        return;
    size_t rows = instr->turn_d ? walk->rows : instr->inputs;
    const float *in = instr->turn_d ? walk->d : walk->weights + instr->weight;
    hill__split(rows, HILL__LANES, part, parts, &begin, &end);
    kernels->transpose(walk->turned + begin, rows, in + begin * instr->outputs, instr->outputs, end - begin, instr->outputs);
}

/* W's gradient: x^T d. Of one output it is a row, d^T x, whose floats lie side by side. */
static hill__gemm weight_gradient(const hill__instr *instr, const hill__walk *walk)
{
    hill__gemm g = {.a = hill__input_of(instr, walk),
                    .a_row = 1,
                    .a_step = instr->inputs,
                    .b = walk->d,
                    .b_row = instr->outputs,
                    .c = walk->gradient + instr->weight,
                    .c_row = instr->outputs,
                    .rows = instr->inputs,
                    .cols = instr->outputs,
                    .depth = walk->rows,
                    .add = walk->add};
    if (instr->outputs == 1) {
        g.a = walk->d;
        g.a_step = 1;
        g.b = hill__input_of(instr, walk);
        g.b_row = g.c_row = g.cols = instr->inputs;
        g.rows = 1;
    }
    return g;
}

static void find_gradient(const hill__instr *instr, hill__walk *walk)
{
    dense_gradient job = {instr, walk, weight_gradient(instr, walk)};
    size_t turned = instr->first ? 0 : instr->turn_d ? walk->rows : instr->inputs;
    size_t moved = instr->outputs * (walk->rows + turned);
    hill__walk_share(walk, instr->inputs * instr->outputs * walk->rows + MOVE_WORK * moved, run_gradient, &job);
}

/* d_next[rows, inputs] = d[rows, outputs] W^T, times the slope of the layer below. */
static void hand_on_by_weights(const hill__instr *instr, hill__walk *walk)
{
    dense_product product = {walk,
                             {.a = walk->d,
                              .a_row = instr->outputs,
                              .a_step = 1,
                              .b = walk->turned,
                              .b_row = instr->inputs,
                              .c = walk->d_next,
                              .c_row = instr->inputs,
                              .rows = walk->rows,
                              .cols = instr->inputs,
                              .depth = instr->outputs,
                              .slope = walk->kernels->slope[instr->below->kernel],
                              .v = hill__buffer(walk, instr->below_z)}};
    multiply(&product);
}

typedef struct dense_turn {
    const hill__instr *instr;
    const hill__walk *walk;
    const float *in; /* [inputs][rows] */
} dense_turn;

/* A stretch of rows of d_next, turned back and multiplied by the slope below. */
static void turn_back(void *context, unsigned part, unsigned parts)
{
    const dense_turn *job = context;
    const hill__walk *walk = job->walk;
    size_t begin, end, inputs = job->instr->inputs;
    hill__split(walk->rows, HILL__LANES, part, parts, &begin, &end);
    float *out = walk->d_next + begin * inputs;
    walk->kernels->transpose(out, inputs, job->in + begin, walk->rows, inputs, end - begin);
    hill__slope_below(job->instr, walk, begin, end - begin);
}

/* The same by W d^T, turned back afterwards: the very chains, with their factors the other way round. */
static void hand_on_by_rows(const hill__instr *instr, hill__walk *walk)
{
    float *turned = walk->turned + instr->outputs * walk->rows;
    dense_product product = {walk,
                             {.a = walk->weights + instr->weight,
                              .a_row = instr->outputs,
                              .a_step = 1,
                              .b = walk->turned,
                              .b_row = walk->rows,
                              .c = turned,
                              .c_row = walk->rows,
                              .rows = instr->inputs,
                              .cols = walk->rows,
                              .depth = instr->outputs}};
    dense_turn turn = {instr, walk, turned};
    multiply(&product);
    hill__walk_share(walk, MOVE_WORK * instr->inputs * walk->rows, turn_back, &turn);
}

void hill__dense_backward(const hill__instr *instr, hill__walk *walk)
{
    hill__slope_own(instr, walk);
    find_gradient(instr, walk);
    if (instr->first)
        return;
    (instr->turn_d ? hand_on_by_rows : hand_on_by_weights)(instr, walk);
    hill__hand_on(walk);
}

void hill__dense_formula(const hill__formula *f)
{
    for (size_t j = f->first; j < f->first + f->count; j++) {
        double sum = f->bias[j];
        for (size_t i = 0; i < f->inputs; i++)
            sum += f->x[i] * f->weight[i * f->outputs + j];
        f->y[j] = sum;
    }
}
