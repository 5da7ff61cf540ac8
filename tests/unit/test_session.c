/*
 * test_session.c - from a table to a model to a file and back: the same answers, the same bytes, nothing shared.
 */
#include "base/fp.h"

#include "tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "model/session.h"
#include "plan/plan.h"
#include "train/run.h"

static char path[64], other_path[64];

static int make_paths(void **state)
{
    (void)state;
    snprintf(path, sizeof path, "/tmp/hill_session_%ld.a", (long)getpid());
    snprintf(other_path, sizeof other_path, "/tmp/hill_session_%ld.b", (long)getpid());
    return 0;
}

static int remove_paths(void **state)
{
    (void)state;
    remove(path);
    remove(other_path);
    return 0;
}

static hill__file_bytes read_whole(const char *name)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill__file_bytes bytes;
    assert_int_equal(hill__file_read(name, &allocator, &bytes, NULL), HILL_OK);
    return bytes;
}

static void free_bytes(hill__file_bytes bytes)
{
    hill_allocator allocator = hill__allocator(NULL);
    hill__free(&allocator, bytes.data, bytes.capacity, 1);
}

static void expect_same_files(void)
{
    hill__file_bytes a = read_whole(path), b = read_whole(other_path);
    assert_int_equal(a.length, b.length);
    assert_memory_equal(a.data, b.data, a.length);
    free_bytes(a);
    free_bytes(b);
}

/* 120 rows: a number with missing cells, a colour, a constant; v = 3 a + (5 for red), k = its class, the last row without. */
static hill_table *make_mixed(void)
{
    static const char *const names[] = {"a", "colour", "same", "v", "k"};
    static const char *const colours[] = {"red", "green", "blue"};
    hill_table *table = make_table(120, names, 5);
    double a[120], same[120], y[120];
    const char *colour[120], *k[120];
    for (size_t i = 0; i < 120; i++) {
        a[i] = (double)(i * 37 % 120) / 10;
        same[i] = 1;
        colour[i] = colours[i % 3];
        y[i] = 3 * a[i] + (i % 3 == 0 ? 5 : 0);
        k[i] = y[i] > 18 ? "high" : "low";
        a[i] = i % 10 == 0 ? NAN : a[i];
    }
    y[119] = NAN;
    k[119] = NULL;
    set_numbers(table, 0, a);
    set_texts(table, 1, colour);
    set_numbers(table, 2, same);
    set_numbers(table, 3, y);
    set_texts(table, 4, k);
    assert_true(hill__table_measure(table));
    return table;
}

static hill_session *begin(const hill_table *table, const char *text, hill_error *error, int want)
{
    hill_recipe *recipe;
    hill_session *session;
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = table;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    assert_int_equal(hill_recipe_parse(recipe, text, strlen(text), NULL, error), HILL_OK);
    int status = hill_session_new(recipe, &tables, NULL, &session, error);
    hill_recipe_free(recipe);
    if (status != want)
        fail_msg("%d instead of %d: %s", status, want, error->text);
    return session;
}

static void descend(hill_session *session)
{
    int status;
    while ((status = hill_step(hill_session_run(session), NULL)) == HILL_ROW)
        continue;
    assert_int_equal(status, HILL_DONE);
}

