/*
 * column.c - layers that treat all of a column alike: batch normalisation (Ioffe, Szegedy 2015), layer normalisation of what
 * lies across, a factor for each, and activations with a weight for each.
 *
 * A column is a channel of a picture, or a unit of a row. Means and variances of a step are those of its block, at most 256 rows;
 * those that answers take follow them, a tenth of the way each time. Invariant: a column's sums are one chain over its values.
 */
#include "base/fp.h"

#include "op/op.h"

#include <math.h>
#include <string.h>

/* Looking at a float costs about as much as this many multiply-adds. */
#define COLUMN_WORK 8
#define COLUMN_EPSILON 1e-5f
#define COLUMN_PACE 0.1f
/* Columns that one task works out at a time. */
#define COLUMN_CHUNK 64u

/* Numbers of every column between a walk up and the walk down: mean, one over the deviation, and a map's three. */
typedef struct column_numbers {
    float *mean, *inverse, *a, *p, *q;
} column_numbers;

static column_numbers columns_of(const hill__instr *instr, const hill__walk *walk)
{
    float *first = hill__buffer(walk, instr->saved);
    size_t each = instr->columns + (HILL__LANES - instr->columns % HILL__LANES) % HILL__LANES;
    return (column_numbers){first, first + each, first + 2 * each, first + 3 * each, first + 4 * each};
}

struct column_job;

typedef struct column_job {
    const hill__instr *instr;
    hill__walk *walk;
    column_numbers columns;
    size_t lines; /* of the matrix that has these columns */
    const float *x;
    float *out; /* of a map */
    const float *in;
    hill__bend bend;
    void (*each)(const struct column_job *job, size_t begin, size_t count); /* works out columns begin .. begin + count - 1 */
} column_job;

static column_job job_of(const hill__instr *instr, hill__walk *walk)
{
    return (column_job){.instr = instr,
                        .walk = walk,
                        .columns = columns_of(instr, walk),
                        .lines = walk->rows * (instr->outputs / instr->columns),
                        .x = hill__input_of(instr, walk)};
}

static void run_columns(const column_job *job, hill__task task)
{
    column_job copy = *job;
    hill__walk_share(job->walk, job->walk->rows * job->instr->outputs * COLUMN_WORK, task, &copy);
}

static void columns_part(void *context, unsigned part, unsigned parts)
{
    const column_job *job = context;
    size_t begin, end;
    hill__split(job->instr->columns, HILL__LANES, part, parts, &begin, &end);
    for (size_t at = begin; at < end; at += COLUMN_CHUNK)
        job->each(job, at, end - at < COLUMN_CHUNK ? end - at : COLUMN_CHUNK);
}

/* out = a in + p x + q, a stretch of lines. */
static void map_part(void *context, unsigned part, unsigned parts)
{
    const column_job *job = context;
    const size_t columns = job->instr->columns;
    size_t begin, end;
    hill__split(job->lines, 1, part, parts, &begin, &end);
    job->walk->kernels->column_map(job->out + begin * columns, job->in + begin * columns, job->x + begin * columns,
                                   &(hill__column_map){job->columns.a, job->columns.p, job->columns.q}, end - begin, columns);
}

/* out, by a task over lines, and its activation. */
static void map_up(column_job *job, hill__task task)
{
    const hill__instr *instr = job->instr;
    job->in = job->x;
    job->out = hill__buffer(job->walk, instr->z);
    run_columns(job, task);
    if (instr->activation != hill__op_at(HILL__OP_identity))
        hill__activate(instr->activation, job->walk, hill__buffer(job->walk, instr->y), job->out, instr->outputs);
}

static void map_down(column_job *job, hill__task task)
{
    if (job->instr->first)
        return;
    job->in = job->walk->d;
    job->out = job->walk->d_next;
    run_columns(job, task);
    hill__slope_below(job->instr, job->walk, 0, job->walk->rows);
    hill__hand_on(job->walk);
}

typedef void column_loop(const column_job *job, size_t begin, size_t count);

