/*
 * test_evaluate.c - what a run tells of itself, runs that cannot be made, start weights, sources that fail wherever they are
 * asked.
 */
#include "base/fp.h"

#include "support.h"

#include <math.h>

#include "train/init.h"
#include "train/run.h"

/* ---- a source that fails ------------------------------------------------------------------------------------------------- */

typedef struct failing {
    data *rows;
    uint64_t calls, fail_at; /* the call that fails, from 1; 0: none does */
} failing;

static int fill_or_fail(void *self, const uint64_t *rows, size_t count, float *inputs, float *targets)
{
    failing *f = self;
    if (++f->calls == f->fail_at)
        return HILL_EIO;
    return f->rows->source.fill(f->rows->source.self, rows, count, inputs, targets);
}

static hill_source failing_source(failing *f)
{
    hill_source source = f->rows->source;
    source.self = f;
    source.fill = fill_or_fail;
    return source;
}

static int weigh_or_fail(void *self, const uint64_t *rows, size_t count, float *weights)
{
    failing *f = self;
    (void)rows;
    if (++f->calls == f->fail_at)
        return HILL_EIO;
    for (size_t i = 0; i < count; i++)
        weights[i] = 1;
    return HILL_OK;
}

/* Each call to a source fails in turn: that is what comes out, and nothing has been moved; until none fails. */
static void sources_may_fail_at_every_call(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=4 tanh\nbatch=40\nepochs=2", 3, 2, true);
    failing f = {.rows = make_data(70, 3, 2, TARGET_NUMBERS, 5)};
    hill_source source = failing_source(&f);
    source.weigh = weigh_or_fail;
    hill_run *run;
    assert_int_equal(hill_run_new(plan, &source, NULL, NULL, &run), HILL_OK);
    float *gradient = calloc(plan->vector, sizeof *gradient), *before = calloc(plan->vector, sizeof *before);
    memcpy(before, run->weights, plan->vector * sizeof *before);
    for (unsigned kind = 0; kind < 4; kind++) {
        int status = HILL_EIO;
        uint64_t at = 1;
        for (; status == HILL_EIO; at++) {
            hill_score score = HILL_SCORE_INIT;
            hill_check result = HILL_CHECK_INIT;
            hill_diagnosis diagnosis = HILL_DIAGNOSIS_INIT;
            f.calls = 0;
            f.fail_at = at;
            status = kind == 0   ? hill_run_evaluate(run, NULL, &source, &score)
                     : kind == 1 ? hill_run_slope(run, NULL, &source, gradient)
                     : kind == 2 ? hill_run_check(run, &source, &result)
                                 : hill_run_diagnose(run, &diagnosis);
            assert_memory_equal(before, run->weights, plan->vector * sizeof *before);
        }
        assert_int_equal(status, HILL_OK);
        assert_true(at > 3);
        assert_true(f.calls < at);
    }
    free(gradient);
    free(before);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(f.rows);
}

/* Of a whole run in bits: weights, best weights, and the rows of the trace. */
typedef struct outcome {
    float weights[64], best[64];
    double costs[8], valid[8];
    uint64_t epoch;
    size_t failed;
} outcome;

static void descend(const hill_plan *plan, const data *train, failing *valid, outcome *out)
{
    hill_source source = failing_source(valid);
    hill_row row = HILL_ROW_INIT;
    hill_run *run;
    int status;
    assert_int_equal(hill_run_new(plan, &train->source, &source, NULL, &run), HILL_OK);
    for (size_t epochs = 0; (status = hill_step(run, &row)) != HILL_DONE;) {
        assert_true(status == HILL_ROW || status == HILL_EIO);
        out->failed += status == HILL_EIO;
        if (status == HILL_ROW && row.epoch_end) {
            assert_int_equal(row.step, hill_run_steps(run, NULL));
            out->costs[epochs] = row.train_cost;
            out->valid[epochs++] = row.valid_cost;
        }
    }
    memcpy(out->weights, run->weights, sizeof out->weights);
    memcpy(out->best, hill_run_best(run, &out->epoch), sizeof out->best);
    hill_run_free(run);
}

