/*
 * test_run.c - runs and their steps: the same bits whoever computes them, nothing allocated, honest ends.
 */
#include "support.h"

#include <math.h>
#include <pthread.h>

#include "base/hash.h"
#include "kernel/kernel.h"
#include "train/run.h"

/* What turns rounding down, up and to zero, and flushes denormals, in the processor's control register. */
#if defined(__SSE2__)
#include <xmmintrin.h>
static const unsigned fp_modes[] = {0x2000, 0x4000, 0x6000, 0x8000, 0x0040};

static unsigned fp_control(void)
{
    return _mm_getcsr();
}

static void set_fp_control(unsigned control)
{
    _mm_setcsr(control);
}
#elif defined(__aarch64__)
static const unsigned fp_modes[] = {0x00800000, 0x00400000, 0x00C00000, 0x01000000};

static unsigned fp_control(void)
{
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return (unsigned)control;
}

static void set_fp_control(unsigned control)
{
    __asm__ volatile("msr fpcr, %0" : : "r"((uint64_t)control));
}
#else
#define NO_FP_MODES
#endif

#define INPUTS 37
#define OUTPUTS 5

static uint64_t hash_of(const float *floats, size_t n)
{
    uint64_t hash = 1469598103934665603u;
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ bits_of(floats[i])) * 1099511628211u;
    return hash;
}

/* The weights after a whole run, as one number. */
static uint64_t descend(const char *text, const hill_host *host, bool fused, bool classes)
{
    hill_plan *plan = make_plan(text, INPUTS, OUTPUTS, fused);
    data *rows = make_data(700, INPUTS, OUTPUTS, classes ? TARGET_ONE_HOT : TARGET_NUMBERS, 3);
    hill_run *run;
    int status;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, host, &run), HILL_OK);
    while ((status = hill_step(run, NULL)) == HILL_ROW)
        continue;
    assert_int_equal(status, HILL_DONE);
    uint64_t hash = hash_of(run->weights, plan->vector);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
    return hash;
}

static const char *const recipes[] = {
    "net=130 relu, 67 tanh\ncost=cross-entropy\nbatch=full\nepochs=3\nrule=adam",
    "net=129 gelu, 65 mish\ncost=squared\nbatch=33\nepochs=2\nrule=nesterov",
    "net=70 sigmoid, 70 selu\ncost=huber\nbatch=300\norder=file\nepochs=2\nrule=rmsprop\nschedule=cosine",
};

static void threads_and_instruction_sets_never_show(void **state)
{
    (void)state;
    const unsigned threads[] = {1, 2, 3, 8};
    const hill__kernels *kernels;
    for (size_t r = 0; r < COUNT_OF(recipes); r++) {
        uint64_t expected = descend(recipes[r], NULL, true, r == 0);
        for (size_t i = 0; (kernels = hill__kernels_at(i)) != NULL; i++)
            for (size_t t = 0; t < COUNT_OF(threads); t++) {
                hill_host host = HILL_HOST_INIT;
                host.threads = threads[t];
                host.crowd = 1;
                host.isa = kernels->name;
                if (descend(recipes[r], &host, true, r == 0) != expected)
                    fail_msg("%s, %u threads: other bits for\n%s", kernels->name, threads[t], recipes[r]);
            }
    }
}

static void the_unfused_twin_has_the_same_bits(void **state)
{
    (void)state;
    const hill_word *activation;
    for (size_t a = 0; (activation = hill_words(HILL_WORDS_ACTIVATION, a)) != NULL; a++) {
        char text[200];
        snprintf(text, sizeof text, "net=19 %s, 11 %s, output %s\nbatch=50\nepochs=1\nrule=adam\ncost=squared",
                 activation->name, tame(activation->name), activation->name);
        assert_true(descend(text, NULL, true, false) == descend(text, NULL, false, false));
    }
}

static target_kind targets_for(const char *text)
{
    return strstr(text, "cost=poisson")                                  ? TARGET_COUNTS
           : strstr(text, "cross-entropy") || strstr(text, "cost=focal") ? TARGET_ONE_HOT
                                                                         : TARGET_NUMBERS;
}

