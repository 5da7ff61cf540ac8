/*
 * run.c - makes a run and takes its steps.
 *
 * Invariant: after n steps a run is a function of (plan, sources, seed, n); nothing is allocated between the first step and
 * the last.
 */
#include "base/fp.h"

#include "train/run.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/fpenv.h"
#include "base/number.h"
#include "train/grow.h"
#include "train/init.h"
#include "train/shorten.h"

/* An update costs about as much as this many multiply-adds a weight. */
#define UPDATE_WORK 8

/* After how many steps it is looked whether the weights are good: while the mean cost is at most so many times the first. */
#define GOOD_STEPS 256u
#define GOOD_COST 2

static void place_vectors(hill_run *run)
{
    const hill_plan *plan = run->plan;
    float *next = run->vectors;
    size_t moments = hill__rule_moments(plan->rule);
    run->weights = next;
    for (size_t i = 0; i < moments; i++)
        run->moments[i] = next += plan->vector;
    float **const others[] = {&run->good_weights, &run->gradient, &run->best, &run->before};
    run->good_weights = next += plan->vector;
    next += moments * plan->vector;
    for (size_t i = 1; i < sizeof others / sizeof others[0]; i++)
        *others[i] = next += plan->vector;
}

static int place_memory(hill_run *run)
{
    const hill_plan *plan = run->plan;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    HILL__TRY(hill_plan_info(plan, &sizes));
    if (run->train.rows > 0)
        run->vectors = hill__alloc_aligned(&run->allocator, sizes.vector_bytes);
    run->scratch = hill__alloc_aligned(&run->allocator, sizes.scratch_bytes);
    run->staging = hill__alloc_aligned(&run->allocator, sizes.staging_bytes);
    if ((run->train.rows > 0 && !run->vectors) || !run->scratch || !run->staging)
        return HILL_EMEMORY;
    run->rows = run->staging;
    run->next = run->rows + plan->block_rows;
    run->inputs = (float *)(run->next + plan->block_rows);
    run->targets = run->inputs + plan->block_rows * plan->inputs;
    run->row_weights = run->targets + plan->block_rows * plan->outputs;
    if (run->vectors)
        place_vectors(run);
    return HILL_OK;
}

static void free_memory(hill_run *run)
{
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    if (hill_plan_info(run->plan, &sizes) < 0)
        return;
    hill__free_aligned(&run->allocator, run->staging, sizes.staging_bytes);
    hill__free_aligned(&run->allocator, run->scratch, sizes.scratch_bytes);
    hill__free_aligned(&run->allocator, run->vectors, sizes.vector_bytes);
}

static bool source_fits(const hill_plan *plan, const hill_source *source)
{
    return source->fill && source->rows > 0 && source->inputs == plan->inputs && source->targets == plan->outputs;
}

void hill__run_stand(hill_run *run)
{
    run->next_step = 0;
    run->slow = hill__power(0.5, run->good.returns);
    if (run->shuffled)
        run->order = hill__permutation_make(run->train.rows, run->seed, run->at.epoch, HILL__PURPOSE_ORDER);
    run->grow_seed = hill__grow_seed(run->seed, run->at.epoch);
}

double hill__run_rate(const hill_run *run)
{
    return (run->told > 0 ? run->told : hill__schedule_rate(&run->schedule, run->at.step)) * run->slow;
}

static size_t block_of(const hill_run *run, uint64_t rows)
{
    return rows < run->plan->block_rows ? (size_t)rows : run->plan->block_rows;
}

/*
 * From how many rows on threads make a walk faster. What one core has written must come over to another before that can go on
 * with it, so a float must be good for many multiply-adds. All loops of a step are shared or none, for a weight that is always
 * written by the same core mostly stays there.
 */