/* The step was taken, and the epoch couldn't be ended: the next call ends it, with all that belongs to it. */
static void an_epoch_whose_validation_failed_is_ended_by_the_next_call(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=4 tanh\nbatch=7\nepochs=4\nrate=0.5\npatience=0", 3, 2, true);
    data *train = make_data(45, 3, 2, TARGET_NUMBERS, 5);
    failing valid = {.rows = make_data(40, 3, 2, TARGET_NUMBERS, 6)};
    outcome whole = {.failed = 0};
    descend(plan, train, &valid, &whole);
    assert_int_equal(whole.failed, 0);
    assert_int_equal(valid.calls, 8);
    for (uint64_t at = 1; at <= 8; at++) {
        outcome broken = {.failed = 0};
        valid.calls = 0;
        valid.fail_at = at;
        descend(plan, train, &valid, &broken);
        assert_int_equal(broken.failed, 1);
        broken.failed = 0;
        assert_memory_equal(&broken, &whole, sizeof whole);
    }
    /* Also where nobody asks for rows. */
    hill_source source = failing_source(&valid);
    hill_run *run;
    valid.calls = 0;
    valid.fail_at = 1;
    assert_int_equal(hill_run_new(plan, &train->source, &source, NULL, &run), HILL_OK);
    for (int step = 1; step < 7; step++)
        assert_int_equal(hill_step(run, NULL), HILL_ROW);
    assert_int_equal(hill_step(run, NULL), HILL_EIO);
    assert_int_equal(hill_step(run, NULL), HILL_ROW);
    assert_int_equal(hill_run_steps(run, NULL), 7);
    hill_run_free(run);
    free_data(valid.rows);
    free_data(train);
    hill_plan_free(plan);
}

/* ---- runs that can't be made --------------------------------------------------------------------------------------------- */

static void runs_that_cannot_be_are_refused(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=4 tanh\nbatch=1\nepochs=1000000000000", 3, 2, true);
    data *rows = make_data(10, 3, 2, TARGET_NUMBERS, 5);
    hill_host host = HILL_HOST_INIT;
    hill_run *run;
    hill_source wrong[4] = {rows->source, rows->source, rows->source, rows->source};
    wrong[0].fill = NULL;
    wrong[1].rows = 0;
    wrong[2].inputs = 4;
    wrong[3].targets = 1;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        assert_int_equal(hill_run_new(plan, &wrong[i], NULL, NULL, &run), HILL_EARGUMENT);
        assert_null(run);
        assert_int_equal(hill_run_new(plan, &rows->source, &wrong[i], NULL, &run), HILL_EARGUMENT);
        assert_null(run);
    }
    host.isa = "abacus";
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_EISA);
    assert_null(run);
    /* More steps than can be counted are as many as can be. */
    hill_source endless = rows->source;
    endless.rows = (uint64_t)1 << 40;
    assert_int_equal(hill_run_new(plan, &endless, NULL, NULL, &run), HILL_OK);
    assert_true(hill_run_total_steps(run) == UINT64_MAX);
    assert_true(hill_run_epoch_steps(run) == (uint64_t)1 << 40);
    hill_run_free(run);
    hill_run_free(NULL);
    free_data(rows);
    hill_plan_free(plan);
}

/* A plan whose vectors have more bytes than can be counted. */
static void runs_that_are_too_large_are_out_of_memory(void **state)
{
    (void)state;
    heap h = {0};
    hill_host host = heap_host(&h);
    hill_plan *plan = make_plan("net=\nbatch=32", SIZE_MAX / 4 - 100, 1, true);
    data *rows = make_data(1, 1, 1, TARGET_NUMBERS, 5);
    rows->source.inputs = plan->inputs;
    hill_run *run;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_EMEMORY);
    assert_null(run);
    assert_heap_empty(&h);
    free_data(rows);
    hill_plan_free(plan);
}

/* ---- start weights ------------------------------------------------------------------------------------------------------- */

