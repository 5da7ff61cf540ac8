/*
 * answer.c - what a model says about raw rows, and how right it is. Invariant: the answer to a row is the same whatever stands
 * around it.
 */
#include "base/fp.h"

#include <math.h>
#include <string.h>

#include "base/number.h"
#include "model/model.h"
#include "train/run.h"

/* Makes the run and the buffers, the first time. */
static int answer_ready(hill_model *model, hill_error *error)
{
    if (model->run)
        return HILL_OK;
    if (!model->inputs)
        model->inputs = hill__alloc(&model->allocator, hill__model_rows(model), model->sizes.inputs * sizeof *model->inputs);
    if (!model->outputs)
        model->outputs = hill__alloc(&model->allocator, hill__model_rows(model), model->sizes.outputs * sizeof *model->outputs);
    if (!model->inputs || !model->outputs)
        return hill__fail_memory(error);
    int status = hill_run_new(model->plan, NULL, NULL, &model->host, &model->run);
    return status < 0 ? hill__fail(error, status, "%s", hill_status_text(status)) : HILL_OK;
}

/* Answers rows begin .. begin + count - 1 of bound rows, at most hill__model_rows, into model->outputs. */
static int answer_block(hill_model *model, hill__rows *rows, uint64_t begin, size_t count, hill_error *error)
{
    uint64_t indices[HILL__BLOCK_ROWS];
    for (size_t i = 0; i < count; i++)
        indices[i] = begin + i;
    hill_source source = hill__rows_source(rows, model->run->kernels->spread);
    int status = source.fill(source.self, indices, count, model->inputs, NULL);
    if (status == HILL_OK)
        status = hill_run_answer(model->run, model->weights, model->inputs, count, model->outputs);
    return status < 0 ? hill__fail(error, status, "%s", hill_status_text(status)) : HILL_OK;
}

static size_t answer_count(const hill_model *model, const hill__rows *rows, uint64_t begin)
{
    size_t most = hill__model_rows(model);
    return rows->count - begin < most ? (size_t)(rows->count - begin) : most;
}

static size_t answer_largest(const float *outputs, size_t classes)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < classes; i++)
        if (!isnan(outputs[i]) && (best == SIZE_MAX || outputs[i] > outputs[best]))
            best = i;
    return best == SIZE_MAX ? 0 : best;
}

/* What the target of a table without one usable row holds, and what the model knows instead. */
static int answer_no_rows(const hill__rows *rows, hill_error *error)
{
    const hill__target *target = &rows->encoder->target;
    const hill__column *column = &rows->table->columns[rows->target];
    if (rows->unknown == 0)
        return hill__fail(error, HILL_EDATA, "%s: no row has a target %s", rows->table->name, target->name);
    const char *theirs = column->kind == HILL_COLUMN_CATEGORY ? hill__lines_at(&column->values, 0) : "numbers";
    return hill__fail(error, HILL_EDATA, "%s: the target %s holds %.100s; the model knows the classes %.100s, %.100s%s",
                      rows->table->name, target->name, theirs ? theirs : "nothing", target->classes.items[0],
                      target->classes.items[1], target->classes.count > 2 ? ", ..." : "");
}

/* Lists and binds rows of a table. */
static int answer_rows(const hill_model *model, const hill__view *view, hill__rows **out, hill_error *error)
{
    HILL__TRY(hill__rows_new(view, &model->allocator, out, error));
    int status = view->targets && (*out)->count == 0 ? answer_no_rows(*out, error) : hill__rows_bind(*out, error);
    if (status < 0) {
        hill__rows_free(*out);
        *out = NULL;
    }
    return status;
}

