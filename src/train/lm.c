/*
 * lm.c - Levenberg-Marquardt (Marquardt 1963; Hagan and Menhaj: Training feedforward networks with the Marquardt algorithm, 1994):
 * w - (J^T J + mu I)^-1 J^T e, with J the slopes of all errors e. A step that brings the cost down makes mu smaller, which is
 * nearer to Gauss and Newton; one that doesn't is tried again with a larger mu, which is nearer to a short step down the gradient.
 *
 * Invariant: every sum is one chain of doubles in the order of rows and weights, and a thread owns whole rows of the matrix.
 */
#include "base/fp.h"

#include <math.h>
#include <string.h>

#include "plan/needs.h"
#include "train/move.h"

/* mu at first, as a part of the matrix's largest diagonal element; and bounds, likewise. */
#define LM_FIRST 1e-3
#define LM_LEAST 1e-16
#define LM_MOST 1e10
/*
 * What mu is multiplied with and divided by. Where valleys wind, gentle factors get along them in fewer steps than Marquardt's ten
 * (Transtrum and Sethna: Improvements to the Levenberg-Marquardt algorithm, 2012): two spirals took 54 to 112, or up to 197.
 */
#define LM_UP 2
#define LM_DOWN 3

/*
 * n weights without the padding between tensors, in rows of `width`. The matrix lies in the upper triangle, its factor in the lower
 * one.
 */
typedef struct lm_work {
    size_t n, width;
    double *matrix;   /* [n][width] */
    double *diagonal; /* [n], of the factor */
    double *gradient; /* [n] */
    double *step;     /* [n] */
    double *slopes;   /* [HILL__LM_ROWS][width]: rows of J */
    size_t rows;      /* of these */
    float *trial;     /* a vector */
} lm_work;

static lm_work lm_place(const hill_run *run)
{
    lm_work lm = {.n = run->plan->parameters, .matrix = run->work};
    (void)hill__round_up(lm.n, HILL__LM_LANES, &lm.width); /* the plan has asked */
    lm.diagonal = lm.matrix + lm.n * lm.width;
    lm.gradient = lm.diagonal + lm.width;
    lm.step = lm.gradient + lm.width;
    lm.slopes = lm.step + lm.width;
    lm.trial = (float *)(void *)(lm.slopes + HILL__LM_ROWS * lm.width);
    memset(lm.matrix, 0, lm.n * lm.width * sizeof *lm.matrix);
    memset(lm.gradient, 0, lm.n * sizeof *lm.gradient);
    memset(lm.slopes, 0, HILL__LM_ROWS * lm.width * sizeof *lm.slopes);
    return lm;
}

static double *lm_take(double *out, const float *in, size_t n, double factor)
{
    for (size_t i = 0; i < n; i++)
        out[i] = factor * (double)in[i];
    return out + n;
}

/* A vector times a factor, without the padding. */
static void lm_pack(const hill_plan *plan, const float *vector, double factor, double *out)
{
    for (size_t i = 0; i < plan->slot_count; i++) {
        const hill__slot *slot = &plan->slots[i];
        out = lm_take(out, vector + slot->offset, slot->count, factor);
    }
}

static const double *lm_put(float *out, const float *from, const double *step, size_t n, double rate)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)((double)from[i] - rate * step[i]);
    return step + n;
}

/* The weights less `rate` times the step, into the trial. */
static void lm_try(const hill_run *run, const lm_work *lm, double rate)
{
    const hill_plan *plan = run->plan;
    const double *step = lm->step;
    memcpy(lm->trial, run->weights, plan->vector * sizeof *lm->trial);
    for (size_t i = 0; i < plan->slot_count; i++) {
        const hill__slot *slot = &plan->slots[i];
        step = lm_put(lm->trial + slot->offset, run->weights + slot->offset, step, slot->count, rate);
    }
}

/* Some elements of the i-th row of the matrix, from one on, take their products: each is one chain. */
static void lm_add(const lm_work *lm, size_t i, size_t first)
{
    double sums[HILL__LM_LANES], *out = lm->matrix + i * lm->width + first;
    memcpy(sums, out, sizeof sums);
    for (size_t r = 0; r < HILL__LM_ROWS; r++) {
        const double *row = lm->slopes + r * lm->width, own = row[i];
        for (size_t k = 0; k < HILL__LM_LANES; k++)
            sums[k] += own * row[first + k];
    }
    memcpy(out, sums, sizeof sums);
}

