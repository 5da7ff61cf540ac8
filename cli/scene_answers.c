/*
 * scene_answers.c - the documents answers and rows: how a model answers the rows of a part, and which rows it is worst at.
 *
 * Invariant: the numbers are those of hill_model_evaluate and hill_model_predict, of all rows that have a target.
 */
#include "scene_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WORST_MOST 24
#define CELLS_MOST 32
#define SCATTER_MOST 2000
#define MATRIX_CLASSES 64
#define PAIRS_MOST 20
/* Floats of inputs or outputs at a time, and rows. */
#define BLOCK_FLOATS ((size_t)1 << 20)
#define BLOCK_ROWS 1024
/* Bytes of an image; of a larger one only every second, third, ... pixel is shown. */
#define IMAGE_MOST 12288

typedef struct block {
    float *inputs, *targets, *outputs, *costs; /* of a block's rows */
    double *numbers;                           /* answers in the target's unit */
    size_t room;
} block;

static bool make_block(block *b, const scene_look *look)
{
    const size_t inputs = look->facts.inputs, outputs = look->facts.outputs, widest = inputs > outputs ? inputs : outputs;
    b->room = BLOCK_FLOATS / widest;
    b->room = b->room < 1 ? 1 : b->room > BLOCK_ROWS ? BLOCK_ROWS : b->room;
    b->inputs = malloc(b->room * inputs * sizeof *b->inputs);
    b->targets = malloc(b->room * outputs * sizeof *b->targets);
    b->outputs = malloc(b->room * outputs * sizeof *b->outputs);
    b->costs = malloc(b->room * sizeof *b->costs);
    b->numbers = malloc(b->room * outputs * sizeof *b->numbers);
    return b->inputs && b->targets && b->outputs && b->costs && b->numbers;
}

static void free_block(block *b)
{
    free(b->inputs);
    free(b->targets);
    free(b->outputs);
    free(b->costs);
    free(b->numbers);
}

static size_t largest(const float *values, size_t count)
{
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (!isnan(values[i]) && (best == SIZE_MAX || values[i] > values[best]))
            best = i;
    return best == SIZE_MAX ? 0 : best;
}

/* Moves the rows that have a target to the front, and notes which they are behind the verdict's. Returns how many. */
static size_t keep_aimed(block *b, const scene_look *look, size_t count, uint64_t first, scene_judged *to)
{
    const size_t inputs = look->facts.inputs, outputs = look->facts.outputs;
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (isnan(b->targets[i * outputs]))
            continue;
        memmove(b->inputs + kept * inputs, b->inputs + i * inputs, inputs * sizeof *b->inputs);
        memmove(b->targets + kept * outputs, b->targets + i * outputs, outputs * sizeof *b->targets);
        b->numbers[kept] = b->numbers[i];
        to[kept++].row = first + i;
    }
    return kept;
}

/* Judges the rows of a block: a status. */
static int judge_block(scene_verdict *v, const scene_look *look, const hill_table *table, uint64_t first, size_t count,
                       block *b, hill_error *error)
{
    const size_t outputs = look->facts.outputs, target = scene_target(table, look);
    const bool classes = look->facts.task == HILL_TASK_CLASSES;
    const float *weights = hill_model_weights(look->model);
    scene_judged *to = v->rows + v->count;
    int status = hill_model_encode(look->model, table, first, count, b->inputs, b->targets, error);
    if (status == HILL_OK && !classes)
        status = hill_model_predict(look->model, table, first, count, b->numbers, error);
    const size_t kept = status == HILL_OK ? keep_aimed(b, look, count, first, to) : 0;
    const hill_arrays arrays = {sizeof arrays, b->inputs, b->targets, kept, look->facts.inputs, outputs, NULL};
    const hill_source source = hill_array_source(&arrays);
    if (status == HILL_OK)
        status = hill_run_costs(look->run, weights, &source, b->costs);
    if (status == HILL_OK && classes)
        status = hill_run_answer(look->run, weights, b->inputs, kept, b->outputs);
    for (size_t i = 0; i < kept && status == HILL_OK; i++) {
        to[i].cost = b->costs[i];
        to[i].sure = NAN;
        if (classes) {
            const size_t answer = largest(b->outputs + i * outputs, outputs);
            to[i].truth = (double)largest(b->targets + i * outputs, outputs);
            to[i].answer = (double)answer;
            to[i].sure = b->outputs[i * outputs + answer];
        } else {
            to[i].answer = b->numbers[i];
            status = hill_table_cell(table, target, to[i].row, &to[i].truth);
        }
    }
    v->count += kept;
    return status;
}