/* Least and most of a layer's start weights, and of its biases. */
static void assert_spread(const char *text, double low, double high, bool biases)
{
    hill_plan *plan = make_plan(text, 300, 60, true);
    const hill__instr *layer = &plan->instrs[0];
    float *weights = calloc(plan->vector, sizeof *weights);
    hill__init_weights(plan, 9, weights);
    const float *w = weights + layer->weight, *b = weights + layer->bias;
    double least = (double)w[0], most = (double)w[0];
    for (size_t i = 0; i < layer->inputs * layer->outputs; i++) {
        least = fmin(least, (double)w[i]);
        most = fmax(most, (double)w[i]);
    }
    if (!(least >= low && most <= high && most - least >= 0.99 * (high - low)))
        fail_msg("%s: from %g to %g", text, least, most);
    for (size_t i = 0; i < layer->outputs; i++)
        assert_true(biases ? b[i] >= 0 && b[i] < 1 : b[i] == 0);
    assert_true(!biases || b[0] != b[1]);
    free(weights);
    hill_plan_free(plan);
}

static void start_weights_are_spread_as_the_words_say(void **state)
{
    (void)state;
    const double glorot = sqrt(6 / (300.0 + 50)), he = sqrt(6 / 300.0), lecun = sqrt(3 / 300.0);
    assert_spread("net=50 relu\ninit=glorot", -glorot, glorot, false);
    assert_spread("net=50 relu\ninit=he", -he, he, false);
    assert_spread("net=50 relu\ninit=lecun", -lecun, lecun, false);
    assert_spread("net=50 relu\ninit=uniform", 0, 1, true);
    assert_spread("net=50 relu\ninit=zero", 0, 0, false);
    assert_spread("net=50 relu", -he, he, false);
    assert_spread("net=50 mish", -he, he, false);
    assert_spread("net=50 identity, prelu", -he, he, false);
    assert_spread("net=50 identity, swish", -he, he, false);
    assert_spread("net=50 selu", -lecun, lecun, false);
    assert_spread("net=50 tanh", -glorot, glorot, false);
    assert_spread("net=50 sigmoid", -glorot, glorot, false);
    assert_spread("net=50 identity", -glorot, glorot, false);
    assert_spread("net=50 softmax", -glorot, glorot, false);
}

/* Layers that aren't drawn: what each begins as. */
static void start_weights_of_columns_are_what_the_papers_say(void **state)
{
    (void)state;
    static const struct {
        const char *net;
        float start;
    } cases[] = {{"scale", 1}, {"batchnorm", 1}, {"prelu", 0.25f}, {"swish", 1}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[40];
        snprintf(text, sizeof text, "net=%s", cases[i].net);
        hill_plan *plan = make_plan(text, 3, 1, true);
        float weights[128];
        assert_true(plan->vector <= COUNT_OF(weights));
        hill__init_weights(plan, 9, weights);
        for (size_t c = 0; c < 3; c++)
            assert_true(weights[plan->instrs[0].weight + c] == cases[i].start);
        hill_plan_free(plan);
    }
}

/* The numbers of waves: normal, of the deviation that is asked for or 0.01; parts of them within one and two deviations. */
static void waves_begin_normal(void **state)
{
    (void)state;
    static const struct {
        const char *net;
        double deviation;
    } cases[] = {{"net=periodic 1000\ninit=zero", 0.01}, {"net=periodic 1000 2.5", 2.5}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        hill_plan *plan = make_plan(cases[i].net, 30, 1, true);
        const size_t count = plan->instrs[0].weights;
        float *weights = calloc(plan->vector, sizeof *weights);
        hill__init_weights(plan, 9, weights);
        double mean = 0, square = 0, one = 0, two = 0;
        for (size_t k = 0; k < count; k++) {
            const double z = (double)weights[plan->instrs[0].weight + k] / cases[i].deviation;
            mean += z / (double)count;
            square += z * z / (double)count;
            one += (fabs(z) < 1) / (double)count;
            two += (fabs(z) < 2) / (double)count;
        }
        assert_int_equal(count, 30000);
        assert_true(fabs(mean) < 0.02 && fabs(square - 1) < 0.03 && fabs(one - 0.6827) < 0.01 && fabs(two - 0.9545) < 0.005);
        free(weights);
        hill_plan_free(plan);
    }
}

/* ---- what a run tells ---------------------------------------------------------------------------------------------------- */