static void test_xor(void **state)
{
    (void)state;
    static const char *const names[] = {"x1", "x2", "y"};
    const double x1[] = {0, 0, 1, 1}, x2[] = {0, 1, 0, 1}, y[] = {0, 1, 1, 0};
    hill_table *table = make_table(4, names, 3);
    set_numbers(table, 0, x1);
    set_numbers(table, 1, x2);
    set_numbers(table, 2, y);
    assert_true(hill__table_measure(table));
    hill_model *model;
    double out[8];
    hill_error error = HILL_ERROR_INIT;
    int status = hill_train(table, NULL, NULL, &model, &error);
    if (status != HILL_OK)
        fail_msg("%s", error.text);
    assert_int_equal(hill_model_predict(model, table, 0, 4, out, NULL), HILL_OK);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(hill_argmax(out + 2 * i, 2), (size_t)y[i]);
        assert_true(fabs(out[2 * i] + out[2 * i + 1] - 1) < 1e-6);
    }
    assert_string_equal(hill_model_class(model, 0), "0");
    assert_string_equal(hill_model_class(model, 1), "1");
    assert_null(hill_model_class(model, 2));
    hill_metrics metrics = HILL_METRICS_INIT;
    uint64_t confusion[4];
    assert_int_equal(hill_model_evaluate(model, table, &metrics, confusion, NULL), HILL_OK);
    assert_true(metrics.accuracy == 1 && isnan(metrics.rmse) && metrics.rows == 4);
    const uint64_t diagonal[] = {2, 0, 0, 2};
    assert_memory_equal(confusion, diagonal, sizeof diagonal);
    hill_check check = HILL_CHECK_INIT;
    assert_int_equal(hill_model_check(model, table, &check, &error), HILL_OK);
    assert_true(check.worst < check.limit && check.weights > 0);
    hill_model_free(model);
    hill_table_free(table);
}

static void test_numbers(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_error error = HILL_ERROR_INIT;
    hill_session *session = begin(table, "target=v\nnet=16 tanh\nepochs=60\nrate=0.01", &error, HILL_OK);
    const char *guesses = hill_session_guesses(session);
    assert_non_null(strstr(guesses, "--task numbers --valid 0.1"));
    assert_non_null(strstr(guesses, "--cost squared"));
    assert_non_null(strstr(guesses, "--batch "));
    assert_null(strstr(guesses, "--target"));
    assert_null(strstr(guesses, "--rate"));
    assert_string_equal(hill_recipe_get(hill_session_recipe(session), "task"), "numbers");
    assert_string_equal(hill_recipe_get(hill_session_recipe(session), "net"), "16 tanh, output identity");
    bool counted = false, split = false;
    for (size_t i = 0; hill_session_note(session, i); i++) {
        counted = counted || strstr(hill_session_note(session, i), "1 training rows without a v");
        split = split || strstr(hill_session_note(session, i), "held out: 12 of 119");
    }
    assert_true(counted && split);
    descend(session);
    hill_model *model, *early;
    hill_metrics train = HILL_METRICS_INIT, valid = HILL_METRICS_INIT, test = HILL_METRICS_INIT;
    assert_int_equal(hill_session_finish(session, &model, NULL), HILL_OK);
    assert_int_equal(hill_session_metrics(session, model, HILL_WHICH_TRAIN, &train, NULL), HILL_OK);
    assert_int_equal(hill_session_metrics(session, model, HILL_WHICH_VALID, &valid, NULL), HILL_OK);
    assert_int_equal(hill_session_metrics(session, model, HILL_WHICH_TEST, &test, NULL), HILL_OK);
    assert_int_equal(train.rows, 107);
    assert_int_equal(valid.rows, 12);
    assert_int_equal(test.rows, 0);
    assert_true(isnan(test.cost) && isnan(train.accuracy));
    assert_true(train.r2 > 0.5 && valid.rmse >= valid.mae);
    assert_int_equal(hill_session_finish(session, &early, NULL), HILL_OK);
    hill_session_free(session);

    hill_model_facts facts = HILL_MODEL_FACTS_INIT;
    assert_int_equal(hill_model_info(model, &facts), HILL_OK);
    assert_int_equal(facts.inputs, 2 + 4 + 3); /* k is an input here: high, low, missing or unseen */
    assert_int_equal(facts.rows, 107);
    assert_true(facts.epochs >= 1 && facts.best_epoch <= facts.epochs && facts.steps > 0);
    assert_string_equal(facts.target, "v");
    assert_non_null(hill_model_column(model, 2));
    assert_null(hill_model_column(model, 3));

    /* rmse, mae and r2 are of the answers in the target's own unit. */
    double out[120], squares = 0, sizes = 0, mean = 0, spread = 0;
    hill_metrics all = HILL_METRICS_INIT;
    assert_int_equal(hill_model_predict(model, table, 0, 120, out, NULL), HILL_OK);
    assert_int_equal(hill_model_evaluate(model, table, &all, NULL, NULL), HILL_OK);
    const double *y = table->columns[3].numbers;
    for (size_t i = 0; i < 119; i++)
        mean += y[i] / 119;
    for (size_t i = 0; i < 119; i++) {
        squares += (out[i] - y[i]) * (out[i] - y[i]);
        sizes += fabs(out[i] - y[i]);
        spread += (y[i] - mean) * (y[i] - mean);
    }
    assert_int_equal(all.rows, 119);
    assert_true(fabs(all.rmse - sqrt(squares / 119)) < 1e-9 && fabs(all.mae - sizes / 119) < 1e-9);
    assert_true(fabs(all.r2 - (1 - squares / spread)) < 1e-9);

    /* A row's answer is the same alone. */
    for (uint64_t i = 0; i < 120; i += 17) {
        double one;
        assert_int_equal(hill_model_predict(model, table, i, 1, &one, NULL), HILL_OK);
        assert_true(one == out[i]);
    }
    assert_int_equal(hill_model_predict(model, table, 119, 2, out, &error), HILL_EARGUMENT);
    hill_table_free(table);
    hill_model_free(early);
    hill_model_free(model);
}

