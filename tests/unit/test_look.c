/*
 * test_look.c - what a host may look at: cells of tables, layers of plans, what units answer, what rows cost, rows as nets see them.
 */
#include "base/fp.h"

#include "support.h"
#include "tables.h"

#include "model/session.h"
#include "train/init.h"
#include "train/run.h"

static void cells_are_told_and_their_edges_kept(void **state)
{
    (void)state;
    const char *const names[] = {"a", "b"}, *const texts[] = {"x", NULL, "y"};
    const double numbers[] = {1.5, (double)NAN, -2};
    const unsigned char bytes[] = {1, 2, 3, 4, 5, 6};
    hill_table *table = make_table(3, names, 2);
    set_numbers(table, 0, numbers);
    set_texts(table, 1, texts);
    double value = 7;
    assert_int_equal(hill_table_cell(table, 0, 0, &value), HILL_OK);
    assert_true(value == 1.5);
    assert_int_equal(hill_table_cell(table, 0, 1, &value), HILL_OK);
    assert_true(isnan(value));
    assert_int_equal(hill_table_cell(table, 1, 2, &value), HILL_OK);
    assert_true(value == 1);
    assert_string_equal(hill_table_category(table, 1, 1), "y");
    assert_int_equal(hill_table_cell(table, 1, 1, &value), HILL_OK);
    assert_true(isnan(value));
    assert_int_equal(hill_table_cell(table, 2, 0, &value), HILL_EARGUMENT);
    assert_int_equal(hill_table_cell(table, 0, 3, &value), HILL_EARGUMENT);
    assert_int_equal(hill_table_cell(table, 0, 0, NULL), HILL_EARGUMENT);
    assert_null(hill_table_image(table, 0));
    set_images(table, bytes, 1, 2);
    assert_int_equal(hill_table_cell(table, 0, 0, &value), HILL_EARGUMENT);
    assert_int_equal(hill_table_cell(table, 1, 2, &value), HILL_OK);
    assert_true(value == -2);
    assert_int_equal(hill_table_cell(table, 3, 0, &value), HILL_EARGUMENT);
    assert_memory_equal(hill_table_image(table, 2), bytes + 4, 2);
    assert_null(hill_table_image(table, 3));
    hill_table_free(table);
}

/* A plan over pictures of 6 x 6, or over so many columns. */
static hill_plan *shaped_plan(const char *text, size_t side, size_t columns)
{
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe;
    hill_plan *plan = NULL;
    hill_shape shape = HILL_SHAPE_INIT;
    shape.inputs = side ? side * side : columns;
    shape.outputs = 3;
    shape.task = HILL_TASK_CLASSES;
    shape.height = shape.width = side;
    shape.channels = side ? 1 : 0;
    assert_int_equal(hill_recipe_new(NULL, &recipe, &error), HILL_OK);
    if (hill_recipe_parse(recipe, text, strlen(text), NULL, &error) < 0 ||
        hill_plan_new(recipe, &shape, NULL, &plan, &error) < 0)
        fail_msg("%s in:\n%s", error.text, text);
    hill_recipe_free(recipe);
    return plan;
}

typedef struct expected {
    const char *name, *words, *kind;
    size_t inputs, units, height, width, channels, weight, bias;
} expected;

static void expect_layers(const hill_plan *plan, const expected *layers, size_t count)
{
    hill_layer layer = HILL_LAYER_INIT;
    for (size_t i = 0; i < count; i++) {
        const expected *e = &layers[i];
        assert_int_equal(hill_plan_layer(plan, i, &layer), HILL_OK);
        assert_string_equal(layer.name, e->name);
        assert_string_equal(layer.words, e->words);
        assert_string_equal(layer.kind, e->kind);
        assert_int_equal(layer.inputs, e->inputs);
        assert_int_equal(layer.units, e->units);
        assert_int_equal(layer.height, e->height);
        assert_int_equal(layer.width, e->width);
        assert_int_equal(layer.channels, e->channels);
        assert_true(layer.weight == e->weight && layer.bias == e->bias);
    }
    assert_int_equal(hill_plan_layer(plan, count, &layer), HILL_EARGUMENT);
    layer.size = 8;
    assert_int_equal(hill_plan_layer(plan, 0, &layer), HILL_EARGUMENT);
    assert_int_equal(hill_plan_layer(plan, 0, NULL), HILL_EARGUMENT);
}

