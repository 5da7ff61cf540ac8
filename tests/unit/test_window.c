/*
 * test_window.c - layers with a window: gradients are proved, bugs in their loops are seen, every kernel row and number of threads
 * has the same bits, and nets that cannot be are refused.
 */
#include "base/fp.h"

#include "support.h"

#include <math.h>

#include "plan/net.h"
#include "train/run.h"

static const hill_shape picture = {sizeof(hill_shape), 7 * 6 * 2, 3, 0, HILL_TASK_NUMBERS, 7, 6, 2, NULL};

static const char *const nets[] = {
    "conv 4 3x3 tanh",
    "conv 4 3x3, maxpool 2, conv 5 2 silu",
    "conv 3 2x4 stride 2 elu, 6 tanh",
    "conv 18 3x3 same gelu, avgpool 2, 5 tanh",
    "conv 4 5x5 same stride 3 softplus, conv 6 2 same tanh",
    "conv 4 3x3 same groups 2 tanh, conv 8 3 groups 4 silu, avgpool all",
    "conv 6 1x1 tanh, conv 6 3x3 groups 6 tanh, maxpool 3x3 stride 1",
    "maxpool 2, conv 4 2x2 mish",
    "avgpool 3x2 stride 1, maxpool all, 5 tanh",
    "conv 17 2x2 softmax, avgpool 2x3 stride 2",
    "conv 4 7x6 tanh, 3 sigmoid",
    "5 tanh, conv 3 2 tanh, maxpool 2",
    "conv 40 2x2 tanh, conv 5 3x3 tanh, conv 3 2x2 stride 2 softmax", /* patches that are unfolded piece by piece */
    "conv 3 1x1 same tanh, conv 4 7x6 same stride 5 tanh",
    "[conv 2 3x3 same tanh], avgpool 2, 5 tanh",
    "conv 4 2x2 tanh, [conv 6 3x3 same gelu, [conv 6 1x1 silu], conv 4 3x3 same identity], maxpool 2, 9 tanh, [7 tanh, 9 tanh]",
    "5 tanh, [5 softmax], [5 tanh, 5 silu]",
    "layernorm, conv 4 2x2 identity, layernorm gelu, 9 tanh, layernorm, dropout 0.3, [9 tanh, dropout 0.2, layernorm softmax]",
    "scale, conv 4 3x3 identity, batchnorm tanh, maxpool 2, 5 identity, batchnorm",
    "conv 19 1x1 tanh, conv 19 3x3 same stride 2 groups 19 gelu, conv 19 3x2 groups 19 softmax, conv 19 2 same groups 19 tanh",
    "conv 2 3x2 groups 2 tanh, conv 70 1 tanh, conv 70 5x4 same groups 70 silu, avgpool all",
    "prelu, conv 4 3x3 identity, prelu, maxpool 2, 5 identity, swish softmax",
    "conv 17 2x2 identity, swish, 9 tanh, [5 identity, prelu gelu, 9 identity, swish]",
    "periodic 3 1, conv 4 2x2 tanh, periodic 17 0.3, maxpool 2, 9 tanh, periodic 2, 6 tanh",
    "9 tanh, periodic 5 2, conv 4 1 silu, 9 tanh, [9 tanh, periodic 18, 9 tanh]",
    "batchnorm silu, 17 tanh, scale softplus, [batchnorm elu, 17 tanh]",
};

static hill_plan *picture_plan(const char *net, const char *more, const hill_shape *shape, bool fused)
{
    char text[300];
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe = NULL;
    hill_plan *plan = NULL;
    hill_allocator allocator = hill__allocator(NULL);
    snprintf(text, sizeof text, "net=%s, output identity\ncost=squared\nepochs=3\n%s", net, more);
    if (hill_recipe_new(NULL, &recipe, &error) < 0 || hill_recipe_parse(recipe, text, strlen(text), NULL, &error) < 0 ||
        hill__plan_build(recipe, shape, fused, &allocator, &plan, &error) < 0)
        fail_msg("%s in:\n%s", error.text, text);
    hill_recipe_free(recipe);
    return plan;
}

