/*
 * test_checkpoint.c - a descent that is broken off after any step and gone on with ends at the same bytes; a file that isn't a
 * state of this very descent changes nothing.
 */
#include "base/fp.h"

#include "support.h"
#include "tables.h"

#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"
#include "model/session.h"
#include "train/run.h"

#define ROWS 60

static char path[64];

static int make_path(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/hill_checkpoint_%ld", (long)getpid());
    return 0;
}

static int remove_path(void **state)
{
    (void)state;
    remove(path);
    return 0;
}

/* y follows from two numbers and a colour. */
static hill_table *make_data_table(double bend)
{
    static const char *const names[] = {"a", "b", "colour", "y"};
    static const char *const colours[] = {"red", "green", "blue"};
    hill_table *table = make_table(ROWS, names, 4);
    double a[ROWS], b[ROWS], y[ROWS];
    const char *colour[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        a[i] = (double)(i * 37 % ROWS) / 10;
        b[i] = (double)(i * 17 % ROWS) / 10 - 3;
        colour[i] = colours[i % 3];
        y[i] = a[i] * b[i] + bend * (double)(i % 3);
    }
    set_numbers(table, 0, a);
    set_numbers(table, 1, b);
    set_texts(table, 2, colour);
    set_numbers(table, 3, y);
    assert_true(hill__table_measure(table));
    return table;
}

static hill_session *begin(const hill_table *table, const hill_table *valid, const char *text, unsigned threads)
{
    hill_recipe *recipe;
    hill_session *session;
    hill_host host = HILL_HOST_INIT;
    hill_tables tables = HILL_TABLES_INIT;
    hill_error error = HILL_ERROR_INIT;
    tables.train = table;
    tables.valid = valid;
    host.threads = threads;
    host.crowd = 1;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    assert_int_equal(hill_recipe_parse(recipe, text, strlen(text), NULL, &error), HILL_OK);
    if (hill_session_new(recipe, &tables, &host, &session, &error) != HILL_OK)
        fail_msg("%s", error.text);
    hill_recipe_free(recipe);
    return session;
}

/* Everything a run is, as one number: what it would save. */
static uint64_t state_of(hill_session *session)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill__file_bytes bytes;
    hill_error error = HILL_ERROR_INIT;
    if (hill_session_save(session, path, &error) != HILL_OK)
        fail_msg("%s", error.text);
    assert_int_equal(hill__file_read(path, &allocator, &bytes, NULL), HILL_OK);
    uint64_t hash = hill__hash(bytes.data, bytes.length, 0);
    hill__free(&allocator, bytes.data, bytes.capacity, 1);
    return hash;
}

static const char *const recipes[] = {
    "net=5 tanh\nrule=sgd\nrate=0.05\nbatch=7\nepochs=4\nvalid=0.2",
    "net=5 relu\nrule=momentum\nrate=0.02\nbatch=16\nepochs=5\nvalid=0\nschedule=cosine\nwarmup=1.5",
    "net=4 tanh, 3 tanh\nrule=adamw\nrate=0.05\nbatch=full\nepochs=9\nvalid=0.2\npatience=3",
    "net=3 sigmoid\nrule=rmsprop\nbatch=1\nepochs=1\norder=file\nvalid=0",
    "net=5 identity, 5 identity\nrule=sgd\nrate=1.5\nbatch=10\nepochs=6\nvalid=0.1",
};

/* A run is broken off after every one of its steps, and each time gone on with in a new session. */
static void every_step_can_be_gone_on_from(void **state)
{
    hill_table *table = make_data_table(1);
    (void)state;
    for (size_t r = 0; r < COUNT_OF(recipes); r++) {
        hill_session *whole = begin(table, NULL, recipes[r], 1);
        hill_session *other = begin(table, NULL, recipes[r], 3);
        hill_run *run = hill_session_run(whole);
        int status;
        unsigned ways_back = 0;
        while ((status = hill_step(run, NULL)) == HILL_ROW) {
            uint64_t before = state_of(whole);
            hill_error error = HILL_ERROR_INIT;
            if (hill_session_resume(other, path, &error) != HILL_OK)
                fail_msg("%s", error.text);
            assert_true(state_of(other) == before);
            /* One more step of each, and the first catches up by its own way. */
            int next = hill_step(hill_session_run(other), NULL);
            uint64_t after = state_of(other);
            hill_session *third = begin(table, NULL, recipes[r], 2);
            assert_int_equal(hill_session_save(whole, path, NULL), HILL_OK);
            assert_int_equal(hill_session_resume(third, path, NULL), HILL_OK);
            assert_int_equal(hill_step(hill_session_run(third), NULL), next);
            assert_true(state_of(third) == after);
            hill_session_free(third);
            assert_string_equal(hill_run_stopped(run), next == HILL_DONE ? hill_run_stopped(hill_session_run(other)) : "");
        }
        assert_int_equal(status, HILL_DONE);
        (void)hill_run_steps(run, &ways_back);
        assert_int_equal(ways_back > 0, r == 4);
        assert_int_equal(strcmp(hill_run_stopped(run), "patience") == 0, r == 2);
        hill_session_free(other);
        hill_session_free(whole);
    }
    hill_table_free(table);
}

