/*
 * step.c - takes the steps of a run: gathers a batch, walks it, lets the rule move, counts, ends epochs.
 *
 * Invariant: a step that fails or diverges leaves nothing behind but what its message says.
 */
#include "base/fp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fpenv.h"
#include "train/grow.h"
#include "train/move.h"
#include "train/shorten.h"

/* After how many steps it is looked whether the weights are good: while the mean cost is at most so many times the first. */
#define GOOD_STEPS 256u
#define GOOD_COST 2

/* The rows at places begin .. begin + count - 1 of this epoch. */
static void list_rows(const hill_run *run, uint64_t begin, size_t count, uint64_t *rows)
{
    for (size_t i = 0; i < count; i++)
        rows[i] = run->shuffled ? hill__permutation_at(&run->order, begin + i) : begin + i;
}

/* Lists the rows of the next step's first block, which begins at place `begin` of this epoch, and tells the source. */
static void expect_rows(hill_run *run, uint64_t begin)
{
    const hill_source *source = &run->train;
    if (!source->expect || begin == source->rows)
        return;
    uint64_t left = source->rows - begin;
    size_t count = hill__run_block(run, left < run->batch ? left : run->batch);
    list_rows(run, begin, count, run->next);
    run->next_step = run->at.step + 1;
    source->expect(source->self, run->next, count);
}

/* Gathers rows at places begin .. begin + count - 1 of this epoch; those of a step's first block may be listed already. */
static int gather_block(hill_run *run, uint64_t begin, size_t count, bool first)
{
    if (first && run->next_step == run->at.step && run->at.step > 0) {
        uint64_t *listed = run->next;
        run->next = run->rows;
        run->rows = listed;
        run->next_step = 0; /* should the source fail now, the step lists them anew */
    } else {
        list_rows(run, begin, count, run->rows);
    }
    return hill__run_gather(run, &run->train, count);
}

/* What a step drops, of the rows from `first` of its batch on. */
static void set_dropout(const hill_run *run, hill__walk *walk, size_t first)
{
    const double step = (double)run->at.step;
    walk->seed = run->seed;
    walk->step = run->at.step;
    walk->drops = step < run->drop_steps ? step / run->drop_steps : 1;
    walk->first_row = first;
}

int hill__batch_block(hill_run *run, const hill__batch *batch, size_t done, const float *weights, hill__walk *walk)
{
    size_t rows = hill__run_block(run, batch->count - done);
    HILL__TRY(gather_block(run, batch->begin + done, rows, done == 0));
    if (done + rows == batch->count)
        expect_rows(run, batch->begin + batch->count);
    *walk = hill__run_walk(run, weights, rows);
    if (run->plan->growth.any)
        hill__grow_rows(run->plan, run->grow_seed, run->rows, walk, run->targets, run->weighed ? run->row_weights : NULL);
    walk->kept = run->weights;
    set_dropout(run, walk, done);
    return HILL_OK;
}

static int single_gradient(hill_run *run, hill__batch *batch)
{
    float cost;
    batch->block = 1;
    HILL__TRY(gather_block(run, batch->begin, 1, true));
    expect_rows(run, batch->begin + 1);
    bool good = hill__singles_gradient(&run->singles, run->kernels, &cost) && isfinite(cost);
    batch->fault = good ? HILL__FAULT_NONE : HILL__FAULT_GRADIENT;
    batch->cost = (double)cost;
    return HILL_OK;
}

static double sum_of(const float *costs, size_t rows)
{
    double sum = 0;
    for (size_t i = 0; i < rows; i++)
        sum += (double)costs[i];
    return sum;
}

int hill__batch_gradient(hill_run *run, hill__batch *batch, const float *weights)
{
    if (run->singles.count)
        return single_gradient(run, batch);
    /* Rules that always see all rows add to the gradient where they like. */
    const bool keeps = hill__rule_facts_of(run->plan->rule)->rows != HILL__ROWS_ALWAYS;
    batch->cost = 0;
    batch->fault = HILL__FAULT_NONE;
    for (size_t done = 0; done < batch->count && !batch->fault; done += batch->block) {
        hill__walk walk;
        HILL__TRY(hill__batch_block(run, batch, done, weights, &walk));
        batch->block = walk.rows;
        walk.add = done > 0;
        walk.met = keeps ? &run->met : NULL;
        walk.scale = 1.0f / (float)batch->count;
        hill__walk_gradient(run->plan, &walk);
        batch->cost += sum_of(walk.costs, walk.rows);
        if (hill__flag_is_raised(&walk.broken) || !isfinite(batch->cost))
            batch->fault = HILL__FAULT_GRADIENT;
    }
    return HILL_OK;
}

int hill__batch_cost(hill_run *run, const hill__batch *batch, const float *weights, double *cost)
{
    hill__walk walk;
    *cost = 0;
    for (size_t done = 0; done < batch->count; done += walk.rows) {
        HILL__TRY(hill__batch_block(run, batch, done, weights, &walk));
        (void)hill__walk_cost(run->plan, &walk);
        *cost += sum_of(walk.costs, walk.rows);
    }
    return HILL_OK;
}

double hill__length_of(const float *a, const float *b, size_t n)
{
    double lanes[HILL__PAD] = {0}, sum = 0;
    for (size_t i = 0; i < n; i++) {
        double value = (double)a[i] - (b ? (double)b[i] : 0);
        lanes[i % HILL__PAD] += value * value;
    }
    for (size_t i = 0; i < HILL__PAD; i++)
        sum += lanes[i];
    return sqrt(sum);
}

