/*
 * lbfgs.c - L-BFGS (Nocedal: Updating quasi-Newton matrices with limited storage, 1980), with a line search that meets the strong
 * conditions of Wolfe by cubic steps (Nocedal and Wright: Numerical Optimization, 2006, chapter 3).
 *
 * The last moments are the point where the last step ended and the gradient there, so that a step needs no look where it begins,
 * unless the host has moved the weights. Invariant: sums are in double and a fixed order; the weights move once, at the end.
 */
#include "base/fp.h"

#include <math.h>
#include <string.h>

#include "train/move.h"

/* Pairs of a step and what it did to the gradient that are kept. Moments are the steps, the changes, then point and gradient. */
#define LBFGS_PAIRS 10u
/* A step must bring a part of the descent that the slope promises, and leave at most a part of the slope. */
#define LBFGS_ENOUGH 1e-4
#define LBFGS_FLATTER 0.9
/* Looks at most; and by how much the next one goes on where it is still downhill. */
#define LBFGS_LOOKS 20
#define LBFGS_STRIDE 4
/* Costs that differ by no more than this part are equal: they are sums of floats. */
#define LBFGS_NOISE 1e-7

/* A point on the line: how far, how high (the mean cost, and the sum over rows without decay), how steep. */
typedef struct lbfgs_look {
    double t, cost, sum, slope;
} lbfgs_look;

typedef struct lbfgs_line {
    hill_run *run;
    const hill__batch *batch;
    double *direction;
    float *trial;
    float *point, *gradient; /* where the line begins */
    size_t n;
} lbfgs_line;

static double lbfgs_dot(const float *a, const double *b, size_t n)
{
    double lanes[HILL__PAD] = {0}, sum = 0;
    for (size_t i = 0; i < n; i += HILL__PAD)
        for (size_t k = 0; k < HILL__PAD; k++)
            lanes[k] += (double)a[i + k] * b[i + k];
    for (size_t k = 0; k < HILL__PAD; k++)
        sum += lanes[k];
    return sum;
}

static double lbfgs_product(const float *a, const float *b, size_t n)
{
    double lanes[HILL__PAD] = {0}, sum = 0;
    for (size_t i = 0; i < n; i += HILL__PAD)
        for (size_t k = 0; k < HILL__PAD; k++)
            lanes[k] += (double)a[i + k] * (double)b[i + k];
    for (size_t k = 0; k < HILL__PAD; k++)
        sum += lanes[k];
    return sum;
}

/* What the descent brings down, of a sum over the batch's rows: the decay is part of it. */
static double lbfgs_objective(const hill_run *run, const hill__batch *batch, const float *weights)
{
    double decay = run->rule.decay;
    return batch->cost / (double)batch->count +
           (decay > 0 ? decay / 2 * lbfgs_product(weights, weights, run->plan->vector) : 0);
}

/* Cost and gradient at `weights`, with the decay's part in both; the cost is INFINITY where anything isn't finite. */
static int lbfgs_evaluate(hill_run *run, hill__batch *batch, const float *weights, double *cost)
{
    const size_t n = run->plan->vector;
    const float decay = (float)run->rule.decay;
    HILL__TRY(hill__batch_gradient(run, batch, weights));
    for (size_t i = 0; decay > 0 && i < n; i++)
        run->gradient[i] = fmaf(decay, weights[i], run->gradient[i]);
    bool good = !batch->fault && run->kernels->finite(weights, n);
    *cost = good ? lbfgs_objective(run, batch, weights) : INFINITY;
    return HILL_OK;
}

static int lbfgs_look_at(lbfgs_line *line, double t, lbfgs_look *look)
{
    hill__batch batch = *line->batch;
    for (size_t i = 0; i < line->n; i++)
        line->trial[i] = (float)((double)line->point[i] + t * line->direction[i]);
    look->t = t;
    HILL__TRY(lbfgs_evaluate(line->run, &batch, line->trial, &look->cost));
    look->sum = batch.cost;
    look->slope = lbfgs_dot(line->run->gradient, line->direction, line->n);
    return HILL_OK;
}

