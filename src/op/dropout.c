/*
 * dropout.c - drops a part of what comes by, while a net is trained, and stretches the rest to make up for that (Srivastava
 * 2014).
 *
 * Invariant: whether a unit drops is a function of the seed, the step, the layer, the row's place in the batch and the unit.
 */
#include "base/fp.h"

#include "base/random.h"
#include "op/op.h"

#include <math.h>
#include <string.h>

/* Drawing and multiplying a float costs about as much as this many multiply-adds. */
#define DROPOUT_WORK 16
/* Units drop by 16 random bits each: how many values those have. */
#define DROPOUT_VALUES 65536

typedef struct dropout_job {
    const hill__instr *instr;
    const hill__walk *walk;
    float *out;
    const float *in;
    bool draws; /* the mask, first */
    hill__drop drop;
} dropout_job;

/* What drops in the block's rows; the groups of numbers go on from block to block, which begin with a whole one. */
static hill__drop what_drops(const hill__instr *instr, const hill__walk *walk)
{
    const uint64_t layer = 2 * (uint64_t)instr->number;
    const double least = floor(instr->part * walk->drops * DROPOUT_VALUES + 0.5);
    return (hill__drop){.key = {hill__random_bits(walk->seed, walk->step, HILL__PURPOSE_DROPOUT, layer),
                                hill__random_bits(walk->seed, walk->step, HILL__PURPOSE_DROPOUT, layer + 1)},
                        .purpose = HILL__PURPOSE_DROPOUT,
                        .group = (uint64_t)walk->first_row * instr->outputs / HILL__DROP_GROUP,
                        .least = (float)least,
                        .stretch = (float)(DROPOUT_VALUES / (DROPOUT_VALUES - least))};
}

static void dropout_part(void *context, unsigned part, unsigned parts)
{
    const dropout_job *job = context;
    const hill__kernels *kernels = job->walk->kernels;
    float *mask = hill__buffer(job->walk, job->instr->saved);
    size_t begin, end;
    hill__split(job->walk->rows * job->instr->outputs, HILL__DROP_GROUP, part, parts, &begin, &end);
    hill__drop drop = job->drop;
    drop.group += begin / HILL__DROP_GROUP;
    if (job->draws)
        kernels->drop(mask + begin, end - begin, &drop);
    kernels->multiply(job->out + begin, job->in + begin, mask + begin, end - begin);
}

/* Every row times its mask; as it is, where no net is trained. */
static void run_dropout(const dropout_job *draft)
{
    dropout_job job = *draft;
    const size_t floats = job.walk->rows * job.instr->outputs;
    job.drop = what_drops(job.instr, job.walk);
    if (job.walk->kept)
        hill__walk_share(job.walk, floats * DROPOUT_WORK, dropout_part, &job);
    else
        memcpy(job.out, job.in, floats * sizeof *job.out);
}

void hill__dropout_forward(const hill__instr *instr, hill__walk *walk)
{
    run_dropout(&(dropout_job){instr, walk, hill__buffer(walk, instr->y), hill__input_of(instr, walk), true, {.group = 0}});
}

void hill__dropout_backward(const hill__instr *instr, hill__walk *walk)
{
    if (instr->first)
        return;
    run_dropout(&(dropout_job){instr, walk, walk->d_next, walk->d, false, {.group = 0}});
    hill__slope_below(instr, walk, 0, walk->rows);
    hill__hand_on(walk);
}

/* As answers are made: nothing is dropped. */
void hill__dropout_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++)
        f->y[i] = f->x[i];
}
