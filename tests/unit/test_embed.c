/*
 * test_embed.c - embeddings: gradients are proved, bugs are seen, every kernel row and number of threads has the same bits, the
 * gradient of rows that aren't met is 0, and what cannot be is refused.
 */
#include "base/fp.h"

#include "support.h"

#include <math.h>

#include "plan/net.h"
#include "train/init.h"
#include "train/run.h"

#define INPUTS 6u
#define OUTPUTS 2u

static const char *const nets[] = {
    "embed 2:7x3 5:40x5, 9 tanh",
    "embed 1:3x1, 5 silu",
    "embed 6:300x17, output identity",
    "embed 1:4x2 2:7x3 3:2x1 4:9x20 5:40x5 6:5x1, 6 tanh, [6 gelu]",
    "embed 2:7x3, scale, 5 tanh, layernorm",
    "embed 2:7x3 3:5x4, dropout 0.2, conv 3 4 tanh, maxpool 2",
    "embed 4:9x4, [9 tanh], batchnorm silu",
};

/* Rows whose inputs are numbers of rows where the net has tables; now and then one that is none. */
static data *numbered_data(const hill_plan *plan, uint64_t rows)
{
    data *d = make_data(rows, INPUTS, OUTPUTS, TARGET_NUMBERS, rows);
    for (size_t i = 0; i < plan->lookup_count; i++)
        for (uint64_t r = 0; r < rows; r++) {
            float *x = &d->inputs[r * INPUTS + plan->lookups[i].unit];
            *x = floorf((*x + 2) / 4 * (float)plan->lookups[i].rows);
            if (r % 23 == 7)
                *x = r % 2 ? -3.0f : 1e30f;
        }
    return d;
}

static hill_plan *plan_of(const char *net, const char *more, bool fused)
{
    char text[300];
    snprintf(text, sizeof text, "net=%s%s\ncost=squared\nepochs=3\n%s", net, strstr(net, "output") ? "" : ", output identity",
             more);
    return make_plan(text, INPUTS, OUTPUTS, fused);
}

/* ---- proofs ---------------------------------------------------------------------------------------------------------------- */

static int check_net(const char *net, const hill__op *op, hill_check *result)
{
    hill_run *run;
    hill_plan *plan = plan_of(net, "", true);
    data *rows = numbered_data(plan, 40);
    *result = (hill_check)HILL_CHECK_INIT;
    if (op)
        plan->instrs[0].op = op;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
    int status = hill_run_check(run, &rows->source, result);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
    return status;
}

static void every_table_is_proved(void **state)
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

static void forward_of_first(const hill__instr *instr, hill__walk *walk)
{
    hill__instr less = *instr;
    hill__lookup only = instr->lookups[0];
    only.rows = 1; /* every number is the last row's */
    less.lookups = &only;
    less.lookup_count = 1;
    hill__embed_forward(&less, walk);
}

static void backward_of_less(const hill__instr *instr, hill__walk *walk)
{
    walk->rows--;
    hill__embed_backward(instr, walk);
    walk->rows++;
}

static void backward_of_more(const hill__instr *instr, hill__walk *walk)
{
    hill__embed_backward(instr, walk);
    walk->gradient[instr->lookups[0].weight] += 1e-3f;
}

static void backward_of_none(const hill__instr *instr, hill__walk *walk)
{
    (void)instr, (void)walk;
}

static void bugs_are_seen(void **state)
{
    (void)state;
    hill_check result;
    const struct {
        void (*forward)(const hill__instr *, hill__walk *);
        void (*backward)(const hill__instr *, hill__walk *);
    } bugs[] = {{forward_of_first, NULL}, {NULL, backward_of_less}, {NULL, backward_of_more}, {NULL, backward_of_none}};
    for (size_t i = 0; i < COUNT_OF(bugs); i++) {
        hill__op wrong = *hill__op_at(HILL__OP_embed);
        wrong.forward = bugs[i].forward ? bugs[i].forward : wrong.forward;
        wrong.backward = bugs[i].backward ? bugs[i].backward : wrong.backward;
        if (check_net("embed 1:3x1, 5 silu", &wrong, &result) != HILL_ECHECK)
            fail_msg("bug %zu: not seen, worst %g at %s", i, result.worst, result.worst_weight);
    }
}

/* ---- the same bits --------------------------------------------------------------------------------------------------------- */

typedef struct way {
    const char *isa;
    unsigned threads;
    bool fused;
    size_t room; /* for the rows that a batch meets; where they find none, whole tables are cleared */
} way;