/* All rows of a part, judged; as they were, where nothing has changed since. 200, or a status after writing why not. */
static int judge(scene *s, const scene_look *look, scene_part part, const hill_table *table, text *out)
{
    scene_verdict *v = &s->verdict;
    const uint64_t rows = hill_table_rows(table);
    hill_error error = HILL_ERROR_INIT;
    block b = {NULL, NULL, NULL, NULL, NULL, 0};
    if (v->of == look->number + 1 && v->part == part)
        return 200;
    v->of = 0;
    v->count = 0;
    free(v->rows);
    v->rows = rows < SIZE_MAX ? calloc((size_t)rows + 1, sizeof *v->rows) : NULL;
    int status = v->rows && make_block(&b, look) ? HILL_OK : HILL_EMEMORY;
    for (uint64_t first = 0; first < rows && status == HILL_OK; first += b.room)
        status = judge_block(v, look, table, first, rows - first < b.room ? (size_t)(rows - first) : b.room, &b, &error);
    free_block(&b);
    if (status != HILL_OK)
        return scene_refuse_for(out, status, &error);
    v->of = look->number + 1;
    v->part = part;
    return v->count ? 200 : scene_refuse(out, 404, "no row has a target %s", look->facts.target);
}

/* ---- what was judged, in JSON ---------------------------------------------------------------------------------------------- */

static void write_class_metrics(json *j, const scene_verdict *v)
{
    double sum = 0;
    size_t right = 0;
    for (size_t i = 0; i < v->count; i++) {
        sum += (double)v->rows[i].cost;
        right += v->rows[i].truth == v->rows[i].answer;
    }
    json_open(j, "metrics", '{');
    json_double(j, "cost", sum / (double)v->count);
    json_double(j, "accuracy", (double)right / (double)v->count);
    json_close(j, '}');
}

static void write_number_metrics(json *j, const scene_verdict *v)
{
    double n = (double)v->count, sum = 0, mean = 0, squares = 0, sizes = 0, spread = 0;
    for (size_t i = 0; i < v->count; i++)
        mean += v->rows[i].truth / n;
    for (size_t i = 0; i < v->count; i++) {
        const scene_judged *row = &v->rows[i];
        const double off = row->answer - row->truth;
        sum += (double)row->cost;
        squares += off * off;
        sizes += fabs(off);
        spread += (row->truth - mean) * (row->truth - mean);
    }
    json_open(j, "metrics", '{');
    json_double(j, "cost", sum / n);
    json_double(j, "rmse", sqrt(squares / n));
    json_double(j, "mae", sizes / n);
    json_double(j, "r2", spread > 0 ? 1 - squares / spread : (double)NAN);
    json_close(j, '}');
}

static void write_matrix(json *j, const scene_verdict *v, size_t classes)
{
    uint64_t *counts = calloc(classes * classes + 1, sizeof *counts);
    for (size_t i = 0; counts && i < v->count; i++)
        counts[(size_t)v->rows[i].truth * classes + (size_t)v->rows[i].answer]++;
    json_open(j, "confusion", '[');
    for (size_t i = 0; counts && i < classes; i++) {
        json_open(j, NULL, '[');
        for (size_t k = 0; k < classes; k++)
            json_count(j, NULL, counts[i * classes + k]);
        json_close(j, ']');
    }
    json_close(j, ']');
    j->out->failed = j->out->failed || !counts;
    free(counts);
}

static int by_pair(const void *a, const void *b)
{
    const scene_judged *x = a, *y = b;
    if (x->truth != y->truth)
        return x->truth < y->truth ? -1 : 1;
    return (x->answer > y->answer) - (x->answer < y->answer);
}

typedef struct pair {
    double truth, answer;
    uint64_t count;
} pair;

static int by_count(const void *a, const void *b)
{
    const pair *x = a, *y = b;
    if (x->count != y->count)
        return x->count > y->count ? -1 : 1;
    if (x->truth != y->truth)
        return x->truth < y->truth ? -1 : 1;
    return (x->answer > y->answer) - (x->answer < y->answer);
}