static size_t rows_to_share(const hill_run *run)
{
    double work = 0, weights = 0, units = 0, reuse = run->kernels->thread_reuse;
    for (size_t i = 0; i < run->plan->count; i++) {
        const hill__instr *instr = &run->plan->instrs[i];
        if (!(instr->op->flags & HILL__OP_WEIGHTS))
            continue;
        work += (double)instr->work;
        weights += (double)instr->weights;
        units += (double)instr->inputs + (double)instr->outputs;
    }
    /* rows * work multiply-adds to rows * units + weights floats */
    double spare = work - reuse * units;
    return spare > 0 && reuse * weights / spare < 1e9 ? (size_t)(reuse * weights / spare) + 1 : SIZE_MAX;
}

static void begin(hill_run *run)
{
    const hill_recipe *recipe = run->plan->recipe;
    uint64_t epochs = hill__recipe_count(recipe, "epochs"), rows = run->train.rows;
    run->batch = run->plan->batch && run->plan->batch < rows ? run->plan->batch : (size_t)rows;
    run->epoch_steps = rows / run->batch + (rows % run->batch != 0);
    run->total_steps = epochs > UINT64_MAX / run->epoch_steps ? UINT64_MAX : epochs * run->epoch_steps;
    run->shuffled = !hill__recipe_is(recipe, "order", "file");
    run->rule = hill__rule_make(recipe);
    run->drop_steps = hill__recipe_number(recipe, "dropout-warmup") * (double)run->epoch_steps;
    run->most_norm = (float)hill__recipe_number(recipe, "max-norm");
    run->schedule = hill__schedule_make(recipe, run->epoch_steps, run->total_steps);
    run->shared = block_of(run, run->batch) >= run->share_rows;
    run->watch.patience = hill__recipe_count(recipe, "patience");
    run->good.stops = hill__recipe_is(recipe, "on-divergence", "stop");
}

static int bind_singles(hill_run *run)
{
    size_t count = hill__singles_count(run->plan);
    if (count == 0)
        return HILL_OK;
    run->singles.layers = hill__alloc(&run->allocator, count, sizeof *run->singles.layers);
    if (!run->singles.layers)
        return HILL_EMEMORY;
    hill__walk walk = hill__run_walk(run, NULL, 1);
    hill__singles_bind(&run->singles, run->plan, &walk);
    return HILL_OK;
}

/* More threads than cores only wait for each other. */
static unsigned threads_of(const hill_host *host)
{
    unsigned threads = host ? host->threads : 1, cores = hill__core_count();
    return threads <= cores || host->crowd ? threads : cores;
}

int hill_run_new(const hill_plan *plan, const hill_source *train, const hill_source *valid, const hill_host *host,
                 hill_run **out)
{
    *out = NULL;
    const hill__kernels *kernels = hill__kernels_find(host ? host->isa : NULL);
    if (!kernels)
        return HILL_EISA;
    if (!hill__fp_is_default())
        return HILL_EFPENV;
    if ((train && !source_fits(plan, train)) || (valid && !source_fits(plan, valid)))
        return HILL_EARGUMENT;
    hill_allocator allocator = hill__allocator(host);
    hill_run *run = hill__alloc(&allocator, 1, sizeof *run);
    if (!run)
        return HILL_EMEMORY;
    run->allocator = allocator;
    run->plan = plan;
    run->kernels = kernels;
    if (train)
        run->train = *train;
    run->has_valid = valid != NULL;
    if (valid)
        run->valid = *valid;
    int status = place_memory(run);
    if (status >= 0)
        status = hill__pool_new(threads_of(host), &allocator, &run->pool);
    if (status >= 0 && train && !train->weigh)
        status = bind_singles(run);
    if (status < 0) {
        hill_run_free(run);
        return status;
    }
    run->share_rows = rows_to_share(run);
    run->seed = hill__recipe_count(plan->recipe, "seed");
    run->stop = HILL__STOP_EPOCHS;
    if (train) {
        begin(run);
        hill_run_restart(run, run->seed);
    }
    *out = run;
    return HILL_OK;
}

void hill_run_free(hill_run *run)
{
    if (!run)
        return;
    hill_allocator allocator = run->allocator;
    hill__pool_free(run->pool);
    hill__free(&allocator, run->singles.layers, hill__singles_count(run->plan), sizeof *run->singles.layers);
    free_memory(run);
    hill__free(&allocator, run, 1, sizeof *run);
}

