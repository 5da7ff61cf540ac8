/*
 * test_plan.c - what "auto" becomes, what a recipe compiles to, and shapes so large that their sizes would wrap.
 */
#include "base/fp.h"

#include "support.h"

#include "plan/single.h"

static hill_recipe *recipe_of(const char *text)
{
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    if (hill_recipe_parse(recipe, text, strlen(text), NULL, &error) < 0)
        fail_msg("%s in:\n%s", error.text, text);
    return recipe;
}

static int plan_of(const char *text, hill_shape shape, hill_plan **plan, hill_error *error)
{
    hill_recipe *recipe = recipe_of(text);
    int status = hill_plan_new(recipe, &shape, NULL, plan, error);
    hill_recipe_free(recipe);
    assert_true((status == HILL_OK) == (*plan != NULL));
    return status;
}

#define SHAPE(inputs, outputs, rows, task) ((hill_shape){sizeof(hill_shape), inputs, outputs, rows, task, 0, 0, 0, NULL})

/* ---- auto ---------------------------------------------------------------------------------------------------------------- */

static void auto_is_chosen_by_the_shape(void **state)
{
    (void)state;
    static const struct {
        const char *recipe;
        uint64_t rows;
        hill_task task;
        const char *knob, *value;
    } cases[] = {
        {"", 100, HILL_TASK_CLASSES, "cost", "cross-entropy"},
        {"", 100, HILL_TASK_NUMBERS, "cost", "squared"},
        {"net=3, output sigmoid", 100, HILL_TASK_CLASSES, "cost", "binary-cross-entropy"},
        {"net=3, output tanh", 100, HILL_TASK_CLASSES, "cost", "squared"},
        {"net=3, output softmax", 100, HILL_TASK_CLASSES, "cost", "cross-entropy"},
        {"net=3, output sigmoid", 100, HILL_TASK_NUMBERS, "cost", "squared"},
        {"", 49, HILL_TASK_NUMBERS, "net", "128 relu, 64 relu, output identity"},
        {"", 50, HILL_TASK_NUMBERS, "net", "32 relu, output identity"},
        {"", 999, HILL_TASK_CLASSES, "net", "32 relu, output softmax"},
        {"", 1000, HILL_TASK_CLASSES, "net", "128 relu, 64 relu, output softmax"},
        {"net=", 1000, HILL_TASK_NUMBERS, "net", "output identity"},
        {"cost=squared\nnet=4", 9, HILL_TASK_CLASSES, "net", "4, output sigmoid"},
        {"cost=binary-cross-entropy\nnet=4", 9, HILL_TASK_CLASSES, "net", "4, output sigmoid"},
        {"rule=sgd", 9, HILL_TASK_CLASSES, "rate", "0.1"},
        {"rule=nesterov", 9, HILL_TASK_CLASSES, "rate", "0.01"},
        {"rule=sgd\nrate=2", 9, HILL_TASK_CLASSES, "rate", "2"},
        {"rule=adagrad", 9, HILL_TASK_CLASSES, "epsilon", "1e-10"},
        {"rule=adam", 9, HILL_TASK_CLASSES, "epsilon", "1e-8"},
        {"rule=adam", 9, HILL_TASK_CLASSES, "decay", "0"},
        {"", 9, HILL_TASK_CLASSES, "decay", "0.01"},
        {"schedule=step", 9, HILL_TASK_CLASSES, "drop", "0.5"},
        {"schedule=exponential", 9, HILL_TASK_CLASSES, "drop", "0.95"},
        {"", 0, HILL_TASK_CLASSES, "batch", "16"},
        {"", 1024, HILL_TASK_CLASSES, "batch", "16"},
        {"", 1025, HILL_TASK_CLASSES, "batch", "32"},
        {"", 1000000, HILL_TASK_CLASSES, "batch", "128"},
        {"", 0, HILL_TASK_CLASSES, "epochs", "1500"},
        {"batch=full", 0, HILL_TASK_CLASSES, "epochs", "1500"},
        {"batch=full", 77, HILL_TASK_CLASSES, "epochs", "1500"},
        {"batch=5", 101, HILL_TASK_CLASSES, "epochs", "285"},
        {"batch=5", 100, HILL_TASK_CLASSES, "epochs", "300"},
        {"", 1000000, HILL_TASK_CLASSES, "epochs", "12"},
        {"epochs=20", 9, HILL_TASK_CLASSES, "patience", "10"},
        {"epochs=500", 9, HILL_TASK_CLASSES, "patience", "100"},
        {"epochs=1000000000000", 9, HILL_TASK_CLASSES, "patience", "1000000000"},
        {"limit-line=5000", 9, HILL_TASK_CLASSES, "order", "shuffled"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_plan *plan, *again;
        hill_error error = HILL_ERROR_INIT;
        hill_shape shape = SHAPE(3, 2, cases[i].rows, cases[i].task);
        if (plan_of(cases[i].recipe, shape, &plan, &error) < 0)
            fail_msg("%s", error.text);
        const char *value = hill_recipe_get(hill_plan_recipe(plan), cases[i].knob);
        if (strcmp(value, cases[i].value) != 0)
            fail_msg("case %zu: %s=%s, not %s", i, cases[i].knob, value, cases[i].value);
        /* What was chosen chooses nothing anew, and what was lent stays with the lender. */
        char text[2000];
        snprintf(text, sizeof text, "%s", hill_recipe_text(plan->recipe));
        assert_int_equal(plan_of(text, SHAPE(3, 2, 5, cases[i].task), &again, &error), HILL_OK);
        assert_string_equal(hill_recipe_text(again->recipe), text);
        assert_null(strstr(text, "limit-"));
        hill_plan_free(again);
        hill_plan_free(plan);
    }
}

static void plans_that_cannot_be_are_refused(void **state)
{
    (void)state;
    hill_error error = HILL_ERROR_INIT;
    hill_plan *plan;
    assert_int_equal(plan_of("", SHAPE(0, 1, 1, HILL_TASK_NUMBERS), &plan, &error), HILL_EARGUMENT);
    assert_int_equal(plan_of("", SHAPE(1, 0, 1, HILL_TASK_NUMBERS), &plan, &error), HILL_EARGUMENT);
    assert_string_equal(error.text, "a net has at least one input and one output");
    assert_int_equal(plan_of("cost=cross-entropy\nnet=output tanh", SHAPE(1, 2, 1, HILL_TASK_CLASSES), &plan, &error),
                     HILL_ERECIPE);
    assert_string_equal(error.text, "cost: cross-entropy needs the net to end in 'output softmax', not 'output tanh'");
    /* As long as a value may be, so that the output layer behind it doesn't fit. */
    char text[2010] = "net=4 ";
    memset(text + 6, ' ', sizeof text - 6);
    strcpy(text + 1990, ",4 gelu");
    hill_recipe *recipe = recipe_of("");
    hill_shape shape = SHAPE(2, 1, 9, HILL_TASK_NUMBERS);
    assert_int_equal(hill_recipe_set(recipe, "net", text + 4, &error), HILL_OK);
    assert_int_equal(hill_plan_new(recipe, &shape, NULL, &plan, &error), HILL_OK);
    hill_plan_free(plan);
    char longer[2200];
    memset(longer, ' ', sizeof longer);
    strcpy(longer + 2090, "4 gelu");
    assert_int_equal(hill_recipe_set(recipe, "net", longer, &error), HILL_OK);
    assert_int_equal(hill_plan_new(recipe, &shape, NULL, &plan, &error), HILL_ERECIPE);
    assert_string_equal(error.text, "net: too long");
    hill_recipe_free(recipe);
    hill_plan_free(NULL);
}

/* ---- sizes --------------------------------------------------------------------------------------------------------------- */

static void sizes_are_what_the_net_needs(void **state)
{
    (void)state;
    hill_plan *plan;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    assert_int_equal(plan_of("net=5 tanh\nbatch=40\nrule=adam", SHAPE(3, 2, 0, HILL_TASK_CLASSES), &plan, NULL), HILL_OK);
    assert_int_equal(hill_plan_info(plan, &sizes), HILL_OK);
    assert_int_equal(sizes.inputs, 3);
    assert_int_equal(sizes.outputs, 2);
    assert_int_equal(sizes.parameters, 3 * 5 + 5 + 5 * 2 + 2);
    assert_int_equal(sizes.tensors, 4);
    assert_int_equal(sizes.vector, 4 * 16);
    assert_int_equal(sizes.vector_bytes, sizes.vector * sizeof(float) * hill__plan_vectors(plan));
    assert_int_equal(sizes.staging_bytes, 40 * (6 * sizeof(float) + 16) + 128);
    assert_true(sizes.row_operations == 2 * 2 * 15 + 2 * 3 * 10);
    assert_int_equal(plan->block_rows, 40);
    hill_tensor tensor = HILL_TENSOR_INIT;
    static const char *const names[] = {"layer1.weight", "layer1.bias", "layer2.weight", "layer2.bias"};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(hill_plan_tensor(plan, i, &tensor), HILL_OK);
        assert_string_equal(tensor.name, names[i]);
        assert_int_equal(tensor.rank, i % 2 ? 1 : 2);
        assert_int_equal(tensor.offset, 16 * i);
    }
    assert_int_equal(hill_plan_tensor(plan, 4, &tensor), HILL_EARGUMENT);
    hill_plan_free(plan);
}