/* Where nothing can be learnt, or all weights are alike, the run is stuck and says what else there is; where it learns, it isn't. */
static void a_stuck_run_says_so(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool stuck;
        const char *told, *untold;
    } cases[] = {
        {"net=4 sigmoid\nrule=sgd\nrate=1e-6\nepochs=2", true, "--rate 0.0001 (steps a hundred times longer), --rule adam",
         "--init"},
        {"net=4 sigmoid\nrule=momentum\nrate=1e-6\nepochs=2", true, ", --rule adam", "--init"},
        {"net=4 sigmoid\nrule=nesterov\nrate=1e-6\nepochs=2", true, ", --rule adam", "--init"},
        {"net=4 sigmoid\ninit=uniform\nrate=1e-6\nepochs=2", true, ", --init glorot (units that start apart), or a wider --net",
         "--rule"},
        {"net=4 relu\ninit=zero\nrate=1e-6\nepochs=2", true, ", --init glorot", "--rule"},
        {"net=4 sigmoid\nrule=sgd\nrate=1.97\nepochs=1\nbatch=1\npatience=0\ninit=uniform", true, "(steps that are shorter",
         "hundred"},
        {"net=4 tanh\nrate=0.05\nepochs=60\nbatch=8", false, "", "-"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[200];
        snprintf(text, sizeof text, "cost=squared\n%s", cases[i].text);
        hill_plan *plan = make_plan(text, 2, 1, true);
        data *rows = make_data(50, 2, 1, TARGET_NUMBERS, 5);
        hill_diagnosis diagnosis = HILL_DIAGNOSIS_INIT;
        hill_run *run;
        double mean = 0, spread = 0;
        for (size_t r = 0; r < 50; r++)
            mean += (double)rows->targets[r] / 50;
        for (size_t r = 0; r < 50; r++)
            spread += ((double)rows->targets[r] - mean) * ((double)rows->targets[r] - mean) / 2 / 50;
        assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
        while (hill_step(run, NULL) == HILL_ROW)
            continue;
        assert_int_equal(hill_run_diagnose(run, &diagnosis), HILL_OK);
        assert_true(fabs(diagnosis.constant_cost - spread) < 1e-6 * spread);
        if (diagnosis.stuck != cases[i].stuck || !strstr(diagnosis.advice, cases[i].told) ||
            strstr(diagnosis.advice, cases[i].untold))
            fail_msg("case %zu: %d: %s", i, diagnosis.stuck, diagnosis.advice);
        assert_true(diagnosis.gradient_norm >= 0 && diagnosis.stuck == (diagnosis.cost >= 0.97 * diagnosis.constant_cost));
        hill_run_free(run);
        hill_plan_free(plan);
        free_data(rows);
    }
}

static void a_diagnosis_without_memory_is_none(void **state)
{
    (void)state;
    heap h = {0};
    hill_host host = heap_host(&h);
    hill_plan *plan = make_plan("net=4 tanh", 3, 2, true);
    data *rows = make_data(10, 3, 2, TARGET_NUMBERS, 5);
    hill_diagnosis diagnosis = HILL_DIAGNOSIS_INIT;
    hill_run *run;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
    size_t live = h.live;
    for (size_t at = 1; at <= 2; at++) {
        h.fail_at = h.calls + at;
        assert_int_equal(hill_run_diagnose(run, &diagnosis), HILL_EMEMORY);
        assert_int_equal(h.live, live);
    }
    h.fail_at = 0;
    assert_int_equal(hill_run_diagnose(run, &diagnosis), HILL_OK);
    hill_run_free(run);
    assert_heap_empty(&h);
    hill_plan_free(plan);
    free_data(rows);
}