/* The pairs of classes most often taken for each other, of too many classes for a matrix. */
static void write_pairs(json *j, const scene_verdict *v)
{
    scene_judged *wrong = malloc((v->count + 1) * sizeof *wrong);
    pair *pairs = malloc((v->count + 1) * sizeof *pairs);
    size_t count = 0, found = 0;
    for (size_t i = 0; wrong && i < v->count; i++)
        if (v->rows[i].truth != v->rows[i].answer)
            wrong[count++] = v->rows[i];
    if (wrong && pairs) {
        qsort(wrong, count, sizeof *wrong, by_pair);
        for (size_t i = 0; i < count; i++) {
            if (i == 0 || by_pair(&wrong[i - 1], &wrong[i]) != 0)
                pairs[found++] = (pair){wrong[i].truth, wrong[i].answer, 0};
            pairs[found - 1].count++;
        }
        qsort(pairs, found, sizeof *pairs, by_count);
    }
    json_null(j, "confusion");
    json_open(j, "pairs", '[');
    for (size_t i = 0; i < found && i < PAIRS_MOST; i++) {
        json_open(j, NULL, '[');
        json_count(j, NULL, (uint64_t)pairs[i].truth);
        json_count(j, NULL, (uint64_t)pairs[i].answer);
        json_count(j, NULL, pairs[i].count);
        json_close(j, ']');
    }
    json_close(j, ']');
    j->out->failed = j->out->failed || !wrong || !pairs;
    free(wrong);
    free(pairs);
}

/* ---- single rows --------------------------------------------------------------------------------------------------------- */

static void write_image(json *j, const hill_table *table, uint64_t row)
{
    const unsigned char *pixels = hill_table_image(table, row);
    hill_column column = HILL_COLUMN_INIT;
    if (!pixels || hill_table_column(table, 0, &column) != HILL_OK) {
        json_null(j, "image");
        return;
    }
    size_t channels = column.image_channels, by = 1, height = column.image_height, width = column.image_width, at = 0;
    while (height * width * channels > IMAGE_MOST && by < (height > width ? column.image_height : column.image_width)) {
        by++;
        height = (column.image_height + by - 1) / by;
        width = (column.image_width + by - 1) / by;
    }
    unsigned char *shown = malloc(height * width * channels + 1);
    for (size_t y = 0; shown && y < height; y++)
        for (size_t x = 0; x < width; x++, at += channels)
            memcpy(shown + at, pixels + (y * by * column.image_width + x * by) * channels, channels);
    json_open(j, "image", '{');
    json_count(j, "height", height);
    json_count(j, "width", width);
    json_count(j, "channels", channels);
    if (shown)
        scene_base64(j, "data", shown, at);
    json_close(j, '}');
    j->out->failed = j->out->failed || !shown;
    free(shown);
}

static void write_cells(json *j, const hill_table *table, uint64_t row, size_t target)
{
    size_t written = 0;
    json_open(j, "cells", '[');
    for (size_t i = 0; i < hill_table_columns(table); i++) {
        hill_column column = HILL_COLUMN_INIT;
        text cell = TEXT_INIT;
        if (i == target || hill_table_column(table, i, &column) != HILL_OK || column.kind == HILL_COLUMN_IMAGE ||
            written++ >= CELLS_MOST)
            continue;
        scene_cell(&cell, table, i, row);
        json_open(j, NULL, '[');
        json_string(j, NULL, column.name);
        json_string(j, NULL, text_get(&cell));
        json_close(j, ']');
        text_end(j->out, &cell);
    }
    json_close(j, ']');
    if (written > CELLS_MOST)
        json_count(j, "cells_left_out", written - CELLS_MOST);
}

/* What a row is or was called: a class's name, or a number. */
static void write_said(json *j, const char *key, const scene_look *look, double said)
{
    text number = TEXT_INIT;
    if (look->facts.task == HILL_TASK_CLASSES) {
        json_string(j, key, hill_model_class(look->model, (size_t)said));
        return;
    }
    text_number(&number, said, 7);
    json_string(j, key, text_get(&number));
    text_end(j->out, &number);
}

static void write_row(json *j, const scene_look *look, const hill_table *table, const scene_judged *row)
{
    json_open(j, NULL, '{');
    json_count(j, "row", row->row + 1);
    write_said(j, "truth", look, row->truth);
    write_said(j, "answer", look, row->answer);
    json_double(j, "sure", (double)row->sure);
    json_double(j, "cost", (double)row->cost);
    write_cells(j, table, row->row, scene_target(table, look));
    write_image(j, table, row->row);
    json_close(j, '}');
}

/* What isn't a number is worst of all. */
static float badness(const scene_judged *row)
{
    return isnan(row->cost) ? INFINITY : row->cost;
}

typedef bool wanted(const scene_judged *row, const scene_query *query);