static int answer_confusion(hill_model *model, hill__rows *rows, uint64_t *confusion, hill_error *error)
{
    size_t classes = model->encoder->target.classes.count;
    memset(confusion, 0, classes * classes * sizeof *confusion);
    for (uint64_t begin = 0; begin < rows->count; begin += hill__model_rows(model)) {
        size_t count = answer_count(model, rows, begin);
        HILL__TRY(answer_block(model, rows, begin, count, error));
        for (size_t i = 0; i < count; i++)
            confusion[rows->labels[begin + i] * classes + answer_largest(model->outputs + i * classes, classes)]++;
    }
    return HILL_OK;
}

/* Errors of number answers, in the target's own unit. */
static int answer_errors(hill_model *model, hill__rows *rows, hill_metrics *metrics, hill_error *error)
{
    double n = (double)rows->count, mean = 0, squares = 0, sizes = 0, spread = 0;
    for (uint64_t i = 0; i < rows->count; i++)
        mean += hill__rows_number(rows, i) / n;
    for (uint64_t begin = 0; begin < rows->count; begin += hill__model_rows(model)) {
        size_t count = answer_count(model, rows, begin);
        HILL__TRY(answer_block(model, rows, begin, count, error));
        for (size_t i = 0; i < count; i++) {
            double number = hill__rows_number(rows, begin + i);
            double off = hill__encoder_unscale(model->encoder, (double)model->outputs[i]) - number;
            squares += off * off;
            sizes += fabs(off);
            spread += (number - mean) * (number - mean);
        }
    }
    metrics->rmse = sqrt(squares / n);
    metrics->mae = sizes / n;
    metrics->r2 = spread > 0 ? 1 - squares / spread : NAN;
    return HILL_OK;
}

/* Why a check failed, in words. */
static int answer_check_failed(const hill_check *check, hill_error *error)
{
    char worst[HILL__NUMBER_TEXT], limit[HILL__NUMBER_TEXT];
    hill__format_rounded(check->worst, 3, worst);
    hill__format_rounded(check->limit, 3, limit);
    if (!(check->worst < check->limit))
        return hill__fail(error, HILL_ECHECK, "the gradient of %s is off by %s of itself, over the limit of %s",
                          check->worst_weight, worst, limit);
    if (check->kinks > 0)
        return hill__fail(error, HILL_ECHECK, "%llu weights lie at a kink, more than 1%% of %llu",
                          (unsigned long long)check->kinks, (unsigned long long)(check->weights + check->kinks));
    return hill__fail(error, HILL_ECHECK, "the gradient is all zero, which proves nothing");
}

int hill__model_score(hill_model *model, hill__rows *rows, hill_metrics *metrics, uint64_t *confusion, hill_error *error)
{
    *metrics = (hill_metrics){.size = metrics->size, .cost = NAN, .accuracy = NAN, .rmse = NAN, .mae = NAN, .r2 = NAN};
    if (!rows || rows->count == 0)
        return HILL_OK;
    HILL__TRY(answer_ready(model, error));
    hill_source source = hill__rows_source(rows, model->run->kernels->spread);
    source.weigh = NULL;
    hill_score score = HILL_SCORE_INIT;
    int status = hill_run_evaluate(model->run, model->weights, &source, &score);
    if (status < 0)
        return hill__fail(error, status, "%s", hill_status_text(status));
    metrics->rows = rows->count;
    metrics->cost = score.cost;
    if (model->encoder->task == HILL_TASK_NUMBERS)
        return answer_errors(model, rows, metrics, error);
    metrics->accuracy = score.accuracy;
    return confusion ? answer_confusion(model, rows, confusion, error) : HILL_OK;
}

