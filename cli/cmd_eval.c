/*
 * cmd_eval.c - measures a model on data: metrics, and for classes the confusion matrix.
 */
#include "input.h"
#include "json.h"
#include "options.h"
#include "output.h"
#include "report.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COUNTED_CLASSES 2048 /* of more of them no pairs are counted: their matrix would fill the memory */
#define MATRIX_CLASSES 20    /* more of them: the pairs most often taken for each other instead */
#define PAIRS 20
#define NAME_MOST 16
#define CELL_LEAST 5

typedef struct evaluation {
    hill_model *model;
    hill_table *table;
    hill_model_facts facts;
    hill_metrics metrics;
    uint64_t *confusion; /* [classes][classes], or NULL */
} evaluation;

static uint64_t confused(const evaluation *e, size_t truth, size_t answer)
{
    return e->confusion[truth * e->facts.classes + answer];
}

static uint64_t rows_of(const evaluation *e, size_t truth)
{
    uint64_t rows = 0;
    for (size_t j = 0; j < e->facts.classes; j++)
        rows += confused(e, truth, j);
    return rows;
}

static void print_right(text *out, const evaluation *e, size_t truth)
{
    text part = TEXT_INIT;
    uint64_t rows = rows_of(e, truth);
    if (rows)
        text_percent(&part, (double)confused(e, truth, truth) / (double)rows);
    else
        text_string(&part, "-");
    text_cells(out, text_get(&part), 8, true);
    text_end(out, &part);
}

static void print_matrix(text *out, const evaluation *e)
{
    size_t names = 6, cells = CELL_LEAST;
    for (size_t i = 0; i < e->facts.classes; i++) {
        size_t width = text_width(hill_model_class(e->model, i));
        names = width > names ? width : names;
        for (size_t j = 0; j < e->facts.classes; j++) {
            text count = TEXT_INIT;
            text_count(&count, confused(e, i, j));
            cells = count.length > cells ? count.length : cells;
            text_end(out, &count);
        }
    }
    cells = e->facts.classes <= 6 && names > cells ? (names < 12 ? names : 12) : cells;
    names = names < NAME_MOST ? names : NAME_MOST;
    text_string(out, "\nConfusion: a line is what rows are, a column what they were called\n");
    text_repeat(out, " ", names + 2);
    for (size_t j = 0; j < e->facts.classes; j++) {
        text_string(out, " ");
        text_cells(out, hill_model_class(e->model, j), cells, true);
    }
    text_string(out, "    right\n");
    for (size_t i = 0; i < e->facts.classes; i++) {
        text_string(out, "  ");
        text_cells(out, hill_model_class(e->model, i), names, false);
        for (size_t j = 0; j < e->facts.classes; j++) {
            text count = TEXT_INIT;
            text_count(&count, confused(e, i, j));
            text_string(out, " ");
            text_cells(out, text_get(&count), cells, true);
            text_end(out, &count);
        }
        text_string(out, " ");
        print_right(out, e, i);
        text_string(out, "\n");
    }
}

/* For very many classes: the pairs most often taken for each other, largest first. */
static void print_pairs(text *out, const evaluation *e)
{
    size_t classes = e->facts.classes, pairs = 0;
    uint64_t below = UINT64_MAX;
    text_format(out, "\nMost often taken for each other, of %zu classes\n", classes);
    while (pairs < PAIRS) {
        uint64_t largest = 0;
        for (size_t i = 0; i < classes; i++)
            for (size_t j = 0; j < classes; j++)
                if (i != j && confused(e, i, j) < below && confused(e, i, j) > largest)
                    largest = confused(e, i, j);
        if (largest == 0)
            break;
        below = largest;
        for (size_t i = 0; i < classes && pairs < PAIRS; i++)
            for (size_t j = 0; j < classes && pairs < PAIRS; j++) {
                if (i == j || confused(e, i, j) != largest)
                    continue;
                text_string(out, "  ");
                text_count(out, largest);
                text_string(out, " of ");
                text_safe(out, hill_model_class(e->model, i), false);
                text_string(out, " called ");
                text_safe(out, hill_model_class(e->model, j), false);
                text_string(out, "\n");
                pairs++;
            }
    }
    if (pairs == 0)
        text_string(out, "  none\n");
}

