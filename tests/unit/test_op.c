/*
 * test_op.c - the proof of the gradient: it passes for every activation and cost, and fails for a bug in any of their loops.
 */
#include "base/fp.h"

#include "support.h"

#include <math.h>

#include "train/init.h"
#include "train/run.h"

/* A net, rows for it, and a run whose kernels can be replaced. */
typedef struct subject {
    hill_plan *plan;
    data *rows;
    hill_run *run;
    hill__kernels kernels;
} subject;

#define INPUTS 5u
#define OUTPUTS 3u

static target_kind targets_of(const char *recipe)
{
    return strstr(recipe, "binary-cross-entropy") ? TARGET_YES_NO
           : strstr(recipe, "cross-entropy")      ? TARGET_ONE_HOT
           : strstr(recipe, "cost=focal")         ? TARGET_ONE_HOT
           : strstr(recipe, "cost=poisson")       ? TARGET_COUNTS
                                                  : TARGET_NUMBERS;
}

static subject *make_subject(const char *recipe, uint64_t rows, bool fused)
{
    subject *s = calloc(1, sizeof *s);
    assert_non_null(s);
    s->plan = make_plan(recipe, INPUTS, OUTPUTS, fused);
    s->rows = make_data(rows, INPUTS, OUTPUTS, targets_of(recipe), rows);
    assert_int_equal(hill_run_new(s->plan, &s->rows->source, NULL, NULL, &s->run), HILL_OK);
    s->kernels = *s->run->kernels;
    s->run->kernels = &s->kernels;
    return s;
}

static void free_subject(subject *s)
{
    hill_run_free(s->run);
    hill_plan_free(s->plan);
    free_data(s->rows);
    free(s);
}

static int check(subject *s, hill_check *result)
{
    *result = (hill_check)HILL_CHECK_INIT;
    return hill_run_check(s->run, &s->rows->source, result);
}

static void write_recipe(char *text, size_t size, const char *hidden, const char *output, const char *cost, unsigned seed)
{
    snprintf(text, size,
             "net=%s%soutput %s\ncost=%s\nseed=%u\ndelta=0.5\nquantile=0.8\nfocus=1.5\nsmoothing=0.1\nbatch=64\nepochs=1\n",
             hidden, hidden[0] ? ", " : "", output, cost, seed);
}

/* ---- it passes ----------------------------------------------------------------------------------------------------------- */

static double worst_of_all;
static size_t checks_made;

static void assert_proved(const char *hidden, const char *output, const char *cost, unsigned seed)
{
    char text[300];
    hill_check result;
    write_recipe(text, sizeof text, hidden, output, cost, seed);
    subject *s = make_subject(text, 17 + seed % 50, seed % 2);
    int status = check(s, &result);
    if (status != HILL_OK || !(result.worst < 1e-4))
        fail_msg("%s: %g at %s: %g, by formula %g; %llu kinks\n%s", hill_status_name(status), result.worst, result.worst_weight,
                 result.worst_engine, result.worst_formula, (unsigned long long)result.kinks, text);
    assert_int_equal(result.weights + result.kinks, s->plan->parameters);
    assert_int_equal(result.rows, 17 + seed % 50);
    assert_true(result.limit == 1e-4);
    assert_true(result.worst_engine != 0 && result.worst > 0);
    worst_of_all = fmax(worst_of_all, result.worst);
    checks_made++;
    free_subject(s);
}

/* Odd widths, hidden layers of each activation, the output's too where the cost lets it. */
static void every_activation_and_cost_is_proved(void **state)
{
    (void)state;
    const hill_word *activation, *cost;
    for (size_t a = 0; (activation = hill_words(HILL_WORDS_ACTIVATION, a)) != NULL; a++)
        for (size_t c = 0; (cost = hill_words(HILL_WORDS_COST, c)) != NULL; c++) {
            const hill__op *op = hill__op_find(HILL__COST, cost->name);
            char hidden[100];
            snprintf(hidden, sizeof hidden, "13 %s, 7 %s", tame(activation->name), activation->name);
            for (unsigned seed = 1; seed <= (SANITIZED ? 1 : 4); seed++) {
                assert_proved(hidden, hill__op_at(op->output)->word, cost->name, seed);
                if (op->output == HILL__OP_identity)
                    assert_proved("15 tanh, 9 silu", activation->name, cost->name, seed + 10);
            }
        }
    print_message("%zu checks, the worst %.3g\n", checks_made, worst_of_all);
}

