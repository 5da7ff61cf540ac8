/*
 * test_model.c - what models and sessions are asked for wrongly, and what they say of data that they don't know.
 */
#include "base/fp.h"

#include "support.h"
#include "tables.h"

#include "model/session.h"

#define ROWS 60

/* Whether a is over 2, as a class or as a number. */
static hill_table *make_data_table(const char *target, bool classes, double shift)
{
    const char *const names[] = {"a", target};
    hill_table *table = make_table(ROWS, names, 2);
    double a[ROWS], y[ROWS];
    const char *word[ROWS];
    for (size_t i = 0; i < ROWS; i++) {
        a[i] = (double)(i * 37 % ROWS) / 10;
        y[i] = a[i] > 2 ? shift : 2 * shift;
        word[i] = a[i] > 2 ? "high" : "low";
    }
    set_numbers(table, 0, a);
    if (classes)
        set_texts(table, 1, word);
    else
        set_numbers(table, 1, y);
    assert_true(hill__table_measure(table));
    return table;
}

static hill_model *trained(const hill_table *table, const char *recipe)
{
    hill_model *model;
    hill_error error = HILL_ERROR_INIT;
    if (hill_train(table, recipe, NULL, &model, &error) != HILL_OK)
        fail_msg("%s", error.text);
    return model;
}

static void arguments_are_looked_at(void **state)
{
    (void)state;
    hill_table *table = make_data_table("y", true, 1);
    hill_model *model = trained(table, "epochs=3\nnet=3");
    hill_model_facts facts = HILL_MODEL_FACTS_INIT;
    hill_metrics metrics = HILL_METRICS_INIT;
    hill_check check_facts = HILL_CHECK_INIT;
    hill_tables tables = HILL_TABLES_INIT;
    hill_session *session = NULL;
    double out[2 * ROWS];
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(hill_model_info(NULL, &facts), HILL_EARGUMENT);
    assert_int_equal(hill_model_info(model, NULL), HILL_EARGUMENT);
    facts.size = 8;
    assert_int_equal(hill_model_info(model, &facts), HILL_EARGUMENT);
    metrics.size = 8;
    assert_int_equal(hill_model_evaluate(model, table, &metrics, NULL, &error), HILL_EARGUMENT);
    check_facts.size = 8;
    assert_int_equal(hill_model_check(model, table, &check_facts, &error), HILL_EARGUMENT);
    assert_int_equal(hill_model_predict(model, table, ROWS + 1, 0, out, &error), HILL_EARGUMENT);
    assert_int_equal(hill_model_predict(model, table, 1, ROWS, out, &error), HILL_EARGUMENT);
    assert_int_equal(hill_model_predict(model, table, ROWS, 0, out, &error), HILL_OK);
    hill_recipe *recipe;
    assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
    assert_int_equal(hill_session_new(recipe, NULL, NULL, &session, &error), HILL_EARGUMENT);
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &session, &error), HILL_EARGUMENT);
    tables.train = table;
    tables.size = 8;
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &session, &error), HILL_EARGUMENT);
    tables.size = sizeof tables;
    hill_host host = HILL_HOST_INIT;
    host.isa = "abacus";
    assert_int_equal(hill_session_new(recipe, &tables, &host, &session, &error), HILL_EISA);
    assert_null(session);
    assert_int_equal(hill_session_new(recipe, &tables, NULL, &session, &error), HILL_OK);
    assert_int_equal(hill_session_metrics(session, model, HILL_WHICH_TRAIN, &metrics, &error), HILL_EARGUMENT);
    metrics.size = sizeof metrics;
    assert_int_equal(hill_session_metrics(session, model, (hill_which)7, &metrics, &error), HILL_EARGUMENT);
    assert_int_equal(hill_session_metrics(session, model, HILL_WHICH_TEST, &metrics, &error), HILL_OK);
    assert_true(metrics.rows == 0 && isnan(metrics.cost));
    hill_session_free(session);
    hill_recipe_free(recipe);
    hill_model_free(model);
    hill_table_free(table);
}