int hill_run_restart(hill_run *run, uint64_t seed)
{
    const hill_plan *plan = run->plan;
    if (!run->vectors)
        return HILL_EARGUMENT;
    memset(run->vectors, 0, hill__plan_vectors(plan) * plan->vector * sizeof(float));
    run->seed = seed;
    run->told = 0;
    run->at = (hill__place){0};
    run->good = (hill__good){.first_cost = INFINITY, .stops = run->good.stops};
    run->stop = run->total_steps ? HILL__STOP_NONE : HILL__STOP_EPOCHS;
    run->watch.best_cost = INFINITY;
    run->watch.best_epoch = 0;
    run->message[0] = '\0';
    hill__init_weights(plan, seed, run->weights);
    memcpy(run->best, run->weights, plan->vector * sizeof(float));
    hill__run_stand(run);
    return HILL_OK;
}

int hill_run_set_rate(hill_run *run, double rate)
{
    if (!run->vectors || !isfinite(rate) || rate < 0)
        return HILL_EARGUMENT;
    run->told = rate;
    return HILL_OK;
}

int hill__run_gather(hill_run *run, const hill_source *source, size_t count)
{
    int status = source->fill(source->self, run->rows, count, run->inputs, run->targets);
    run->weighed = source->weigh != NULL;
    if (status >= 0 && source->weigh)
        status = source->weigh(source->self, run->rows, count, run->row_weights);
    if (status < 0)
        snprintf(run->message, sizeof run->message, "the source failed with status %d", status);
    return status;
}

hill__walk hill__run_walk(hill_run *run, const float *weights, size_t rows)
{
    hill__walk walk = {.kernels = run->kernels,
                       .pool = rows >= run->share_rows ? run->pool : NULL,
                       .weights = weights ? weights : run->weights,
                       .gradient = run->gradient,
                       .scratch = run->scratch,
                       .inputs = run->inputs,
                       .targets = run->targets,
                       .row_weights = run->weighed ? run->row_weights : NULL,
                       .rows = rows};
    hill__walk_begin(run->plan, &walk);
    return walk;
}

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
    size_t count = block_of(run, left < run->batch ? left : run->batch);
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

/* A batch under way: where it begins in the epoch, its rows, the sum of their costs. */
typedef struct step_batch {
    uint64_t begin;
    size_t count;
    size_t block; /* rows of the block that was walked last */
    double cost;
    bool good; /* costs and gradient are finite so far */
} step_batch;

/* What a step drops, of the rows from `first` of its batch on. */
static void set_dropout(const hill_run *run, hill__walk *walk, size_t first)
{
    const double step = (double)run->at.step;
    walk->trains = true;
    walk->seed = run->seed;
    walk->step = run->at.step;
    walk->drops = step < run->drop_steps ? step / run->drop_steps : 1;
    walk->first_row = first;
}

/* Gradient of the mean cost over a batch; ends with the first block that isn't good. */
static int batch_gradient(hill_run *run, step_batch *batch)
{
    if (run->singles.count) {
        float cost;
        batch->block = 1;
        HILL__TRY(gather_block(run, batch->begin, 1, true));
        expect_rows(run, batch->begin + 1);
        batch->good = hill__singles_gradient(&run->singles, run->kernels, &cost) && isfinite(cost);
        batch->cost = (double)cost;
        return HILL_OK;
    }
    for (size_t done = 0; done < batch->count && batch->good; done += batch->block) {
        size_t rows = batch->block = block_of(run, batch->count - done);
        HILL__TRY(gather_block(run, batch->begin + done, rows, done == 0));
        if (done + rows == batch->count)
            expect_rows(run, batch->begin + batch->count);
        hill__walk walk = hill__run_walk(run, NULL, rows);
        if (run->plan->growth.any)
            hill__grow_rows(run->plan, run->grow_seed, run->rows, &walk, run->targets);
        walk.kept = run->weights;
        set_dropout(run, &walk, done);
        walk.add = done > 0;
        walk.scale = 1.0f / (float)batch->count;
        hill__walk_gradient(run->plan, &walk);
        for (size_t i = 0; i < rows; i++)
            batch->cost += (double)walk.costs[i];
        batch->good = !hill__flag_is_raised(&walk.broken) && isfinite(batch->cost);
    }
    return HILL_OK;
}

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
    update_job job = {.run = run, .update = hill__rule_update(&run->rule, run->at.step + 1, rate)};
    hill__walk walk = {.kernels = run->kernels, .pool = run->pool};
    if (run->shared)
        hill__walk_share(&walk, run->plan->trained * UPDATE_WORK, update_part, &job);
    else
        update_part(&job, 0, 1);
    return !hill__flag_is_raised(&job.broken);
}

