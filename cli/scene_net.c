/*
 * scene_net.c - the documents net and layer: what the weights are, and what units do with some of the rows.
 */
#include "scene_inside.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define WEIGHTS_MOST 65536
/* Rows that are tried, in runs of neighbours spread over the table; and floats of answers that are held for them. */
#define TRIED_ROWS 256
#define TRIED_RUNS 16
#define TRIED_FLOATS ((size_t)1 << 22)

/* Rows as the net sees them: all of them, and in front of `aimed` those that have a target. */
typedef struct tried {
    float *inputs, *targets, *gradient;
    size_t rows, aimed;
} tried;

size_t scene_tensor_floats(const hill_tensor *tensor)
{
    size_t count = 1;
    for (size_t i = 0; i < tensor->rank; i++)
        count *= tensor->shape[i];
    return count;
}

static void free_tried(tried *t)
{
    free(t->inputs);
    free(t->targets);
    free(t->gradient);
    *t = (tried){NULL, NULL, NULL, 0, 0};
}

/* Encodes a run of rows behind those that are there; without targets where the table has none. */
static int encode_run(tried *t, const scene_look *look, const hill_table *table, uint64_t first, size_t count)
{
    const size_t inputs = look->facts.inputs, outputs = look->facts.outputs;
    float *at = t->inputs + t->rows * inputs, *aims = t->targets + t->rows * outputs;
    int status = hill_model_encode(look->model, table, first, count, at, aims, NULL);
    if (status == HILL_EDATA) {
        status = hill_model_encode(look->model, table, first, count, at, NULL, NULL);
        for (size_t i = 0; i < count * outputs; i++)
            aims[i] = NAN;
    }
    t->rows += status == HILL_OK ? count : 0;
    return status;
}

/* Rows with a target change places with rows before them that have none. */
static void sort_aimed(tried *t, const scene_look *look)
{
    const size_t inputs = look->facts.inputs, outputs = look->facts.outputs;
    for (size_t i = 0; i < t->rows; i++) {
        if (isnan(t->targets[i * outputs]))
            continue;
        for (size_t k = 0; k < inputs && i != t->aimed; k++) {
            const float one = t->inputs[i * inputs + k];
            t->inputs[i * inputs + k] = t->inputs[t->aimed * inputs + k];
            t->inputs[t->aimed * inputs + k] = one;
        }
        for (size_t k = 0; k < outputs && i != t->aimed; k++) {
            t->targets[t->aimed * outputs + k] = t->targets[i * outputs + k];
            t->targets[i * outputs + k] = NAN;
        }
        t->aimed++;
    }
}

/* Some rows of the data. false: no memory, or they are not of this model. */
static bool try_rows(tried *t, const scene_look *look, const hill_table *table)
{
    const uint64_t rows = hill_table_rows(table);
    const size_t count = rows < TRIED_ROWS ? (size_t)rows : TRIED_ROWS, runs = count < TRIED_ROWS ? 1 : TRIED_RUNS;
    const size_t each = count / runs;
    t->inputs = calloc(count + 1, look->facts.inputs * sizeof *t->inputs);
    t->targets = calloc(count + 1, look->facts.outputs * sizeof *t->targets);
    int status = t->inputs && t->targets ? HILL_OK : HILL_EMEMORY;
    for (size_t i = 0; i < runs && status == HILL_OK; i++)
        status = encode_run(t, look, table, runs > 1 ? (rows - each) * i / (runs - 1) : 0, each);
    if (status == HILL_OK)
        sort_aimed(t, look);
    return status == HILL_OK;
}