int hill_model_predict(hill_model *model, const hill_table *table, uint64_t first, size_t count, double *out, hill_error *error)
{
    if (first > table->rows || count > table->rows - first)
        return hill__fail(error, HILL_EARGUMENT, "%s: rows beyond its %llu", table->name, (unsigned long long)table->rows);
    hill__view view = {model->encoder, table, first, count, false};
    hill__rows *rows;
    HILL__TRY(answer_ready(model, error));
    HILL__TRY(answer_rows(model, &view, &rows, error));
    int status = HILL_OK;
    for (uint64_t begin = 0; begin < rows->count && status == HILL_OK; begin += hill__model_rows(model)) {
        size_t block = answer_count(model, rows, begin), floats = block * model->sizes.outputs;
        status = answer_block(model, rows, begin, block, error);
        for (size_t i = 0; i < floats && status == HILL_OK; i++, out++)
            *out = model->encoder->task == HILL_TASK_CLASSES ? (double)model->outputs[i]
                                                             : hill__encoder_unscale(model->encoder, (double)model->outputs[i]);
    }
    hill__rows_free(rows);
    return status;
}

/* Writes what the net sees of each row of a view in its place; of a view with targets, of the rows that have one. */
static int answer_encode(hill_model *model, const hill__view *view, float *inputs, float *targets, hill_error *error)
{
    hill__rows *rows;
    HILL__TRY(hill__rows_new(view, &model->allocator, &rows, error));
    int status = hill__rows_bind(rows, error);
    if (status == HILL_OK) {
        const hill_source source = hill__rows_source(rows, model->run->kernels->spread);
        for (uint64_t i = 0; i < rows->count && status == HILL_OK; i++) {
            const size_t at = (size_t)(rows->list[i] - view->first);
            status = source.fill(source.self, &i, 1, inputs + at * model->sizes.inputs,
                                 targets ? targets + at * model->sizes.outputs : NULL);
        }
        if (status < 0)
            hill__fail(error, status, "%s", hill_status_text(status));
    }
    hill__rows_free(rows);
    return status;
}

int hill_model_encode(hill_model *model, const hill_table *table, uint64_t first, size_t count, float *inputs, float *targets,
                      hill_error *error)
{
    if (first > table->rows || count > table->rows - first)
        return hill__fail(error, HILL_EARGUMENT, "%s: rows beyond its %llu", table->name, (unsigned long long)table->rows);
    hill__view view = {model->encoder, table, first, count, false};
    HILL__TRY(answer_ready(model, error));
    HILL__TRY(answer_encode(model, &view, inputs, NULL, error));
    if (!targets)
        return HILL_OK;
    for (size_t i = 0; i < count * model->sizes.outputs; i++)
        targets[i] = NAN;
    view.targets = true;
    return answer_encode(model, &view, inputs, targets, error);
}

size_t hill_argmax(const double *outputs, size_t classes)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < classes; i++)
        if (!isnan(outputs[i]) && (best == SIZE_MAX || outputs[i] > outputs[best]))
            best = i;
    return best == SIZE_MAX ? 0 : best;
}

int hill_model_evaluate(hill_model *model, const hill_table *table, hill_metrics *metrics, uint64_t *confusion,
                        hill_error *error)
{
    if (metrics->size < sizeof *metrics)
        return hill__fail(error, HILL_EARGUMENT, "metrics without HILL_METRICS_INIT");
    hill__view view = {model->encoder, table, 0, table->rows, true};
    hill__rows *rows;
    HILL__TRY(answer_rows(model, &view, &rows, error));
    int status = hill__model_score(model, rows, metrics, confusion, error);
    hill__rows_free(rows);
    return status;
}

int hill_model_check(hill_model *model, const hill_table *table, hill_check *check, hill_error *error)
{
    if (check->size < sizeof *check)
        return hill__fail(error, HILL_EARGUMENT, "a check without HILL_CHECK_INIT");
    hill__view view = {model->encoder, table, 0, table->rows, true};
    hill__rows *rows;
    HILL__TRY(answer_ready(model, error));
    HILL__TRY(answer_rows(model, &view, &rows, error));
    hill_source source = hill__rows_source(rows, model->run->kernels->spread);
    int status = hill_run_check(model->run, &source, check);
    if (status == HILL_ECHECK)
        status = answer_check_failed(check, error);
    else if (status < 0)
        hill__fail(error, status, "%s", hill_status_text(status));
    hill__rows_free(rows);
    return status;
}