static data *picture_data(uint64_t rows)
{
    return make_data(rows, picture.inputs, picture.outputs, TARGET_NUMBERS, rows);
}

/* ---- proofs ---------------------------------------------------------------------------------------------------------------- */

static int check_net(const char *net, const hill__kernels *kernels, hill_check *result)
{
    hill_run *run;
    hill_plan *plan = picture_plan(net, "", &picture, true);
    data *rows = picture_data(11);
    *result = (hill_check)HILL_CHECK_INIT;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
    if (kernels)
        run->kernels = kernels;
    int status = hill_run_check(run, &rows->source, result);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
    return status;
}

static void every_window_is_proved(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        hill_check result;
        int status = check_net(nets[i], NULL, &result);
        if (status != HILL_OK || !(result.worst > 0))
            fail_msg("%s: %s: %g at %s, kinks %llu", nets[i], hill_status_name(status), result.worst, result.worst_weight,
                     (unsigned long long)result.kinks);
    }
}

/* The loops that wrong ones begin with. */
#define RIGHT hill__kernels_scalar

static void copy_less(float *y, size_t y_row, const float *x, size_t x_row, size_t rows, size_t n, float factor)
{
    RIGHT.copy_window(y, y_row, x, x_row, rows, n > 1 ? n - 1 : n, factor);
}

static void copy_fewer(float *y, size_t y_row, const float *x, size_t x_row, size_t rows, size_t n, float factor)
{
    RIGHT.copy_window(y, y_row, x, x_row, rows > 1 ? rows - 1 : rows, n, factor);
}

static void add_less(float *y, size_t y_row, const float *x, size_t x_row, size_t rows, size_t n, float factor)
{
    RIGHT.add_window(y, y_row, x, x_row, rows, n, factor * 0.99f);
}

static void add_over(float *y, size_t y_row, const float *x, size_t x_row, size_t rows, size_t n, float factor)
{
    (void)factor;
    RIGHT.copy_window(y, y_row, x, x_row, rows, n, 1);
}

static void max_of_none(float *y, size_t y_row, const float *x, size_t x_row, size_t rows, size_t n, float factor)
{
    (void)y, (void)y_row, (void)x, (void)x_row, (void)rows, (void)n, (void)factor;
}

static void give_to_all(float *dx, const float *x, size_t x_row, float *d, const float *y, size_t rows, size_t n)
{
    (void)x, (void)y;
    RIGHT.add_window(dx, x_row, d, n, rows, n, 1);
}

static void bugs_in_the_loops_are_seen(void **state)
{
    (void)state;
    hill_check result;
    static const struct {
        const char *net;
        hill__window_loop copy, add, max;
        bool give;
    } bugs[] = {
        {"conv 4 3x3 tanh", copy_less, NULL, NULL, false},
        {"conv 4 3x3 same tanh", copy_fewer, NULL, NULL, false},
        {"conv 4 3x3 tanh, conv 4 2x2 tanh", NULL, add_less, NULL, false},
        {"conv 4 3x3 tanh, conv 4 2x2 tanh", NULL, add_over, NULL, false},
        {"conv 4 3x3 tanh, avgpool 2", NULL, add_less, NULL, false},
        {"conv 4 3x3 tanh, maxpool 2", NULL, NULL, max_of_none, false},
        {"conv 4 3x3 tanh, maxpool 2", NULL, NULL, NULL, true},
    };
    for (size_t i = 0; i < COUNT_OF(bugs); i++) {
        hill__kernels wrong = RIGHT;
        wrong.copy_window = bugs[i].copy ? bugs[i].copy : wrong.copy_window;
        wrong.add_window = bugs[i].add ? bugs[i].add : wrong.add_window;
        wrong.max_window = bugs[i].max ? bugs[i].max : wrong.max_window;
        wrong.give_window = bugs[i].give ? give_to_all : wrong.give_window;
        if (check_net(bugs[i].net, &wrong, &result) != HILL_ECHECK)
            fail_msg("bug %zu in %s: not seen, worst %g", i, bugs[i].net, result.worst);
    }
}