static void layers_are_those_that_were_written(void **state)
{
    (void)state;
    const size_t none = SIZE_MAX;
    static const char pictures[] = "net=conv 4 3x3 tanh, [conv 4 3x3 same relu , dropout 0.2], maxpool 2,  8 relu,dropout 0.5";
    const expected of_pictures[] = {{"layer1", "conv 4 3x3 tanh", "conv", 36, 64, 3, 3, 1, 0, 1},
                                    {"layer2", "conv 4 3x3 same relu", "conv", 64, 64, 3, 3, 4, 2, 3},
                                    {"dropout1", "dropout 0.2", "dropout", 64, 64, 0, 0, 0, none, none},
                                    {"maxpool1", "maxpool 2", "maxpool", 64, 16, 0, 0, 0, none, none},
                                    {"layer3", "8 relu", "dense", 16, 8, 2, 2, 4, 4, 5},
                                    {"dropout2", "dropout 0.5", "dropout", 8, 8, 0, 0, 0, none, none},
                                    {"layer4", "3 softmax", "dense", 8, 3, 0, 0, 0, 6, 7}};
    hill_plan *plan = shaped_plan(pictures, 6, 0);
    expect_layers(plan, of_pictures, COUNT_OF(of_pictures));
    hill_plan_free(plan);
    const expected of_columns[] = {{"layer1", "periodic 2", "periodic", 5, 20, 0, 0, 0, 0, none},
                                   {"layer2", "batchnorm tanh", "batchnorm", 20, 20, 0, 0, 0, 1, 2},
                                   {"layer3", "3 identity", "dense", 20, 3, 0, 0, 0, 5, 6}};
    plan = shaped_plan("net=periodic 2, batchnorm tanh, output identity\ncost=squared", 0, 5);
    hill_tensor tensor = HILL_TENSOR_INIT;
    assert_int_equal(hill_plan_tensor(plan, 3, &tensor), HILL_OK);
    if (strcmp(tensor.name, "layer2.mean") != 0)
        fail_msg("tensor 3 is %s", tensor.name);
    expect_layers(plan, of_columns, COUNT_OF(of_columns));
    hill_plan_free(plan);
    const expected embedded[] = {{"layer1", "embed 2:7x3", "embed", 4, 6, 0, 0, 0, none, none},
                                 {"layer2", "3 softmax", "dense", 6, 3, 0, 0, 0, 1, 2}};
    plan = shaped_plan("net=embed 2:7x3", 0, 4);
    expect_layers(plan, embedded, COUNT_OF(embedded));
    hill_plan_free(plan);
}

/* A net that is cut off behind a layer answers what that layer's units do: the same weights, and the same numbers. */
static void units_answer_what_shorter_nets_do(void **state)
{
    (void)state;
    enum { ROWS = 300 };
    hill_plan *plan = make_plan("net=5 tanh, 4 gelu, output softmax\ncost=cross-entropy", 3, 2, true);
    hill_plan *shorter = make_plan("net=5 tanh, output gelu\ncost=squared", 3, 4, true);
    data *rows = make_data(ROWS, 3, 2, TARGET_ONE_HOT, 5);
    float *weights = calloc(plan->vector, sizeof *weights);
    float answers[ROWS * 2], units[ROWS * 4], same[ROWS * 4], alone[4];
    hill_run *run, *run_of_shorter;
    draw_floats(weights, plan->vector, 9, 1);
    assert_int_equal(hill_run_new(plan, NULL, NULL, NULL, &run), HILL_OK);
    assert_int_equal(hill_run_new(shorter, NULL, NULL, NULL, &run_of_shorter), HILL_OK);
    assert_int_equal(hill_run_units(run, weights, 1, rows->inputs, ROWS, units), HILL_OK);
    assert_int_equal(hill_run_answer(run_of_shorter, weights, rows->inputs, ROWS, same), HILL_OK);
    assert_memory_equal(units, same, sizeof units);
    assert_int_equal(hill_run_units(run, weights, 1, rows->inputs + 3 * 271, 1, alone), HILL_OK);
    assert_memory_equal(alone, units + 4 * 271, sizeof alone);
    assert_int_equal(hill_run_answer(run, weights, rows->inputs, ROWS, answers), HILL_OK);
    assert_int_equal(hill_run_units(run, weights, 2, rows->inputs, ROWS, units), HILL_OK);
    assert_memory_equal(units, answers, sizeof answers);
    assert_int_equal(hill_run_units(run, weights, 3, rows->inputs, ROWS, units), HILL_EARGUMENT);
    hill_run_free(run_of_shorter);
    hill_run_free(run);
    free(weights);
    free_data(rows);
    hill_plan_free(shorter);
    hill_plan_free(plan);
}

static int fill_never(void *self, const uint64_t *rows, size_t count, float *inputs, float *targets)
{
    (void)self, (void)rows, (void)count, (void)inputs, (void)targets;
    return HILL_EIO;
}