static void nets_of_any_depth_are_proved(void **state)
{
    (void)state;
    assert_proved("", "identity", "squared", 1);
    assert_proved("", "softmax", "cross-entropy", 2);
    assert_proved("1 tanh", "identity", "squared", 3);
    assert_proved("16 gelu, 15 tanh, 14 mish, 13 softmax, 12 elu, 11 sigmoid", "identity", "squared", 4);
    assert_proved("3 identity, 3 softplus, 3 identity", "identity", "huber", 5);
}

/* ---- it fails for planted bugs ------------------------------------------------------------------------------------------ */

/* The loops that the wrong ones begin with. */
#define RIGHT hill__kernels_scalar

static void assert_caught(subject *s, const char *what)
{
    hill_check result;
    if (check(s, &result) != HILL_ECHECK)
        fail_msg("%s: not seen, worst %g, %llu kinks", what, result.worst, (unsigned long long)result.kinks);
    assert_true(result.worst >= result.limit);
    assert_string_not_equal(result.worst_weight, "");
}

/* Wrong slopes: one part in a hundred too long; left out; left out for every fifth unit. And a wrong map. */
#define WRONG_SLOPES(name)                                                \
    static void name##_slope_long(float *d, const float *v, size_t n)     \
    {                                                                     \
        RIGHT.slope[HILL__MAP_##name](d, v, n);                           \
        for (size_t i = 0; i < n; i++)                                    \
            d[i] *= 1.01f;                                                \
    }                                                                     \
    static void name##_slope_left_out(float *d, const float *v, size_t n) \
    {                                                                     \
        (void)d;                                                          \
        (void)v;                                                          \
        (void)n;                                                          \
    }                                                                     \
    static void name##_slope_gaps(float *d, const float *v, size_t n)     \
    {                                                                     \
        for (size_t i = 0; i < n; i++)                                    \
            if (i % 5 != 3)                                               \
                RIGHT.slope[HILL__MAP_##name](d + i, v + i, 1);           \
    }                                                                     \
    static void name##_map_long(float *y, const float *x, size_t n)       \
    {                                                                     \
        RIGHT.map[HILL__MAP_##name](y, x, n);                             \
        for (size_t i = 0; i < n; i++)                                    \
            y[i] *= 1.01f;                                                \
    }
HILL__MAPS(WRONG_SLOPES)

#define LIST_SLOPES(name) {HILL__MAP_##name, {name##_slope_long, name##_slope_left_out, name##_slope_gaps}, name##_map_long},
static const struct {
    hill__map map;
    hill__slope_loop slopes[3];
    hill__map_loop wrong_map;
} wrong_slopes[] = {HILL__MAPS(LIST_SLOPES)};

static const char *word_of_map(hill__map map)
{
    for (hill__op_id id = 0; id < HILL__OP_COUNT; id++)
        if (hill__op_at(id)->family == HILL__ACTIVATION && hill__op_at(id)->kernel == map && id != HILL__OP_softmax)
            return hill__op_at(id)->word;
    return NULL;
}

static void a_bug_in_any_slope_is_caught(void **state)
{
    (void)state;
    static const char *const how[] = {"too long", "left out", "with gaps"};
    for (size_t i = 0; i < COUNT_OF(wrong_slopes); i++)
        for (size_t output = 0; output < 2; output++) { /* the activation of hidden layers, or of the output */
            char hidden[100], text[300], what[100];
            const char *word = word_of_map(wrong_slopes[i].map);
            snprintf(hidden, sizeof hidden, "13 %s, 7 %s", output ? "tanh" : tame(word), output ? "sigmoid" : word);
            write_recipe(text, sizeof text, hidden, output ? word : "identity", "squared", 1);
            subject *s = make_subject(text, 40, i % 2);
            hill_check result;
            assert_int_equal(check(s, &result), HILL_OK);
            for (size_t bug = 0; bug < 3; bug++) {
                snprintf(what, sizeof what, "slope of %s, %s", word, how[bug]);
                s->kernels.slope[wrong_slopes[i].map] = wrong_slopes[i].slopes[bug];
                assert_caught(s, what);
                s->kernels.slope[wrong_slopes[i].map] = RIGHT.slope[wrong_slopes[i].map];
            }
            s->kernels.map[wrong_slopes[i].map] = wrong_slopes[i].wrong_map;
            assert_caught(s, word);
            free_subject(s);
        }
}

static void softmax_slope_long(float *d, const float *y, size_t rows, size_t n)
{
    RIGHT.softmax_slope(d, y, rows, n);
    for (size_t i = 0; i < rows * n; i++)
        d[i] *= 1.01f;
}

/* Without the part of a unit's input in the others' outputs. */
static void softmax_slope_diagonal(float *d, const float *y, size_t rows, size_t n)
{
    for (size_t i = 0; i < rows * n; i++)
        d[i] *= y[i] * (1 - y[i]);
}

static void softmax_slope_last_row(float *d, const float *y, size_t rows, size_t n)
{
    RIGHT.softmax_slope(d, y, rows - 1, n);
}

static void softmax_long(float *y, const float *x, size_t rows, size_t n)
{
    RIGHT.softmax(y, x, rows, n);
    for (size_t i = 0; i < rows * n; i++)
        y[i] *= 1.01f;
}

static void a_bug_in_softmax_is_caught(void **state)
{
    (void)state;
    static const char *const recipes[] = {"net=13 tanh, 7 softmax, output identity\ncost=squared",
                                          "net=13 tanh, output softmax\ncost=squared",
                                          "net=13 softmax, output softmax\ncost=cross-entropy"};
    for (size_t i = 0; i < COUNT_OF(recipes); i++) {
        subject *s = make_subject(recipes[i], 40, true);
        hill_check result;
        assert_int_equal(check(s, &result), HILL_OK);
        s->kernels.softmax_slope = softmax_slope_long;
        assert_caught(s, "softmax slope, too long");
        s->kernels.softmax_slope = softmax_slope_diagonal;
        assert_caught(s, "softmax slope, diagonal alone");
        s->kernels.softmax_slope = softmax_slope_last_row;
        assert_caught(s, "softmax slope, last row left out");
        s->kernels.softmax_slope = RIGHT.softmax_slope;
        s->kernels.softmax = softmax_long;
        assert_caught(s, "softmax, too long");
        free_subject(s);
    }
}

/* Wrong gradients of a cost: too long; without targets; not divided by the rows; last output forgotten. */
#define WRONG_COSTS(name)                                   \
    static void name##_cost_long(const hill__cost *c)       \
    {                                                       \
        RIGHT.cost[HILL__COST_##name](c);                   \
        for (size_t i = 0; c->d && i < c->rows * c->n; i++) \
            c->d[i] *= 1.01f;                               \
    }                                                       \
    static void name##_cost_no_target(const hill__cost *c)  \
    {                                                       \
        static const float zeros[64 * OUTPUTS];             \
        hill__cost wrong = *c;                              \
        wrong.t = zeros;                                    \
        RIGHT.cost[HILL__COST_##name](&wrong);              \
    }                                                       \
    static void name##_cost_no_scale(const hill__cost *c)   \
    {                                                       \
        hill__cost wrong = *c;                              \
        wrong.scale = 1;                                    \
        RIGHT.cost[HILL__COST_##name](&wrong);              \
    }                                                       \
    static void name##_cost_short(const hill__cost *c)      \
    {                                                       \
        RIGHT.cost[HILL__COST_##name](c);                   \
        for (size_t i = 0; c->d && i < c->rows; i++)        \
            c->d[i * c->n + c->n - 1] = 0;                  \
    }
HILL__COSTS(WRONG_COSTS)

#define LIST_COSTS(name) \
    {HILL__COST_##name, {name##_cost_long, name##_cost_no_target, name##_cost_no_scale, name##_cost_short}},
static const struct {
    hill__cost_kind kind;
    void (*loops[4])(const hill__cost *cost);
} wrong_costs[] = {HILL__COSTS(LIST_COSTS)};

static void a_bug_in_any_cost_is_caught(void **state)
{
    (void)state;
    static const char *const how[] = {"too long", "without targets", "without scale", "last output left out"};
    for (hill__op_id id = 0; id < HILL__OP_COUNT; id++) {
        const hill__op *op = hill__op_at(id);
        char text[300], what[100];
        if (op->family != HILL__COST)
            continue;
        write_recipe(text, sizeof text, "13 tanh, 7 sigmoid", hill__op_at(op->output)->word, op->word, 1);
        subject *s = make_subject(text, 40, true);
        hill_check result;
        assert_int_equal(check(s, &result), HILL_OK);
        for (size_t i = 0; i < COUNT_OF(wrong_costs); i++)
            for (size_t bug = 0; bug < COUNT_OF(how) && wrong_costs[i].kind == op->kernel; bug++) {
                snprintf(what, sizeof what, "%s, %s", op->word, how[bug]);
                s->kernels.cost[op->kernel] = wrong_costs[i].loops[bug];
                assert_caught(s, what);
            }
        free_subject(s);
    }
}

/* Which of a dense layer's three products this is. */
static bool is_weight_gradient(const hill__gemm *g)
{
    return g->a_row == 1 && g->a_step > 1;
}

static bool is_forward(const hill__gemm *g)
{
    return g->bias != NULL;
}

static bool is_handed_on(const hill__gemm *g)
{
    return !is_forward(g) && !is_weight_gradient(g);
}

static void scale_product(const hill__gemm *g)
{
    for (size_t i = 0; i < g->rows; i++)
        for (size_t j = 0; j < g->cols; j++)
            g->c[i * g->c_row + j] *= 1.01f;
}

#define WRONG_PRODUCTS(name)                        \
    static void name##_long(const hill__gemm *g)    \
    {                                               \
        RIGHT.gemm(g);                              \
        if (is_##name(g))                           \
            scale_product(g);                       \
    }                                               \
    static void name##_shallow(const hill__gemm *g) \
    {                                               \
        hill__gemm wrong = *g;                      \
        wrong.depth -= is_##name(g);                \
        RIGHT.gemm(&wrong);                         \
    }
WRONG_PRODUCTS(forward)
WRONG_PRODUCTS(weight_gradient)
WRONG_PRODUCTS(handed_on)

static void forward_without_bias(const hill__gemm *g)
{
    hill__gemm wrong = *g;
    wrong.bias = NULL;
    RIGHT.gemm(&wrong);
}

/* A later block of rows writes where it should add. */
static void weight_gradient_overwritten(const hill__gemm *g)
{
    hill__gemm wrong = *g;
    wrong.add = false;
    RIGHT.gemm(&wrong);
}

static void add_rows_long(float *sum, const float *x, size_t rows, size_t cols, size_t n, bool add)
{
    RIGHT.add_rows(sum, x, rows, cols, n, add);
    for (size_t i = 0; i < cols; i++)
        sum[i] *= 1.01f;
}

static void add_rows_short(float *sum, const float *x, size_t rows, size_t cols, size_t n, bool add)
{
    RIGHT.add_rows(sum, x, rows - 1, cols, n, add);
}

static void add_rows_overwritten(float *sum, const float *x, size_t rows, size_t cols, size_t n, bool add)
{
    (void)add;
    RIGHT.add_rows(sum, x, rows, cols, n, false);
}

static void transpose_left_out(float *out, size_t out_row, const float *in, size_t in_row, size_t rows, size_t cols)
{
    (void)out_row;
    (void)in_row;
    memcpy(out, in, rows * cols * sizeof *out);
}

/* Weights larger than a block's units: backward turns the gradient over, not the weights. */
static void wide_nets_of_small_blocks_are_proved(void **state)
{
    (void)state;
    subject *s = make_subject("net=150 tanh, 140 sigmoid, output identity\ncost=squared\nbatch=16", 40, true);
    hill_check result;
    assert_true(s->plan->instrs[1].turn_d && !s->plan->instrs[0].turn_d);
    assert_int_equal(check(s, &result), HILL_OK);
    s->kernels.transpose = transpose_left_out;
    assert_caught(s, "gradient not turned over");
    free_subject(s);
    s = make_subject("net=150 identity, 140 sigmoid, output identity\ncost=squared\nbatch=16", 40, true);
    assert_true(s->plan->instrs[1].turn_d);
    assert_int_equal(check(s, &result), HILL_OK);
    free_subject(s);
}

static void a_bug_in_the_dense_layer_is_caught(void **state)
{
    (void)state;
    static const struct {
        const char *what;
        void (*loop)(const hill__gemm *g);
    } products[] = {
        {"forward product, too long", forward_long},
        {"forward product, last input left out", forward_shallow},
        {"forward product without bias", forward_without_bias},
        {"weight gradient, too long", weight_gradient_long},
        {"weight gradient, last row left out", weight_gradient_shallow},
        {"weight gradient, blocks overwritten", weight_gradient_overwritten},
        {"input gradient, too long", handed_on_long},
        {"input gradient, last unit left out", handed_on_shallow},
    };
    /* Blocks of 64 rows: three to a check. */
    subject *s = make_subject("net=13 tanh, 7 sigmoid, output identity\ncost=squared\nbatch=64", 150, true);
    hill_check result;
    assert_int_equal(check(s, &result), HILL_OK);
    for (size_t i = 0; i < COUNT_OF(products); i++) {
        s->kernels.gemm = products[i].loop;
        assert_caught(s, products[i].what);
    }
    s->kernels.gemm = RIGHT.gemm;
    s->kernels.add_rows = add_rows_long;
    assert_caught(s, "bias gradient, too long");
    s->kernels.add_rows = add_rows_short;
    assert_caught(s, "bias gradient, last row left out");
    s->kernels.add_rows = add_rows_overwritten;
    assert_caught(s, "bias gradient, blocks overwritten");
    s->kernels.add_rows = RIGHT.add_rows;
    s->kernels.transpose = transpose_left_out;
    assert_caught(s, "weights not transposed");
    s->kernels.transpose = RIGHT.transpose;
    assert_int_equal(check(s, &result), HILL_OK);
    free_subject(s);
}

/* An instruction of the unfused twin that does nothing on the way back. */
static void do_nothing(const hill__instr *instr, hill__walk *walk)
{
    (void)instr;
    (void)walk;
}

static void an_instruction_left_out_is_caught(void **state)
{
    (void)state;
    for (size_t i = 0; i < 5; i++) { /* dense, tanh, dense, sigmoid, dense */
        subject *s = make_subject("net=13 tanh, 7 sigmoid, output identity\ncost=squared", 40, false);
        hill__op broken = *s->plan->instrs[i].op;
        broken.backward = do_nothing;
        s->plan->instrs[i].op = &broken;
        assert_caught(s, broken.word);
        free_subject(s);
    }
}

static void only_layer_2_long(const hill__gemm *g)
{
    RIGHT.gemm(g);
    if (is_weight_gradient(g) && g->rows == 13)
        g->c[3 * g->c_row + 2] *= 1.5f;
}

static void the_worst_weight_is_named(void **state)
{
    (void)state;
    subject *s = make_subject("net=13 tanh, 7 sigmoid, output identity\ncost=squared\nbatch=64", 40, true);
    hill_check result;
    s->kernels.gemm = only_layer_2_long;
    assert_int_equal(check(s, &result), HILL_ECHECK);
    assert_string_equal(result.worst_weight, "layer2.weight[3, 2]");
    assert_true(fabs(result.worst - 1.0 / 3) < 1e-4);
    assert_true(fabs(result.worst_engine / result.worst_formula - 1.5) < 1e-3);
    result = (hill_check)HILL_CHECK_INIT;
    result.limit = 0.5; /* a caller's own limit holds */
    assert_int_equal(hill_run_check(s->run, &s->rows->source, &result), HILL_OK);
    assert_true(result.limit == 0.5);
    free_subject(s);
}

static void a_gradient_that_is_no_number_is_caught(void **state)
{
    (void)state;
    subject *s = make_subject("net=13 tanh, output identity\ncost=squared", 40, true);
    s->rows->inputs[17] = NAN;
    hill_check result;
    assert_int_equal(check(s, &result), HILL_ECHECK);
    free_subject(s);
}

/* ---- it fails where nothing is proved ------------------------------------------------------------------------------------ */

/* One class: softmax gives 1 whatever the weights are, and engine and formulas agree on a gradient of zeros. */
static void a_gradient_of_zeros_fails(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=7 tanh, output softmax\ncost=cross-entropy", INPUTS, 1, true);
    data *rows = make_data(20, INPUTS, 1, TARGET_ONE_HOT, 1);
    hill_run *run;
    hill_check result = HILL_CHECK_INIT;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
    assert_int_equal(hill_run_check(run, &rows->source, &result), HILL_ECHECK);
    assert_true(result.worst < 1e-4);
    assert_int_equal(result.weights, plan->parameters);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
}

/* One input, set so that relu number 2 lies at its kink: its weight and its bias are left out. */
static int check_at_a_kink(unsigned units, hill_check *result)
{
    char text[100];
    snprintf(text, sizeof text, "net=%u relu, output identity\ncost=squared\nseed=4", units);
    hill_plan *plan = make_plan(text, 1, 1, true);
    data *rows = make_data(8, 1, 1, TARGET_NUMBERS, 1);
    float *weights = calloc(plan->vector, sizeof *weights);
    hill_run *run;
    hill__init_anywhere(plan, 4, weights);
    rows->inputs[5] = -weights[plan->instrs[0].bias + 2] / weights[plan->instrs[0].weight + 2];
    *result = (hill_check)HILL_CHECK_INIT;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
    int status = hill_run_check(run, &rows->source, result);
    assert_int_equal(result->weights + result->kinks, plan->parameters);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
    free(weights);
    return status;
}

static void weights_at_a_kink_are_counted_apart(void **state)
{
    (void)state;
    hill_check result;
    assert_int_equal(check_at_a_kink(100, &result), HILL_OK); /* 2 of 301 */
    assert_int_equal(result.kinks, 2);
    assert_true(result.worst < 1e-4);
    assert_int_equal(check_at_a_kink(50, &result), HILL_OK); /* 2 of 151, more than one in a hundred: another point is drawn */
    assert_int_equal(result.kinks, 0);
    assert_true(result.worst < 1e-4);
}

/* What a relu holds at 0 is no kink of the next layer, for no probe moves it. */
static void still_zeros_are_no_kinks(void **state)
{
    (void)state;
    hill_check result;
    subject *s = make_subject("net=16 relu, 16 leaky-relu, output identity\ncost=squared", 40, false);
    assert_int_equal(check(s, &result), HILL_OK);
    free_subject(s);
    s = make_subject("net=16 relu, prelu, 9 relu, prelu, output identity\ncost=squared", 40, false);
    assert_int_equal(check(s, &result), HILL_OK);
    assert_true(result.weights > 100);
    free_subject(s);
}

/* ---- what it takes and what it leaves alone ------------------------------------------------------------------------------ */

static void a_check_does_not_move_the_run(void **state)
{
    (void)state;
    subject *a = make_subject("net=13 tanh, output identity\ncost=squared\nbatch=8\nepochs=4", 40, true);
    subject *b = make_subject("net=13 tanh, output identity\ncost=squared\nbatch=8\nepochs=4", 40, true);
    const size_t bytes = a->plan->vector * sizeof(float);
    hill_check result;
    for (size_t step = 0; step < 12; step++) {
        assert_int_equal(hill_step(a->run, NULL), HILL_ROW);
        assert_int_equal(hill_step(b->run, NULL), HILL_ROW);
        assert_int_equal(check(a, &result), HILL_OK);
        assert_memory_equal(hill_run_weights(a->run), hill_run_weights(b->run), bytes);
        assert_memory_equal(hill_run_gradient(a->run), hill_run_gradient(b->run), bytes);
    }
    free_subject(a);
    free_subject(b);
}

static int fail_to_fill(void *self, const uint64_t *rows, size_t count, float *inputs, float *targets)
{
    (void)self;
    (void)rows;
    (void)count;
    (void)inputs;
    (void)targets;
    return HILL_EIO;
}

static void sources_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    subject *s = make_subject("net=3 tanh, output identity\ncost=squared", 40, true);
    hill_check result = HILL_CHECK_INIT;
    hill_source wrong = s->rows->source;
    wrong.inputs++;
    assert_int_equal(hill_run_check(s->run, &wrong, &result), HILL_EARGUMENT);
    wrong = s->rows->source;
    wrong.targets++;
    assert_int_equal(hill_run_check(s->run, &wrong, &result), HILL_EARGUMENT);
    wrong = s->rows->source;
    wrong.rows = 0;
    assert_int_equal(hill_run_check(s->run, &wrong, &result), HILL_EARGUMENT);
    wrong = s->rows->source;
    wrong.fill = fail_to_fill;
    assert_int_equal(hill_run_check(s->run, &wrong, &result), HILL_EIO);
    free_subject(s);
}

static void a_check_survives_every_failing_allocation(void **state)
{
    (void)state;
    heap h = {0};
    hill_host host = heap_host(&h);
    hill_plan *plan = make_plan("net=3 tanh, output identity\ncost=squared", INPUTS, OUTPUTS, true);
    data *rows = make_data(8, INPUTS, OUTPUTS, TARGET_NUMBERS, 1);
    hill_run *run;
    hill_check result = HILL_CHECK_INIT;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
    const size_t before = h.calls, live = h.live;
    assert_int_equal(hill_run_check(run, &rows->source, &result), HILL_OK);
    const size_t calls = h.calls - before;
    assert_true(calls > 3);
    for (size_t i = 1; i <= calls; i++) {
        h.fail_at = h.calls + i;
        assert_int_equal(hill_run_check(run, &rows->source, &result), HILL_EMEMORY);
        assert_int_equal(h.live, live);
    }
    hill_run_free(run);
    assert_heap_empty(&h);
    hill_plan_free(plan);
    free_data(rows);
}

/* ---- the table ----------------------------------------------------------------------------------------------------------- */

static void operators_are_found_by_their_word(void **state)
{
    (void)state;
    for (hill__op_id id = 0; id < HILL__OP_COUNT; id++) {
        const hill__op *op = hill__op_at(id);
        assert_ptr_equal(hill__op_find(op->family, op->word), op);
        assert_true(op->forward && op->backward && op->formula && op->formula_text[0] && op->sentence[0]);
        for (hill__family family = HILL__LAYER; family <= HILL__COST; family++)
            assert_true(family == op->family || hill__op_find(family, op->word) == NULL);
    }
    assert_null(hill__op_find(HILL__ACTIVATION, "rel"));
    assert_null(hill__op_find(HILL__ACTIVATION, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_activation_and_cost_is_proved),
        cmocka_unit_test(nets_of_any_depth_are_proved),
        cmocka_unit_test(a_bug_in_any_slope_is_caught),
        cmocka_unit_test(a_bug_in_softmax_is_caught),
        cmocka_unit_test(a_bug_in_any_cost_is_caught),
        cmocka_unit_test(wide_nets_of_small_blocks_are_proved),
        cmocka_unit_test(a_bug_in_the_dense_layer_is_caught),
        cmocka_unit_test(an_instruction_left_out_is_caught),
        cmocka_unit_test(the_worst_weight_is_named),
        cmocka_unit_test(a_gradient_that_is_no_number_is_caught),
        cmocka_unit_test(a_gradient_of_zeros_fails),
        cmocka_unit_test(weights_at_a_kink_are_counted_apart),
        cmocka_unit_test(still_zeros_are_no_kinks),
        cmocka_unit_test(a_check_does_not_move_the_run),
        cmocka_unit_test(sources_that_do_not_fit_are_refused),
        cmocka_unit_test(a_check_survives_every_failing_allocation),
        cmocka_unit_test(operators_are_found_by_their_word),
    };
    return cmocka_run_group_tests_name("op", tests, NULL, NULL);
}