/* ---- the same bits --------------------------------------------------------------------------------------------------------- */

/* Weights after three epochs of 300 rows: of a batch larger than a block, too. */
static void train(const char *net, const char *batch, const char *isa, unsigned threads, bool fused, float *weights)
{
    hill_run *run;
    hill_host host = HILL_HOST_INIT;
    host.isa = isa;
    host.threads = threads;
    host.crowd = 1;
    hill_plan *plan = picture_plan(net, batch, &picture, fused);
    data *rows = picture_data(300);
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
    run->share_rows = 1;
    run->shared = true;
    hill__kernels eager = *run->kernels;
    eager.thread_work = 1; /* every loop is shared */
    run->kernels = &eager;
    while (hill_step(run, NULL) == HILL_ROW)
        continue;
    memcpy(weights, run->weights, plan->vector * sizeof *weights);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
}

static void every_row_thread_and_twin_has_the_same_bits(void **state)
{
    (void)state;
    static const char *const batches[] = {"batch=64", "batch=299"}; /* the last one of a row alone */
    static float right[20000], other[20000];
    for (size_t i = 0; i < COUNT_OF(nets); i++)
        for (size_t b = 0; b < COUNT_OF(batches); b++) {
            hill_plan *plan = picture_plan(nets[i], batches[b], &picture, true);
            size_t bytes = plan->vector * sizeof *right;
            assert_true(bytes <= sizeof right);
            hill_plan_free(plan);
            train(nets[i], batches[b], "scalar", 1, true, right);
            train(nets[i], batches[b], "scalar", 3, false, other);
            if (memcmp(right, other, bytes) != 0)
                fail_msg("%s, %s: unfused, 3 threads", nets[i], batches[b]);
            const hill__kernels *row;
            for (size_t k = 0; (row = hill__kernels_at(k)) != NULL; k++) {
                train(nets[i], batches[b], row->name, 1 + (unsigned)k, true, other);
                if (memcmp(right, other, bytes) != 0)
                    fail_msg("%s, %s: %s", nets[i], batches[b], row->name);
            }
        }
}

/* ---- the loops ------------------------------------------------------------------------------------------------------------- */

#define ROWS 3u
#define WIDE 40u

/* Every length, against what is written here; what lies between the rows is left alone. */
static void loops_do_what_they_say(void **state)
{
    (void)state;
    const hill__kernels *row;
    float x[ROWS * WIDE], y[ROWS * WIDE], out[ROWS * WIDE], give[ROWS * WIDE], d[ROWS * WIDE];
    draw_floats(x, COUNT_OF(x), 1, 1);
    draw_floats(y, COUNT_OF(y), 2, 1);
    draw_floats(d, COUNT_OF(d), 3, 1);
    x[5] = NAN;
    y[WIDE + 7] = NAN;
    x[2 * WIDE] = y[2 * WIDE];
    for (size_t k = 0; (row = hill__kernels_at(k)) != NULL; k++)
        for (size_t n = 1; n < WIDE; n++) {
            const hill__window_loop loops[] = {row->copy_window, row->add_window, row->max_window};
            for (size_t l = 0; l < COUNT_OF(loops); l++) {
                memcpy(out, y, sizeof y);
                loops[l](out, WIDE, x, WIDE, ROWS, n, 0.3f);
                for (size_t i = 0; i < COUNT_OF(x); i++) {
                    float a = x[i], b = y[i], most = a > b || a != a ? a : b;
                    float right = i % WIDE >= n ? b : l == 0 ? a : l == 1 ? fmaf(a, 0.3f, b) : most;
                    assert_true(same_float(out[i], right));
                }
            }
            float taken[ROWS * WIDE];
            memcpy(out, y, sizeof y);
            memcpy(taken, d, sizeof d);
            for (size_t i = 0; i < COUNT_OF(give); i++)
                give[i] = x[i / n * WIDE % (ROWS * WIDE) + i % n] + (float)(i % 3 == 0);
            row->give_window(out, x, WIDE, taken, give, ROWS, n);
            for (size_t i = 0; i < ROWS * n; i++) {
                size_t at = i / n * WIDE + i % n;
                bool smaller = x[at] < give[i];
                assert_true(same_float(out[at], smaller ? y[at] : y[at] + d[i]));
                assert_true(same_float(taken[i], smaller ? d[i] : 0));
            }
        }
}