static void test_files(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_error error = HILL_ERROR_INIT;
    hill_session *session = begin(table, "target=k\nnet=8 relu\nepochs=5\nbatch=32", &error, HILL_OK);
    descend(session);
    hill_model *model, *copy;
    assert_int_equal(hill_session_finish(session, &model, NULL), HILL_OK);
    hill_session_free(session);
    double first[240], second[240];
    assert_int_equal(hill_model_predict(model, table, 0, 120, first, NULL), HILL_OK);
    assert_int_equal(hill_model_save(model, path, &error), HILL_OK);
    hill_model_free(model);
    if (hill_model_open(path, NULL, &copy, &error) != HILL_OK)
        fail_msg("%s", error.text);
    assert_int_equal(hill_model_predict(copy, table, 0, 120, second, NULL), HILL_OK);
    assert_memory_equal(first, second, sizeof first);
    assert_int_equal(hill_model_save(copy, other_path, NULL), HILL_OK);
    expect_same_files();
    assert_string_equal(hill_recipe_get(hill_model_recipe(copy), "target"), "k");
    assert_string_equal(hill_recipe_get(hill_model_recipe(copy), "valid"), "0.1");
    hill_model_free(copy);

    /* The stored recipe, run on the same table, makes the same file. */
    const char *text;
    hill_recipe *recipe;
    assert_int_equal(hill_model_open(path, NULL, &copy, NULL), HILL_OK);
    assert_int_equal(hill__recipe_copy(hill_model_recipe(copy), &table->allocator, &recipe, NULL), HILL_OK);
    text = hill_recipe_text(recipe);
    assert_int_equal(hill_train(table, text, NULL, &model, &error), HILL_OK);
    assert_int_equal(hill_model_save(model, other_path, NULL), HILL_OK);
    expect_same_files();
    hill_recipe_free(recipe);
    hill_model_free(model);
    hill_model_free(copy);
    hill_table_free(table);
}

