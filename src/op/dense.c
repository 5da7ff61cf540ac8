/*
 * dense.c - the dense layer: y = activation(x W + b), with W [inputs, outputs] as stored.
 *
 * Forward is one product. Backward takes the activation's slope, then W's gradient is x^T d, b's is the sum of d's rows, and
 * the input's is d W^T. Invariant: threads own whole tiles of results, so their number never shows.
 */
#include "base/fp.h"

#include "op/op.h"

typedef struct dense_product {
    const hill__walk *walk;
    hill__gemm gemm;
} dense_product;

/* Threads take blocks of result rows where there are more of those than of columns, else blocks of columns. */
static void product_part(void *context, unsigned part, unsigned parts)
{
    const dense_product *product = context;
    const hill__kernels *kernels = product->walk->kernels;
    hill__gemm g = product->gemm;
    size_t begin, end;
    if (g.rows / kernels->tile_rows >= g.cols / kernels->tile_cols) {
        hill__split(g.rows, kernels->tile_rows, part, parts, &begin, &end);
        g.a += begin * g.a_row;
        g.c += begin * g.c_row;
        g.rows = end - begin;
    } else {
        hill__split(g.cols, kernels->tile_cols, part, parts, &begin, &end);
        g.b += begin;
        g.c += begin;
        g.bias = g.bias ? g.bias + begin : NULL;
        g.cols = end - begin;
    }
    if (begin < end)
        kernels->gemm(&g);
}

static void multiply(const hill__walk *walk, const hill__gemm *gemm)
{
    dense_product product = {walk, *gemm};
    hill__walk_share(walk, gemm->rows * gemm->cols * gemm->depth, product_part, &product);
}

void hill__dense_forward(const hill__instr *instr, hill__walk *walk)
{
    float *z = hill__buffer(walk, instr->z);
    multiply(walk, &(hill__gemm){.a = hill__input_of(instr, walk),
                                 .a_row = instr->inputs,
                                 .a_step = 1,
                                 .b = walk->weights + instr->weight,
                                 .b_row = instr->outputs,
                                 .c = z,
                                 .c_row = instr->outputs,
                                 .rows = walk->rows,
                                 .cols = instr->outputs,
                                 .depth = instr->inputs,
                                 .bias = walk->weights + instr->bias});
    hill__activate(instr->activation, walk, hill__buffer(walk, instr->y), z, instr->outputs);
}

/* d_next[rows, inputs] = d[rows, outputs] W^T. */
static void hand_on(const hill__instr *instr, hill__walk *walk)
{
    walk->kernels->transpose(walk->transposed, walk->weights + instr->weight, instr->inputs, instr->outputs);
    multiply(walk, &(hill__gemm){.a = walk->d,
                                 .a_row = instr->outputs,
                                 .a_step = 1,
                                 .b = walk->transposed,
                                 .b_row = instr->inputs,
                                 .c = walk->d_next,
                                 .c_row = instr->inputs,
                                 .rows = walk->rows,
                                 .cols = instr->inputs,
                                 .depth = instr->outputs});
    float *d = walk->d;
    walk->d = walk->d_next;
    walk->d_next = d;
}

void hill__dense_backward(const hill__instr *instr, hill__walk *walk)
{
    hill__activate_slope(instr->activation, walk, walk->d, hill__buffer(walk, instr->z), instr->outputs);
    multiply(walk, &(hill__gemm){.a = hill__input_of(instr, walk),
                                 .a_row = 1,
                                 .a_step = instr->inputs,
                                 .b = walk->d,
                                 .b_row = instr->outputs,
                                 .c = walk->gradient + instr->weight,
                                 .c_row = instr->outputs,
                                 .rows = instr->inputs,
                                 .cols = instr->outputs,
                                 .depth = walk->rows,
                                 .add = walk->add});
    walk->kernels->add_rows(walk->gradient + instr->bias, walk->d, walk->rows, instr->outputs, walk->add);
    if (!instr->first)
        hand_on(instr, walk);
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