#define MOST_COLUMNS 150u

/* Windows weighed channel by channel, of every number of channels: past the vectors that go abreast, too. */
static void channels_are_weighed_by_themselves(void **state)
{
    (void)state;
    enum { FLOATS = ROWS * 2 * MOST_COLUMNS };
    const hill__kernels *row;
    static float x[FLOATS], y[FLOATS], out[FLOATS];
    float w[MOST_COLUMNS], sum[MOST_COLUMNS + 1];
    draw_floats(x, FLOATS, 1, 1);
    draw_floats(y, FLOATS, 2, 1);
    draw_floats(w, MOST_COLUMNS, 3, 1);
    x[3] = NAN;
    for (size_t k = 0; (row = hill__kernels_at(k)) != NULL; k++)
        for (size_t n = 1; n < MOST_COLUMNS; n++) {
            memcpy(out, y, sizeof y);
            row->weigh_window(out, 2 * n, x, n, w, ROWS, n);
            for (size_t i = 0; i < FLOATS; i++) {
                bool inside = i < ROWS * 2 * n && i % (2 * n) < n;
                float right = inside ? fmaf(x[i / (2 * n) * n + i % (2 * n)], w[i % (2 * n)], y[i]) : y[i];
                assert_true(same_float(out[i], right));
            }
            memcpy(sum, w, n * sizeof *sum);
            sum[n] = 5;
            row->window_products(sum, x, n, y, 2 * n, ROWS, n);
            for (size_t c = 0; c < n; c++) {
                float right = w[c];
                for (size_t r = 0; r < ROWS; r++)
                    right = fmaf(x[r * n + c], y[r * 2 * n + c], right);
                assert_true(same_float(sum[c], right));
            }
            assert_true(sum[n] == 5);
        }
}

/* ---- nets that cannot be ---------------------------------------------------------------------------------------------------- */