/* The hash of a run of single rows; `general` takes the way that every other net takes. */
static uint64_t descend_singly(const char *text, const char *isa, bool general, bool *single)
{
    hill_host host = HILL_HOST_INIT;
    host.isa = isa;
    hill_plan *plan = make_plan(text, 6, 3, true);
    data *rows = make_data(40, 6, 3, targets_for(text), 5);
    hill_run *run;
    int status;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
    *single = run->singles.count > 0;
    if (general)
        run->singles.count = 0;
    while ((status = hill_step(run, NULL)) == HILL_ROW)
        continue;
    assert_int_equal(status, HILL_DONE);
    uint64_t hash = hash_of(run->weights, plan->vector) ^ hash_of(run->gradient, plan->vector) * 3;
    run->singles.count = hill__singles_count(plan);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
    return hash;
}

/* Every activation with every cost, in layers of one, four, more and sixteen units. */
static void single_rows_have_the_bits_of_products(void **state)
{
    (void)state;
    static const struct {
        const char *cost, *output; /* NULL: the activation */
    } heads[] = {{"cost=squared", NULL},
                 {"cost=absolute", NULL},
                 {"cost=huber", NULL},
                 {"cost=quantile\nquantile=0.9", NULL},
                 {"cost=hinge", NULL},
                 {"cost=poisson\nrate=0.001", "exp"},
                 {"cost=cross-entropy\nsmoothing=0.1", "softmax"},
                 {"cost=binary-cross-entropy\nsmoothing=0.1", "sigmoid"},
                 {"cost=focal\nsmoothing=0.1", "softmax"}};
    const hill_word *activation;
    const hill__kernels *kernels;
    bool single;
    for (size_t a = 0; (activation = hill_words(HILL_WORDS_ACTIVATION, a)) != NULL; a++)
        for (size_t c = 0; c < COUNT_OF(heads); c++)
            for (size_t i = 0; (kernels = hill__kernels_at(i)) != NULL; i++) {
                char text[200];
                const char *name = activation->name, *output = heads[c].output ? heads[c].output : name;
                snprintf(text, sizeof text, "net=16 %s, 4 %s, 1 %s, 13 %s, output %s\nbatch=1\nepochs=2\nrule=momentum\n%s",
                         tame(name), name, tame(name), tame(name), output, heads[c].cost);
                uint64_t right = descend_singly(text, kernels->name, true, &single);
                if (descend_singly(text, kernels->name, false, &single) != right)
                    fail_msg("%s: other bits for\n%s", kernels->name, text);
                assert_true(single == (strcmp(activation->name, "softmax") != 0));
            }
}

static void wide_layers_and_more_rows_are_no_singles(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t layers;
    } plans[] = {{"net=4 tanh\nbatch=1", 2},  {"net=4 tanh\nbatch=2", 0},  {"net=4 tanh\nbatch=full", 0},
                 {"net=17 tanh\nbatch=1", 0}, {"net=16 tanh\nbatch=1", 2}, {"net=5 softmax\nbatch=1", 0}};
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        hill_plan *plan = make_plan(plans[i].text, 100, 3, true);
        assert_int_equal(hill__singles_count(plan), plans[i].layers);
        hill_plan_free(plan);
    }
}

/* A source that remembers what it was told to expect. */
typedef struct expecting {
    data *rows;
    uint64_t next[64];
    size_t count, kept, filled;
    size_t fail_at; /* the call that fails; 0: none */
} expecting;

static int fill_expected(void *self, const uint64_t *rows, size_t count, float *inputs, float *targets)
{
    expecting *e = self;
    if (++e->filled == e->fail_at)
        return HILL_EIO;
    if (e->count) {
        assert_int_equal(e->count, count);
        assert_memory_equal(e->next, rows, count * sizeof *rows);
        e->kept++;
    }
    e->count = 0;
    return e->rows->source.fill(e->rows->source.self, rows, count, inputs, targets);
}

static void expect(void *self, const uint64_t *rows, size_t count)
{
    expecting *e = self;
    e->count = count;
    memcpy(e->next, rows, count * sizeof *rows);
}

