/*
 * diagnose.c - is the descent stuck? Compares it with the best that a constant answer can do, and says what to try.
 */
#include "base/fp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "train/run.h"

/* A cost above this part of the constant answer's counts as hardly better. */
#define HARDLY_BETTER 0.97
/* Nor is one above so many times that cost a net's that just begins: it was thrown up. */
#define FAR_UP 4

/* What the row that was just gathered counts for. */
static double weight_of_row(const hill_run *run)
{
    return run->weighed ? (double)run->row_weights[0] : 1;
}

/* Mean target over a source, in double and row order. */
static int mean_target(hill_run *run, double *mean)
{
    const size_t outputs = run->plan->outputs;
    double total = 0;
    memset(mean, 0, outputs * sizeof *mean);
    for (uint64_t row = 0; row < run->train.rows; row++) {
        run->rows[0] = row;
        HILL__TRY(hill__run_gather(run, &run->train, 1));
        total += weight_of_row(run);
        for (size_t i = 0; i < outputs; i++)
            mean[i] += (double)run->targets[i] * weight_of_row(run);
    }
    for (size_t i = 0; i < outputs; i++)
        mean[i] /= total;
    return HILL_OK;
}

/* Mean cost of giving `answer` to every row, by the cost's formula. `target` is room for one row. */
static int constant_cost(hill_run *run, const double *answer, double *target, double *cost)
{
    const hill__instr *instr = hill__plan_cost(run->plan);
    const size_t outputs = run->plan->outputs;
    double sum = 0, value = 0;
    hill__formula formula = {.x = answer,
                             .inputs = outputs,
                             .y = &value,
                             .outputs = 1,
                             .count = 1,
                             .target = target,
                             .knobs = &run->plan->cost_knobs};
    for (uint64_t row = 0; row < run->train.rows; row++) {
        run->rows[0] = row;
        HILL__TRY(hill__run_gather(run, &run->train, 1));
        for (size_t i = 0; i < outputs; i++)
            target[i] = (double)run->targets[i];
        instr->op->formula(&formula);
        sum += value * weight_of_row(run);
    }
    *cost = sum / (double)run->train.rows;
    return HILL_OK;
}

static double length_of(const float *vector, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)vector[i] * (double)vector[i];
    return sqrt(sum);
}

static void advise(const hill_run *run, const hill_diagnosis *diagnosis, char *advice, size_t size)
{
    const bool far_up = run->good.returns > 0 || diagnosis->cost > FAR_UP * diagnosis->constant_cost;
    const hill_recipe *recipe = run->plan->recipe;
    char rate[HILL__NUMBER_TEXT];
    size_t length = 0;
    bool plain =
        run->rule.loop == HILL__RULE_sgd || run->rule.loop == HILL__RULE_momentum || run->rule.loop == HILL__RULE_nesterov;
    if (hill__rule_facts_of(run->rule.id)->rows == HILL__ROWS_ALWAYS) {
        length += (size_t)snprintf(advice, size, "another --seed (a descent that sees all rows ends in the first hollow)");
    } else {
        hill__format_rounded(hill__recipe_number(recipe, "rate") * (far_up ? run->slow / 10 : 100), 3, rate);
        length += (size_t)snprintf(advice, size, "--rate %s (steps %s)", rate,
                                   far_up ? "that are shorter, for these went far up" : "a hundred times longer");
    }
    if (plain)
        length += (size_t)snprintf(advice + length, size - length, ", --rule adam (a step length for each weight)");
    if (hill__recipe_is(recipe, "init", "uniform") || hill__recipe_is(recipe, "init", "zero"))
        length += (size_t)snprintf(advice + length, size - length, ", --init glorot (units that start apart)");
    snprintf(advice + length, size - length, ", or a wider --net; if none helps, the inputs may not tell the target");
}

int hill_run_diagnose(hill_run *run, hill_diagnosis *diagnosis)
{
    const size_t outputs = run->plan->outputs, vector = run->plan->vector;
    hill_score score = HILL_SCORE_INIT;
    double *mean = hill__alloc(&run->allocator, outputs, 2 * sizeof *mean);
    float *gradient = hill__alloc(&run->allocator, vector, sizeof *gradient);
    int status = mean && gradient ? HILL_OK : HILL_EMEMORY;
    if (status >= 0)
        status = mean_target(run, mean);
    if (status >= 0)
        status = constant_cost(run, mean, mean + outputs, &diagnosis->constant_cost);
    if (status >= 0)
        status = hill_run_evaluate(run, NULL, &run->train, &score);
    if (status >= 0)
        status = hill_run_slope(run, NULL, &run->train, gradient);
    if (status >= 0) {
        diagnosis->cost = score.cost;
        diagnosis->gradient_norm = length_of(gradient, vector);
        diagnosis->stuck = !(diagnosis->cost < HARDLY_BETTER * diagnosis->constant_cost);
        diagnosis->advice[0] = '\0';
        if (diagnosis->stuck)
            advise(run, diagnosis, diagnosis->advice, sizeof diagnosis->advice);
    }
    hill__free(&run->allocator, gradient, vector, sizeof *gradient);
    hill__free(&run->allocator, mean, outputs, 2 * sizeof *mean);
    return status;
}
