/*
 * run.h - a descent under way.
 */
#ifndef HILL_TRAIN_RUN_H
#define HILL_TRAIN_RUN_H

#include "base/random.h"
#include "base/text.h"
#include "plan/single.h"
#include "plan/walk.h"
#include "train/rule.h"
#include "train/schedule.h"

typedef enum hill__stop { HILL__STOP_NONE, HILL__STOP_EPOCHS, HILL__STOP_PATIENCE, HILL__STOP_DIVERGED } hill__stop;

/* The best weights so far, and how long ago that was. */
typedef struct hill__watch {
    uint64_t patience; /* epochs; 0: never ends the run */
    uint64_t best_epoch;
    double best_cost;
} hill__watch;

struct hill_run {
    hill_allocator allocator;
    const hill_plan *plan;
    const hill__kernels *kernels;
    hill__pool *pool;
    bool shared;       /* whether steps are */
    size_t share_rows; /* rows from which on it pays to share a walk among the pool */
    hill_source train, valid;
    bool has_valid;

    float *vectors; /* the block the next six lie in */
    float *weights, *gradient, *best, *before;
    float *moments[2]; /* NULL where the rule keeps none */
    float *scratch;
    void *staging; /* the block the next four lie in */
    float *inputs, *targets;
    uint64_t *rows;     /* of the block under way */
    uint64_t *next;     /* of the first block of step `next_step` */
    uint64_t next_step; /* 0: none is listed */

    hill__singles singles; /* how a step of one row walks, where layers are small */

    uint64_t seed;
    size_t batch;
    bool shuffled;
    uint64_t step, epoch_steps, total_steps;
    uint64_t epoch, epoch_step; /* of the step to come, both from 0 */
    hill__permutation order;    /* of this epoch */
    hill__rule rule;
    hill__schedule schedule;
    double epoch_cost; /* sum over the epoch's rows so far */
    hill__watch watch;
    hill__stop stop;
    char message[300];
};

/* Gathers rows run->rows[0..count-1] of a source into run->inputs and run->targets. */
int hill__run_gather(hill_run *run, const hill_source *source, size_t count);

/* A walk over the run's buffers at `weights` for `rows` gathered rows. */
hill__walk hill__run_walk(hill_run *run, const float *weights, size_t rows);

#endif