static void print_classes(text *out, const evaluation *e)
{
    uint64_t right = 0, most = 0;
    size_t usual = 0;
    for (size_t i = 0; e->confusion && i < e->facts.classes; i++) {
        right += confused(e, i, i);
        if (rows_of(e, i) > most) {
            most = rows_of(e, i);
            usual = i;
        }
    }
    text_string(out, "accuracy  ");
    text_percent(out, e->metrics.accuracy);
    if (!e->confusion) {
        text_format(out, "; pairs of %zu classes are too many to count\n", e->facts.classes);
        return;
    }
    text_string(out, " (");
    text_count(out, right);
    text_string(out, " of ");
    text_count(out, e->metrics.rows);
    text_string(out, "); always answering ");
    text_safe(out, hill_model_class(e->model, usual), false);
    text_string(out, " is right in ");
    text_percent(out, e->metrics.rows ? (double)most / (double)e->metrics.rows : 0);
    text_string(out, "\n");
    if (e->facts.classes <= MATRIX_CLASSES)
        print_matrix(out, e);
    else
        print_pairs(out, e);
}

static void print_numbers(text *out, const evaluation *e)
{
    text_string(out, "rmse      ");
    text_number(out, e->metrics.rmse, 6);
    /* R2 is one minus the ratio of the two mean squares, so the mean's own error follows from it. */
    double constant = e->metrics.rmse / sqrt(1 - e->metrics.r2);
    if (isfinite(constant)) {
        text_string(out, "; always answering the mean of these rows has ");
        text_number(out, constant, 6);
    }
    text_string(out, "\nmae       ");
    text_number(out, e->metrics.mae, 6);
    text_string(out, "\nr2        ");
    text_number(out, e->metrics.r2, 6);
    text_string(out, "\n");
}

static void print_json_confusion(json *j, const evaluation *e)
{
    if (!e->confusion) {
        json_null(j, "confusion");
        return;
    }
    json_open(j, "confusion", '[');
    for (size_t i = 0; i < e->facts.classes; i++) {
        json_open(j, NULL, '[');
        for (size_t k = 0; k < e->facts.classes; k++)
            json_count(j, NULL, confused(e, i, k));
        json_close(j, ']');
    }
    json_close(j, ']');
}

static void print_json(text *out, const evaluation *e)
{
    json j = {out, false};
    json_open(&j, NULL, '{');
    json_count(&j, "rows", e->metrics.rows);
    report_metrics_json(&j, &e->metrics, e->facts.task);
    if (e->facts.task == HILL_TASK_CLASSES) {
        print_json_confusion(&j, e);
        json_open(&j, "classes", '[');
        for (size_t i = 0; i < e->facts.classes; i++)
            json_string(&j, NULL, hill_model_class(e->model, i));
        json_close(&j, ']');
    }
    json_close(&j, '}');
    text_string(out, "\n");
}

static int evaluate(const arguments *a, evaluation *e)
{
    hill_error error = HILL_ERROR_INIT;
    int code = input_open_both(a, &e->model, &e->facts, &e->table);
    if (code)
        return code;
    if (e->facts.task == HILL_TASK_CLASSES && e->facts.classes <= COUNTED_CLASSES) {
        e->confusion = calloc(e->facts.classes, e->facts.classes * sizeof *e->confusion);
        if (!e->confusion)
            return output_failure(HILL_EMEMORY, NULL);
    }
    int status = hill_model_evaluate(e->model, e->table, &e->metrics, e->confusion, &error);
    return status == HILL_OK ? 0 : output_failure(status, &error);
}

int cmd_eval(const arguments *a)
{
    evaluation e = {.facts = HILL_MODEL_FACTS_INIT, .metrics = HILL_METRICS_INIT};
    text out = TEXT_INIT;
    int code = evaluate(a, &e);
    if (code == 0) {
        if (a->values[OPTION_JSON]) {
            print_json(&out, &e);
        } else {
            text_string(&out, "rows      ");
            text_count(&out, e.metrics.rows);
            text_string(&out, "\ncost      ");
            text_number(&out, e.metrics.cost, 6);
            text_string(&out, "\n");
            if (e.facts.task == HILL_TASK_CLASSES)
                print_classes(&out, &e);
            else
                print_numbers(&out, &e);
        }
        code = output_answer(&out);
    }
    text_free(&out);
    free(e.confusion);
    hill_table_free(e.table);
    hill_model_free(e.model);
    return code;
}
