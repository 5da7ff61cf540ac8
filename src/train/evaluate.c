/*
 * evaluate.c - looks at any point of weight space without moving the run: costs, gradient, answers, units.
 *
 * Invariant: a row's cost and answer depend on nothing but the row and the weights.
 */
#include "base/fp.h"

#include <math.h>
#include <string.h>

#include "train/run.h"

static size_t largest(const float *values, size_t n)
{
    size_t best = 0;
    for (size_t i = 1; i < n; i++)
        if (values[i] > values[best])
            best = i;
    return best;
}

/* Points run->rows at the rows of a source from `begin` on; returns how many. */
static size_t next_rows(hill_run *run, const hill_source *source, uint64_t begin)
{
    uint64_t left = source->rows - begin;
    size_t count = left < run->plan->block_rows ? (size_t)left : run->plan->block_rows;
    for (size_t i = 0; i < count; i++)
        run->rows[i] = begin + i;
    return count;
}

int hill_run_evaluate(hill_run *run, const float *weights, const hill_source *source, hill_score *score)
{
    const size_t outputs = run->plan->outputs;
    uint64_t right = 0;
    double sum = 0;
    for (uint64_t begin = 0; begin < source->rows; begin += run->plan->block_rows) {
        size_t count = next_rows(run, source, begin);
        HILL__TRY(hill__run_gather(run, source, count));
        hill__walk walk = hill__run_walk(run, weights, count);
        const float *units = hill__walk_cost(run->plan, &walk);
        for (size_t i = 0; i < count; i++) {
            sum += (double)walk.costs[i];
            right += largest(units + i * outputs, outputs) == largest(run->targets + i * outputs, outputs);
        }
    }
    score->rows = source->rows;
    score->cost = sum / (double)source->rows;
    score->accuracy = run->plan->task == HILL_TASK_CLASSES ? (double)right / (double)source->rows : NAN;
    return HILL_OK;
}

int hill_run_slope(hill_run *run, const float *weights, const hill_source *source, float *gradient)
{
    memset(gradient, 0, run->plan->vector * sizeof *gradient);
    for (uint64_t begin = 0; begin < source->rows; begin += run->plan->block_rows) {
        size_t count = next_rows(run, source, begin);
        HILL__TRY(hill__run_gather(run, source, count));
        hill__walk walk = hill__run_walk(run, weights, count);
        walk.gradient = gradient;
        walk.add = begin > 0;
        walk.scale = 1.0f / (float)source->rows;
        hill__walk_gradient(run->plan, &walk);
    }
    return HILL_OK;
}

int hill_run_costs(hill_run *run, const float *weights, const hill_source *source, float *costs)
{
    for (uint64_t begin = 0; begin < source->rows; begin += run->plan->block_rows) {
        size_t count = next_rows(run, source, begin);
        HILL__TRY(hill__run_gather(run, source, count));
        hill__walk walk = hill__run_walk(run, weights, count);
        (void)hill__walk_cost(run->plan, &walk);
        memcpy(costs + begin, walk.costs, count * sizeof *costs);
    }
    return HILL_OK;
}

int hill_run_answer(hill_run *run, const float *weights, const float *inputs, size_t rows, float *outputs)
{
    const hill_plan *plan = run->plan;
    for (size_t begin = 0; begin < rows; begin += plan->block_rows) {
        size_t count = rows - begin < plan->block_rows ? rows - begin : plan->block_rows;
        hill__walk walk = hill__run_walk(run, weights, count);
        walk.inputs = inputs + begin * plan->inputs;
        const float *answer = hill__walk_answer(plan, &walk);
        memcpy(outputs + begin * plan->outputs, answer, count * plan->outputs * sizeof *outputs);
    }
    return HILL_OK;
}

int hill_run_units(hill_run *run, const float *weights, size_t layer, const float *inputs, size_t rows, float *out)
{
    const hill_plan *plan = run->plan;
    size_t instr = hill__plan_layer_instr(plan, layer);
    if (instr == HILL__NOWHERE)
        return HILL_EARGUMENT;
    if (instr + 1 == plan->hidden_count)
        return hill_run_answer(run, weights, inputs, rows, out);
    const size_t units = plan->instrs[instr].outputs;
    for (size_t begin = 0; begin < rows; begin += plan->block_rows) {
        size_t count = rows - begin < plan->block_rows ? rows - begin : plan->block_rows;
        hill__walk walk = hill__run_walk(run, weights, count);
        walk.inputs = inputs + begin * plan->inputs;
        memcpy(out + begin * units, hill__walk_units(plan, &walk, instr), count * units * sizeof *out);
    }
    return HILL_OK;
}