/* The model has the weights of the pass that was best on the rows held out, though the run went on. */
static void test_best(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_error error = HILL_ERROR_INIT;
    hill_session *session = begin(table, "target=v\nnet=16 tanh\nrate=0.1\nepochs=60\npatience=20", &error, HILL_OK);
    hill_row row = HILL_ROW_INIT;
    uint64_t best_epoch = 0, epoch = 0;
    double best = INFINITY;
    while (hill_step(hill_session_run(session), &row) == HILL_ROW)
        if (row.epoch_end) {
            epoch = row.epoch;
            if (row.valid_cost < best) {
                best = row.valid_cost;
                best_epoch = epoch;
            }
        }
    hill_model *model;
    hill_metrics metrics = HILL_METRICS_INIT;
    hill_model_facts facts = HILL_MODEL_FACTS_INIT;
    assert_int_equal(hill_session_finish(session, &model, NULL), HILL_OK);
    assert_int_equal(hill_session_metrics(session, model, HILL_WHICH_VALID, &metrics, NULL), HILL_OK);
    assert_int_equal(hill_model_info(model, &facts), HILL_OK);
    assert_true(best_epoch < epoch);
    assert_true(metrics.cost == best);
    assert_int_equal(facts.best_epoch, best_epoch);
    assert_int_equal(facts.epochs, epoch);
    hill_model_free(model);
    hill_session_free(session);
    hill_table_free(table);
}

/* Threads and instruction sets don't reach the file. */
static void test_hosts(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_host host = HILL_HOST_INIT;
    char isa[] = "scalar";
    hill_model *model;
    host.threads = 2;
    host.isa = isa;
    assert_int_equal(hill_train(table, "target=k\nnet=64 gelu, 64 selu\nepochs=3", &host, &model, NULL), HILL_OK);
    memset(isa, 'x', 6);
    assert_int_equal(hill_model_save(model, path, NULL), HILL_OK);
    double out[240];
    assert_int_equal(hill_model_predict(model, table, 0, 120, out, NULL), HILL_OK);
    hill_model_free(model);
    assert_int_equal(hill_train(table, "target=k\nnet=64 gelu, 64 selu\nepochs=3", NULL, &model, NULL), HILL_OK);
    assert_int_equal(hill_model_save(model, other_path, NULL), HILL_OK);
    hill_model_free(model);
    expect_same_files();
    hill_table_free(table);
}

static void test_start(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_error error = HILL_ERROR_INIT;
    hill_model *model;
    assert_int_equal(hill_train(table, "target=k\nnet=8 relu\nepochs=2", NULL, &model, NULL), HILL_OK);
    assert_int_equal(hill_model_save(model, path, NULL), HILL_OK);
    hill_recipe *recipe;
    hill_session *session;
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = table;
    tables.start = path;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    assert_int_equal(hill_recipe_set(recipe, "target", "k", NULL), HILL_OK);
    assert_int_equal(hill_recipe_set(recipe, "net", "8 relu", NULL), HILL_OK);
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &session, &error), HILL_OK);
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    assert_int_equal(hill_plan_info(hill_model_plan(model), &sizes), HILL_OK);
    assert_memory_equal(hill_run_weights(hill_session_run(session)), hill_model_weights(model), sizes.vector * sizeof(float));
    hill_session_free(session);
    assert_int_equal(hill_recipe_set(recipe, "net", "9 relu", NULL), HILL_OK);
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &session, &error), HILL_EMODEL);
    assert_non_null(strstr(error.text, "layer1.weight isn't F32 [7, 9]"));
    assert_int_equal(hill_recipe_set(recipe, "net", "8 relu, 8 relu", NULL), HILL_OK);
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &session, &error), HILL_EMODEL);
    tables.start = "/nowhere/model";
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &session, &error), HILL_EINPUT);
    assert_null(session);
    hill_recipe_free(recipe);
    hill_model_free(model);
    hill_table_free(table);
}