/* Getters may be asked for half of what they know. */
static void a_run_tells_what_it_is_asked_for(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=4 tanh\nepochs=1\nbatch=full", 3, 2, true);
    data *rows = make_data(10, 3, 2, TARGET_NUMBERS, 5);
    uint64_t epoch = 7;
    unsigned back = 7;
    float inputs[3];
    hill_run *run;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
    assert_int_equal(hill_step(run, NULL), HILL_ROW);
    assert_int_equal(hill_run_steps(run, &back), 1);
    assert_int_equal(hill_run_steps(run, NULL), 1);
    assert_int_equal(back, 0);
    assert_ptr_equal(hill_run_best(run, &epoch), hill_run_weights(run));
    assert_ptr_equal(hill_run_best(run, NULL), hill_run_weights(run));
    assert_int_equal(epoch, 1);
    assert_string_equal(hill_run_stopped(run), "epochs");
    assert_string_equal(hill_run_message(run), "");
    assert_int_equal(rows->source.fill(rows->source.self, (uint64_t[]){4}, 1, inputs, NULL), HILL_OK);
    assert_memory_equal(inputs, rows->inputs + 12, sizeof inputs);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
}

/* ---- weights of rows ----------------------------------------------------------------------------------------------------- */

typedef struct weighed {
    hill_score score;
    hill_diagnosis diagnosis;
    float gradient[256];
} weighed;

static weighed weigh_rows_by(const char *recipe, data *rows, const float *weights)
{
    weighed out = {.score = HILL_SCORE_INIT, .diagnosis = HILL_DIAGNOSIS_INIT};
    hill_plan *plan = make_plan(recipe, 3, 2, true);
    hill_run *run;
    rows->arrays.weights = weights;
    rows->source = hill_array_source(&rows->arrays);
    assert_true(plan->vector <= COUNT_OF(out.gradient));
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
    assert_int_equal(hill_run_evaluate(run, NULL, &rows->source, &out.score), HILL_OK);
    assert_int_equal(hill_run_slope(run, NULL, &rows->source, out.gradient), HILL_OK);
    assert_int_equal(hill_run_diagnose(run, &out.diagnosis), HILL_OK);
    hill_run_free(run);
    hill_plan_free(plan);
    return out;
}

/* Weights of 2 double all costs to the last bit; rows of weight 0 are as good as none. */
static void weights_multiply_cost_and_gradient(void **state)
{
    (void)state;
    enum { ROWS = 70, LEFT = 64 };
    const char *recipe = "net=4 tanh\nbatch=40";
    data *rows = make_data(ROWS, 3, 2, TARGET_NUMBERS, 5);
    float twice[ROWS], some[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        twice[i] = 2;
        some[i] = i < LEFT ? 1 : 0;
    }
    weighed once = weigh_rows_by(recipe, rows, NULL), doubled = weigh_rows_by(recipe, rows, twice);
    weighed part = weigh_rows_by(recipe, rows, some);
    assert_true(doubled.score.cost == 2 * once.score.cost);
    assert_true(doubled.diagnosis.constant_cost == 2 * once.diagnosis.constant_cost);
    for (size_t i = 0; i < COUNT_OF(once.gradient); i++)
        assert_true(doubled.gradient[i] == 2 * once.gradient[i]);
    rows->arrays.rows = LEFT;
    weighed few = weigh_rows_by(recipe, rows, NULL);
    const double less = (double)LEFT / ROWS;
    assert_true(fabs(part.score.cost - few.score.cost * less) < 1e-12);
    assert_true(fabs(part.diagnosis.constant_cost - few.diagnosis.constant_cost * less) < 1e-12);
    for (size_t i = 0; i < COUNT_OF(few.gradient); i++)
        assert_true(fabs((double)part.gradient[i] - (double)few.gradient[i] * less) < 1e-6);
    free_data(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources_may_fail_at_every_call),
        cmocka_unit_test(an_epoch_whose_validation_failed_is_ended_by_the_next_call),
        cmocka_unit_test(runs_that_cannot_be_are_refused),
        cmocka_unit_test(runs_that_are_too_large_are_out_of_memory),
        cmocka_unit_test(start_weights_are_spread_as_the_words_say),
        cmocka_unit_test(start_weights_of_columns_are_what_the_papers_say),
        cmocka_unit_test(waves_begin_normal),
        cmocka_unit_test(a_stuck_run_says_so),
        cmocka_unit_test(weights_multiply_cost_and_gradient),
        cmocka_unit_test(a_diagnosis_without_memory_is_none),
        cmocka_unit_test(a_run_tells_what_it_is_asked_for),
    };
    return cmocka_run_group_tests_name("evaluate", tests, NULL, NULL);
}