/* Saving and looking change nothing: the run that is saved after each step ends where the undisturbed one does. */
static void saving_leaves_no_trace(void **state)
{
    hill_table *table = make_data_table(1);
    (void)state;
    for (size_t r = 0; r < COUNT_OF(recipes); r++) {
        hill_session *saved = begin(table, NULL, recipes[r], 1), *plain = begin(table, NULL, recipes[r], 1);
        while (hill_step(hill_session_run(saved), NULL) == HILL_ROW)
            (void)state_of(saved);
        while (hill_step(hill_session_run(plain), NULL) == HILL_ROW)
            continue;
        assert_true(state_of(saved) == state_of(plain));
        hill_session_free(plain);
        hill_session_free(saved);
    }
    hill_table_free(table);
}

static void a_checkpoint_is_the_model_of_now(void **state)
{
    hill_table *table = make_data_table(1);
    hill_session *session = begin(table, NULL, recipes[0], 1);
    hill_model *now, *opened;
    hill_model_facts facts = HILL_MODEL_FACTS_INIT;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(hill_step(hill_session_run(session), NULL), HILL_ROW);
    (void)state_of(session);
    assert_int_equal(hill_session_finish(session, &now, NULL), HILL_OK);
    assert_int_equal(hill_model_open(path, NULL, &opened, NULL), HILL_OK);
    assert_int_equal(hill_plan_info(hill_model_plan(now), &sizes), HILL_OK);
    assert_memory_equal(hill_model_weights(now), hill_model_weights(opened), sizes.vector * sizeof(float));
    assert_int_equal(hill_model_info(opened, &facts), HILL_OK);
    assert_int_equal(facts.steps, 10);
    hill_model_free(opened);
    hill_model_free(now);
    hill_session_free(session);
    hill_table_free(table);
}

/* With validation rows a checkpoint's model is the best one; the weights of the moment can be had as well. */
static void the_moment_can_be_looked_at(void **state)
{
    hill_table *table = make_data_table(1);
    hill_session *session =
        begin(table, NULL, "valid=0.2\nrate=0.5\nrule=adam\nbatch=8\nepochs=9\npatience=0\nnet=4 tanh\n", 1);
    hill_run *run = hill_session_run(session);
    hill_model *model;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    hill_error error = HILL_ERROR_INIT;
    uint64_t best;
    (void)state;
    while (hill_step(run, NULL) == HILL_ROW)
        ;
    (void)hill_run_best(run, &best);
    assert_true(best < 9);
    (void)state_of(session);
    assert_int_equal(hill_model_open(path, NULL, &model, NULL), HILL_OK);
    assert_int_equal(hill_plan_info(hill_model_plan(model), &sizes), HILL_OK);
    assert_memory_equal(hill_model_weights(model), hill_run_best(run, NULL), sizes.vector * sizeof(float));
    assert_int_equal(hill_model_take_moment(model, path, &error), HILL_OK);
    assert_memory_equal(hill_model_weights(model), hill_run_weights(run), sizes.vector * sizeof(float));
    assert_int_equal(hill_model_save(model, path, NULL), HILL_OK);
    assert_int_equal(hill_model_take_moment(model, path, &error), HILL_EMODEL);
    assert_non_null(strstr(error.text, "no checkpoint"));
    assert_int_equal(hill_model_take_moment(model, "/nowhere/at/all", &error), HILL_EINPUT);
    assert_memory_equal(hill_model_weights(model), hill_run_weights(run), sizes.vector * sizeof(float));
    hill_model_free(model);
    hill_session_free(session);
    hill_table_free(table);
}