/* The whole layer: what `each` works out of its columns, then the map. */
static void column_up(const hill__instr *instr, hill__walk *walk, column_loop *each)
{
    column_job job = job_of(instr, walk);
    job.each = each;
    run_columns(&job, columns_part);
    map_up(&job, map_part);
}

static void column_down(const hill__instr *instr, hill__walk *walk, column_loop *each)
{
    column_job job = job_of(instr, walk);
    hill__slope_own(instr, walk);
    job.each = each;
    run_columns(&job, columns_part);
    map_down(&job, map_part);
}

/* A column's sum becomes, or is added to, its gradient. */
static void put_gradient(const column_job *job, size_t offset, size_t at, const float *sums, size_t count)
{
    float *gradient = job->walk->gradient + offset + at;
    for (size_t i = 0; i < count; i++)
        gradient[i] = job->walk->add ? gradient[i] + sums[i] : sums[i];
    if (!job->walk->kernels->finite(gradient, count))
        hill__flag_raise(&job->walk->broken);
}

/* ---- batch normalisation --------------------------------------------------------------------------------------------------- */

/* Mean and variance of some columns of the block; the kept ones follow, with the variance of what the block was drawn from. */
static void measure(const column_job *job, size_t at, size_t count, float *variance)
{
    float *mean = job->columns.mean + at, squares[COLUMN_CHUNK] = {0}, lines = (float)job->lines;
    float *kept_mean = job->walk->kept + job->instr->mean + at, *kept_variance = job->walk->kept + job->instr->variance + at;
    const hill__kernels *kernels = job->walk->kernels;
    kernels->add_rows(mean, job->x + at, job->lines, count, job->instr->columns, false);
    for (size_t i = 0; i < count; i++)
        mean[i] /= lines;
    kernels->column_products(squares, job->x + at, mean, NULL, job->lines, count, job->instr->columns);
    for (size_t i = 0; i < count; i++) {
        variance[i] = squares[i] / lines;
        kept_mean[i] += COLUMN_PACE * (mean[i] - kept_mean[i]);
        kept_variance[i] += COLUMN_PACE * (squares[i] / (lines > 1 ? lines - 1 : 1) - kept_variance[i]);
    }
}

static void batchnorm_up(const column_job *job, size_t at, size_t count)
{
    const hill__instr *instr = job->instr;
    const float *weights = job->walk->weights;
    const column_numbers *c = &job->columns;
    float variance[COLUMN_CHUNK];
    if (job->walk->kept) {
        measure(job, at, count, variance);
    } else {
        memcpy(c->mean + at, weights + instr->mean + at, count * sizeof *variance);
        memcpy(variance, weights + instr->variance + at, count * sizeof *variance);
    }
    for (size_t i = 0; i < count; i++) {
        c->inverse[at + i] = 1 / sqrtf(variance[i] + COLUMN_EPSILON);
        c->a[at + i] = weights[instr->weight + at + i] * c->inverse[at + i];
        c->p[at + i] = 0;
        c->q[at + i] = weights[instr->bias + at + i] - c->mean[at + i] * c->a[at + i];
    }
}

/*
 * With x' = (x - mean) inverse, of N lines: db = sum d, dw = sum d x', and, where mean and variance are the block's own,
 * dx = a (d - db / N - x' dw / N).
 */
static void batchnorm_down(const column_job *job, size_t at, size_t count)
{
    const hill__instr *instr = job->instr;
    const column_numbers *c = &job->columns;
    float db[COLUMN_CHUNK], dw[COLUMN_CHUNK] = {0};
    job->walk->kernels->add_rows(db, job->walk->d + at, job->lines, count, instr->columns, false);
    job->walk->kernels->column_products(dw, job->x + at, c->mean + at, job->walk->d + at, job->lines, count, instr->columns);
    for (size_t i = 0; i < count; i++) {
        dw[i] *= c->inverse[at + i];
        float each = job->walk->kept ? c->a[at + i] / (float)job->lines : 0;
        c->p[at + i] = -(each * c->inverse[at + i]) * dw[i];
        c->q[at + i] = -(each * db[i]) - c->p[at + i] * c->mean[at + i];
    }
    put_gradient(job, instr->weight, at, dw, count);
    put_gradient(job, instr->bias, at, db, count);
}

