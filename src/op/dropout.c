/*
 * dropout.c - drops a part of what comes by, while a net is trained, and stretches the rest to make up for that (Srivastava
 * 2014).
 *
 * Invariant: whether a unit drops is a function of the seed, the step, the layer, the row's place in the batch and the unit.
 */
#include "base/fp.h"

#include "base/random.h"
#include "op/op.h"

#include <string.h>

/* Drawing and multiplying a float costs about as much as this many multiply-adds. */
#define DROPOUT_WORK 32
/* Units drop by 16 random bits each: how many of their values. */
#define DROPOUT_VALUES 65536
/* Units that one block of random numbers is good for. */
#define DROPOUT_DRAW 8u

typedef struct dropout_job {
    const hill__instr *instr;
    const hill__walk *walk;
    float *out;
    const float *in;
    bool draws; /* the mask, first */
} dropout_job;

/* 0 for the units that drop, for the others what makes up for those. */
static void draw_mask(const hill__instr *instr, const hill__walk *walk, size_t row, float *mask)
{
    const uint64_t layer = 2 * (uint64_t)instr->number, at = walk->first_row + row;
    const uint32_t key[2] = {hill__random_bits(walk->seed, walk->step, HILL__PURPOSE_DROPOUT, layer),
                             hill__random_bits(walk->seed, walk->step, HILL__PURPOSE_DROPOUT, layer + 1)};
    const uint32_t least = (uint32_t)(instr->part * DROPOUT_VALUES + 0.5);
    const float stretch = (float)(DROPOUT_VALUES / (double)(DROPOUT_VALUES - least));
    for (size_t i = 0; i < instr->outputs; i += DROPOUT_DRAW) {
        const uint32_t counter[4] = {(uint32_t)at, (uint32_t)(at >> 32), HILL__PURPOSE_DROPOUT, (uint32_t)(i / DROPOUT_DRAW)};
        uint32_t bits[4];
        hill__philox(counter, key, bits);
        for (size_t k = 0; k < DROPOUT_DRAW && i + k < instr->outputs; k++)
            mask[i + k] = (bits[k / 2] >> (k % 2 * 16) & (DROPOUT_VALUES - 1)) >= least ? stretch : 0.0f;
    }
}

static void dropout_part(void *context, unsigned part, unsigned parts)
{
    const dropout_job *job = context;
    const hill__instr *instr = job->instr;
    float *masks = hill__buffer(job->walk, instr->saved);
    size_t begin, end;
    hill__split(job->walk->rows, 1, part, parts, &begin, &end);
    for (size_t r = begin; r < end; r++) {
        float *mask = masks + r * instr->outputs;
        if (job->draws)
            draw_mask(instr, job->walk, r, mask);
        job->walk->kernels->multiply(job->out + r * instr->outputs, job->in + r * instr->outputs, mask, instr->outputs);
    }
}

/* Every row times its mask; as it is, where no net is trained. */
static void run_dropout(const dropout_job *draft)
{
    dropout_job job = *draft;
    const size_t floats = job.walk->rows * job.instr->outputs;
    if (job.walk->trains)
        hill__walk_share(job.walk, floats * DROPOUT_WORK, dropout_part, &job);
    else
        memcpy(job.out, job.in, floats * sizeof *job.out);
}

void hill__dropout_forward(const hill__instr *instr, hill__walk *walk)
{
    run_dropout(&(dropout_job){instr, walk, hill__buffer(walk, instr->y), hill__input_of(instr, walk), true});
}

void hill__dropout_backward(const hill__instr *instr, hill__walk *walk)
{
    if (instr->first)
        return;
    run_dropout(&(dropout_job){instr, walk, walk->d_next, walk->d, false});
    hill__slope_below(instr, walk, 0, walk->rows);
    hill__hand_on(walk);
}

/* As answers are made: nothing is dropped. */
void hill__dropout_formula(const hill__formula *f)
{
    for (size_t i = f->first; i < f->first + f->count; i++)
        f->y[i] = f->x[i];
}