static void a_source_is_told_the_rows_to_come(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=5 relu\nbatch=7\nepochs=3", INPUTS, OUTPUTS, true);
    expecting e = {.rows = make_data(45, INPUTS, OUTPUTS, TARGET_NUMBERS, 3)};
    hill_source source = e.rows->source;
    hill_run *run;
    source.self = &e;
    source.fill = fill_expected;
    source.expect = expect;
    assert_int_equal(hill_run_new(plan, &source, NULL, NULL, &run), HILL_OK);
    while (hill_step(run, NULL) == HILL_ROW)
        continue;
    /* Seven steps an epoch; the first of each is drawn anew. */
    assert_int_equal(e.filled, 21);
    assert_int_equal(e.kept, 18);
    uint64_t told = hash_of(run->weights, plan->vector);
    hill_run_free(run);
    assert_int_equal(hill_run_new(plan, &e.rows->source, NULL, NULL, &run), HILL_OK);
    while (hill_step(run, NULL) == HILL_ROW)
        continue;
    assert_true(hash_of(run->weights, plan->vector) == told);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(e.rows);
}

/* Whoever calls again after a source failed gets the rows that were to come. */
static void a_step_that_failed_can_be_taken_again(void **state)
{
    (void)state;
    static const char *const texts[] = {"net=5 relu\nbatch=7\nepochs=3", "net=5 relu\nbatch=1\nepochs=3",
                                        "net=5 relu\nbatch=7\nepochs=3\nrule=schedule-free", "net=3 tanh\nepochs=9\nrule=lbfgs",
                                        "net=3 tanh\nepochs=3\nrule=lm\ncost=squared"};
    static const size_t fails[] = {0, 2, 5, 6, 7}; /* of rules that look several times, in the midst of a step */
    uint64_t hashes[2];
    for (size_t i = 0; i < COUNT_OF(texts) * COUNT_OF(fails); i++) {
        size_t fail = i % COUNT_OF(fails) > 0;
        hill_plan *plan = make_plan(texts[i / COUNT_OF(fails)], INPUTS, OUTPUTS, true);
        expecting e = {.rows = make_data(45, INPUTS, OUTPUTS, TARGET_NUMBERS, 3), .fail_at = fails[i % COUNT_OF(fails)]};
        hill_source source = e.rows->source;
        hill_run *run;
        size_t failed = 0;
        source.self = &e;
        source.fill = fill_expected;
        source.expect = expect;
        assert_int_equal(hill_run_new(plan, &source, NULL, NULL, &run), HILL_OK);
        for (int status; (status = hill_step(run, NULL)) != HILL_DONE; failed += status == HILL_EIO) {
            assert_true(status == HILL_ROW || status == HILL_EIO);
            if (status == HILL_EIO)
                e.count = 0;
        }
        assert_int_equal(failed, fail);
        hashes[fail] = hash_of(run->weights, plan->vector);
        hill_run_free(run);
        hill_plan_free(plan);
        free_data(e.rows);
        assert_true(!fail || hashes[0] == hashes[1]);
    }
}

static void small_nets_are_not_shared(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool shared;
    } plans[] = {{"net=4 tanh\nbatch=1", false},
                 {"net=64 relu\nbatch=full", false},
                 {"net=1024 relu, 1024 relu\nbatch=1", false},
                 {"net=1024 relu, 1024 relu\nbatch=256", true}};
    hill_host host = HILL_HOST_INIT;
    host.threads = 2;
    host.crowd = 1;
    for (size_t i = 0; i < COUNT_OF(plans); i++) {
        hill_plan *plan = make_plan(plans[i].text, INPUTS, OUTPUTS, true);
        data *rows = make_data(300, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
        hill_run *run;
        assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
        size_t block = run->batch < plan->block_rows ? run->batch : plan->block_rows;
        assert_int_equal(hill__run_walk(run, NULL, block).pool != NULL, plans[i].shared);
        hill_run_free(run);
        hill_plan_free(plan);
        free_data(rows);
    }
}

static void threads_are_no_more_than_cores(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=4 tanh", INPUTS, OUTPUTS, true);
    data *rows = make_data(20, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
    hill_host host = HILL_HOST_INIT;
    for (host.crowd = 0; host.crowd < 2; host.crowd++) {
        hill_run *run;
        host.threads = hill__core_count() + 3;
        assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
        assert_int_equal(hill__pool_size(run->pool), hill__core_count() + (host.crowd ? 3 : 0));
        assert_true(hill_run_work(run, 10) > 0);
        assert_true(hill_run_work(run, 20) == 2 * hill_run_work(run, 10));
        hill_run_free(run);
    }
    hill_plan_free(plan);
    free_data(rows);
}

static void *descend_apart(void *argument)
{
    uint64_t *hash = argument;
    *hash = descend(recipes[1], NULL, true, false);
    return NULL;
}

static void two_runs_at_once_have_the_bits_of_each_alone(void **state)
{
    (void)state;
    uint64_t alone = descend(recipes[1], NULL, true, false), beside[2] = {0, 0};
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, descend_apart, &beside[i]), 0);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_true(beside[0] == alone && beside[1] == alone);
}