static void blocks_follow_from_the_batch(void **state)
{
    (void)state;
    static const struct {
        const char *recipe;
        size_t block;
    } cases[] = {{"batch=1", 32},    {"batch=31", 32},   {"batch=33", 33},
                 {"batch=255", 255}, {"batch=257", 256}, {"batch=full", 256}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_plan *plan;
        assert_int_equal(plan_of(cases[i].recipe, SHAPE(2, 1, 9, HILL_TASK_NUMBERS), &plan, NULL), HILL_OK);
        assert_int_equal(plan->block_rows, cases[i].block);
        hill_plan_free(plan);
    }
}

/* Each size in turn is the one that wraps: the plan can't be made, or there is no telling how much memory its run takes. */
static void sizes_that_wrap_are_out_of_memory(void **state)
{
    (void)state;
    const size_t most = SIZE_MAX;
    const struct {
        const char *recipe;
        size_t inputs, outputs;
        bool made;
    } cases[] = {
        {"net=", most / 2, 3, false},                        /* weights */
        {"net=", most - 3, 1, false},                        /* their padding */
        {"net=", most - 15, 1, false},                       /* the bias behind them */
        {"net=", 1, most / 32 + 1, false},                   /* the rows of the output */
        {"net=1", 1, most / 32, false},                      /* the same to the last float */
        {"net=1048576", 1, most >> 19, false},               /* the second layer's weights */
        {"net=output gelu", 1, most / 48, false},            /* what goes into an activation */
        {"cost=cross-entropy\nnet=", 1, most / 48, false},   /* what comes out of one */
        {"net=", 1, most / 32, false},                       /* row costs */
        {"net=", 1, most / 64, false},                       /* slopes */
        {"net=", 1, most / 96 + 1, false},                   /* slopes of the layer below */
        {"net=1", 1, most / 1000 * 10 + most / 3000, false}, /* what is turned over */
        {"net=", (most >> 2) - 100, 1, true},                /* bytes of the vectors */
        {"net=", 1, most / 97, true},                        /* bytes of scratch */
        {"net=", most >> 6, 1, true},                        /* bytes of staged rows */
        {"net=", (most >> 7) - 4, 1, true},                  /* what lines them up */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[200];
        hill_error error = HILL_ERROR_INIT;
        hill_plan *plan = NULL;
        hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
        snprintf(text, sizeof text, "batch=32\nrule=sgd\n%s", cases[i].recipe);
        int status = plan_of(text, SHAPE(cases[i].inputs, cases[i].outputs, 9, HILL_TASK_NUMBERS), &plan, &error);
        if (status != (cases[i].made ? HILL_OK : HILL_EMEMORY) || (plan && hill_plan_info(plan, &sizes) != HILL_EMEMORY))
            fail_msg("case %zu: %s", i, hill_status_name(status));
        hill_plan_free(plan);
    }
}