static void texts_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"conv", "character 1: 'conv' needs a number of units, 1 to 1048576"},
        {"conv 0 3", "'conv' needs a number of units"},
        {"conv 8", "character 6: '8' needs a window, as in 'conv 32 3x3'"},
        {"conv 8 3y3", "needs a window"},
        {"conv 8 x3", "needs a window"},
        {"conv 8 3x", "needs a window"},
        {"conv 8 3x0", "needs a window"},
        {"conv 8 65536", "needs a window"},
        {"maxpool", "character 1: 'maxpool' needs a window, as in 'maxpool 3x3'"},
        {"maxpool 2 relu", "character 11: 'relu' doesn't belong to a layer maxpool"},
        {"maxpool 2 same", "character 11: 'same' doesn't belong to a layer maxpool"},
        {"avgpool 2 groups 2", "'groups' doesn't belong to a layer avgpool"},
        {"conv 8 3 stride", "character 10: 'stride' needs a number of pixels, 1 to 65535"},
        {"conv 8 3 stride 0", "'stride' needs a number of pixels"},
        {"conv 8 3 groups x", "'groups' needs a number of groups"},
        {"conv 8 3 relu same", "character 10: 'relu' doesn't belong to a layer conv"},
        {"conv 8 3 rleu", "did you mean 'relu'?"},
        {"8, [4", "a group has no ']' at its end"},
        {"8]", "character 2: ']' ends a group that hasn't begun"},
        {"[8, ]", "character 5: a layer is missing here"},
        {"[]", "character 2: a layer is missing here"},
        {"8 [4]", "character 3: a comma belongs here"},
        {"[8] 4", "character 5: a comma belongs here"},
        {"[8, output tanh]", "character 5: the output layer must be the last"},
        {"8 prelu", "character 3: 'prelu' has weights, so it is a layer of its own, as in '64 identity, prelu'"},
        {"periodic", "character 1: 'periodic' needs a number of waves, 1 to 1048576"},
        {"periodic 0", "'periodic' needs a number of waves"},
        {"periodic 8 0", "character 12: '0' is no deviation of waves, above 0 to 1000, as in 'periodic 16 0.1'"},
        {"periodic 8 1001", "'1001' is no deviation"},
        {"periodic 8 relu", "'relu' is no deviation"},
        {"periodic 8 0.1 relu", "character 16: 'relu' doesn't belong to a layer periodic"},
        {"dense 8 stride 2", "'stride' doesn't belong to a layer dense"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_error error = HILL_ERROR_INIT;
        hill__net net;
        assert_int_equal(hill__net_parse(cases[i][0], &net, &error), HILL_ERECIPE);
        if (!strstr(error.text, cases[i][1]))
            fail_msg("'%s': '%s' has no '%s'", cases[i][0], error.text, cases[i][1]);
    }
}

static void assert_plan_refused(const char *net, const hill_shape *shape, int expected, const char *told)
{
    char text[200];
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe;
    hill_plan *plan;
    snprintf(text, sizeof text, "net=%s", net);
    assert_int_equal(hill_recipe_new(NULL, &recipe, &error), HILL_OK);
    assert_int_equal(hill_recipe_parse(recipe, text, strlen(text), NULL, &error), HILL_OK);
    int status = hill_plan_new(recipe, shape, NULL, &plan, &error);
    if (status != expected || !strstr(error.text, told))
        fail_msg("'%s': %d, '%s' has no '%s'", net, status, error.text, told);
    hill_recipe_free(recipe);
}

static void plans_are_refused(void **state)
{
    (void)state;
    hill_shape line = picture, wrong = picture;
    line.height = 0;
    wrong.height = 8;
    assert_plan_refused("conv 4 8x3", &picture, HILL_ERECIPE,
                        "character 1: a window of 8x3 is larger than what it slides over, 7x6");
    assert_plan_refused("conv 4 3, maxpool 3, maxpool 2", &picture, HILL_ERECIPE, "character 22: a window of 1x2");
    assert_plan_refused("conv 4 3x3", &line, HILL_ERECIPE, "the inputs are no pictures");
    assert_plan_refused("conv 4 3 groups 4", &picture, HILL_ERECIPE, "4 groups share out neither 2 channels to 4 evenly");
    assert_plan_refused("conv 3 3 groups 2", &picture, HILL_ERECIPE, "2 groups share out neither 2 channels to 3 evenly");
    assert_plan_refused("conv 4 3x3, [conv 5 3x3 same]", &picture, HILL_ERECIPE,
                        "character 29: the group in brackets takes 5x4x4 and gives 5x4x5; it must give what it takes");
    assert_plan_refused("conv 4 3", &wrong, HILL_EARGUMENT, "don't make its inputs");
    assert_plan_refused("periodic 1048576, periodic 1048576, periodic 1048576, periodic 1048576", &picture, HILL_EMEMORY, "");
    assert_plan_refused("conv 1048576 65535x65535 same, conv 1048576 65535x65535 same", &picture, HILL_EMEMORY, "");
    hill_plan *plan = picture_plan("conv 4 3, maxpool 2", "", &line, true);
    assert_int_equal(plan->instrs[1].outputs, 4 * ((84 - 2) / 2));
    hill_plan_free(plan);
}