static void no_step_allocates(const char *text)
{
    heap h = {.calls = 0};
    hill_host host = heap_host(&h);
    host.threads = 2;
    hill_plan *plan = make_plan(text, INPUTS, OUTPUTS, true);
    data *rows = make_data(700, INPUTS, OUTPUTS, TARGET_NUMBERS, 3), *held = make_data(90, INPUTS, OUTPUTS, TARGET_NUMBERS, 4);
    hill_run *run;
    hill_row row = HILL_ROW_INIT;
    int status;
    assert_int_equal(hill_run_new(plan, &rows->source, &held->source, &host, &run), HILL_OK);
    size_t before = h.calls;
    assert_true(before > 0);
    row.want = HILL_WANT_NORMS;
    while ((status = hill_step(run, &row)) == HILL_ROW)
        assert_true(row.gradient_norm > 0 && row.step_norm > 0 && row.weight_norm > 0);
    assert_int_equal(status, HILL_DONE);
    assert_int_equal(h.calls, before);
    hill_run_free(run);
    assert_heap_empty(&h);
    hill_plan_free(plan);
    free_data(held);
    free_data(rows);
}

static void a_step_allocates_nothing(void **state)
{
    (void)state;
    no_step_allocates("net=130 relu\nbatch=300\nepochs=4\npatience=2");
    no_step_allocates("net=13 tanh\nrule=schedule-free\nclip=0.1\nbatch=300\nepochs=2");
    no_step_allocates("net=13 tanh\nrule=lbfgs\nepochs=4");
    no_step_allocates("net=9 tanh\nrule=lm\ncost=squared\nepochs=2");
}