static void lm_multiply_part(void *context, unsigned part, unsigned parts)
{
    const lm_work *lm = context;
    for (size_t i = part; i < lm->n; i += parts)
        for (size_t k = i - i % HILL__LM_LANES; k < lm->width; k += HILL__LM_LANES)
            lm_add(lm, i, k);
}

/* The matrix takes the rows of J that have come together, and rows of zeros where they are few. */
static void lm_multiply(hill_run *run, lm_work *lm)
{
    hill__walk walk = {.kernels = run->kernels, .pool = run->pool};
    memset(lm->slopes + lm->rows * lm->width, 0, (HILL__LM_ROWS - lm->rows) * lm->width * sizeof *lm->slopes);
    hill__walk_share(&walk, lm->n * lm->n / 2 * HILL__LM_ROWS, lm_multiply_part, lm);
    lm->rows = 0;
}

/* Slopes of every output of one row, times the root of what it counts for; J^T J and J^T e grow by them. */
static void lm_row(hill_run *run, lm_work *lm, const hill__walk *block, size_t row)
{
    const hill_plan *plan = run->plan;
    hill__walk walk = hill__run_walk(run, run->weights, 1);
    walk.inputs = block->inputs + row * plan->inputs;
    walk.targets = block->targets + row * plan->outputs;
    walk.row_weights = NULL;
    double weight = block->row_weights ? (double)block->row_weights[row] : 1, root = sqrt(weight);
    const float *units = hill__walk_cost(plan, &walk);
    for (size_t k = 0; k < plan->outputs; k++) {
        double *slopes = lm->slopes + lm->rows * lm->width;
        double error = root * ((double)units[k] - (double)walk.targets[k]);
        hill__walk_slope(plan, &walk, k);
        lm_pack(plan, run->gradient, root, slopes);
        for (size_t i = 0; i < lm->n; i++)
            lm->gradient[i] += slopes[i] * error;
        if (++lm->rows == HILL__LM_ROWS)
            lm_multiply(run, lm);
    }
}

/* The matrix becomes J^T J / rows and the decay, the gradient likewise; false where that isn't finite. */
static bool lm_scale(const hill_run *run, const lm_work *lm, size_t rows, double *largest)
{
    const double decay = run->rule.decay;
    double sum = 0;
    lm_pack(run->plan, run->weights, decay, lm->step);
    *largest = 0;
    for (size_t i = 0; i < lm->n; i++) {
        double *row = lm->matrix + i * lm->width;
        for (size_t k = i; k < lm->n; k++)
            row[k] /= (double)rows;
        row[i] += decay;
        lm->gradient[i] = lm->gradient[i] / (double)rows + lm->step[i];
        *largest = row[i] > *largest ? row[i] : *largest;
        sum += 0 * row[i] + 0 * lm->gradient[i];
    }
    return sum == 0;
}

/* J^T J and J^T e over the whole batch. */
static int lm_look(hill_run *run, const hill__batch *batch, lm_work *lm)
{
    hill__walk block;
    for (size_t done = 0; done < batch->count; done += block.rows) {
        HILL__TRY(hill__batch_block(run, batch, done, run->weights, &block));
        for (size_t row = 0; row < block.rows; row++)
            lm_row(run, lm, &block, row);
    }
    lm_multiply(run, lm);
    return HILL_OK;
}

/* Sum of a[i] b[i], in eight chains. */
static double lm_dot(const double *a, const double *b, size_t n)
{
    double lanes[HILL__LM_LANES] = {0}, sum = 0;
    size_t i = 0;
    for (; i + HILL__LM_LANES <= n; i += HILL__LM_LANES)
        for (size_t k = 0; k < HILL__LM_LANES; k++)
            lanes[k] += a[i + k] * b[i + k];
    for (size_t k = 0; i + k < n; k++)
        lanes[k] += a[i + k] * b[i + k];
    for (size_t k = 0; k < HILL__LM_LANES; k++)
        sum += lanes[k];
    return sum;
}