static bool any(const scene_judged *row, const scene_query *query)
{
    (void)row, (void)query;
    return true;
}

static bool of_cell(const scene_judged *row, const scene_query *query)
{
    return row->truth == (double)query->truth && row->answer == (double)query->answer;
}

/* The rows that cost most, of those that are wanted, the first of equals before the others. Returns how many are wanted. */
static size_t write_worst(json *j, const char *key, const scene_look *look, const hill_table *table, const scene_verdict *v,
                          wanted *want, const scene_query *query)
{
    const scene_judged *worst[WORST_MOST];
    size_t count = 0, held = 0;
    for (size_t i = 0; i < v->count; i++) {
        const scene_judged *row = &v->rows[i];
        if (!want(row, query))
            continue;
        count++;
        if (held == WORST_MOST && badness(row) <= badness(worst[held - 1]))
            continue;
        held += held < WORST_MOST;
        size_t at = held - 1;
        for (; at > 0 && badness(row) > badness(worst[at - 1]); at--)
            worst[at] = worst[at - 1];
        worst[at] = row;
    }
    json_open(j, key, '[');
    for (size_t i = 0; i < held; i++)
        write_row(j, look, table, worst[i]);
    json_close(j, ']');
    return count;
}

static void write_scatter(json *j, const scene_look *look, const scene_verdict *v)
{
    const size_t count = v->count < SCATTER_MOST ? v->count : SCATTER_MOST;
    if (look->facts.task == HILL_TASK_CLASSES) {
        json_null(j, "scatter");
        return;
    }
    json_open(j, "scatter", '[');
    for (size_t i = 0; i < count; i++) {
        const scene_judged *row = &v->rows[(size_t)((uint64_t)v->count * i / count)];
        json_open(j, NULL, '[');
        json_double(j, NULL, row->truth);
        json_double(j, NULL, row->answer);
        json_close(j, ']');
    }
    json_close(j, ']');
}

/* ---- the documents --------------------------------------------------------------------------------------------------------- */

/* Opens and judges what a query asks about. 200, or a status after writing why not. */
static int begin(scene *s, const scene_query *query, scene_look *look, hill_table **table, text *out)
{
    const bool test = query->part && strcmp(query->part, "test") == 0;
    if (query->part && !test && strcmp(query->part, "data") != 0)
        return scene_refuse(out, 400, "there is no part %.40s; there are data and test", query->part);
    int status = scene_look_at(s, query->at, look, out);
    if (status == 200)
        status = scene_rows_of(s, test ? SCENE_TEST : SCENE_DATA, table, out);
    return status == 200 ? judge(s, look, test ? SCENE_TEST : SCENE_DATA, *table, out) : status;
}

int scene_answers(scene *s, const scene_query *query, text *out)
{
    json j = {out, false};
    scene_look look;
    hill_table *table = NULL;
    int status = begin(s, query, &look, &table, out);
    if (status != 200)
        return status;
    const bool classes = look.facts.task == HILL_TASK_CLASSES;
    json_open(&j, NULL, '{');
    json_count(&j, "epoch", look.epoch);
    json_string(&j, "part", s->verdict.part == SCENE_TEST ? "test" : "data");
    json_count(&j, "rows", s->verdict.count);
    (classes ? write_class_metrics : write_number_metrics)(&j, &s->verdict);
    json_open(&j, "classes", '[');
    for (size_t i = 0; i < look.facts.classes; i++)
        json_string(&j, NULL, hill_model_class(look.model, i));
    json_close(&j, ']');
    if (classes && look.facts.classes > MATRIX_CLASSES)
        write_pairs(&j, &s->verdict);
    else if (classes)
        write_matrix(&j, &s->verdict, look.facts.classes);
    else
        json_null(&j, "confusion");
    (void)write_worst(&j, "worst", &look, table, &s->verdict, any, query);
    write_scatter(&j, &look, &s->verdict);
    json_close(&j, '}');
    return 200;
}

int scene_rows(scene *s, const scene_query *query, text *out)
{
    json j = {out, false};
    scene_look look;
    hill_table *table = NULL;
    int status = begin(s, query, &look, &table, out);
    if (status != 200)
        return status;
    if (query->truth >= look.facts.classes || query->answer >= look.facts.classes)
        return scene_refuse(out, 404, "there are %zu classes", look.facts.classes);
    json_open(&j, NULL, '{');
    const size_t count = write_worst(&j, "rows", &look, table, &s->verdict, of_cell, query);
    json_count(&j, "count", count);
    json_close(&j, '}');
    return 200;
}
