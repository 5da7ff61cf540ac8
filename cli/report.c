/*
 * report.c - what is said about models and metrics, in words and in JSON, the same in every verb.
 *
 * Words round, JSON doesn't: its numbers read back as the same doubles.
 */
#include "report.h"

#include "output.h"

#include <math.h>
#include <string.h>

void report_line(text *out, int descriptor, const char *label, const char *words)
{
    text safe = TEXT_INIT;
    size_t width = output_is_terminal(descriptor) ? output_width(descriptor, 80) : SIZE_MAX;
    text_safe(&safe, words, false);
    text_cells(out, label, REPORT_COLUMN - 1, false);
    text_string(out, " ");
    text_wrap(out, text_get(&safe), REPORT_COLUMN, width < 40 ? 2 : REPORT_COLUMN, width);
    text_end(out, &safe);
}

void report_metrics(text *out, const hill_metrics *metrics, hill_task task)
{
    text_string(out, "cost ");
    text_number(out, metrics->cost, 4);
    if (task == HILL_TASK_CLASSES) {
        text_string(out, ", accuracy ");
        text_percent(out, metrics->accuracy);
    } else {
        text_string(out, ", rmse ");
        text_number(out, metrics->rmse, 4);
        text_string(out, ", mae ");
        text_number(out, metrics->mae, 4);
        text_string(out, ", r2 ");
        text_number(out, metrics->r2, 4);
    }
    text_string(out, " on ");
    report_count(out, metrics->rows, "row");
}

void report_metrics_json(json *j, const hill_metrics *metrics, hill_task task)
{
    json_double(j, "cost", metrics->cost);
    if (task == HILL_TASK_CLASSES) {
        json_double(j, "accuracy", metrics->accuracy);
    } else {
        json_double(j, "rmse", metrics->rmse);
        json_double(j, "mae", metrics->mae);
        json_double(j, "r2", metrics->r2);
    }
}

void report_widths(text *out, const hill_model *model)
{
    const hill_plan *plan = hill_model_plan(model);
    hill_tensor tensor = HILL_TENSOR_INIT;
    bool first = true;
    for (size_t i = 0; hill_plan_tensor(plan, i, &tensor) == HILL_OK; i++) {
        size_t length = strlen(tensor.name);
        if (tensor.rank < 2 || length < 7 || strcmp(tensor.name + length - 7, ".weight") != 0)
            continue;
        if (first)
            text_format(out, "%zu", tensor.shape[tensor.rank - 2]);
        text_format(out, "-%zu", tensor.shape[tensor.rank - 1]);
        first = false;
    }
}

void report_recipe(text *out, const hill_recipe *recipe)
{
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    for (size_t i = 0; i < count; i++)
        if (hill_recipe_is_set(recipe, knobs[i].name))
            text_format(out, "%s=%s\n", knobs[i].name, hill_recipe_get(recipe, knobs[i].name));
}

void report_count(text *out, uint64_t count, const char *noun)
{
    text_count(out, count);
    text_format(out, " %s%s", noun, count == 1 ? "" : strcmp(noun, "pass") == 0 ? "es" : "s");
}