/* Euclidean length of a - b (b may be NULL), summed in 16 lanes and a fixed order. */
static double norm_of(const float *a, const float *b, size_t n)
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
    hill_score score = HILL_SCORE_INIT;
    bool better = false;
    score.cost = score.accuracy = NAN;
    if (run->has_valid) {
        HILL__TRY(hill_run_evaluate(run, NULL, &run->valid, &score));
        better = score.cost < watch->best_cost;
    }
    if (run->at.step == run->total_steps)
        run->stop = HILL__STOP_EPOCHS;
    if (run->has_valid && !better && watch->patience && epoch - watch->best_epoch >= watch->patience)
        run->stop = HILL__STOP_PATIENCE;
    if (row) {
        row->epoch_end = 1;
        row->train_cost = run->at.epoch_cost / (double)run->train.rows;
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
        memcpy(run->best, run->weights, run->plan->vector * sizeof(float));
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
static void count_step(hill_run *run, const step_batch *batch)
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
    step_batch batch = {.begin = begin, .count = left < run->batch ? (size_t)left : run->batch, .good = true};
    if (run->at.step == 0)
        hill__run_keep(run);
    HILL__TRY(batch_gradient(run, &batch));
    if (!batch.good)
        return retreat(run, HILL__FAULT_GRADIENT, batch.block, row);
    bool norms = row && row->want & HILL_WANT_NORMS;
    if (row)
        fill_row(run, row, run->at.step + 1, batch.cost / (double)batch.count, rate);
    if (norms)
        memcpy(run->before, run->weights, vector * sizeof(float));
    if (!update_weights(run, rate))
        return retreat(run, HILL__FAULT_UPDATE, batch.block, row);
    hill__shorten(run);
    if (norms) {
        row->gradient_norm = norm_of(run->gradient, NULL, vector);
        row->weight_norm = norm_of(run->before, NULL, vector);
        row->step_norm = norm_of(run->weights, run->before, vector);
    }
    count_step(run, &batch);
    return end_step(run, row);
}

const char *hill_run_message(const hill_run *run)
{
    return run->message;
}

const char *hill_run_stopped(const hill_run *run)
{
    static const char *const words[] = {"", "epochs", "patience", "diverged"};
    return words[run->stop];
}

uint64_t hill_run_steps(const hill_run *run, unsigned *ways_back)
{
    if (ways_back)
        *ways_back = (unsigned)run->good.returns;
    return run->at.step;
}

uint64_t hill_run_epoch_steps(const hill_run *run)
{
    return run->epoch_steps;
}

uint64_t hill_run_total_steps(const hill_run *run)
{
    return run->total_steps;
}

float *hill_run_weights(hill_run *run)
{
    return run->weights;
}

const float *hill_run_gradient(const hill_run *run)
{
    return run->gradient;
}

const float *hill_run_best(const hill_run *run, uint64_t *epoch)
{
    bool kept = run->has_valid && run->watch.best_epoch > 0;
    if (epoch)
        *epoch = kept ? run->watch.best_epoch : run->at.epoch;
    return kept ? run->best : run->weights;
}
