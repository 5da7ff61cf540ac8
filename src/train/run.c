/*
 * run.c - makes a run, and says what it holds.
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
#include "plan/factors.h"
#include "train/grow.h"
#include "train/init.h"

static void place_vectors(hill_run *run)
{
    const hill_plan *plan = run->plan;
    float *next = run->vectors;
    size_t moments = hill__plan_moments(plan), own = hill__rule_facts_of(plan->rule)->moments;
    run->weights = run->point = next;
    for (size_t i = 0; i < own; i++)
        run->moments[i] = next += plan->vector;
    if (moments > own)
        run->average = next += plan->vector;
    float **const others[] = {&run->good_weights, &run->gradient, &run->best, &run->before};
    run->good_weights = next += plan->vector;
    next += moments * plan->vector;
    for (size_t i = 1; i < sizeof others / sizeof others[0]; i++)
        *others[i] = next += plan->vector;
    run->work = next + plan->vector;
    if (plan->rule == HILL__RULE_ID_schedule_free)
        run->point = run->work;
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
    run->met = (hill__met){.numbers = run->scratch + plan->met, .room = plan->met_room};
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
    double said = hill__schedule_rate(&run->schedule, run->at.step, run->at.plateau.drops);
    return (run->told > 0 ? run->told : said) * run->slow;
}

const float *hill__run_shown(const hill_run *run)
{
    return run->average && run->at.step > 0 ? run->average : run->weights;
}

size_t hill__run_block(const hill_run *run, uint64_t rows)
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
    run->clip = hill__recipe_number(recipe, "clip");
    run->clip_value = hill__recipe_number(recipe, "clip-value");
    run->schedule = hill__schedule_make(recipe, run->epoch_steps, run->total_steps);
    run->shared = hill__run_block(run, run->batch) >= run->share_rows;
    run->watch.patience = hill__recipe_count(recipe, "patience");
    run->good.stops = hill__recipe_is(recipe, "on-divergence", "stop");
}

/* Neighbours whose rates are the same are one stretch. */
static int bind_stretches(hill_run *run)
{
    const hill_plan *plan = run->plan;
    const char *factors = hill_recipe_get(plan->recipe, "rate-factors");
    run->stretches = hill__alloc(&run->allocator, plan->slot_count, sizeof *run->stretches);
    if (!run->stretches)
        return HILL_EMEMORY;
    for (size_t i = 0; i < plan->slot_count; i++) {
        const hill__slot *slot = &plan->slots[i];
        hill__stretch *last = run->stretch_count ? &run->stretches[run->stretch_count - 1] : NULL;
        hill__stretch next = {.begin = slot->offset, .factor = hill__factor_of(factors, slot->layer, plan->layers)};
        (void)hill__round_up(slot->offset + slot->count, HILL__PAD, &next.end); /* the plan has found room for it */
        if (!slot->trained)
            continue;
        if (plan->rule == HILL__RULE_ID_muon && hill__slot_is_matrix(plan, slot, &next.cols))
            next.rows = slot->count / next.cols;
        if (last && last->factor == next.factor && !last->rows && !next.rows)
            last->end = next.end;
        else
            run->stretches[run->stretch_count++] = next;
    }
    return HILL_OK;
}

static int bind_singles(hill_run *run)
{
    size_t count = hill__singles_count(run->plan);
    if (count == 0)
        return HILL_OK;
    run->singles.layers = hill__alloc(&run->allocator, count, sizeof *run->singles.layers);
    if (!run->singles.layers)
        return HILL_EMEMORY;
    hill__walk walk = hill__run_walk(run, run->point, 1);
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
    if (status >= 0 && train)
        status = bind_stretches(run);
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
    hill__free(&allocator, run->stretches, run->plan->slot_count, sizeof *run->stretches);
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
    run->at = (hill__place){.plateau.best = INFINITY};
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
    return kept ? run->best : hill__run_shown(run);
}
