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
    hill__flag broken;
} update_job;

static float *moment_at(const hill_run *run, size_t i, size_t offset)
{
    return run->moments[i] ? run->moments[i] + offset : NULL;
}

static void update_part(void *context, unsigned part, unsigned parts)
{
    update_job *job = context;
    const hill_run *run = job->run;
    size_t begin, end;
    hill__split(run->plan->trained, HILL__PAD, part, parts, &begin, &end);
    for (size_t i = 0; i < run->stretch_count; i++) {
        const hill__stretch *stretch = &run->stretches[i];
        size_t first = begin > stretch->begin ? begin : stretch->begin, last = end < stretch->end ? end : stretch->end;
        if (first < last && !stretch->rows &&
            !run->kernels->rule[run->rule.loop](run->weights + first, run->gradient + first, moment_at(run, 0, first),
                                                moment_at(run, 1, first), last - first, &stretch->update))
            hill__flag_raise(&job->broken);
    }
}

/* False where a weight isn't finite any more. */
static bool update_weights(hill_run *run, double rate)
{
    const uint64_t step = run->at.step + 1;
    update_job job = {.run = run};
    hill__walk walk = {.kernels = run->kernels, .pool = run->pool};
    hill__rule_advance(&run->rule, run->at.numbers, step, rate);
    for (size_t i = 0; i < run->stretch_count; i++)
        run->stretches[i].update = hill__rule_update(&run->rule, run->at.numbers, step, rate, run->stretches[i].factor);
    if (run->shared)
        hill__walk_share(&walk, run->plan->trained * UPDATE_WORK, update_part, &job);
    else
        update_part(&job, 0, 1);
    return !hill__flag_is_raised(&job.broken);
}

double hill__gradient_length(const hill__kernels *kernels, const float *gradient, size_t n)
{
    double length = sqrt(kernels->squares(gradient, n));
    return isinf(length) ? hill__length_of(gradient, NULL, n) : length; /* no float holds its squares */
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
    double length = hill__gradient_length(kernels, run->gradient, n);
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

typedef struct average_job {
    const hill_run *run;
    float part;
} average_job;

static void average_part(void *context, unsigned part, unsigned parts)
{
    const average_job *job = context;
    size_t begin, end;
    hill__split(job->run->plan->vector, HILL__PAD, part, parts, &begin, &end);
    float *average = job->run->average + begin;
    job->run->kernels->blend(average, average, job->run->weights + begin, end - begin, job->part);
}

/* Early steps leave less of what was before: (1 + t) / (10 + t) at most, as TensorFlow's moving averages. */
void hill__move_average(hill_run *run)
{
    const double t = (double)run->at.step + 1, most = (1 + t) / (10 + t), left = run->plan->average;
    average_job job = {run, (float)(1 - (left < most ? left : most))};
    hill__walk walk = {.kernels = run->kernels, .pool = run->pool};
    if (!run->average)
        return;
    if (run->at.step == 0)
        memcpy(run->average, run->weights, run->plan->vector * sizeof(float));
    else if (run->shared)
        hill__walk_share(&walk, run->plan->vector * UPDATE_WORK, average_part, &job);
    else
        average_part(&job, 0, 1);
}

int hill__move(hill_run *run, hill__batch *batch, double rate)
{
    return move_rules[run->rule.id](run, batch, rate);
}