/* Resuming fails with words that hold `part`, and leaves the session as it was. */
static void refuse(hill_session *session, const char *part)
{
    char kept[64];
    hill_error error = HILL_ERROR_INIT;
    snprintf(kept, sizeof kept, "%s", path);
    assert_int_equal(hill_session_resume(session, path, &error), HILL_EMODEL);
    if (!strstr(error.text, part))
        fail_msg("not '%s' in: %s", part, error.text);
    assert_int_equal(hill_run_steps(hill_session_run(session), NULL), 0);
}

static void another_run_is_refused_field_by_field(void **state)
{
    static const struct {
        const char *text;
        double bend;
        const char *part;
    } others[] = {
        {"net=5 tanh\nrule=sgd\nrate=0.5\nbatch=7\nepochs=4\nvalid=0.2", 1,
         "cannot go on from it: it is of another run; rate: '0.05' there, '0.5' here"},
        {"net=6 tanh\nrule=sgd\nrate=0.05\nbatch=7\nepochs=5\nvalid=0.2", 1,
         "; net: '5 tanh, output identity' there, '6 tanh, output identity' here; epochs: '4' there, '5' here"},
        {"net=5 tanh\nrule=sgd\nrate=0.05\nbatch=7\nepochs=4\nvalid=0.2", 2, "of another run; the training data is another"},
    };
    hill_table *table = make_data_table(1);
    hill_session *session = begin(table, NULL, recipes[0], 1);
    (void)state;
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        hill_table *changed = make_data_table(others[i].bend);
        hill_session *other = begin(changed, NULL, others[i].text, 1);
        assert_int_equal(hill_session_save(session, path, NULL), HILL_OK);
        assert_string_not_equal(hill_session_key(session), hill_session_key(other));
        refuse(other, others[i].part);
        hill_session_free(other);
        hill_table_free(changed);
    }
    hill_session *valid = begin(table, table, "net=5 tanh\nrule=sgd\nrate=0.05\nbatch=7\nepochs=4\nvalid=0.2", 1);
    refuse(valid, "; the validation data is another");
    hill_session_free(valid);
    hill_session_free(session);
    hill_table_free(table);
}

static void other_start_weights_are_refused(void **state)
{
    hill_table *table = make_data_table(1);
    hill_session *session = begin(table, NULL, recipes[0], 1);
    hill_model *model;
    hill_recipe *recipe;
    hill_tables tables = HILL_TABLES_INIT;
    (void)state;
    while (hill_step(hill_session_run(session), NULL) == HILL_ROW)
        continue;
    assert_int_equal(hill_session_finish(session, &model, NULL), HILL_OK);
    assert_int_equal(hill_model_save(model, path, NULL), HILL_OK);
    hill_session *fresh = begin(table, NULL, recipes[0], 1);
    refuse(fresh, "is a model but no checkpoint");
    hill_session_free(fresh);
    tables.train = table;
    tables.start = path;
    hill_session *other;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    assert_int_equal(hill_recipe_parse(recipe, recipes[0], strlen(recipes[0]), NULL, NULL), HILL_OK);
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &other, NULL), HILL_OK);
    assert_int_equal(hill_session_save(session, path, NULL), HILL_OK);
    refuse(other, "of another run; the start weights are others");
    hill_session_free(other);
    hill_recipe_free(recipe);
    hill_model_free(model);
    hill_session_free(session);
    hill_table_free(table);
}

/* Writes the file at `path` anew with `from` replaced by `to`, of the same length, and a seal that fits or doesn't. */
static void forge_and_seal(const char *from, const char *to, bool seal)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill__file_bytes bytes;
    size_t length = strlen(from);
    bool found = false;
    assert_int_equal(length, strlen(to));
    assert_int_equal(hill__file_read(path, &allocator, &bytes, NULL), HILL_OK);
    for (size_t i = 0; i + length <= bytes.length && !found; i++)
        if ((found = memcmp(bytes.data + i, from, length) == 0))
            memcpy(bytes.data + i, to, length);
    if (!found)
        fail_msg("there is no '%s' to forge", from);
    if (seal)
        hill__safetensors_seal(&bytes);
    assert_int_equal(hill__file_write(path, bytes.data, bytes.length, &allocator, NULL), HILL_OK);
    hill__free(&allocator, bytes.data, bytes.capacity, 1);
}

