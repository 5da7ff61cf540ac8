/*
 * 03 - My own loop.
 *
 * A session owns everything that hill_train made behind the curtain, and hands out its run. hill_step takes one step and fills
 * a row of the trace; when to look, what to print and when to stop are this program's business.
 */
#include <downhill.h>
#include <stdio.h>

static int descend(hill_session *session)
{
    hill_run *run = hill_session_run(session);
    hill_row row = HILL_ROW_INIT;
    int status;
    while ((status = hill_step(run, &row)) == HILL_ROW) {
        if (row.epoch_end && row.epoch % 50 == 0)
            printf("epoch %4llu  cost %.6f  rate %.4g\n", (unsigned long long)row.epoch, row.train_cost, row.rate);
        if (row.epoch_end && row.train_cost < 0.001) {
            printf("good enough after %llu epochs\n", (unsigned long long)row.epoch);
            return HILL_DONE;
        }
    }
    if (status < 0)
        fprintf(stderr, "%s\n", hill_run_message(run));
    return status;
}

int main(int count, char **arguments)
{
    const char *path = count > 1 ? arguments[1] : "examples/xor.csv";
    static const char text[] = "target=y\nnet=8 tanh\nrule=adam\nrate=0.05\nepochs=2000\n";
    hill_error error = HILL_ERROR_INIT;
    hill_recipe *recipe = NULL;
    hill_session *session = NULL;
    hill_tables tables = HILL_TABLES_INIT;
    hill_table *table = NULL;

    int status = hill_table_open(path, NULL, NULL, &table, &error);
    tables.train = table;
    if (status >= 0)
        status = hill_recipe_new(NULL, &recipe, &error);
    if (status >= 0)
        status = hill_recipe_parse(recipe, text, sizeof text - 1, "recipe", &error);
    if (status >= 0)
        status = hill_session_new(recipe, &tables, NULL, &session, &error);
    if (status < 0)
        fprintf(stderr, "%s\n", error.text);
    else
        status = descend(session);
    hill_session_free(session);
    hill_recipe_free(recipe);
    hill_table_free(table);
    return status < 0;
}