/* The gradient of the last step, or of the mean cost over the rows that were tried; t->gradient stays NULL where there is none. */
static void take_gradient(const scene *s, tried *t, const scene_look *look, int64_t at)
{
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    const hill_arrays arrays = {sizeof arrays, t->inputs, t->targets, t->aimed, look->facts.inputs, look->facts.outputs, NULL};
    const hill_source source = hill_array_source(&arrays);
    if (hill_plan_info(hill_model_plan(look->model), &sizes) != HILL_OK)
        return;
    t->gradient = calloc(sizes.vector, sizeof *t->gradient);
    if (!t->gradient || (at < 0 && s->is_live && s->live.gradient && s->live.gradient(s->live.self, t->gradient) == 0))
        return;
    if (t->aimed > 0 && hill_run_slope(look->run, hill_model_weights(look->model), &source, t->gradient) == HILL_OK)
        return;
    free(t->gradient);
    t->gradient = NULL;
}

/* Histogram of what a layer's units answer to the rows, and how many of them always answer the same. */
static void write_activations(json *j, const scene_look *look, const tried *t, size_t i, const hill_layer *layer,
                              size_t *asleep)
{
    size_t rows = TRIED_FLOATS / layer->units;
    rows = rows < t->rows ? rows : t->rows;
    float *out = rows > 1 ? malloc(rows * layer->units * sizeof *out) : NULL;
    *asleep = SIZE_MAX;
    if (!out || hill_run_units(look->run, hill_model_weights(look->model), i, t->inputs, rows, out) != HILL_OK) {
        json_null(j, "activations");
    } else {
        scene_bins(j, "activations", out, rows * layer->units);
        *asleep = 0;
        for (size_t unit = 0; unit < layer->units; unit++) {
            size_t row = 1;
            while (row < rows && out[row * layer->units + unit] == out[unit])
                row++;
            *asleep += row == rows;
        }
    }
    free(out);
}

/* [inputs][units] of a weight tensor; false for a layer that has no such. */
static bool matrix_of(const scene_look *look, const hill_layer *layer, hill_tensor *tensor, size_t *inputs, size_t *units)
{
    const bool products = strcmp(layer->kind, "dense") == 0 || strcmp(layer->kind, "conv") == 0;
    if (!products || hill_plan_tensor(hill_model_plan(look->model), layer->weight, tensor) != HILL_OK || tensor->rank < 2)
        return false;
    *units = tensor->shape[tensor->rank - 1];
    *inputs = scene_tensor_floats(tensor) / *units;
    return *units > 0;
}

/* The weights of as many units as fit, from unit `first` on. */
static void write_weights(json *j, const scene_look *look, const hill_layer *layer, size_t first)
{
    hill_tensor tensor = HILL_TENSOR_INIT;
    size_t inputs, units;
    if (!matrix_of(look, layer, &tensor, &inputs, &units) || first >= units) {
        json_null(j, "weights");
        return;
    }
    size_t most = WEIGHTS_MOST / (inputs ? inputs : 1), count = units - first;
    count = inputs * units <= WEIGHTS_MOST || count < most ? count : most ? most : 1;
    const float *all = hill_model_weights(look->model) + tensor.offset;
    float *part = malloc(inputs * count * sizeof *part + 1);
    for (size_t i = 0; part && i < inputs; i++)
        memcpy(part + i * count, all + i * units + first, count * sizeof *part);
    json_open(j, "weights", '{');
    json_count(j, "inputs", inputs);
    json_count(j, "units", count);
    json_count(j, "first", first);
    if (part)
        scene_floats_inside(j, part, inputs * count);
    json_close(j, '}');
    j->out->failed = j->out->failed || !part;
    free(part);
}

static void write_bias(json *j, const scene_look *look, const hill_layer *layer)
{
    hill_tensor tensor = HILL_TENSOR_INIT;
    if (hill_plan_tensor(hill_model_plan(look->model), layer->bias, &tensor) == HILL_OK)
        scene_floats(j, "bias", hill_model_weights(look->model) + tensor.offset, scene_tensor_floats(&tensor));
    else
        json_null(j, "bias");
}