static void forge(const char *from, const char *to)
{
    forge_and_seal(from, to, true);
}

/* Replaces the value of a number in the run's state by a list. */
static void forge_list(const char *key)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill__file_bytes bytes;
    char from[100], to[100];
    assert_int_equal(hill__file_read(path, &allocator, &bytes, NULL), HILL_OK);
    snprintf(from, sizeof from, "\\\"%s\\\":", key);
    const char *at = (const char *)bytes.data;
    while (memcmp(at, from, strlen(from)) != 0)
        at++;
    size_t begin = strlen(from), length = begin + strcspn(at + begin, ",}");
    memcpy(from, at, length);
    from[length] = '\0';
    memset(to, ' ', length);
    memcpy(to, from, begin);
    to[begin] = '[';
    to[length - 1] = ']';
    to[length] = '\0';
    hill__free(&allocator, bytes.data, bytes.capacity, 1);
    forge(from, to);
}

/* States of other moments than those of the next test. */
static void impossible_states_of_the_end_are_refused(void **state)
{
    hill_table *table = make_data_table(1);
    (void)state;
    for (int i = 0; i < 6; i++) {
        const char *told = "is no state that this descent can be in";
        hill_session *session = begin(table, NULL, recipes[i == 2], 1), *other = begin(table, NULL, recipes[i == 2], 1);
        for (int step = 0; hill_step(hill_session_run(session), NULL) == HILL_ROW && (i == 3 || ++step < 15);)
            continue;
        assert_int_equal(hill_session_save(session, path, NULL), HILL_OK);
        if (i == 0)
            forge_list("recent");
        else if (i == 1)
            forge("\\\"good_step\\\":14", "\\\"good_step\\\":99");
        else if (i == 2)
            forge("\\\"best_epoch\\\":0", "\\\"best_epoch\\\":1"); /* without validation rows */
        else if (i == 3)
            forge("\\\"ended\\\":1", "\\\"ended\\\":0");
        else if (i == 4) {
            forge("\"digest\"", "\"digist\"");
            told = "is a model but no checkpoint: its metadata lacks \"digest\"";
        } else {
            forge_and_seal("\\\"step\\\":15,", "\\\"step\\\":14,", false);
            told = "is damaged: its digest is ";
        }
        refuse(other, told);
        hill_session_free(other);
        hill_session_free(session);
    }
    hill_table_free(table);
}

/* Who saved after the descent had diverged goes on from the good weights, and diverges again. */
static void a_descent_that_diverged_can_be_saved(void **state)
{
    hill_table *table = make_data_table(1);
    const char *text = "net=5 identity, 5 identity\nrule=sgd\nrate=1000\nbatch=10\nepochs=9\nvalid=0\non-divergence=stop";
    hill_session *session = begin(table, NULL, text, 1), *other = begin(table, NULL, text, 1);
    int status;
    (void)state;
    while ((status = hill_step(hill_session_run(session), NULL)) == HILL_ROW)
        continue;
    assert_int_equal(status, HILL_EDIVERGED);
    assert_int_equal(hill_session_save(session, path, NULL), HILL_OK);
    assert_int_equal(hill_session_resume(other, path, NULL), HILL_OK);
    assert_int_equal(hill_run_steps(hill_session_run(other), NULL), hill_run_steps(hill_session_run(session), NULL));
    while ((status = hill_step(hill_session_run(other), NULL)) == HILL_ROW)
        continue;
    assert_int_equal(status, HILL_EDIVERGED);
    assert_string_equal(hill_run_message(hill_session_run(other)), hill_run_message(hill_session_run(session)));
    hill_session_free(other);
    hill_session_free(session);
    hill_table_free(table);
}

/* Where there is no memory to say what differs, that is said. */
static void memory_that_ends_over_a_difference_is_told(void **state)
{
    hill_table *table = make_data_table(1);
    hill_session *session = begin(table, NULL, recipes[0], 1), *other = begin(table, NULL, recipes[1], 1);
    int status;
    size_t told = 0, failed = 1;
    (void)state;
    assert_int_equal(hill_session_save(session, path, NULL), HILL_OK);
    for (size_t fail = 1; failed; fail++) {
        heap h = {.fail_at = fail};
        hill_error error = HILL_ERROR_INIT;
        hill_allocator own = other->allocator;
        other->allocator = other->host.allocator = heap_host(&h).allocator;
        status = hill_session_resume(other, path, &error);
        other->allocator = other->host.allocator = own;
        assert_heap_empty(&h);
        failed = h.failed;
        told += status == HILL_EMEMORY;
        assert_true(status == HILL_EMODEL || (failed && status == HILL_EMEMORY));
    }
    assert_true(told > 30);
    hill_session_free(other);
    hill_session_free(session);
    hill_table_free(table);
}