/* Rows of classes that training never saw are left out of tables given apart, and counted. */
static void test_tables_apart(void **state)
{
    (void)state;
    hill_table *table = make_mixed(), *valid = make_mixed();
    static const char *const k[120] = {"odd", "low", "high", "low", "high"};
    hill__lines_free(&valid->columns[4].values);
    hill__free(&valid->allocator, valid->columns[4].codes, 120, sizeof(uint32_t));
    hill__lines_init(&valid->columns[4].values, &valid->allocator);
    set_texts(valid, 4, k);
    hill_session *session;
    hill_tables tables = HILL_TABLES_INIT;
    hill_error error = HILL_ERROR_INIT;
    tables.train = table;
    tables.valid = tables.test = valid;
    assert_int_equal(hill_session_new(NULL, &tables, NULL, &session, &error), HILL_OK);
    assert_null(strstr(hill_session_guesses(session), "--valid"));
    assert_non_null(strstr(hill_session_guesses(session), "--target k --task classes"));
    bool said = false;
    for (size_t i = 0; hill_session_note(session, i); i++)
        said = said || strstr(hill_session_note(session, i), "1 validation rows whose k is in no training row");
    assert_true(said);
    hill_model *model;
    hill_metrics metrics = HILL_METRICS_INIT;
    assert_int_equal(hill_session_finish(session, &model, NULL), HILL_OK);
    assert_int_equal(hill_session_metrics(session, model, HILL_WHICH_VALID, &metrics, NULL), HILL_OK);
    assert_int_equal(metrics.rows, 4);
    assert_int_equal(hill_session_metrics(session, model, HILL_WHICH_TRAIN, &metrics, NULL), HILL_OK);
    assert_int_equal(metrics.rows, 119);
    hill_model_free(model);
    hill_session_free(session);
    hill_table_free(table);
    hill_table_free(valid);
}

/* An unseen value adds nothing: the answer is that of the bias and the other columns alone. */
static void test_unseen(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_model *model;
    assert_int_equal(hill_train(table, "target=v\nnet=8 tanh\nepochs=3", NULL, &model, NULL), HILL_OK);
    const float *weights = hill_model_weights(model);
    const hill__input *colour = &model->encoder->inputs[1];
    assert_string_equal(colour->name, "colour");
    for (size_t k = 0; k < 8; k++) {
        assert_true(weights[(colour->first + 3) * 8 + k] == 0);
        assert_true(weights[colour->first * 8 + k] != 0);
    }
    hill_model_free(model);
    hill_table_free(table);
}

/* Behind an embedding a category's unseen value still adds nothing; the recipe that comes out makes the same again. */
static void test_embedded(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_error error = HILL_ERROR_INIT;
    hill_session *session = begin(table, "target=v\nnet=8 tanh\nembed=colour=5\nepochs=2", &error, HILL_OK), *again;
    const hill_recipe *recipe = hill_session_recipe(session);
    assert_string_equal(hill_recipe_get(recipe, "embed"), "colour=5");
    assert_string_equal(hill_recipe_get(recipe, "net"), "embed 3:4x5, 8 tanh, output identity");
    const hill_plan *plan = session->plan;
    const float *weights = hill_run_weights(session->run);
    const hill__input *k = &session->encoder->inputs[2];
    assert_string_equal(k->name, "k");
    assert_int_equal(k->units, 3);
    while (hill_step(session->run, NULL) == HILL_ROW)
        continue;
    for (size_t i = 0; i < 4u * 5; i++)
        assert_true((weights[plan->slots[0].offset + i] == 0) == (i >= 15));
    for (size_t i = 0; i < (size_t)(session->encoder->width + 4) * 8; i++)
        assert_true((weights[plan->slots[1].offset + i] == 0) == (i / 8 == k->first + 4 + 2));
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = table;
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &again, &error), HILL_OK);
    assert_string_equal(hill_session_key(session), hill_session_key(again));
    hill_session_free(again);
    hill_session_free(session);
    session = begin(table, "target=v\nembed=auto\nepochs=2", &error, HILL_OK);
    assert_string_equal(hill_recipe_get(hill_session_recipe(session), "embed"), "none");
    hill_session_free(session);
    begin(table, "target=v\nnet=embed 3:4x5, 8 tanh", &error, HILL_ERECIPE);
    assert_non_null(strstr(error.text, "the table of unit 3 belongs to no embedded column; --embed makes such"));
    begin(table, "target=v\nnet=embed 3:5x5, 8 tanh\nembed=colour=5", &error, HILL_ERECIPE);
    assert_non_null(strstr(error.text, "column colour is embedded, and wants a table 3:4x5 there"));
    hill_table_free(table);
}