/* Of all rows, with weights, and at the last row of a second block. */
static void costs_are_those_of_the_rows_alone(void **state)
{
    (void)state;
    enum { ROWS = 300 };
    hill_plan *plan = make_plan("net=5 tanh\ncost=huber", 3, 2, true);
    data *rows = make_data(ROWS, 3, 2, TARGET_NUMBERS, 5);
    float costs[ROWS], weights[ROWS], *vector = calloc(plan->vector, sizeof *vector);
    hill_score score = HILL_SCORE_INIT;
    hill_run *run;
    double sum = 0;
    draw_floats(vector, plan->vector, 9, 1);
    assert_int_equal(hill_run_new(plan, NULL, NULL, NULL, &run), HILL_OK);
    assert_int_equal(hill_run_costs(run, vector, &rows->source, costs), HILL_OK);
    assert_int_equal(hill_run_evaluate(run, vector, &rows->source, &score), HILL_OK);
    for (size_t i = 0; i < ROWS; i++)
        sum += (double)costs[i];
    assert_true(sum / ROWS == score.cost);
    hill_arrays last = {sizeof last, rows->inputs + 299 * 3, rows->targets + 299 * 2, 1, 3, 2, NULL};
    hill_source one = hill_array_source(&last);
    assert_int_equal(hill_run_evaluate(run, vector, &one, &score), HILL_OK);
    assert_true(score.cost == (double)costs[299]);
    const float cost = costs[299];
    for (size_t i = 0; i < ROWS; i++)
        weights[i] = 2;
    rows->arrays.weights = weights;
    rows->source = hill_array_source(&rows->arrays);
    assert_int_equal(hill_run_costs(run, vector, &rows->source, costs), HILL_OK);
    assert_true(costs[299] == 2 * cost);
    one.fill = fill_never;
    assert_int_equal(hill_run_costs(run, vector, &one, costs), HILL_EIO);
    hill_run_free(run);
    free(vector);
    free_data(rows);
    hill_plan_free(plan);
}

static hill_table *small_table(const char *text, const hill_model *like)
{
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    hill_error error = HILL_ERROR_INIT;
    hill_table *table;
    const hill_bytes bytes = {text, strlen(text), "small.csv"};
    options.like = like;
    if (hill_table_parse(&bytes, &options, NULL, &table, &error) != HILL_OK)
        fail_msg("%s", error.text);
    return table;
}

static void rows_are_encoded_as_they_are_answered(void **state)
{
    (void)state;
    hill_error error = HILL_ERROR_INIT;
    hill_table *table = small_table("a,b,y\n1,u,no\n2,v,yes\n3,u,no\n4,v,yes\n", NULL);
    hill_model *model;
    assert_int_equal(hill_train(table, "target=y\nnet=3 tanh\nepochs=2\nscale=none", NULL, &model, &error), HILL_OK);
    hill_table *other = small_table("y,b,a\nyes,u,10\n,w,20\nwhat,v,30\nno,v,40\n", model);
    /* a, then b's units: u, v, what isn't known. */
    const float wanted[] = {20, 0, 0, 1, 30, 0, 1, 0, 40, 0, 1, 0};
    float inputs[16], targets[8], answers[6];
    double said[6];
    assert_int_equal(hill_model_encode(model, other, 1, 3, inputs, targets, &error), HILL_OK);
    assert_memory_equal(inputs, wanted, sizeof wanted);
    assert_true(isnan(targets[0]) && isnan(targets[1]) && isnan(targets[2]) && isnan(targets[3]));
    assert_true(targets[4] == 1 && targets[5] == 0);
    hill_run *run;
    assert_int_equal(hill_run_new(hill_model_plan(model), NULL, NULL, NULL, &run), HILL_OK);
    assert_int_equal(hill_run_answer(run, hill_model_weights(model), inputs, 3, answers), HILL_OK);
    assert_int_equal(hill_model_predict(model, other, 1, 3, said, &error), HILL_OK);
    for (size_t i = 0; i < 6; i++)
        assert_true((double)answers[i] == said[i]);
    assert_int_equal(hill_model_encode(model, other, 2, 3, inputs, targets, &error), HILL_EARGUMENT);
    assert_int_equal(hill_model_encode(model, other, 5, 0, inputs, targets, &error), HILL_EARGUMENT);
    assert_int_equal(hill_model_encode(model, other, 4, 0, inputs, targets, &error), HILL_OK);
    hill_table *blind = small_table("b,a\nu,10\n", model);
    assert_int_equal(hill_model_encode(model, blind, 0, 1, inputs, NULL, &error), HILL_OK);
    assert_true(inputs[0] == 10 && inputs[1] == 1);
    assert_int_equal(hill_model_encode(model, blind, 0, 1, inputs, targets, &error), HILL_EDATA);
    hill_run_free(run);
    hill_table_free(blind);
    hill_table_free(other);
    hill_model_free(model);
    hill_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_told_and_their_edges_kept),   cmocka_unit_test(layers_are_those_that_were_written),
        cmocka_unit_test(units_answer_what_shorter_nets_do),     cmocka_unit_test(costs_are_those_of_the_rows_alone),
        cmocka_unit_test(rows_are_encoded_as_they_are_answered),
    };
    return cmocka_run_group_tests_name("look", tests, NULL, NULL);
}
