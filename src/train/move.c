/*
 * move.c - the rules that do the same to every weight, and the table of all.
 *
 * Invariant: a rule moves the weights and what follows from step to step (moments, numbers, place), and leaves nothing else.
 */
#include "base/fp.h"

#include "train/move.h"

#include <math.h>
#include <string.h>

/* An update costs about as much as this many multiply-adds a weight. */
#define UPDATE_WORK 8

typedef struct update_job {
    hill_run *run;
    hill__update update;
    hill__flag broken;
} update_job;

static void update_part(void *context, unsigned part, unsigned parts)
{
    update_job *job = context;
    const hill_run *run = job->run;
    size_t begin, end;
    hill__split(run->plan->trained, HILL__PAD, part, parts, &begin, &end);
    float *first = run->moments[0] ? run->moments[0] + begin : NULL, *second = run->moments[1] ? run->moments[1] + begin : NULL;
    if (!run->kernels->rule[run->rule.loop](run->weights + begin, run->gradient + begin, first, second, end - begin,
                                            &job->update))
        hill__flag_raise(&job->broken);
}

/* False where a weight isn't finite any more. */
static bool update_weights(hill_run *run, double rate)
{
    const uint64_t step = run->at.step + 1;
    hill__rule_advance(&run->rule, run->at.numbers, step, rate);
    update_job job = {.run = run, .update = hill__rule_update(&run->rule, run->at.numbers, step, rate, 1)};
    hill__walk walk = {.kernels = run->kernels, .pool = run->pool};
    if (run->shared)
        hill__walk_share(&walk, run->plan->trained * UPDATE_WORK, update_part, &job);
    else
        update_part(&job, 0, 1);
    return !hill__flag_is_raised(&job.broken);
}

/* Cuts the gradient: first each number to size, then the whole to length. */
static void clip_gradient(hill_run *run)
{
    const hill__kernels *kernels = run->kernels;
    const size_t n = run->plan->vector;
    if (run->clip_value > 0)
        kernels->bound(run->gradient, n, 1.0f, (float)run->clip_value);
    if (!(run->clip > 0))
        return;
    double length = sqrt(kernels->squares(run->gradient, n));
    if (isinf(length)) /* its squares are too large for floats */
        length = hill__length_of(run->gradient, NULL, n);
    if (length > run->clip)
        kernels->bound(run->gradient, n, (float)(run->clip / length), INFINITY);
}

int hill__move_each(hill_run *run, hill__batch *batch, double rate)
{
    HILL__TRY(hill__batch_gradient(run, batch, run->point));
    if (batch->fault)
        return HILL_OK;
    if (batch->norms)
        batch->gradient_norm = hill__length_of(run->gradient, NULL, run->plan->vector);
    clip_gradient(run);
    if (!update_weights(run, rate))
        batch->fault = HILL__FAULT_UPDATE;
    return HILL_OK;
}

/* The gradient is taken between the points' mean, which the weights are, and the last point (the paper's y, x and z). */
int hill__move_ahead(hill_run *run, hill__batch *batch, double rate)
{
    const size_t n = run->plan->vector;
    float *last = run->moments[0];
    if (run->at.step == 0)
        memcpy(last, run->weights, n * sizeof(float));
    run->kernels->blend(run->point, last, run->weights, n, (float)run->rule.beta1);
    return hill__move_each(run, batch, rate);
}

static hill__mover *const move_rules[] = {
#define RULE(id, word, move, loop, moments, rows, rate, decay, formula, sentence) hill__move_##move,
#include "plan/words.def"
};

int hill__move(hill_run *run, hill__batch *batch, double rate)
{
    return move_rules[run->rule.id](run, batch, rate);
}