static void every_failing_allocation_is_told(void **state)
{
    (void)state;
    data *rows = make_data(20, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
    for (size_t single = 0; single < 2; single++) {
        hill_plan *plan = make_plan(single ? "net=8 relu\nbatch=1" : "net=8 relu", INPUTS, OUTPUTS, true);
        int status = HILL_EMEMORY;
        size_t n = 1;
        for (; status == HILL_EMEMORY; n++) {
            heap h = {.fail_at = n};
            hill_host host = heap_host(&h);
            hill_run *run;
            status = hill_run_new(plan, &rows->source, NULL, &host, &run);
            assert_true(status == HILL_OK || (status == HILL_EMEMORY && !run));
            hill_run_free(run);
            assert_heap_empty(&h);
        }
        assert_int_equal(status, HILL_OK);
        assert_int_equal(n, 7 + single);
        hill_plan_free(plan);
    }
    free_data(rows);
}

/* A run of 100 rows that is driven too fast. */
typedef struct drive {
    hill_plan *plan;
    data *rows;
    hill_run *run;
    unsigned ways_back;
    char told[2000]; /* of all ways back */
} drive;

static int drive_to_its_end(drive *d, const char *text, const hill_host *host)
{
    int status;
    hill_row row = HILL_ROW_INIT;
    *d = (drive){.plan = make_plan(text, INPUTS, OUTPUTS, true), .rows = make_data(100, INPUTS, OUTPUTS, TARGET_NUMBERS, 3)};
    assert_int_equal(hill_run_new(d->plan, &d->rows->source, NULL, host, &d->run), HILL_OK);
    while ((status = hill_step(d->run, &row)) == HILL_ROW) {
        uint64_t step = row.back ? d->run->at.step : row.step;
        assert_true(row.step == step && isnan(row.cost) == (row.back != 0));
        if (row.back) {
            d->ways_back++;
            snprintf(d->told + strlen(d->told), sizeof d->told - strlen(d->told), "%s\n", hill_run_message(d->run));
        }
    }
    assert_true(d->run->kernels->finite(d->run->weights, d->plan->vector));
    return status;
}

static void park(drive *d)
{
    hill_run_free(d->run);
    hill_plan_free(d->plan);
    free_data(d->rows);
}

#define TOO_FAST "net=16 identity, 16 identity\nrule=sgd\nbatch=20\nepochs=50\nrate="

static void divergence_names_its_place_and_is_not_applied(void **state)
{
    drive d;
    (void)state;
    assert_int_equal(drive_to_its_end(&d, TOO_FAST "100000\non-divergence=stop", NULL), HILL_EDIVERGED);
    const char *message = hill_run_message(d.run);
    assert_non_null(strstr(message, "diverged at step "));
    assert_non_null(strstr(message, ", ...: a unit of layer 2 is no finite number, at rate 100000; try a smaller --rate"));
    assert_string_equal(hill_run_stopped(d.run), "diverged");
    assert_int_equal(hill_step(d.run, NULL), HILL_EDIVERGED);
    assert_int_equal(d.ways_back, 0);
    /* It holds the last good weights: those it began with. */
    float *end = calloc(d.plan->vector, sizeof *end);
    memcpy(end, d.run->weights, d.plan->vector * sizeof *end);
    assert_int_equal(hill_run_restart(d.run, 1), HILL_OK);
    assert_memory_equal(end, d.run->weights, d.plan->vector * sizeof *end);
    free(end);
    park(&d);
}

static void a_rate_that_the_host_sets_beats_the_schedule_until_it_is_taken_back(void **state)
{
    drive d, twin;
    hill_row row = HILL_ROW_INIT;
    (void)state;
    const char *text = "net=8 tanh\nrule=sgd\nbatch=20\nepochs=4\nrate=0.5\nwarmup=1\nschedule=cosine";
    assert_int_equal(drive_to_its_end(&d, text, NULL), HILL_DONE);
    assert_int_equal(drive_to_its_end(&twin, "net=8 tanh\nrule=sgd\nbatch=20\nepochs=4\nrate=0.125", NULL), HILL_DONE);
    const double wrong[] = {-1e-9, NAN, INFINITY};
    for (size_t i = 0; i < COUNT_OF(wrong); i++)
        assert_int_equal(hill_run_set_rate(d.run, wrong[i]), HILL_EARGUMENT);
    hill_run_restart(d.run, 1);
    assert_int_equal(hill_run_set_rate(d.run, 0.125), HILL_OK);
    for (int i = 0; i < 20; i++) {
        assert_int_equal(hill_step(d.run, &row), HILL_ROW);
        assert_true(row.rate == 0.125);
    }
    assert_memory_equal(d.run->weights, twin.run->weights, d.plan->vector * sizeof(float));
    hill_run_restart(d.run, 1);
    assert_true(hill_step(d.run, &row) == HILL_ROW && row.rate == 0.1);
    assert_int_equal(hill_run_set_rate(d.run, 3), HILL_OK);
    assert_true(hill_step(d.run, &row) == HILL_ROW && row.rate == 3);
    assert_int_equal(hill_run_set_rate(d.run, 0), HILL_OK);
    assert_true(hill_step(d.run, &row) == HILL_ROW && row.rate == 0.5 * (3.0 / 5));
    park(&d);
    park(&twin);
}

static void ways_back_halve_the_rate_and_are_the_same_everywhere(void **state)
{
    hill_host host = HILL_HOST_INIT;
    uint64_t hash = 0;
    (void)state;
    host.crowd = 1;
    for (unsigned i = 0; hill__kernels_at(i); i++) {
        drive d;
        host.threads = i + 1;
        host.isa = hill__kernels_at(i)->name;
        assert_int_equal(drive_to_its_end(&d, TOO_FAST "0.9", &host), HILL_DONE);
        assert_int_equal(d.ways_back, 3);
        assert_non_null(strstr(d.told, "at rate 0.9; back to step 0 with half the rate\n"));
        assert_non_null(strstr(d.told, "at rate 0.45; back to step 0 with half the rate\n"));
        uint64_t end = hash_of(d.run->weights, d.plan->vector) ^ hill__hash(d.told, strlen(d.told), 0);
        assert_true(i == 0 || end == hash);
        hash = end;
        park(&d);
    }
}

static void there_are_five_ways_back(void **state)
{
    drive d;
    (void)state;
    assert_int_equal(drive_to_its_end(&d, TOO_FAST "100000", NULL), HILL_EDIVERGED);
    assert_int_equal(d.ways_back, 5);
    assert_non_null(strstr(hill_run_message(d.run), "at rate 3125; after five ways back, each with half the rate"));
    park(&d);
}

/* The first epoch's weights are the best so far, and worse than the start: with the way that is given up they are forgotten. */
static void the_best_of_a_way_given_up_is_forgotten(void **state)
{
    drive d = {.plan = make_plan("net=16 identity, 16 identity\nrule=sgd\nbatch=50\nepochs=90\npatience=9\nrate=0.7", INPUTS,
                                 OUTPUTS, true)};
    hill_row row = HILL_ROW_INIT;
    uint64_t lost = 0;
    (void)state;
    d.rows = make_data(100, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
    assert_int_equal(hill_run_new(d.plan, &d.rows->source, &d.rows->source, NULL, &d.run), HILL_OK);
    for (uint64_t best = 0; hill_step(d.run, &row) == HILL_ROW; best = d.run->watch.best_epoch) {
        assert_true(d.run->watch.best_epoch <= d.run->at.epoch);
        lost += row.back && best > 0 && d.run->watch.best_epoch == 0;
    }
    assert_true(lost > 0);
    assert_true(d.run->watch.best_epoch > 0 && d.run->at.epoch >= 9);
    park(&d);
}

/* An update that no gradient foretold: by the rate alone, and by squares that overflow where their root's quotient is zero. */
static void an_update_that_breaks_a_weight_is_seen_at_once(void **state)
{
    static const char *const rules[] = {"sgd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "adamw"};
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rules); i++) {
        char text[200];
        drive d = {.plan = NULL};
        snprintf(text, sizeof text, "net=\nrule=%s\nbatch=full\nepochs=3\nrate=1e6\non-divergence=stop", rules[i]);
        d.plan = make_plan(text, INPUTS, OUTPUTS, true);
        d.rows = make_data(100, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
        for (size_t k = 0; k < 100 * INPUTS; k++)
            d.rows->inputs[k] *= 1e17f;
        assert_int_equal(hill_run_new(d.plan, &d.rows->source, NULL, NULL, &d.run), HILL_OK);
        assert_int_equal(hill_step(d.run, NULL), HILL_EDIVERGED);
        assert_non_null(
            strstr(hill_run_message(d.run), i < 3 ? ": the updated layer1." : ": what the rule remembers of layer1."));
        assert_true(d.run->kernels->finite(d.run->weights, d.plan->vector));
        park(&d);
    }
}

/* Where even the good weights give no finite gradient, half the rate is of no use. */
static void hopeless_rows_are_not_tried_again(void **state)
{
    drive d = {.plan = make_plan("net=\nrule=sgd\nbatch=full\nepochs=9\nrate=0.1", INPUTS, OUTPUTS, true)};
    (void)state;
    d.rows = make_data(100, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
    d.rows->targets[41 * OUTPUTS] = 1e30f;
    hill_row row = HILL_ROW_INIT;
    int status;
    assert_int_equal(hill_run_new(d.plan, &d.rows->source, NULL, NULL, &d.run), HILL_OK);
    while ((status = hill_step(d.run, &row)) == HILL_ROW)
        d.ways_back += row.back != 0;
    assert_int_equal(status, HILL_EDIVERGED);
    assert_int_equal(d.ways_back, 0);
    assert_non_null(
        strstr(hill_run_message(d.run), ", row 42: the cost is no finite number, at rate 0.1; a smaller rate changes "));
    park(&d);
}

/* The same of steps of one row, by the rows' own walk. */
static void a_hopeless_single_row_is_named(void **state)
{
    drive d = {.plan = make_plan("net=4 tanh\nrule=sgd\nbatch=1\norder=file\nepochs=9\nrate=0.1", INPUTS, OUTPUTS, true)};
    (void)state;
    d.rows = make_data(100, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
    d.rows->targets[41 * OUTPUTS] = 1e30f;
    int status;
    assert_int_equal(hill_run_new(d.plan, &d.rows->source, NULL, NULL, &d.run), HILL_OK);
    assert_true(d.run->singles.count == 2);
    while ((status = hill_step(d.run, NULL)) == HILL_ROW)
        continue;
    assert_int_equal(status, HILL_EDIVERGED);
    assert_non_null(
        strstr(hill_run_message(d.run), "diverged at step 42 (epoch 1), row 42: the cost is no finite number, at rate"));
    park(&d);
}

static void single_rows_driven_too_fast_are_gone_back_from(void **state)
{
    drive d;
    (void)state;
    assert_int_equal(drive_to_its_end(&d, "net=8 identity, 8 identity\nrule=sgd\nbatch=1\nepochs=20\nrate=0.9", NULL),
                     HILL_DONE);
    assert_true(d.ways_back > 0);
    assert_non_null(strstr(d.told, "), row "));
    park(&d);
}

/* A batch of several blocks isn't walked behind the first block that isn't good. */
static void a_batch_ends_where_it_diverges(void **state)
{
    drive d = {.plan = make_plan("net=4 tanh\nrule=sgd\nbatch=full\norder=file\nepochs=9\nrate=0.1", INPUTS, OUTPUTS, true)};
    (void)state;
    d.rows = make_data(600, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
    d.rows->targets[41 * OUTPUTS] = d.rows->targets[555 * OUTPUTS] = 1e30f;
    assert_int_equal(hill_run_new(d.plan, &d.rows->source, NULL, NULL, &d.run), HILL_OK);
    assert_int_equal(hill_step(d.run, NULL), HILL_EDIVERGED);
    assert_non_null(strstr(hill_run_message(d.run), "diverged at step 1 (epoch 1), row 42: the cost is no finite number"));
    park(&d);
}

/* Of weights next to the bounds the sum over rows overflows, where nothing else does. */
static void a_gradient_that_overflows_is_named(void **state)
{
    (void)state;
    for (size_t hot = 0; hot < 2; hot++) {
        drive d = {.plan = make_plan("net=3 identity\nrule=sgd\nbatch=4\norder=file\nepochs=1", 2, 10, true),
                   .rows = make_data(4, 2, 10, TARGET_NUMBERS, 3)};
        for (size_t i = 0; i < 8; i++)
            d.rows->inputs[i] = hot ? 1e-30f : 0;
        for (size_t i = 0; i < 40; i++)
            d.rows->targets[i] = 1;
        assert_int_equal(hill_run_new(d.plan, &d.rows->source, NULL, NULL, &d.run), HILL_OK);
        memset(d.run->weights, 0, d.plan->vector * sizeof(float));
        for (size_t i = 0; i < 30; i++)
            d.run->weights[d.plan->instrs[1].weight + i] = -1e38f;
        assert_int_equal(hill_step(d.run, NULL), HILL_EDIVERGED);
        assert_non_null(strstr(hill_run_message(d.run), "rows 1, 2, 3, 4: the gradient of layer1.bias is no finite number"));
        park(&d);
    }
}

/* More threads than tiles: some have nothing to do. */
static void idle_threads_never_show(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t inputs;
    } nets[] = {{"net=100 relu, 90 identity\nbatch=32\nepochs=2", 600}, {"net=600 relu\nbatch=256\nepochs=2", 10}};
    uint64_t hashes[2];
    for (unsigned i = 0; i < 4; i++) {
        unsigned crowded = i % 2;
        hill_plan *plan = make_plan(nets[i / 2].text, nets[i / 2].inputs, 4, true);
        data *rows = make_data(256, nets[i / 2].inputs, 4, TARGET_NUMBERS, 3);
        hill_host host = HILL_HOST_INIT;
        hill_run *run;
        host.threads = crowded ? 16 : 1;
        host.crowd = 1;
        assert_int_equal(hill_run_new(plan, &rows->source, NULL, &host, &run), HILL_OK);
        run->shared = true;
        run->share_rows = 1;
        while (hill_step(run, NULL) == HILL_ROW)
            continue;
        hashes[crowded] = hash_of(run->weights, plan->vector);
        hill_run_free(run);
        hill_plan_free(plan);
        free_data(rows);
        assert_true(!crowded || hashes[0] == hashes[1]);
    }
}

static void a_changed_rounding_mode_is_an_error(void **state)
{
    (void)state;
#if !defined(NO_FP_MODES)
    hill_plan *plan = make_plan("net=4 tanh\nepochs=10", INPUTS, OUTPUTS, true);
    data *rows = make_data(20, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
    const unsigned usual = fp_control();
    hill_run *run;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
    for (size_t i = 0; i < COUNT_OF(fp_modes); i++) {
        set_fp_control(usual | fp_modes[i]);
        if (fp_control() == usual) { /* a processor without flushing, as valgrind's */
            assert_true(i > 2);
            continue;
        }
        hill_run *none;
        int status = hill_step(run, NULL), made = hill_run_new(plan, &rows->source, NULL, NULL, &none);
        set_fp_control(usual);
        assert_int_equal(status, HILL_EFPENV);
        assert_int_equal(made, HILL_EFPENV);
        assert_null(none);
    }
    assert_int_equal(hill_step(run, NULL), HILL_ROW);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
#endif
}

static void patience_ends_a_run_and_keeps_the_best(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=64 relu\nepochs=500\npatience=5\nbatch=8\nrate=0.01", INPUTS, OUTPUTS, true);
    data *rows = make_data(24, INPUTS, OUTPUTS, TARGET_NUMBERS, 3), *held = make_data(50, INPUTS, OUTPUTS, TARGET_NUMBERS, 9);
    hill_run *run;
    hill_row row = HILL_ROW_INIT;
    double best = INFINITY;
    uint64_t best_epoch = 0, epoch;
    assert_int_equal(hill_run_new(plan, &rows->source, &held->source, NULL, &run), HILL_OK);
    while (hill_step(run, &row) == HILL_ROW)
        if (row.epoch_end && row.valid_cost < best) {
            best = row.valid_cost;
            best_epoch = row.epoch;
        }
    hill_score score = HILL_SCORE_INIT;
    assert_string_equal(hill_run_stopped(run), "patience");
    assert_int_equal(hill_run_evaluate(run, hill_run_best(run, &epoch), &held->source, &score), HILL_OK);
    assert_true(score.cost == best && epoch == best_epoch && row.epoch == best_epoch + 5);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(held);
    free_data(rows);
}

static void an_answer_depends_on_its_row_alone(void **state)
{
    (void)state;
    hill_plan *plan = make_plan("net=40 silu, 30 softmax", INPUTS, OUTPUTS, true);
    data *rows = make_data(600, INPUTS, OUTPUTS, TARGET_NUMBERS, 3);
    float *all = calloc(600 * OUTPUTS, sizeof *all), one[OUTPUTS];
    hill_run *run;
    assert_int_equal(hill_run_new(plan, &rows->source, NULL, NULL, &run), HILL_OK);
    assert_int_equal(hill_run_answer(run, NULL, rows->inputs, 600, all), HILL_OK);
    for (size_t r = 0; r < 600; r += 7) {
        assert_int_equal(hill_run_answer(run, NULL, rows->inputs + r * INPUTS, 1, one), HILL_OK);
        assert_memory_equal(one, all + r * OUTPUTS, sizeof one);
    }
    free(all);
    hill_run_free(run);
    hill_plan_free(plan);
    free_data(rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_instruction_sets_never_show),
        cmocka_unit_test(the_unfused_twin_has_the_same_bits),
        cmocka_unit_test(single_rows_have_the_bits_of_products),
        cmocka_unit_test(wide_layers_and_more_rows_are_no_singles),
        cmocka_unit_test(a_source_is_told_the_rows_to_come),
        cmocka_unit_test(a_step_that_failed_can_be_taken_again),
        cmocka_unit_test(small_nets_are_not_shared),
        cmocka_unit_test(threads_are_no_more_than_cores),
        cmocka_unit_test(two_runs_at_once_have_the_bits_of_each_alone),
        cmocka_unit_test(a_step_allocates_nothing),
        cmocka_unit_test(every_failing_allocation_is_told),
        cmocka_unit_test(divergence_names_its_place_and_is_not_applied),
        cmocka_unit_test(a_rate_that_the_host_sets_beats_the_schedule_until_it_is_taken_back),
        cmocka_unit_test(ways_back_halve_the_rate_and_are_the_same_everywhere),
        cmocka_unit_test(there_are_five_ways_back),
        cmocka_unit_test(the_best_of_a_way_given_up_is_forgotten),
        cmocka_unit_test(an_update_that_breaks_a_weight_is_seen_at_once),
        cmocka_unit_test(hopeless_rows_are_not_tried_again),
        cmocka_unit_test(a_hopeless_single_row_is_named),
        cmocka_unit_test(single_rows_driven_too_fast_are_gone_back_from),
        cmocka_unit_test(a_batch_ends_where_it_diverges),
        cmocka_unit_test(a_gradient_that_overflows_is_named),
        cmocka_unit_test(idle_threads_never_show),
        cmocka_unit_test(a_changed_rounding_mode_is_an_error),
        cmocka_unit_test(patience_ends_a_run_and_keeps_the_best),
        cmocka_unit_test(an_answer_depends_on_its_row_alone),
    };
    return cmocka_run_group_tests_name("run", tests, NULL, NULL);
}