/* The end of an epoch: looks at the validation rows, keeps the best weights, decides whether to go on. */
static int end_epoch(hill_run *run, hill_row *row)
{
    hill__watch *watch = &run->watch;
    uint64_t epoch = run->at.epoch + 1;
    double train_cost = run->at.epoch_cost / (double)run->train.rows;
    hill_score score = HILL_SCORE_INIT;
    bool better = false;
    score.cost = score.accuracy = NAN;
    if (run->has_valid) {
        HILL__TRY(hill_run_evaluate(run, hill__run_shown(run), &run->valid, &score));
        better = score.cost < watch->best_cost;
    }
    hill__schedule_look(&run->schedule, &run->at.plateau, run->has_valid ? score.cost : train_cost);
    if (run->at.step == run->total_steps)
        run->stop = HILL__STOP_EPOCHS;
    if (run->has_valid && !better && watch->patience && epoch - watch->best_epoch >= watch->patience)
        run->stop = HILL__STOP_PATIENCE;
    if (row) {
        row->epoch_end = 1;
        row->train_cost = train_cost;
        row->valid_cost = score.cost;
        row->valid_accuracy = score.accuracy;
    }
    run->at.epoch = epoch;
    run->at.epoch_step = 0;
    run->at.epoch_cost = 0;
    hill__run_stand(run);
    if (better) {
        watch->best_cost = score.cost;
        watch->best_epoch = epoch;
        memcpy(run->best, hill__run_shown(run), run->plan->vector * sizeof(float));
        /* The first epoch is always the best so far, however far the descent has run away by then. */
        run->good.due = run->good.due || score.cost <= GOOD_COST * run->good.first_cost;
    }
    return HILL_OK;
}

static void fill_row(const hill_run *run, hill_row *row, uint64_t step, double cost, double rate)
{
    row->epoch_end = 0;
    row->back = 0;
    row->step = step;
    row->epoch = run->at.epoch + 1;
    row->cost = cost;
    row->rate = rate;
    row->gradient_norm = row->weight_norm = row->step_norm = NAN;
    row->train_cost = row->valid_cost = row->valid_accuracy = NAN;
}

/* The step diverged; `row` tells where the run is now. */
static int retreat(hill_run *run, hill__fault fault, size_t rows, hill_row *row)
{
    int status = hill__run_retreat(run, fault, rows);
    if (row && status == HILL_ROW) {
        fill_row(run, row, run->at.step, NAN, hill__run_rate(run));
        row->back = 1;
    }
    return status;
}

/* Counts the step that was just taken; now and then looks whether these are weights to go back to. */
static void count_step(hill_run *run, const hill__batch *batch)
{
    hill__place *at = &run->at;
    double cost = batch->cost / (double)batch->count;
    if (at->step == 0)
        run->good.first_cost = cost;
    at->epoch_cost += batch->cost;
    at->recent += cost;
    at->recent_steps++;
    at->step++;
    at->epoch_step++;
    run->good.due = false;
    if (at->step % GOOD_STEPS != 0)
        return;
    run->good.due = at->recent <= GOOD_COST * run->good.first_cost * (double)at->recent_steps;
    at->recent = 0;
    at->recent_steps = 0;
}

/* What follows from a step that was counted. Where a source fails it is left to the next call. */
static int end_step(hill_run *run, hill_row *row)
{
    if (run->at.epoch_step == run->epoch_steps)
        HILL__TRY(end_epoch(run, row));
    if (run->good.due)
        hill__run_keep(run);
    return HILL_ROW;
}

int hill_step(hill_run *run, hill_row *row)
{
    if (run->stop != HILL__STOP_NONE)
        return run->stop == HILL__STOP_DIVERGED ? HILL_EDIVERGED : HILL_DONE;
    if (!hill__fp_is_default()) {
        snprintf(run->message, sizeof run->message, "%s", hill_status_text(HILL_EFPENV));
        return HILL_EFPENV;
    }
    double rate = hill__run_rate(run);
    if (run->at.epoch_step == run->epoch_steps) {
        if (row)
            fill_row(run, row, run->at.step, NAN, rate);
        return end_step(run, row);
    }
    const size_t vector = run->plan->vector;
    uint64_t begin = run->at.epoch_step * run->batch, left = run->train.rows - begin;
    hill__batch batch = {
        .begin = begin, .count = left < run->batch ? (size_t)left : run->batch, .norms = row && row->want & HILL_WANT_NORMS};
    if (run->at.step == 0)
        hill__run_keep(run);
    if (batch.norms)
        memcpy(run->before, run->weights, vector * sizeof(float));
    HILL__TRY(hill__move(run, &batch, rate));
    if (batch.fault)
        return retreat(run, batch.fault, batch.block, row);
    hill__shorten(run);
    hill__move_average(run);
    if (row)
        fill_row(run, row, run->at.step + 1, batch.cost / (double)batch.count, rate);
    if (batch.norms) {
        row->gradient_norm = batch.gradient_norm;
        row->weight_norm = hill__length_of(run->before, NULL, vector);
        row->step_norm = hill__length_of(run->weights, run->before, vector);
    }
    count_step(run, &batch);
    return end_step(run, row);
}
