/*
 * range.c - the rate range test (Smith 2015, "No more pesky learning rate guessing games"): every step has a longer rate than the
 * last; where the cost falls fastest is a good rate, and where it runs away the rates end.
 *
 * Invariant: the points and the suggestion are a function of recipe and data; nothing but the time depends on the machine. Batches
 * differ, so the start weights walk beside the descent at rate 0 over the same rows, and what they cost is taken off.
 */
#include "range.h"

#include "output.h"
#include "stop.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define RATE_LOW 1e-7
#define DECADE_STEPS 40
#define POINTS (10 * DECADE_STEPS + 1) /* to 1e3 */
#define RATIO 1.0592537251772889       /* 10^(1 / DECADE_STEPS) */
#define NEAR 10                        /* points on either side that a smooth one takes in */
#define SLOPE 5                        /* ... that a slope is taken over */
#define AWAY 3                         /* so many times the start's cost above it, a cost has run away ... */
#define AWAY_STEPS 5                   /* ... for good after so many steps */
#define FALL 0.01                      /* part of the start's cost that a fall must be, to be one */
#define NEARLY 0.9                     /* part of a fall */
#define REDRAW 0.1

/* The same once more, for the start weights. */
static int open_still(const training *t, const hill_session *session, hill_session **out)
{
    hill_error error = HILL_ERROR_INIT;
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = t->train;
    tables.valid = t->valid;
    tables.start = t->a->values[OPTION_START];
    int status = hill_session_new(hill_session_recipe(session), &tables, &t->host, out, &error);
    return status == HILL_OK ? 0 : output_failure(status, &error);
}

static int interrupted(void)
{
    bool by_key = stop_signal == SIGINT;
    return output_error(by_key ? CODE_INTERRUPT : CODE_TERMINATE, "stopped by %s; nothing was saved",
                        by_key ? "Ctrl-C" : "SIGTERM");
}

/* One step of both runs; where all batches are alike `still` is NULL, and the start weights cost what they did first. */
static int take_step(hill_run *run, hill_run *still, const range_point *first, range_point *point)
{
    hill_row row = HILL_ROW_INIT;
    int status = hill_run_set_rate(run, point->rate);
    if (status == HILL_OK)
        status = hill_step(run, &row);
    point->cost = row.cost;
    point->still = first == point ? row.cost : first->still;
    if (status != HILL_ROW || !still)
        return status;
    status = hill_run_set_rate(still, DBL_MIN); /* as a float it is 0 */
    if (status == HILL_OK)
        status = hill_step(still, &row);
    point->still = row.cost;
    return status;
}

static void show(training *t, const range_point *point, double *shown)
{
    char words[40];
    double now = progress_clock();
    if (now - *shown < REDRAW)
        return;
    *shown = now;
    (void)snprintf(words, sizeof words, "rate %.2g", point->rate);
    progress_wait(&t->progress, "trying", words);
}

/* Steps at growing rates, until the cost has run away. */
static int walk(training *t, hill_run *run, hill_run *still, range *out)
{
    double rate = RATE_LOW, shown = 0;
    size_t away = 0;
    stop_listen();
    for (; out->count < POINTS && away < AWAY_STEPS; out->count++, rate *= RATIO) {
        range_point *point = &out->points[out->count];
        point->rate = rate;
        if (stop_signal)
            return interrupted();
        int status = take_step(run, still, out->points, point);
        if (status == HILL_EDIVERGED)
            return 0;
        if (status != HILL_ROW) {
            const char *message = hill_run_message(still && *hill_run_message(still) ? still : run);
            return output_error(output_code(status), "%s", *message ? message : hill_status_text(status));
        }
        away = point->cost - point->still > AWAY * fabs(out->points->still) ? away + 1 : 0;
        show(t, point, &shown);
    }
    return 0;
}

/* Whether a batch's cost can be told as a multiple of what the start weights cost on it. */
static bool has_ratio(const range *r)
{
    bool positive = true;
    for (size_t i = 0; i < r->count; i++)
        positive = positive && r->points[i].still > 0;
    return positive;
}

/* The mean cost near the i-th point, nearer ones counting more; a cost that has run away counts no more than `most`. */
static double smooth_at(const range *r, size_t i, bool ratio, double most)
{
    double weights = 0, costs = 0, stills = 0;
    size_t begin = i < NEAR ? 0 : i - NEAR, end = i + NEAR < r->count ? i + NEAR : r->count - 1;
    for (size_t k = begin; k <= end; k++) {
        double weight = (double)(NEAR + 1 - (k < i ? i - k : k - i));
        costs += weight * (r->points[k].cost < most ? r->points[k].cost : most);
        stills += weight * r->points[k].still;
        weights += weight;
    }
    return ratio ? r->start * (costs / stills) : r->start + (costs - stills) / weights;
}

static void smooth(range *r)
{
    double sum = 0;
    for (size_t i = 0; i < r->count; i++)
        sum += r->points[i].still;
    r->start = r->count ? sum / (double)r->count : NAN;
    bool ratio = has_ratio(r);
    for (size_t i = 0; i < r->count; i++)
        r->points[i].smooth = smooth_at(r, i, ratio, r->start + AWAY * fabs(r->start));
}

static double fall_of(const range *r, size_t point)
{
    return r->start - r->points[point].smooth;
}

/* The first point at which half of a fall is lost again, a fall being at least half of the greatest one: noise is none. */
static void find_lost(range *r)
{
    size_t deepest = 0;
    for (size_t i = 1; i < r->count; i++)
        if (fall_of(r, i) > fall_of(r, deepest))
            deepest = i;
    double least = fall_of(r, deepest) / 2;
    r->lost = r->count;
    for (size_t i = 1; i < r->count && r->lost == r->count; i++) {
        if (fall_of(r, i) > fall_of(r, r->lowest))
            r->lowest = i;
        if (fall_of(r, r->lowest) >= least && fall_of(r, i) < fall_of(r, r->lowest) / 2)
            r->lost = i;
    }
}

