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

/*
 * Where a descent stands, besides its vectors. `recent` is the sum of the batches' mean costs over the `recent_steps` since it was
 * last looked at how the descent goes.
 */
typedef struct hill__place {
    uint64_t step;              /* steps taken */
    uint64_t epoch, epoch_step; /* of the step to come, both from 0: the quotient and the rest of `step` by an epoch's steps */
    double epoch_cost;          /* sum over the epoch's rows so far */
    double recent;
    uint64_t recent_steps;
    double numbers[HILL__RULE_NUMBERS]; /* the rule's */
    hill__plateau plateau;
} hill__place;

/* Vectors that any rule keeps, at most. */
#define HILL__MOMENTS_MOST 22

/* The last weights that were good, with the rule's moments, and how often the descent went back to such. */
typedef struct hill__good {
    hill__place place;
    double first_cost; /* mean cost of the first step's batch: weights are good while costs aren't much above that */
    uint64_t returns;
    bool stops; /* rather than going back */
    bool due;   /* the weights are good, and are kept with the end of the step */
} hill__good;

/* Ways back that a run takes at most. */
#define HILL__RETURNS_MOST 5u

/* A stretch of the vector whose weights all move at the same rate. */
typedef struct hill__stretch {
    size_t begin, end;
    double factor;     /* of the rate */
    size_t rows, cols; /* of a matrix that the rule moves as such; else 0 */
    hill__update update;
} hill__stretch;

struct hill_run {
    hill_allocator allocator;
    const hill_plan *plan;
    const hill__kernels *kernels;
    hill__pool *pool;
    bool shared;       /* whether steps are */
    size_t share_rows; /* rows from which on it pays to share a walk among the pool */
    hill_source train, valid;
    bool has_valid;

    float *vectors; /* the block the next lines' lie in; it begins with weights and moments, and their good copies follow */
    float *weights;
    float *moments[HILL__MOMENTS_MOST]; /* NULL where the rule keeps none */
    float *average;                     /* NULL: none is wanted */
    float *good_weights;
    float *gradient, *best, *before;
    void *work;   /* what the rule works in */
    float *point; /* where a step takes the gradient: the weights, but for schedule-free */
    float *scratch;
    void *staging; /* the block the next five lie in */
    float *inputs, *targets;
    float *row_weights; /* of the block under way, where its source weighs rows */
    bool weighed;
    uint64_t *rows;     /* of the block under way */
    uint64_t *next;     /* of the first block of step `next_step` */
    uint64_t next_step; /* 0: none is listed */

    hill__stretch *stretches; /* of all that rules move */
    size_t stretch_count;

    hill__met met; /* by the gradient, where the rule leaves that as it was found */

    hill__singles singles; /* how a step of one row walks, where layers are small */

    uint64_t seed;
    size_t batch;
    bool shuffled;
    uint64_t epoch_steps, total_steps;
    hill__place at;
    hill__permutation order; /* of this epoch */
    uint64_t grow_seed;      /* likewise */
    hill__rule rule;
    float most_norm;         /* of a unit's weights; 0: any */
    double clip, clip_value; /* 0: none */
    double drop_steps;       /* over which dropouts come to drop all they are to */
    hill__schedule schedule;
    hill__watch watch;
    hill__good good;
    double slow; /* what the ways back leave of the schedule's rate */
    double told; /* the rate that the host set instead of the schedule's; 0: none */
    hill__stop stop;
    char message[500];
};

/* The weights that validation looks at and a model gets: their average, where one is wanted and a step was taken. */
const float *hill__run_shown(const hill_run *run);

/* Rows of a block: as many as are left, or as fit. */
size_t hill__run_block(const hill_run *run, uint64_t rows);

/* Gathers rows run->rows[0..count-1] of a source into run->inputs, run->targets and, where it weighs, run->row_weights. */
int hill__run_gather(hill_run *run, const hill_source *source, size_t count);

/* What follows from the place and the ways back, once they were set: the order of the epoch, the rate's part. */
void hill__run_stand(hill_run *run);

/* The rate of the step to come: what the schedule or the host says, halved with every way back. */
double hill__run_rate(const hill_run *run);

/* Keeps weights, moments and place as those to go back to. */
void hill__run_keep(hill_run *run);

/* What isn't finite: a row's cost or the gradient of the batch, or a weight after the update. */
typedef enum hill__fault { HILL__FAULT_NONE, HILL__FAULT_GRADIENT, HILL__FAULT_UPDATE } hill__fault;

/*
 * The step to come diverged, with `rows` rows in the run's buffers: back to the good weights, with half the rate (HILL_ROW), or the
 * end (HILL_EDIVERGED), at which the run holds the good weights too. The run's message tells.
 */
int hill__run_retreat(hill_run *run, hill__fault fault, size_t rows);

/* A batch under way: where it begins in the epoch, its rows, the sum of their costs. */
typedef struct hill__batch {
    uint64_t begin;
    size_t count;
    size_t block; /* rows of the block that was walked last */
    double cost;
    hill__fault fault;    /* GRADIENT from the block on whose costs or gradient aren't finite */
    bool norms;           /* whether the next one is wanted */
    double gradient_norm; /* before anything is cut */
} hill__batch;

/* The rows of a batch from the one behind `done` on, at most a block, as a step sees them; *walk can begin at `weights`. */
int hill__batch_block(hill_run *run, const hill__batch *batch, size_t done, const float *weights, hill__walk *walk);

/*
 * Gradient of the mean cost over a batch, at `weights`, into run->gradient, and batch->cost; ends with the first block that isn't
 * good. (Steps of one row through small layers are bound to run->point, which is where their rules take them.)
 */
int hill__batch_gradient(hill_run *run, hill__batch *batch, const float *weights);

/* The sum of the rows' costs at `weights`. */
int hill__batch_cost(hill_run *run, const hill__batch *batch, const float *weights, double *cost);

/* Euclidean length of a - b (b may be NULL), summed in 16 lanes and a fixed order. */
double hill__length_of(const float *a, const float *b, size_t n);

/* A walk over the run's buffers at `weights` for `rows` gathered rows. */
hill__walk hill__run_walk(hill_run *run, const float *weights, size_t rows);

#endif
