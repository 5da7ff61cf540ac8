/*
 * retreat.c - what a run does when it diverges: says what and where, and goes back to the last good weights.
 *
 * Invariant: the good weights, moments and place are a state that the run was in, and of what came after
 * it nothing is left but the rate's halving.
 */
#include "base/fp.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "train/run.h"

/* Rows that a message names at most, and room for their numbers. */
#define RETREAT_ROWS 5
#define RETREAT_ROWS_TEXT 160

/* Floats of the weights and moments, and of their good copies behind them. */
static size_t state_floats(const hill_run *run)
{
    return run->plan->vector * (1 + hill__plan_moments(run->plan));
}

void hill__run_keep(hill_run *run)
{
    memcpy(run->good_weights, run->weights, state_floats(run) * sizeof(float));
    run->good.place = run->at;
}

/* Names the tensor nearest to the cost that isn't finite in a vector; false where all are. */
static bool name_tensor(const hill_run *run, const float *vector, const char *what, char *out, size_t size)
{
    hill_tensor tensor = HILL_TENSOR_INIT;
    for (size_t i = run->plan->slot_count; i-- > 0;) {
        (void)hill_plan_tensor(run->plan, i, &tensor);
        if (!run->kernels->finite(vector + tensor.offset, hill__tensor_count(&tensor))) {
            snprintf(out, size, "%s %s", what, tensor.name);
            return true;
        }
    }
    return false;
}

/* Names the first layer whose units aren't finite. */
static bool name_layer(const hill_run *run, size_t rows, char *out, size_t size)
{
    size_t layer = 0;
    for (size_t i = 0; i < run->plan->hidden_count; i++) {
        const hill__instr *instr = &run->plan->instrs[i];
        layer += instr->op->flags & (HILL__OP_WEIGHTS | HILL__OP_TABLES) ? 1 : 0;
        if (!run->kernels->finite(run->scratch + instr->y, rows * instr->outputs)) {
            snprintf(out, size, "a unit of layer %zu", layer);
            return true;
        }
    }
    return false;
}

static void name_fault(const hill_run *run, hill__fault fault, size_t rows, char *out, size_t size)
{
    bool named = false;
    if (fault == HILL__FAULT_GRADIENT) {
        named = name_layer(run, rows, out, size);
        if (!named && run->kernels->finite(run->scratch + run->plan->costs, rows))
            named = name_tensor(run, run->gradient, "the gradient of", out, size);
    } else {
        named = name_tensor(run, run->weights, "the updated", out, size);
        for (size_t i = 0; i < hill__rule_facts_of(run->rule.id)->moments && !named; i++)
            named = name_tensor(run, run->moments[i], "what the rule remembers of", out, size);
    }
    if (!named)
        snprintf(out, size, "the cost");
}

/* What a person calls the i-th row of the block. */
static unsigned long long row_number(const hill_run *run, size_t i)
{
    const hill_source *source = &run->train;
    return source->number ? source->number(source->self, run->rows[i]) : run->rows[i] + 1;
}

/* "rows 17, 4, 8": those whose own cost isn't finite, or else all; "..." stands for more. */
static void name_rows(const hill_run *run, size_t rows, char out[RETREAT_ROWS_TEXT])
{
    const float *costs = run->scratch + run->plan->costs;
    size_t named = 0, odd = 0;
    for (size_t i = 0; i < rows; i++)
        odd += isfinite(costs[i]) ? 0 : 1;
    char *end = out + snprintf(out, RETREAT_ROWS_TEXT, (odd ? odd : rows) == 1 ? "row" : "rows");
    for (size_t i = 0; i < rows && named <= RETREAT_ROWS; i++) {
        size_t room = RETREAT_ROWS_TEXT - (size_t)(end - out);
        if (odd && isfinite(costs[i]))
            continue;
        if (named++ == RETREAT_ROWS)
            end += snprintf(end, room, ", ...");
        else
            end += snprintf(end, room, "%s %llu", named == 1 ? "" : ",", row_number(run, i));
    }
}

static void describe(hill_run *run, hill__fault fault, size_t rows, const char *then)
{
    char name[100], list[RETREAT_ROWS_TEXT], rate[HILL__NUMBER_TEXT];
    name_fault(run, fault, rows, name, sizeof name);
    name_rows(run, rows, list);
    hill__format_rounded(hill__run_rate(run), 4, rate);
    snprintf(run->message, sizeof run->message,
             "diverged at step %llu (epoch %llu), %s: %s is no finite number, at rate %s; %s",
             (unsigned long long)run->at.step + 1, (unsigned long long)(run->at.epoch + 1), list, name, rate, then);
}

/* Why there is no way back; NULL where there is one. */
static const char *no_return(const hill_run *run, hill__fault fault)
{
    if (fault == HILL__FAULT_GRADIENT && run->at.step == run->good.place.step)
        return "a smaller rate changes nothing here, for no step was taken since the last good weights; are inputs or targets "
               "huge?";
    if (run->good.stops)
        return "try a smaller --rate";
    if (run->good.returns == HILL__RETURNS_MOST)
        return "after five ways back, each with half the rate; try a smaller --rate";
    return NULL;
}

int hill__run_retreat(hill_run *run, hill__fault fault, size_t rows)
{
    char then[80];
    const char *end = no_return(run, fault);
    snprintf(then, sizeof then, "back to step %llu with half the rate", (unsigned long long)run->good.place.step);
    describe(run, fault, rows, end ? end : then);
    memcpy(run->weights, run->good_weights, state_floats(run) * sizeof(float));
    run->at = run->good.place;
    if (run->watch.best_epoch > run->at.epoch) { /* it was on the way that is given up */
        run->watch.best_epoch = 0;
        run->watch.best_cost = INFINITY;
    }
    run->good.returns += end == NULL;
    hill__run_stand(run);
    if (end)
        run->stop = HILL__STOP_DIVERGED;
    return end ? HILL_EDIVERGED : HILL_ROW;
}