static void the_first_of_the_largest_is_meant(void **state)
{
    (void)state;
    const double nan = (double)NAN;
    assert_int_equal(hill_argmax((double[]){1, 3, 3, 2}, 4), 1);
    assert_int_equal(hill_argmax((double[]){nan, -1, nan, -2}, 4), 1);
    assert_int_equal(hill_argmax((double[]){nan, nan}, 2), 0);
    assert_int_equal(hill_argmax(NULL, 0), 0);
}

/* All targets alike: nothing is explained, whatever the answers are. */
static void targets_that_are_all_alike_have_no_r2(void **state)
{
    (void)state;
    hill_table *table = make_data_table("y", false, 1), *flat = make_data_table("y", false, 0);
    hill_model *model = trained(table, "epochs=3\nnet=3\ntask=numbers");
    hill_metrics metrics = HILL_METRICS_INIT;
    assert_int_equal(hill_model_evaluate(model, table, &metrics, NULL, NULL), HILL_OK);
    assert_true(isfinite(metrics.r2) && isnan(metrics.accuracy));
    assert_int_equal(hill_model_evaluate(model, flat, &metrics, NULL, NULL), HILL_OK);
    assert_true(isnan(metrics.r2) && isfinite(metrics.rmse));
    hill_model_free(model);
    hill_table_free(flat);
    hill_table_free(table);
}

/* A gradient held against a limit that nothing keeps. */
static void a_check_tells_where_it_fails(void **state)
{
    (void)state;
    hill_table *table = make_data_table("y", true, 1);
    hill_model *model = trained(table, "epochs=3\nnet=3 tanh");
    hill_check result = HILL_CHECK_INIT;
    hill_error error = HILL_ERROR_INIT;
    assert_int_equal(hill_model_check(model, table, &result, &error), HILL_OK);
    result.limit = 1e-15;
    assert_int_equal(hill_model_check(model, table, &result, &error), HILL_ECHECK);
    assert_non_null(strstr(error.text, result.worst_weight));
    hill_model_free(model);
    hill_table_free(table);
}

/* A target whose name can't stand on a command line as it is goes by its number. */
static void targets_are_guessed_as_a_flag(void **state)
{
    (void)state;
    static const char *const names[][2] = {{"y", "--target y"},    {"a price", "--target 'a price'"},
                                           {" y", "--target 2"},   {"y ", "--target 2"},
                                           {"auto", "--target 2"}, {"", "--target 2"},
                                           {"a\tb", "--target 2"}, {"it's", "--target 'it'\\''s'"},
                                           {"1", "--target 1"},    {"a", "--target 2"}};
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        hill_table *table = make_data_table(names[i][0], true, 1);
        hill_tables tables = HILL_TABLES_INIT;
        hill_recipe *recipe;
        hill_session *session;
        hill_error error = HILL_ERROR_INIT;
        tables.train = table;
        assert_int_equal(hill_recipe_new(NULL, &recipe, NULL), HILL_OK);
        if (hill_session_new(recipe, &tables, NULL, &session, &error) != HILL_OK)
            fail_msg("'%s': %s", names[i][0], error.text);
        if (strncmp(hill_session_guesses(session), names[i][1], strlen(names[i][1])) != 0)
            fail_msg("'%s': %s", names[i][0], hill_session_guesses(session));
        hill_session_free(session);
        hill_recipe_free(recipe);
        hill_table_free(table);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_looked_at),
        cmocka_unit_test(the_first_of_the_largest_is_meant),
        cmocka_unit_test(targets_that_are_all_alike_have_no_r2),
        cmocka_unit_test(a_check_tells_where_it_fails),
        cmocka_unit_test(targets_are_guessed_as_a_flag),
    };
    return cmocka_run_group_tests_name("model", tests, NULL, NULL);
}