static bool notes_say(const hill_session *session, const char *text)
{
    for (size_t i = 0; hill_session_note(session, i); i++)
        if (strstr(hill_session_note(session, i), text))
            return true;
    return false;
}

static void test_out_of_reach(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_error error = HILL_ERROR_INIT;
    hill_session *session = begin(table, "target=v\nnet=4 tanh, output sigmoid", &error, HILL_OK);
    assert_true(notes_say(session, "output sigmoid cannot give all of that"));
    hill_session_free(session);
    session = begin(table, "target=v\nnet=4 tanh, output sigmoid\nscale=none", &error, HILL_OK);
    assert_false(notes_say(session, "cannot give"));
    hill_session_free(session);
    session = begin(table, "target=v\nnet=4 tanh", &error, HILL_OK);
    assert_false(notes_say(session, "cannot give"));
    hill_session_free(session);
    hill_table_free(table);
}

/* A table of other classes: the message says what it holds and what the model knows. */
static void test_other_classes(void **state)
{
    (void)state;
    hill_table *table = make_mixed(), *other = make_mixed();
    static const char *const k[120] = {"high.", "low."};
    hill_error error = HILL_ERROR_INIT;
    hill_model *model;
    hill_metrics metrics = HILL_METRICS_INIT;
    hill__lines_free(&other->columns[4].values);
    hill__free(&other->allocator, other->columns[4].codes, 120, sizeof(uint32_t));
    hill__lines_init(&other->columns[4].values, &other->allocator);
    set_texts(other, 4, k);
    assert_int_equal(hill_train(table, "target=k\nnet=2 relu\nepochs=1", NULL, &model, NULL), HILL_OK);
    assert_int_equal(hill_model_evaluate(model, other, &metrics, NULL, &error), HILL_EDATA);
    assert_non_null(strstr(error.text, "k holds high.; the model knows the classes high, low"));
    hill_model_free(model);
    hill_table_free(table);
    hill_table_free(other);
}

static void test_refused(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_error error = HILL_ERROR_INIT;
    begin(table, "target=kolour", &error, HILL_EDATA);
    assert_non_null(strstr(error.text, "did you mean colour?"));
    begin(table, "target=colour\ntask=numbers", &error, HILL_EDATA);
    begin(table, "target=same", &error, HILL_EDATA);
    begin(table, "target=v\nnet=8 relu, output softmax\ncost=huber\ntask=numbers\nkeep=none", &error, HILL_EDATA);
    hill_model *model;
    assert_int_equal(hill_train(table, "target=v\nrule=sgd\nrate=1e6\nscale=none\nnet=8 relu", NULL, &model, &error),
                     HILL_EDIVERGED);
    assert_null(model);
    assert_non_null(strstr(error.text, "diverged at step"));
    assert_int_equal(hill_train(table, "target=v\nspeed=1", NULL, &model, &error), HILL_ERECIPE);
    assert_int_equal(hill_model_open("/nowhere/model", NULL, &model, &error), HILL_EINPUT);
    assert_int_equal(hill_model_open("/tmp", NULL, &model, &error), HILL_EMODEL);
    hill_table_free(table);
}

