/*
 * 07 - Digits.
 *
 * The task that the lesson names: a folder with the four files of MNIST (or Fashion-MNIST), a progress line an epoch, the
 * accuracy on digits never seen, and a look at one of them.
 *
 *     ./digits FOLDER
 */
#include <downhill.h>
#include <stdio.h>

static int descend(hill_session *session)
{
    hill_run *run = hill_session_run(session);
    hill_row row = HILL_ROW_INIT;
    int status;
    while ((status = hill_step(run, &row)) == HILL_ROW)
        if (row.epoch_end)
            printf("epoch %2llu  cost %.4f  valid %.4f  %.2f%%\n", (unsigned long long)row.epoch, row.train_cost,
                   row.valid_cost, 100 * row.valid_accuracy);
    if (status < 0)
        fprintf(stderr, "%s\n", hill_run_message(run));
    return status;
}

static int learn(const hill_tables *tables, hill_error *error)
{
    static const char text[] = "net=128 relu\nrule=adam\nbatch=64\nepochs=5\n";
    hill_recipe *recipe = NULL;
    hill_session *session = NULL;
    hill_model *model = NULL;
    hill_metrics metrics = HILL_METRICS_INIT;
    hill_host host = HILL_HOST_INIT;
    hill_machine machine = HILL_MACHINE_INIT;

    int status = hill_machine_info(&machine);
    host.threads = machine.cores;
    if (status >= 0)
        status = hill_recipe_new(&host, &recipe, error);
    if (status >= 0)
        status = hill_recipe_parse(recipe, text, sizeof text - 1, "recipe", error);
    if (status >= 0)
        status = hill_session_new(recipe, tables, &host, &session, error);
    if (status >= 0)
        status = descend(session);
    if (status >= 0)
        status = hill_session_finish(session, &model, error);
    if (status >= 0)
        status = hill_session_metrics(session, model, HILL_WHICH_TEST, &metrics, error);
    if (status >= 0)
        printf("%.2f%% of %llu test images right\n", 100 * metrics.accuracy, (unsigned long long)metrics.rows);
    hill_model_free(model);
    hill_session_free(session);
    hill_recipe_free(recipe);
    return status;
}

int main(int count, char **arguments)
{
    hill_error error = HILL_ERROR_INIT;
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    hill_table *train = NULL, *test = NULL;
    hill_tables tables = HILL_TABLES_INIT;
    if (count != 2) {
        fprintf(stderr, "usage: %s FOLDER\n", arguments[0]);
        return 2;
    }
    int status = hill_table_open(arguments[1], &options, NULL, &train, &error);
    options.part = HILL_PART_TEST;
    if (status >= 0)
        status = hill_table_open(arguments[1], &options, NULL, &test, &error);
    tables.train = train;
    tables.test = test;
    if (status >= 0)
        status = learn(&tables, &error);
    if (status < 0)
        fprintf(stderr, "%s\n", error.text);
    hill_table_free(test);
    hill_table_free(train);
    return status < 0;
}