/* Weights after three epochs of 300 rows. */
static void train(const char *net, const char *more, const way *how, float *weights)
{
    hill_run *run;
    hill_host host = HILL_HOST_INIT;
    host.isa = how->isa;
    host.threads = how->threads;
    host.crowd = 1;
    hill_plan *plan = plan_of(net, more, how->fused);
    data *rows = numbered_data(plan, 300);
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
    run->share_rows = 1;
    run->shared = true;
    if (how->room < run->met.room)
        run->met.room = how->room;
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

static void every_way_has_the_same_bits(void **state)
{
    (void)state;
    static const char *const more[] = {"rule=momentum\nbatch=7", "rule=adam\nbatch=64", "rule=muon\nbatch=299",
                                       "rule=rprop\nbatch=full"};
    static float right[20000], other[20000];
    for (size_t i = 0; i < COUNT_OF(nets); i++)
        for (size_t b = 0; b < COUNT_OF(more); b++) {
            hill_plan *plan = plan_of(nets[i], more[b], true);
            size_t bytes = plan->vector * sizeof *right;
            assert_true(bytes <= sizeof right);
            hill_plan_free(plan);
            train(nets[i], more[b], &(way){"scalar", 1, true, SIZE_MAX}, right);
            const hill__kernels *row = hill__kernels_at(0);
            way ways[8] = {{"scalar", 3, false, SIZE_MAX}, {"scalar", 1, true, 0}, {"scalar", 1, true, 250}};
            size_t count = 3;
            for (size_t k = 0; (row = hill__kernels_at(k)) != NULL; k++)
                ways[count++] = (way){row->name, 1 + (unsigned)k, true, SIZE_MAX};
            for (size_t k = 0; k < count; k++) {
                train(nets[i], more[b], &ways[k], other);
                if (memcmp(right, other, bytes) != 0)
                    fail_msg("%s, %s: %s, %u threads, room %zu", nets[i], more[b], ways[k].isa, ways[k].threads, ways[k].room);
            }
        }
}

/* ---- rows ------------------------------------------------------------------------------------------------------------------- */

/* Numbers that are no row's stand for the last; units without a table come through as they are. */
static void rows_are_looked_up(void **state)
{
    (void)state;
    hill_plan *plan = plan_of("embed 2:3x2 4:2x1, output identity", "", true);
    hill_run *run;
    assert_int_equal(hill_run_new(plan, NULL, NULL, NULL, &run), HILL_OK);
    float weights[200], x[INPUTS] = {10, 0, 30, 0, 50, 60};
    assert_true(plan->vector <= COUNT_OF(weights));
    for (size_t i = 0; i < COUNT_OF(weights); i++)
        weights[i] = (float)i;
    const struct {
        float number;
        size_t row;
    } cases[] = {{0, 0}, {1, 1}, {2, 2}, {3, 2}, {-1, 2}, {1e30f, 2}, {NAN, 2}, {INFINITY, 2}, {-INFINITY, 2}, {1.9f, 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill__walk walk = hill__run_walk(run, weights, 1);
        x[1] = cases[i].number;
        walk.inputs = x;
        (void)hill__walk_answer(plan, &walk);
        const float *table = weights + plan->lookups[0].weight + 2 * cases[i].row, *y = run->scratch + plan->instrs[0].y;
        const float right[] = {10, table[0], table[1], 30, weights[plan->lookups[1].weight], 50, 60};
        assert_int_equal(plan->instrs[0].outputs, COUNT_OF(right));
        assert_memory_equal(y, right, sizeof right);
    }
    hill_run_free(run);
    hill_plan_free(plan);
}

/* A row that no row of the data looks up, and the last, where they begin: decayed, and at 0. */
static void rows_that_are_not_met_stay(void **state)
{
    (void)state;
    static const char *const rules[] = {"sgd",   "momentum", "nesterov",  "adagrad", "rmsprop",       "adam",
                                        "nadam", "rprop",    "quickprop", "muon",    "schedule-free", "adamw"};
    for (size_t k = 0; k < COUNT_OF(rules); k++) {
        char more[100];
        snprintf(more, sizeof more, "rule=%s\ndecay=0\nbatch=%s", rules[k], k % 2 ? "50" : "full");
        hill_plan *plan = plan_of("embed 1:50x8, 5 tanh", more, true);
        data *rows = make_data(300, INPUTS, OUTPUTS, TARGET_NUMBERS, 300);
        for (size_t r = 0; r < 300; r++)
            rows->inputs[r * INPUTS] = (float)(r % 48);
        hill_run *run;
        static float start[2000];
        assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
        memcpy(start, run->weights, plan->vector * sizeof *start);
        while (hill_step(run, NULL) == HILL_ROW)
            continue;
        const float *table = run->weights + plan->lookups[0].weight, *before = start + plan->lookups[0].weight;
        for (size_t i = 0; i < 50u * 8; i++) {
            bool met = i < 48u * 8;
            if ((table[i] != before[i]) != met || (i >= 49u * 8 && table[i] != 0))
                fail_msg("%s: table[%zu] is %g, was %g", rules[k], i, (double)table[i], (double)before[i]);
        }
        hill_run_free(run);
        hill_plan_free(plan);
        free_data(rows);
    }
}

/* ---- what cannot be --------------------------------------------------------------------------------------------------------- */

static void texts_are_refused(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"embed", "character 1: 'embed' needs its tables, as in 'embed 3:5001x9'"},
        {"embed 3", "character 7: '3' is no table UNIT:ROWSxWIDTH"},
        {"embed 3:4", "is no table"},
        {"embed 3x4:5", "is no table"},
        {"embed :4x5", "is no table"},
        {"embed 0:4x5", "is no table"},
        {"embed 3:0x5", "is no table"},
        {"embed 3:4x0", "is no table"},
        {"embed 3:4x", "is no table"},
        {"embed 3:x5", "is no table"},
        {"embed 3:16777217x5", "at most 16777216 rows"},
        {"embed 3:4x1025", "a width of at most 1024"},
        {"embed 3:4x5 relu", "character 13: 'relu' is no table"},
        {"embed 3:4x5 3:4x5", "character 13: '3:4x5' stands behind unit 3; units must ascend"},
        {"embed 3:4x5 2:4x5", "units must ascend"},
        {"8, embed 3:4x5", "character 4: 'embed' must be the first layer"},
        {"embed 3:4x5, embed 3:4x5", "must be the first layer"},
        {"[embed 3:4x5]", "must be the first layer"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_error error = HILL_ERROR_INIT;
        hill__net net;
        assert_int_equal(hill__net_parse(cases[i][0], &net, &error), HILL_ERECIPE);
        if (!strstr(error.text, cases[i][1]))
            fail_msg("'%s': '%s' has no '%s'", cases[i][0], error.text, cases[i][1]);
    }
    char many[20 * HILL__LOOKUPS + 40] = "embed";
    hill__net net;
    for (size_t i = 1; i <= HILL__LOOKUPS; i++)
        snprintf(many + strlen(many), sizeof many - strlen(many), " %zu:2x1", i);
    assert_int_equal(hill__net_parse(many, &net, NULL), HILL_OK);
    assert_int_equal(net.lookup_count, HILL__LOOKUPS);
    snprintf(many + strlen(many), sizeof many - strlen(many), " 1000:2x1");
    assert_int_equal(hill__net_parse(many, &net, NULL), HILL_ERECIPE);
}

static void assert_plan_refused(const char *text, size_t height, const char *told)
{
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe;
    hill_plan *plan;
    hill_shape shape = HILL_SHAPE_INIT;
    shape.inputs = INPUTS;
    shape.outputs = OUTPUTS;
    shape.height = height;
    shape.width = height ? INPUTS / height : 0;
    shape.channels = height ? 1 : 0;
    assert_int_equal(hill_recipe_new(NULL, &recipe, &error), HILL_OK);
    assert_int_equal(hill_recipe_parse(recipe, text, strlen(text), NULL, &error), HILL_OK);
    int status = hill_plan_new(recipe, &shape, NULL, &plan, &error);
    if (status != HILL_ERECIPE || !strstr(error.text, told))
        fail_msg("'%s': %d, '%s' has no '%s'", text, status, error.text, told);
    hill_recipe_free(recipe);
}

static void plans_are_refused(void **state)
{
    (void)state;
    assert_plan_refused("net=embed 7:3x1, 4", 0, "character 1: there is no unit 7; the inputs are 6");
    assert_plan_refused("net=embed 2:3x1, 4", 2, "character 1: the inputs are a picture");
    assert_plan_refused("net=embed 2:3x1, 4\ngrow=mixup 0.2", 0, "grow: rows of tables are numbers that can't be mixed");
}

/* The layer that a shape asks for stands in front of a net without one, and there once. */
static void the_layer_is_put_in_front(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"", "embed 2:3x1, 128 relu, 64 relu, output identity"},
        {"net=5 tanh", "embed 2:3x1, 5 tanh, output identity"},
        {"net=output tanh", "embed 2:3x1, output tanh"},
        {"net=", "embed 2:3x1, output identity"},
        {"net=embed 1:4x2, 5 tanh", "embed 1:4x2, 5 tanh, output identity"},
        {"net=embed 1:4x2, output tanh", "embed 1:4x2, output tanh"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_error error = HILL_ERROR_INIT;
        hill_recipe *recipe;
        hill_plan *plan, *again;
        hill_shape shape = HILL_SHAPE_INIT;
        shape.inputs = INPUTS;
        shape.outputs = OUTPUTS;
        shape.embed = "embed 2:3x1";
        assert_int_equal(hill_recipe_new(NULL, &recipe, &error), HILL_OK);
        assert_int_equal(hill_recipe_parse(recipe, cases[i][0], strlen(cases[i][0]), NULL, &error), HILL_OK);
        assert_int_equal(hill_plan_new(recipe, &shape, NULL, &plan, &error), HILL_OK);
        assert_string_equal(hill_recipe_get(hill_plan_recipe(plan), "net"), cases[i][1]);
        assert_int_equal(hill_plan_new(hill_plan_recipe(plan), &shape, NULL, &again, &error), HILL_OK);
        assert_string_equal(hill_recipe_get(hill_plan_recipe(again), "net"), cases[i][1]);
        hill_plan_free(again);
        hill_plan_free(plan);
        hill_recipe_free(recipe);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_table_is_proved),       cmocka_unit_test(bugs_are_seen),
        cmocka_unit_test(every_way_has_the_same_bits), cmocka_unit_test(rows_are_looked_up),
        cmocka_unit_test(rows_that_are_not_met_stay),  cmocka_unit_test(texts_are_refused),
        cmocka_unit_test(plans_are_refused),           cmocka_unit_test(the_layer_is_put_in_front),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
