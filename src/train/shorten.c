/*
 * shorten.c - how long the weights of a unit may become. Invariant: a unit's length is one chain over its weights in their order.
 */
#include "base/fp.h"

#include "train/shorten.h"

/* Measuring and shortening costs about as much as this many multiply-adds a weight. */
#define SHORTEN_WORK 2

typedef struct shorten_job {
    const hill_run *run;
    const hill__instr *instr;
} shorten_job;

/* A stretch of a layer's units, which are columns of its weights. */
static void shorten_part(void *context, unsigned part, unsigned parts)
{
    const shorten_job *job = context;
    const hill__instr *instr = job->instr;
    size_t begin, end;
    hill__split(instr->biases, HILL__LANES, part, parts, &begin, &end);
    job->run->kernels->shorten(job->run->weights + instr->weight + begin, instr->biases, instr->fan_in, end - begin,
                               job->run->most_norm);
}

void hill__shorten(hill_run *run)
{
    if (run->most_norm == 0)
        return;
    hill__walk walk = {.kernels = run->kernels, .pool = run->shared ? run->pool : NULL};
    for (size_t i = 0; i < run->plan->count; i++) {
        shorten_job job = {run, &run->plan->instrs[i]};
        if (job.instr->op->flags & HILL__OP_UNITS)
            hill__walk_share(&walk, job.instr->weights * SHORTEN_WORK, shorten_part, &job);
    }
}