void hill__batchnorm_forward(const hill__instr *instr, hill__walk *walk)
{
    column_up(instr, walk, batchnorm_up);
}

void hill__batchnorm_backward(const hill__instr *instr, hill__walk *walk)
{
    column_down(instr, walk, batchnorm_down);
}

/* By the kept mean and variance, as answers are. */
void hill__batchnorm_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++) {
        size_t c = i % f->columns;
        f->y[i] = (f->x[i] - f->mean[c]) / sqrt(f->variance[c] + (double)COLUMN_EPSILON) * f->weight[c] + f->bias[c];
    }
}

/* ---- layer normalisation (Ba, Kiros, Hinton 2016) ----------------------------------------------------------------------- */

static float *standard_of(const column_job *job)
{
    return hill__buffer(job->walk, job->instr->standard);
}

/* A stretch of lines is standardised, or in d_next goes through the slope of that. */
static void lines_part(void *context, unsigned part, unsigned parts)
{
    const column_job *job = context;
    const hill__kernels *kernels = job->walk->kernels;
    const size_t columns = job->instr->columns;
    size_t begin, end;
    hill__split(job->lines, 1, part, parts, &begin, &end);
    float *standard = standard_of(job) + begin * columns, *inverse = hill__buffer(job->walk, job->instr->inverse) + begin;
    if (job->x)
        kernels->standardize(standard, inverse, job->x + begin * columns, end - begin, columns);
    else
        kernels->standardize_slope(job->walk->d_next + begin * columns, standard, inverse, end - begin, columns);
}

static void layernorm_up(const column_job *job, size_t at, size_t count)
{
    const column_numbers *c = &job->columns;
    memcpy(c->a + at, job->walk->weights + job->instr->weight + at, count * sizeof *c->a);
    memcpy(c->q + at, job->walk->weights + job->instr->bias + at, count * sizeof *c->q);
    memset(c->mean + at, 0, count * sizeof *c->mean);
    memset(c->p + at, 0, count * sizeof *c->p);
}

/* Of standardised lines x': db = sum d, dw = sum d x'. What is handed on is w d, and then the slope of the lines. */
static void layernorm_down(const column_job *job, size_t at, size_t count)
{
    const hill__kernels *kernels = job->walk->kernels;
    const size_t columns = job->instr->columns;
    float db[COLUMN_CHUNK], dw[COLUMN_CHUNK] = {0};
    kernels->add_rows(db, job->walk->d + at, job->lines, count, columns, false);
    kernels->column_products(dw, job->x + at, job->columns.mean + at, job->walk->d + at, job->lines, count, columns);
    memset(job->columns.q + at, 0, count * sizeof *job->columns.q);
    put_gradient(job, job->instr->weight, at, dw, count);
    put_gradient(job, job->instr->bias, at, db, count);
}

void hill__layernorm_forward(const hill__instr *instr, hill__walk *walk)
{
    column_job job = job_of(instr, walk);
    job.each = layernorm_up;
    run_columns(&job, columns_part);
    run_columns(&job, lines_part);
    job.x = standard_of(&job);
    map_up(&job, map_part);
}

void hill__layernorm_backward(const hill__instr *instr, hill__walk *walk)
{
    column_job job = job_of(instr, walk);
    job.x = standard_of(&job);
    job.each = layernorm_down;
    hill__slope_own(instr, walk);
    run_columns(&job, columns_part);
    if (instr->first)
        return;
    job.in = walk->d;
    job.out = walk->d_next;
    run_columns(&job, map_part);
    job.x = NULL;
    run_columns(&job, lines_part);
    hill__slope_below(instr, walk, 0, walk->rows);
    hill__hand_on(walk);
}

void hill__layernorm_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++) {
        const double *line = f->x + i / f->columns * f->columns, n = (double)f->columns;
        double mean = 0, variance = 0;
        for (size_t k = 0; k < f->columns; k++)
            mean += line[k] / n;
        for (size_t k = 0; k < f->columns; k++)
            variance += (line[k] - mean) * (line[k] - mean) / n;
        size_t c = i % f->columns;
        f->y[i] = (f->x[i] - mean) / sqrt(variance + (double)COLUMN_EPSILON) * f->weight[c] + f->bias[c];
    }
}

