/*
 * train.c - text trained on: target, task, encoder and split are chosen, a few steps taken, the model is saved and opened. The
 * first byte chooses the recipe.
 */
#include "fuzz.h"

#include "model/session.h"

/* Tables with more cells than this take too long to try. */
#define CELLS_MOST 2000u

static const char *const recipes[] = {"",
                                      "task=numbers\n",
                                      "task=classes\nvalid=0.5\n",
                                      "scale=none\norder=file\n",
                                      "numbers=piecewise 3\n",
                                      "embed=2\n",
                                      "embed=auto\nscale=none\nnumbers=piecewise 2\n",
                                      "embed=1=3,2\n"};

static hill_recipe *make_recipe(unsigned how, const hill_host *host)
{
    hill_recipe *recipe;
    const char *text = recipes[(how & 3) | (how >> 1 & 4)];
    must(hill_recipe_new(host, &recipe, NULL) == HILL_OK);
    must(hill_recipe_parse(recipe, "net=2 tanh\nbatch=4\n", 19, NULL, NULL) == HILL_OK);
    must(hill_recipe_parse(recipe, text, strlen(text), NULL, NULL) == HILL_OK);
    must(hill_recipe_set(recipe, "target", how & 4 ? "1" : "auto", NULL) == HILL_OK);
    return recipe;
}

/* The model answers the rows it was trained on, alike before and after it went through a file. */
static void use_model(hill_session *session, const hill_table *table, const hill_host *host)
{
    hill_model *model, *again;
    hill_error error = HILL_ERROR_INIT;
    must(hill_session_finish(session, &model, NULL) == HILL_OK);
    must(hill_model_save(model, fuzz_path(), NULL) == HILL_OK);
    must(hill_model_open(fuzz_path(), host, &again, NULL) == HILL_OK && remove(fuzz_path()) == 0);
    size_t rows = hill_table_rows(table), bytes = rows * hill__encoder_outputs(model->encoder) * sizeof(double);
    double *first = malloc(bytes), *second = malloc(bytes);
    must(first && second);
    int status = hill_model_predict(model, table, 0, rows, first, &error);
    must(status == HILL_OK || status == HILL_EDATA);
    must(hill_model_predict(again, table, 0, rows, second, NULL) == status);
    must(status < 0 || memcmp(first, second, bytes) == 0);
    free(first);
    free(second);
    hill_model_free(again);
    hill_model_free(model);
}

static void train(const hill_table *table, unsigned how, const hill_host *host)
{
    hill_recipe *recipe = make_recipe(how, host);
    hill_session *session;
    hill_error error = HILL_ERROR_INIT;
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = table;
    int status = hill_session_new(recipe, &tables, host, &session, &error);
    must(status == HILL_OK || status == HILL_EDATA || status == HILL_ERECIPE);
    if (status < 0)
        fuzz_said(&error, status, "");
    for (size_t i = 0; session && hill_session_note(session, i); i++)
        fuzz_shown(hill_session_note(session, i), 1);
    for (int i = 0; session && i < 3; i++) {
        status = hill_step(hill_session_run(session), NULL);
        must(status == HILL_ROW || status == HILL_DONE || status == HILL_EDIVERGED);
    }
    if (session)
        use_model(session, table, host);
    hill_session_free(session);
    hill_recipe_free(recipe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_memory memory = {0, 0, 0};
    hill_host host = fuzz_host(&memory);
    if (size < 1)
        return 0;
    hill_table *table;
    hill_bytes bytes = {data + 1, size - 1, "file"};
    if (hill_table_parse(&bytes, NULL, &host, &table, NULL) == HILL_OK && table->rows * hill_table_columns(table) <= CELLS_MOST)
        train(table, data[0], &host);
    hill_table_free(table);
    must(memory.used == 0);
    return 0;
}
