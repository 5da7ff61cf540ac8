/*
 * periodic.c - waves instead of numbers: of every x the sines and cosines of 2 pi c x, for several c that are trained (Gorishniy,
 * Rubachev, Babenko: On Embeddings for Numerical Features in Tabular Deep Learning, 2022).
 *
 * A column, as in column.c, has its own c. Invariant: sines and cosines stay in y until the walk down, which reads them there.
 */
#include "base/fp.h"

#include "op/op.h"

#include <math.h>

/* A wave costs about as much as this many multiply-adds. */
#define PERIODIC_WORK 16

typedef struct periodic_job {
    const hill__instr *instr;
    hill__walk *walk;
    size_t lines, columns, waves; /* of the input's matrix; and of each column */
    const float *x, *y, *weights;
} periodic_job;

static void run_periodic(const hill__instr *instr, hill__walk *walk, hill__task task)
{
    periodic_job job = {instr,
                        walk,
                        walk->rows * (instr->inputs / instr->columns),
                        instr->columns,
                        instr->weights / instr->columns,
                        hill__input_of(instr, walk),
                        hill__buffer(walk, instr->y),
                        walk->weights + instr->weight};
    hill__walk_share(walk, walk->rows * instr->outputs * PERIODIC_WORK, task, &job);
}

static void periodic_up(void *context, unsigned part, unsigned parts)
{
    const periodic_job *job = context;
    size_t begin, end;
    hill__split(job->lines, 1, part, parts, &begin, &end);
    job->walk->kernels->waves(hill__buffer(job->walk, job->instr->y) + begin * job->columns * 2 * job->waves,
                              job->x + begin * job->columns, job->weights, end - begin, job->columns, job->waves);
}

static void periodic_weights(void *context, unsigned part, unsigned parts)
{
    const periodic_job *job = context;
    size_t begin, end;
    hill__split(job->columns, 1, part, parts, &begin, &end);
    float *gradient = job->walk->gradient + job->instr->weight;
    for (size_t c = begin, at = begin * 2 * job->waves; c < end; c++, at += 2 * job->waves)
        job->walk->kernels->waves_weights(gradient + c * job->waves, job->walk->d + at, job->y + at, job->x + c, job->lines,
                                          job->columns, job->waves, job->walk->add);
    if (!job->walk->kernels->finite(gradient + begin * job->waves, (end - begin) * job->waves))
        hill__flag_raise(&job->walk->broken);
}

static void periodic_down(void *context, unsigned part, unsigned parts)
{
    const periodic_job *job = context;
    size_t begin, end;
    hill__split(job->lines, 1, part, parts, &begin, &end);
    const size_t at = begin * job->columns * 2 * job->waves;
    job->walk->kernels->waves_slope(job->walk->d_next + begin * job->columns, job->walk->d + at, job->y + at, job->weights,
                                    end - begin, job->columns, job->waves);
}

void hill__periodic_forward(const hill__instr *instr, hill__walk *walk)
{
    run_periodic(instr, walk, periodic_up);
}

void hill__periodic_backward(const hill__instr *instr, hill__walk *walk)
{
    run_periodic(instr, walk, periodic_weights);
    if (instr->first)
        return;
    run_periodic(instr, walk, periodic_down);
    hill__slope_below(instr, walk, 0, walk->rows);
    hill__hand_on(walk);
}

#define PERIODIC_TURN 6.283185307179586

void hill__periodic_formula(const hill__formula *f)
{
    const size_t each = f->outputs / f->inputs, waves = each / 2;
    for (size_t i = f->first; i < f->first + f->count; i++) {
        const size_t unit = i / each, k = i % each;
        const double angle = PERIODIC_TURN * f->weight[unit % f->columns * waves + k % waves] * f->x[unit];
        f->y[i] = k < waves ? sin(angle) : cos(angle);
    }
}