static void impossible_states_are_refused(void **state)
{
    static const char *const forged[][2] = {
        {"\\\"step\\\":10,", "\\\"step\\\":99,"},
        {"\\\"step\\\":10,", "\\\"stop\\\":10,"},
        {"\\\"step\\\":10,", "\\\"step\\\":-1,"},
        {"\\\"step\\\":10,", "\\\"step\\\": 6,"},
        {"\\\"ways_back\\\":0", "\\\"ways_back\\\":6"},
        {"\\\"best_epoch\\\":1", "\\\"best_epoch\\\":2"},
        {"\\\"ended\\\":0", "\\\"ended\\\":1"},
        {"\\\"ended\\\":0", "\\\"ended\\\":3"},
        {"\\\"recent\\\":", "\\\"recent\\\"="},
        {"\"run.layer1.weight\"", "\"run.layer1.height\""},
        {"\"run.good.layer1.bias\"", "\"run.good.layer9.bias\""},
        {"\\\"ended\\\":0", "\\\"ended\\\":x"},
    };
    hill_table *table = make_data_table(1);
    hill_session *session = begin(table, NULL, recipes[0], 1), *other = begin(table, NULL, recipes[0], 1);
    (void)state;
    for (int i = 0; i < 10; i++)
        assert_int_equal(hill_step(hill_session_run(session), NULL), HILL_ROW);
    for (size_t i = 0; i < COUNT_OF(forged); i++) {
        assert_int_equal(hill_session_save(session, path, NULL), HILL_OK);
        forge(forged[i][0], forged[i][1]);
        refuse(other, strstr(forged[i][0], "layer") ? "there is no tensor run." : "is no state that this descent can be in");
    }
    hill_session_free(other);
    hill_session_free(session);
    hill_table_free(table);
}

/* Every allocation fails once: told, nothing lost, the session as it was. */
static void memory_that_ends_is_told(void **state)
{
    hill_table *table = make_data_table(1);
    hill_session *session = begin(table, NULL, recipes[2], 1);
    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(hill_step(hill_session_run(session), NULL), HILL_ROW);
    uint64_t before = state_of(session);
    for (int resume = 0; resume < 2; resume++) {
        heap counting = {0};
        hill_allocator own = session->allocator;
        int status = HILL_EMEMORY;
        for (size_t fail = 1; status != HILL_OK; fail++) {
            hill_error error = HILL_ERROR_INIT;
            counting = (heap){.fail_at = fail};
            session->allocator = session->host.allocator = heap_host(&counting).allocator;
            status = resume ? hill_session_resume(session, path, &error) : hill_session_save(session, path, &error);
            session->allocator = session->host.allocator = own;
            assert_int_equal(counting.live, 0);
            assert_int_equal(status, fail <= counting.calls ? HILL_EMEMORY : HILL_OK);
            assert_true(status == HILL_OK || strstr(error.text, "memory"));
            assert_true(state_of(session) == before);
        }
        assert_true(counting.calls > 20);
    }
    hill_session_free(session);
    hill_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_step_can_be_gone_on_from),
        cmocka_unit_test(saving_leaves_no_trace),
        cmocka_unit_test(a_checkpoint_is_the_model_of_now),
        cmocka_unit_test(the_moment_can_be_looked_at),
        cmocka_unit_test(another_run_is_refused_field_by_field),
        cmocka_unit_test(other_start_weights_are_refused),
        cmocka_unit_test(impossible_states_are_refused),
        cmocka_unit_test(impossible_states_of_the_end_are_refused),
        cmocka_unit_test(a_descent_that_diverged_can_be_saved),
        cmocka_unit_test(memory_that_ends_over_a_difference_is_told),
        cmocka_unit_test(memory_that_ends_is_told),
    };
    return cmocka_run_group_tests_name("checkpoint", tests, make_path, remove_path);
}
