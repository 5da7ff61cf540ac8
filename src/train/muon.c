/*
 * muon.c - Muon (Jordan, Jin, Boza, You, Cecista, Newhouse and Bernstein 2024): the step of a hidden weight matrix is its momentum made
 * orthogonal, by five steps of Newton and Schulz. Biases, scales and the output layer move as by adamw. So that one rate suits both,
 * a matrix's step is 0.2 sqrt(its longer side) times as long (Liu et al.: Muon is scalable for LLM training, 2025).
 *
 * Invariant: products are those of the layers, one chain a result, so that neither threads nor instruction sets show.
 */
#include "base/fp.h"

#include <math.h>
#include <string.h>

#include "plan/needs.h"
#include "train/move.h"

#define MUON_STEPS 5
#define MUON_LEAST 1e-7
/* Of x, x^3 and x^5 in a step: singular values go to about 1 soonest, and not quite there. */
#define MUON_FIRST 3.4445f
#define MUON_THIRD -4.7750f
#define MUON_FIFTH 2.0315f

/* A matrix of `rows` (the fewer) by `cols`, and room to multiply it in. */
typedef struct muon_work {
    size_t rows, cols;
    float *x, *next, *turned; /* [rows][cols], [rows][cols], [cols][rows] */
    float *square, *fourth;   /* [rows][rows] */
} muon_work;

static muon_work muon_place(const hill_run *run, const hill__stretch *stretch)
{
    const size_t room = run->plan->muon_room, square = run->plan->muon_square;
    bool tall = stretch->rows > stretch->cols;
    muon_work muon = {
        .rows = tall ? stretch->cols : stretch->rows, .cols = tall ? stretch->rows : stretch->cols, .x = run->work};
    muon.next = muon.x + room;
    muon.turned = muon.next + room;
    muon.square = muon.turned + room;
    muon.fourth = muon.square + square;
    return muon;
}

/* c = a b, or c + a b; the rows of all lie side by side. */
static void muon_product(const hill__walk *walk, const float *a, const float *b, float *c, size_t rows, size_t depth,
                         size_t cols, bool add)
{
    hill__multiply(walk, &(hill__gemm){.a = a,
                                       .a_row = depth,
                                       .a_step = 1,
                                       .b = b,
                                       .b_row = cols,
                                       .c = c,
                                       .c_row = cols,
                                       .rows = rows,
                                       .cols = cols,
                                       .depth = depth,
                                       .add = add});
}

/* x becomes a x + (b S + c S S) x, with S = x x^T. */
static void muon_straighten(const hill__walk *walk, muon_work *m)
{
    const size_t n = m->rows, k = m->cols;
    walk->kernels->transpose(m->turned, n, m->x, k, n, k);
    muon_product(walk, m->x, m->turned, m->square, n, k, n, false);
    muon_product(walk, m->square, m->square, m->fourth, n, n, n, false);
    for (size_t i = 0; i < n * n; i++)
        m->square[i] = MUON_THIRD * m->square[i] + MUON_FIFTH * m->fourth[i];
    for (size_t i = 0; i < n * k; i++)
        m->next[i] = MUON_FIRST * m->x[i];
    muon_product(walk, m->square, m->x, m->next, n, n, k, true);
    float *x = m->x;
    m->x = m->next;
    m->next = x;
}

/* The momentum that the stretch has after this gradient, looked ahead of as Nesterov does, into m->x; turned over where it is tall. */
static void muon_momentum(hill_run *run, const hill__stretch *stretch, muon_work *m)
{
    const hill__kernels *kernels = run->kernels;
    const size_t begin = stretch->begin, n = stretch->end - begin;
    const float part = (float)run->rule.momentum, rest = (float)(1 - run->rule.momentum);
    float *mean = run->moments[0] + begin, *slope = run->gradient + begin;
    kernels->blend(mean, mean, slope, n, rest);
    kernels->blend(m->x, slope, mean, n, part);
    if (stretch->rows > stretch->cols) {
        kernels->transpose(m->next, m->cols, m->x, m->rows, m->cols, m->rows);
        float *x = m->x;
        m->x = m->next;
        m->next = x;
    }
}

/* False where a weight isn't finite afterwards. */
static bool muon_move(hill_run *run, const hill__stretch *stretch, double rate)
{
    const hill__walk walk = {.kernels = run->kernels, .pool = run->shared ? run->pool : NULL};
    const size_t n = stretch->end - stretch->begin, count = stretch->rows * stretch->cols;
    muon_work m = muon_place(run, stretch);
    muon_momentum(run, stretch, &m);
    double length = hill__gradient_length(run->kernels, m.x, n);
    run->kernels->bound(m.x, n, (float)(1 / (length > MUON_LEAST ? length : MUON_LEAST)), INFINITY);
    for (int i = 0; i < MUON_STEPS; i++)
        muon_straighten(&walk, &m);
    if (stretch->rows > stretch->cols) {
        run->kernels->transpose(m.next, m.rows, m.x, m.cols, m.rows, m.cols);
        m.x = m.next;
    }
    memset(m.x + count, 0, (n - count) * sizeof *m.x);
    double longer = 0.2 * sqrt((double)m.cols), own = rate * stretch->factor;
    hill__update update = {
        .rate = (float)(own * longer), .decay = (float)(run->rule.decay / longer), .lasso = (float)(run->rule.lasso / longer)};
    return run->kernels->rule[HILL__RULE_sgd](run->weights + stretch->begin, m.x, NULL, NULL, n, &update);
}

int hill__move_muon(hill_run *run, hill__batch *batch, double rate)
{
    HILL__TRY(hill__move_each(run, batch, rate));
    for (size_t i = 0; i < run->stretch_count && !batch->fault; i++)
        if (run->stretches[i].rows > 0 && !muon_move(run, &run->stretches[i], rate))
            batch->fault = HILL__FAULT_UPDATE;
    return HILL_OK;
}