static void write_picture(json *j, const hill_layer *layer, bool first)
{
    if (layer->height == 0 || (!first && strcmp(layer->kind, "conv") != 0)) {
        json_null(j, "picture");
        return;
    }
    json_open(j, "picture", '[');
    json_count(j, NULL, layer->height);
    json_count(j, NULL, layer->width);
    json_count(j, NULL, layer->channels);
    json_close(j, ']');
}

/* `first`: no layer before it has weights. */
static void write_layer(json *j, const scene_look *look, const tried *t, size_t i, const hill_layer *layer, bool first)
{
    hill_tensor tensor = HILL_TENSOR_INIT;
    const bool has = hill_plan_tensor(hill_model_plan(look->model), layer->weight, &tensor) == HILL_OK;
    const size_t count = has ? scene_tensor_floats(&tensor) : 0;
    size_t asleep;
    json_open(j, NULL, '{');
    json_string(j, "name", layer->name);
    json_string(j, "words", layer->words);
    json_count(j, "inputs", layer->inputs);
    json_count(j, "units", layer->units);
    write_picture(j, layer, first);
    write_weights(j, look, layer, 0);
    write_bias(j, look, layer);
    json_open(j, "bins", '{');
    if (has)
        scene_bins(j, "weights", hill_model_weights(look->model) + tensor.offset, count);
    else
        json_null(j, "weights");
    write_activations(j, look, t, i, layer, &asleep);
    if (has && t->gradient)
        scene_bins(j, "gradient", t->gradient + tensor.offset, count);
    else
        json_null(j, "gradient");
    json_close(j, '}');
    if (asleep != SIZE_MAX)
        json_count(j, "asleep", asleep);
    else
        json_null(j, "asleep");
    json_count(j, "weight_count", count);
    json_close(j, '}');
}

static void write_place(json *j, const scene_look *look)
{
    json_count(j, "epoch", look->epoch);
    json_count(j, "step", look->step);
}

int scene_net(scene *s, const scene_query *query, text *out)
{
    json j = {out, false};
    scene_look look;
    hill_layer layer = HILL_LAYER_INIT;
    tried t = {NULL, NULL, NULL, 0, 0};
    bool first = true;
    int status = scene_look_at(s, query->at, &look, out);
    if (status != 200)
        return status;
    if (scene_has_table(s, SCENE_DATA) && !try_rows(&t, &look, s->tables[SCENE_DATA].table))
        free_tried(&t);
    take_gradient(s, &t, &look, query->at);
    json_open(&j, NULL, '{');
    write_place(&j, &look);
    json_open(&j, "layers", '[');
    for (size_t i = 0; hill_plan_layer(hill_model_plan(look.model), i, &layer) == HILL_OK; i++) {
        write_layer(&j, &look, &t, i, &layer, first);
        first = first && layer.weight == SIZE_MAX;
    }
    json_close(&j, ']');
    json_close(&j, '}');
    free_tried(&t);
    return 200;
}

int scene_layer(scene *s, const scene_query *query, text *out)
{
    json j = {out, false};
    scene_look look;
    hill_layer layer = HILL_LAYER_INIT;
    hill_tensor tensor = HILL_TENSOR_INIT;
    size_t inputs, units;
    int status = scene_look_at(s, query->at, &look, out);
    if (status != 200)
        return status;
    if (hill_plan_layer(hill_model_plan(look.model), query->layer, &layer) != HILL_OK)
        return scene_refuse(out, 404, "there is no layer %zu", query->layer);
    if (!matrix_of(&look, &layer, &tensor, &inputs, &units))
        return scene_refuse(out, 404, "layer %zu is no dense or convolution layer", query->layer);
    if (query->first >= units)
        return scene_refuse(out, 404, "layer %zu has %zu units", query->layer, units);
    json_open(&j, NULL, '{');
    write_place(&j, &look);
    write_weights(&j, &look, &layer, query->first);
    json_close(&j, '}');
    return 200;
}