/* A model file cut short, or with any bit turned, is refused or is a model: never a crash. */
static void test_damaged(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    hill_allocator allocator = hill__allocator(NULL);
    hill_model *model;
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(hill_train(table, "target=k\nnet=2 relu\nepochs=1", NULL, &model, NULL), HILL_OK);
    assert_int_equal(hill_model_save(model, path, NULL), HILL_OK);
    hill_model_free(model);
    hill__file_bytes bytes = read_whole(path);
    for (size_t i = 0; i < bytes.length; i += 7) {
        assert_int_equal(hill__file_write(other_path, bytes.data, i, &allocator, NULL), HILL_OK);
        assert_int_equal(hill_model_open(other_path, NULL, &model, &error), HILL_EMODEL);
        assert_non_null(strstr(error.text, other_path));
    }
    for (size_t i = 0; i < bytes.length; i++) {
        unsigned char bit = (unsigned char)(1u << i % 8);
        bytes.data[i] ^= bit;
        FILE *file = fopen(other_path, "wb");
        assert_int_equal(fwrite(bytes.data, 1, bytes.length, file), bytes.length);
        fclose(file);
        int status = hill_model_open(other_path, NULL, &model, &error);
        assert_true(status == HILL_OK || status == HILL_EMODEL);
        double out[240];
        if (status == HILL_OK) /* another class name or weight, perhaps; what matters is that nothing breaks */
            (void)hill_model_predict(model, table, 0, 120, out, &error);
        hill_model_free(model);
        bytes.data[i] ^= bit;
    }
    free_bytes(bytes);
    hill_table_free(table);
}

/* Every allocation of a whole life fails in turn: HILL_EMEMORY each time, nothing lost (a sanitizer looks), no file made. */
typedef struct stingy {
    size_t left, held;
} stingy;

static void *stingy_alloc(void *self, size_t bytes)
{
    stingy *purse = self;
    if (purse->left == 0)
        return NULL;
    purse->left--;
    purse->held++;
    return malloc(bytes);
}

static void stingy_free(void *self, void *block, size_t bytes)
{
    stingy *purse = self;
    memset(block, 0x55, bytes);
    purse->held--;
    free(block);
}

static int live(const hill_table *table, const hill_host *host)
{
    hill_model *model, *copy;
    hill_metrics metrics = HILL_METRICS_INIT;
    double out[2];
    HILL__TRY(hill_train(table, "target=k\nnet=2 relu\nepochs=1\nkeep=colour", host, &model, NULL));
    int status = hill_model_save(model, path, NULL);
    if (status == HILL_OK)
        status = hill_model_predict(model, table, 0, 1, out, NULL);
    hill_model_free(model);
    HILL__TRY(status);
    HILL__TRY(hill_model_open(path, host, &copy, NULL));
    status = hill_model_evaluate(copy, table, &metrics, NULL, NULL);
    hill_model_free(copy);
    return status;
}

static void test_memory(void **state)
{
    (void)state;
    hill_table *table = make_mixed();
    size_t left = 0;
    for (;; left++) {
        stingy purse = {left, 0};
        hill_host host = HILL_HOST_INIT;
        host.allocator = (hill_allocator){&purse, stingy_alloc, stingy_free};
        int status = live(table, &host);
        assert_int_equal(purse.held, 0);
        if (status == HILL_OK)
            break;
        if (status != HILL_EMEMORY)
            fail_msg("%d instead of HILL_EMEMORY with %zu allocations", status, left);
    }
    assert_true(left > 200);
    hill_table_free(table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_xor),          cmocka_unit_test(test_numbers),       cmocka_unit_test(test_files),
        cmocka_unit_test(test_hosts),        cmocka_unit_test(test_start),         cmocka_unit_test(test_tables_apart),
        cmocka_unit_test(test_unseen),       cmocka_unit_test(test_embedded),      cmocka_unit_test(test_refused),
        cmocka_unit_test(test_damaged),      cmocka_unit_test(test_best),          cmocka_unit_test(test_memory),
        cmocka_unit_test(test_out_of_reach), cmocka_unit_test(test_other_classes),
    };
    return cmocka_run_group_tests(tests, make_paths, remove_paths);
}