typedef struct lm_column {
    const lm_work *lm;
    size_t at;
} lm_column;

/* Elements of a column of the factor, below its diagonal. */
static void lm_column_part(void *context, unsigned part, unsigned parts)
{
    const lm_column *column = context;
    const lm_work *lm = column->lm;
    const size_t j = column->at;
    const double *row = lm->matrix + j * lm->width;
    size_t begin, end;
    hill__split(lm->n - j - 1, 1, part, parts, &begin, &end);
    for (size_t i = j + 1 + begin; i < j + 1 + end; i++) {
        double *own = lm->matrix + i * lm->width;
        own[j] = (row[i] - lm_dot(own, row, j)) / lm->diagonal[j];
    }
}

/* L of L L^T = matrix + mu I (Cholesky); false where that isn't positive. */
static bool lm_factor(hill_run *run, const lm_work *lm, double mu)
{
    const hill__walk walk = {.kernels = run->kernels, .pool = run->pool};
    for (size_t j = 0; j < lm->n; j++) {
        const double *row = lm->matrix + j * lm->width;
        double square = row[j] + mu - lm_dot(row, row, j);
        if (!(square > 0))
            return false;
        lm->diagonal[j] = sqrt(square);
        lm_column column = {lm, j};
        hill__walk_share(&walk, (lm->n - j) * (j + 1), lm_column_part, &column);
    }
    return true;
}

/* The step: L L^T step = gradient. */
static void lm_solve(const lm_work *lm)
{
    double *step = lm->step;
    for (size_t i = 0; i < lm->n; i++)
        step[i] = (lm->gradient[i] - lm_dot(lm->matrix + i * lm->width, step, i)) / lm->diagonal[i];
    for (size_t i = lm->n; i-- > 0;) {
        const double *row = lm->matrix + i * lm->width;
        step[i] /= lm->diagonal[i];
        for (size_t k = 0; k < i; k++)
            step[k] -= row[k] * step[i];
    }
}

/* What the descent brings down, of a mean cost at `weights`: decay is part of it. */
static double lm_objective(const hill_run *run, double cost, const float *weights)
{
    double length = run->rule.decay > 0 ? hill__length_of(weights, NULL, run->plan->vector) : 0;
    return cost + run->rule.decay / 2 * length * length;
}

/* Takes the first trial that brings the cost down; where none does, mu is as large as it gets, and the weights stay. */
static int lm_search(hill_run *run, const hill__batch *batch, const lm_work *lm, double rate, double largest)
{
    const size_t bytes = run->plan->vector * sizeof *run->weights;
    const double count = (double)batch->count, now = lm_objective(run, batch->cost / count, run->weights);
    double mu = run->at.numbers[0] > 0 ? run->at.numbers[0] : LM_FIRST * largest;
    bool better = false;
    for (; !better && mu < LM_MOST * largest; mu *= LM_UP) {
        double cost;
        if (!lm_factor(run, lm, mu))
            continue;
        lm_solve(lm);
        lm_try(run, lm, rate);
        HILL__TRY(hill__batch_cost(run, batch, lm->trial, &cost));
        better = lm_objective(run, cost / count, lm->trial) < now && run->kernels->finite(lm->trial, run->plan->vector);
    }
    if (better) {
        memcpy(run->weights, lm->trial, bytes);
        mu /= LM_UP * LM_DOWN; /* the loop has raised it once more */
    }
    run->at.numbers[0] = mu > LM_LEAST * largest ? mu : LM_LEAST * largest;
    return HILL_OK;
}

int hill__move_lm(hill_run *run, hill__batch *batch, double rate)
{
    double largest;
    HILL__TRY(hill__batch_gradient(run, batch, run->weights));
    if (batch->norms)
        batch->gradient_norm = hill__length_of(run->gradient, NULL, run->plan->vector);
    if (batch->fault)
        return HILL_OK;
    lm_work lm = lm_place(run);
    HILL__TRY(lm_look(run, batch, &lm));
    if (!lm_scale(run, &lm, batch->count, &largest)) {
        batch->fault = HILL__FAULT_GRADIENT;
        return HILL_OK;
    }
    return lm_search(run, batch, &lm, rate, largest);
}