static void find_steepest(range *r)
{
    double steepest = 0;
    for (size_t i = SLOPE; i <= r->lowest && i + SLOPE < r->count; i++) {
        double slope = r->points[i + SLOPE].smooth - r->points[i - SLOPE].smooth;
        if (slope < steepest) {
            steepest = slope;
            r->steepest = i;
        }
    }
}

/* A rate that is as long as may be: a tenth of one that is too long, or where none is, the one at which the fall is nearly made. */
static double longest_rate(const range *r)
{
    size_t nearly = 0;
    if (r->lost < r->count)
        return r->points[r->lost].rate / 10;
    if (r->count < POINTS)
        return r->points[r->count - 1].rate * RATIO / 10;
    while (fall_of(r, nearly) < NEARLY * fall_of(r, r->lowest))
        nearly++;
    return r->points[nearly].rate;
}

static void no_suggestion(range *r)
{
    if (r->count <= 2 * SLOPE)
        text_format(&r->why,
                    "none can be suggested: the descent diverges at the smallest rate, 1e-7; are inputs or targets huge?");
    else
        text_format(
            &r->why,
            "none can be suggested: at no rate from %g to %.2g does the cost fall by as much as 1%% of the %.4g at which it "
            "begins",
            RATE_LOW, r->points[r->count - 1].rate, r->start);
}

/* Halfway, in powers of ten: the steepest rate alone is too short where the first costs are only those of a bad start. */
static void suggest(range *r)
{
    if (r->count <= 2 * SLOPE || !(fall_of(r, r->lowest) > FALL * fabs(r->start))) {
        no_suggestion(r);
        return;
    }
    double longest = longest_rate(r), steepest = r->points[r->steepest].rate;
    char digits[16];
    (void)snprintf(digits, sizeof digits, "%.2g", steepest < longest ? sqrt(steepest * longest) : longest);
    r->suggestion = strtod(digits, NULL);
    if (steepest >= longest)
        text_format(&r->why,
                    "a tenth of the rate at which half of the fall is lost again; at %.2g, where it is fastest, that is near",
                    steepest);
    else if (r->count < POINTS || r->lost < r->count)
        text_format(
            &r->why,
            "between %.2g, where the cost falls fastest, and %.2g, a tenth of the rate at which half of the fall is lost again",
            steepest, longest);
    else
        text_format(&r->why, "between %.2g, where the cost falls fastest, and %.2g, where nine tenths of the fall are made",
                    steepest, longest);
}

int range_prepare(hill_recipe *recipe)
{
    hill_error error = HILL_ERROR_INIT;
    char steps[24];
    (void)snprintf(steps, sizeof steps, "%d", POINTS); /* an epoch has a step at least */
    const char *const knobs[][2] = {{"epochs", steps}, {"patience", "0"}, {"on-divergence", "stop"}, {"rate", "1"}};
    for (size_t i = 0; i < sizeof knobs / sizeof *knobs; i++) {
        int status = hill_recipe_set(recipe, knobs[i][0], knobs[i][1], &error);
        if (status != HILL_OK)
            return output_failure(status, &error);
    }
    return 0;
}

int range_test(training *t, hill_session *session, range *out)
{
    hill_run *run = hill_session_run(session);
    hill_session *still = NULL;
    bool batches = hill_run_epoch_steps(run) > 1;
    *out = (range){.points = calloc(POINTS, sizeof *out->points)};
    int code = out->points ? 0 : output_failure(HILL_EMEMORY, NULL);
    if (code == 0 && batches)
        code = open_still(t, session, &still);
    if (code == 0)
        code = walk(t, run, still ? hill_session_run(still) : NULL, out);
    progress_clear(&t->progress);
    if (code == 0) {
        smooth(out);
        find_lost(out);
        find_steepest(out);
        suggest(out);
    }
    hill_session_free(still);
    return code == 0 && out->why.failed ? output_failure(HILL_EMEMORY, NULL) : code;
}

void range_free(range *r)
{
    free(r->points);
    text_free(&r->why);
}

range_view range_look(const range *r)
{
    range_view view = {.first = -7, .last = -6, .low = 0, .high = 1};
    if (r->count == 0)
        return view;
    double low = r->points[r->lowest].smooth, fall = r->start - low, least = 0.1 * fabs(r->start);
    double above = fall / 3 > least / 2 ? fall / 3 : least > 0 ? least / 2 : 0.5;
    view.high = (fall > 0 ? r->start : low) + above;
    view.low = low - (view.high - low) / 20;
    if (low >= 0 && view.low < 0)
        view.low = 0;
    while (view.count < r->count && (view.count <= r->lowest || r->points[view.count - 1].smooth < view.high))
        view.count++;
    view.last = (int)ceil(log10(r->points[view.count - 1].rate) - 1e-6);
    view.last = view.last > view.first ? view.last : view.first + 1;
    return view;
}

double range_across(const range_view *view, double rate)
{
    return (log10(rate) - view->first) / (view->last - view->first);
}

double range_up(const range_view *view, double cost)
{
    double up = (cost - view->low) / (view->high - view->low);
    return up < 0 ? 0 : up > 1 ? 1 : up;
}

void range_decade(text *out, int decade)
{
    if (decade < -4 || decade > 3)
        text_format(out, "1e%d", decade);
    else
        text_format(out, "%.*f", decade < 0 ? -decade : 0, pow(10, decade));
}