/* Every allocation fails once; how many instructions there are decides which of them finds the list full. */
static void memory_that_ends_leaves_no_plan(void **state)
{
    (void)state;
    hill_shape shape = SHAPE(3, 2, 100, HILL_TASK_CLASSES);
    for (unsigned i = 0; i < 12; i++) {
        char text[400] = "seed=7\n";
        strcat(text, i ? "net=" : "#");
        for (unsigned layer = 0; layer < 13 + i / 2; layer++)
            strcat(text, layer ? "2 tanh, " : "2 identity, ");
        strcat(text, "output softmax");
        hill_recipe *recipe = recipe_of(text);
        int status = HILL_EMEMORY;
        size_t at = 1;
        for (; status == HILL_EMEMORY; at++) {
            heap h = {.fail_at = at};
            hill_error error = HILL_ERROR_INIT;
            hill_allocator allocator = {&h, heap_alloc, heap_free};
            hill_plan *plan;
            status = hill__plan_build(recipe, &shape, i % 2, &allocator, &plan, &error);
            assert_true((plan != NULL) == (status == HILL_OK));
            assert_true(status == HILL_OK || strstr(error.text, "memory"));
            hill_plan_free(plan);
            assert_heap_empty(&h);
        }
        assert_int_equal(status, HILL_OK);
        assert_true(at > 20);
        hill_recipe_free(recipe);
    }
}

/* ---- single rows --------------------------------------------------------------------------------------------------------- */

static void small_layers_of_single_rows_are_walked_at_once(void **state)
{
    (void)state;
    static const struct {
        const char *recipe;
        size_t outputs, count;
    } cases[] = {
        {"batch=1\nnet=16 tanh", 1, 2}, {"batch=2\nnet=16 tanh", 1, 0},
        {"batch=1\nnet=17 tanh", 1, 0}, {"batch=1\nnet=4 softmax\ncost=squared", 1, 0},
        {"batch=1\nnet=", 16, 1},       {"batch=1\nnet=", 17, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_plan *plan;
        assert_int_equal(plan_of(cases[i].recipe, SHAPE(3, cases[i].outputs, 9, HILL_TASK_NUMBERS), &plan, NULL), HILL_OK);
        assert_int_equal(hill__singles_count(plan), cases[i].count);
        hill_plan_free(plan);
    }
    hill_plan *plan = make_plan("batch=1\nnet=4 tanh", 3, 1, false); /* activations are instructions here */
    assert_int_equal(hill__singles_count(plan), 0);
    hill_plan_free(plan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_is_chosen_by_the_shape),
        cmocka_unit_test(plans_that_cannot_be_are_refused),
        cmocka_unit_test(sizes_are_what_the_net_needs),
        cmocka_unit_test(blocks_follow_from_the_batch),
        cmocka_unit_test(sizes_that_wrap_are_out_of_memory),
        cmocka_unit_test(memory_that_ends_leaves_no_plan),
        cmocka_unit_test(small_layers_of_single_rows_are_walked_at_once),
    };
    return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