/* The foot of the cubic through two points and their slopes, but well between them; the middle where there is no such cubic. */
static double lbfgs_between(const lbfgs_look *a, const lbfgs_look *b)
{
    double width = b->t - a->t, middle = a->t + width / 2, edge = 0.1 * width;
    double bend = a->slope + b->slope - 3 * (b->cost - a->cost) / width;
    double inner = bend * bend - a->slope * b->slope;
    if (!isfinite(b->cost) || !isfinite(b->slope) || !(inner >= 0))
        return middle;
    double root = sqrt(inner), below = b->slope - a->slope + 2 * root;
    double t = b->t - width * ((b->slope + root - bend) / below);
    if (!isfinite(t))
        return middle;
    return t < a->t + edge ? a->t + edge : t > b->t - edge ? b->t - edge : t;
}

/* From `start` along the line: *end is where a step may end; its t is 0 where nothing lower was found. */
static int lbfgs_search(lbfgs_line *line, const lbfgs_look *start, double t, lbfgs_look *end)
{
    lbfgs_look low = *start, high = {.t = INFINITY};
    for (int i = 0; i < LBFGS_LOOKS; i++) {
        double bound = start->cost + LBFGS_ENOUGH * t * start->slope + LBFGS_NOISE * fabs(start->cost);
        HILL__TRY(lbfgs_look_at(line, t, end));
        if (!(end->cost <= bound) || !isfinite(end->slope))
            high = *end;
        else if (fabs(end->slope) <= -LBFGS_FLATTER * start->slope)
            return HILL_OK;
        else if (end->slope < 0)
            low = *end;
        else
            high = *end;
        t = isinf(high.t) ? t * LBFGS_STRIDE : lbfgs_between(&low, &high);
    }
    if (low.t > 0)
        return lbfgs_look_at(line, low.t, end);
    end->t = 0;
    return HILL_OK;
}

static float *lbfgs_step_of(const hill_run *run, uint64_t pair)
{
    return run->moments[pair % LBFGS_PAIRS];
}

static float *lbfgs_change_of(const hill_run *run, uint64_t pair)
{
    return run->moments[LBFGS_PAIRS + pair % LBFGS_PAIRS];
}

static void lbfgs_add(double *sum, double factor, const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        sum[i] += factor * (double)x[i];
}

/* direction = -H gradient by the two loops over the last pairs; pairs .. pairs - count are theirs. */
static void lbfgs_turn(const lbfgs_line *line, uint64_t pairs)
{
    const hill_run *run = line->run;
    const uint64_t count = pairs < LBFGS_PAIRS ? pairs : LBFGS_PAIRS;
    const size_t n = line->n;
    double parts[LBFGS_PAIRS], *d = line->direction;
    for (size_t i = 0; i < n; i++)
        d[i] = -(double)line->gradient[i];
    for (uint64_t k = pairs; k-- > pairs - count;) {
        const float *step = lbfgs_step_of(run, k), *change = lbfgs_change_of(run, k);
        parts[k % LBFGS_PAIRS] = lbfgs_dot(step, d, n) / lbfgs_product(step, change, n);
        lbfgs_add(d, -parts[k % LBFGS_PAIRS], change, n);
    }
    if (count > 0) {
        const float *step = lbfgs_step_of(run, pairs - 1), *change = lbfgs_change_of(run, pairs - 1);
        double scale = lbfgs_product(step, change, n) / lbfgs_product(change, change, n);
        for (size_t i = 0; i < n; i++)
            d[i] *= scale;
    }
    for (uint64_t k = pairs - count; k < pairs; k++) {
        const float *step = lbfgs_step_of(run, k), *change = lbfgs_change_of(run, k);
        double part = lbfgs_dot(change, d, n) / lbfgs_product(step, change, n);
        lbfgs_add(d, parts[k % LBFGS_PAIRS] - part, step, n);
    }
}