/* What goes without a net: pictures of 16 pixels a side get one of convolutions, with growth; what is written stays. */
static void pictures_are_given_a_net(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t side;
        hill_task task;
        const char *net, *grow, *schedule;
    } cases[] = {
        {"", 16, HILL_TASK_CLASSES, "conv 32 3x3", "shift", "cosine"},
        {"grow=none\nschedule=step", 16, HILL_TASK_CLASSES, "conv 32 3x3", "none", "step"},
        {"net=5", 16, HILL_TASK_CLASSES, "5,", "none", "constant"},
        {"", 15, HILL_TASK_CLASSES, "128", "none", "constant"},
        {"", 16, HILL_TASK_NUMBERS, "128", "none", "constant"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const size_t side = cases[i].side;
        hill_shape shape = {sizeof shape, side * side * 3, 2, 5000, cases[i].task, side, side, 3, NULL};
        hill_error error = HILL_ERROR_INIT;
        hill_recipe *recipe;
        hill_plan *plan;
        assert_int_equal(hill_recipe_new(NULL, &recipe, &error), HILL_OK);
        assert_int_equal(hill_recipe_parse(recipe, cases[i].text, strlen(cases[i].text), NULL, &error), HILL_OK);
        assert_int_equal(hill_plan_new(recipe, &shape, NULL, &plan, &error), HILL_OK);
        const hill_recipe *taken = hill_plan_recipe(plan);
        assert_ptr_equal(strstr(hill_recipe_get(taken, "net"), cases[i].net), hill_recipe_get(taken, "net"));
        assert_ptr_equal(strstr(hill_recipe_get(taken, "grow"), cases[i].grow), hill_recipe_get(taken, "grow"));
        assert_string_equal(hill_recipe_get(taken, "schedule"), cases[i].schedule);
        hill_plan_free(plan);
        hill_recipe_free(recipe);
    }
    hill_shape huge = {sizeof huge, 1, 1, 0, HILL_TASK_NUMBERS, SIZE_MAX / 2, 4, 1, NULL};
    assert_plan_refused("3", &huge, HILL_EARGUMENT, "don't make its inputs");
    assert_plan_refused("3\nrule=lm\ngrow=shift 2", &picture, HILL_ERECIPE, "");
}

/* Every allocation of a plan fails once. */
static void memory_that_ends_leaves_no_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(nets); i++) {
        char text[200];
        hill_error error = HILL_ERROR_INIT;
        hill_recipe *recipe;
        hill_plan *plan;
        heap h = {0};
        hill_host host = heap_host(&h);
        snprintf(text, sizeof text, "net=%s", nets[i]);
        assert_int_equal(hill_recipe_new(NULL, &recipe, &error), HILL_OK);
        assert_int_equal(hill_recipe_parse(recipe, text, strlen(text), NULL, &error), HILL_OK);
        assert_int_equal(hill_plan_new(recipe, &picture, &host, &plan, &error), HILL_OK);
        hill_plan_free(plan);
        for (size_t fail = 1, calls = h.calls; fail <= calls; fail++) {
            h.fail_at = h.calls + fail;
            assert_int_equal(hill_plan_new(recipe, &picture, &host, &plan, &error), HILL_EMEMORY);
            assert_null(plan);
            assert_heap_empty(&h);
        }
        hill_recipe_free(recipe);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_window_is_proved),
        cmocka_unit_test(bugs_in_the_loops_are_seen),
        cmocka_unit_test(every_row_thread_and_twin_has_the_same_bits),
        cmocka_unit_test(loops_do_what_they_say),
        cmocka_unit_test(channels_are_weighed_by_themselves),
        cmocka_unit_test(texts_are_refused),
        cmocka_unit_test(plans_are_refused),
        cmocka_unit_test(pictures_are_given_a_net),
        cmocka_unit_test(memory_that_ends_leaves_no_plan),
    };
    return cmocka_run_group_tests_name("window", tests, NULL, NULL);
}