/* ---- a factor ---------------------------------------------------------------------------------------------------------------- */

static void scale_up(const column_job *job, size_t at, size_t count)
{
    const column_numbers *c = &job->columns;
    memcpy(c->a + at, job->walk->weights + job->instr->weight + at, count * sizeof *c->a);
    memset(c->mean + at, 0, count * sizeof *c->mean);
    memset(c->p + at, 0, count * sizeof *c->p);
    memset(c->q + at, 0, count * sizeof *c->q);
}

static void scale_down(const column_job *job, size_t at, size_t count)
{
    float dw[COLUMN_CHUNK] = {0};
    job->walk->kernels->column_products(dw, job->x + at, job->columns.mean + at, job->walk->d + at, job->lines, count,
                                        job->instr->columns);
    put_gradient(job, job->instr->weight, at, dw, count);
}

void hill__scale_forward(const hill__instr *instr, hill__walk *walk)
{
    column_up(instr, walk, scale_up);
}

void hill__scale_backward(const hill__instr *instr, hill__walk *walk)
{
    column_down(instr, walk, scale_down);
}

void hill__scale_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++)
        f->y[i] = f->x[i] * f->weight[i % f->columns];
}

/* ---- activations with a weight ------------------------------------------------------------------------------------------------ */

static const float *bend_weight(const column_job *job)
{
    return job->walk->weights + job->instr->weight;
}

static void bend_part(void *context, unsigned part, unsigned parts)
{
    const column_job *job = context;
    const size_t columns = job->instr->columns;
    size_t begin, end;
    hill__split(job->lines, 1, part, parts, &begin, &end);
    job->walk->kernels->bend[job->bend](job->out + begin * columns, job->in + begin * columns, bend_weight(job), end - begin,
                                        columns);
}

static void bend_slope_part(void *context, unsigned part, unsigned parts)
{
    const column_job *job = context;
    const size_t columns = job->instr->columns;
    size_t begin, end;
    hill__split(job->lines, 1, part, parts, &begin, &end);
    job->walk->kernels->bend_slope[job->bend](job->out + begin * columns, job->in + begin * columns, job->x + begin * columns,
                                              bend_weight(job), end - begin, columns);
}

static void bend_down(const column_job *job, size_t at, size_t count)
{
    float dw[COLUMN_CHUNK] = {0};
    job->walk->kernels->bend_weights[job->bend](dw, job->walk->d + at, job->x + at, bend_weight(job) + at, job->lines, count,
                                                job->instr->columns);
    put_gradient(job, job->instr->weight, at, dw, count);
}

static void bend_forward(const hill__instr *instr, hill__walk *walk, hill__bend bend)
{
    column_job job = job_of(instr, walk);
    job.bend = bend;
    map_up(&job, bend_part);
}

static void bend_backward(const hill__instr *instr, hill__walk *walk, hill__bend bend)
{
    column_job job = job_of(instr, walk);
    hill__slope_own(instr, walk);
    job.bend = bend;
    job.each = bend_down;
    run_columns(&job, columns_part);
    map_down(&job, bend_slope_part);
}

void hill__prelu_forward(const hill__instr *instr, hill__walk *walk)
{
    bend_forward(instr, walk, HILL__BEND_prelu);
}

void hill__prelu_backward(const hill__instr *instr, hill__walk *walk)
{
    bend_backward(instr, walk, HILL__BEND_prelu);
}

void hill__prelu_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++)
        f->y[i] = f->x[i] > 0 ? f->x[i] : f->x[i] * f->weight[i % f->columns];
}

void hill__swish_forward(const hill__instr *instr, hill__walk *walk)
{
    bend_forward(instr, walk, HILL__BEND_swish);
}

void hill__swish_backward(const hill__instr *instr, hill__walk *walk)
{
    bend_backward(instr, walk, HILL__BEND_swish);
}

void hill__swish_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++)
        f->y[i] = f->x[i] / (1 + exp(-f->x[i] * f->weight[i % f->columns]));
}