/* The trial becomes the point; what its step did to the gradient is kept where it bends upwards. Returns the pairs there are. */
static uint64_t lbfgs_arrive(const lbfgs_line *line, uint64_t pairs)
{
    hill_run *run = line->run;
    float *step = lbfgs_step_of(run, pairs), *change = lbfgs_change_of(run, pairs);
    for (size_t i = 0; i < line->n; i++) {
        step[i] = line->trial[i] - line->point[i];
        change[i] = run->gradient[i] - line->gradient[i];
    }
    memcpy(run->weights, line->trial, line->n * sizeof(float));
    memcpy(line->point, line->trial, line->n * sizeof(float));
    memcpy(line->gradient, run->gradient, line->n * sizeof(float));
    double bend = lbfgs_product(step, change, line->n), size = lbfgs_product(change, change, line->n);
    return bend > 1e-10 * size && isfinite(size) ? pairs + 1 : pairs;
}

/* A step that finds nothing lower leaves the weights and forgets the pairs: the next one looks straight down. */
static int lbfgs_go(lbfgs_line *line, double rate, lbfgs_look *start)
{
    hill__place *at = &line->run->at;
    uint64_t pairs = (uint64_t)at->numbers[0];
    lbfgs_look end;
    lbfgs_turn(line, pairs);
    start->slope = lbfgs_dot(line->gradient, line->direction, line->n);
    if (!(start->slope < 0) && pairs > 0) {
        pairs = 0;
        lbfgs_turn(line, pairs);
        start->slope = lbfgs_dot(line->gradient, line->direction, line->n);
    }
    if (!(start->slope < 0))
        return HILL_OK;                                 /* at a foot, or nowhere */
    double steep = pairs > 0 ? 0 : sqrt(-start->slope); /* the first step is at most as long as the rate */
    HILL__TRY(lbfgs_search(line, start, steep > 1 ? rate / steep : rate, &end));
    at->numbers[0] = end.t > 0 ? (double)lbfgs_arrive(line, pairs) : 0;
    if (end.t > 0)
        at->numbers[1] = end.sum;
    return HILL_OK;
}

/* Whether the last step ended where this one begins. */
static bool lbfgs_is_known(const lbfgs_line *line)
{
    const hill_run *run = line->run;
    return run->at.step > 0 && memcmp(run->weights, line->point, line->n * sizeof(float)) == 0;
}

/* Cost and gradient where the step begins; what is known isn't looked at again. */
static int lbfgs_begin(lbfgs_line *line, hill__batch *batch, double *cost)
{
    hill_run *run = line->run;
    const size_t bytes = line->n * sizeof(float);
    if (lbfgs_is_known(line)) {
        memcpy(run->gradient, line->gradient, bytes);
        batch->cost = run->at.numbers[1];
        *cost = lbfgs_objective(run, batch, run->weights);
        return HILL_OK;
    }
    HILL__TRY(lbfgs_evaluate(run, batch, run->weights, cost));
    memcpy(line->point, run->weights, bytes);
    memcpy(line->gradient, run->gradient, bytes);
    run->at.numbers[1] = batch->cost;
    return HILL_OK;
}

int hill__move_lbfgs(hill_run *run, hill__batch *batch, double rate)
{
    const size_t n = run->plan->vector;
    lbfgs_line line = {.run = run, .batch = batch, .direction = run->work, .n = n};
    lbfgs_look start = {.t = 0};
    line.trial = (float *)(void *)(line.direction + n);
    line.point = run->moments[2 * LBFGS_PAIRS];
    line.gradient = run->moments[2 * LBFGS_PAIRS + 1];
    HILL__TRY(lbfgs_begin(&line, batch, &start.cost));
    if (batch->norms)
        batch->gradient_norm = hill__length_of(run->gradient, NULL, n);
    return batch->fault ? HILL_OK : lbfgs_go(&line, rate, &start);
}
