/*
 * 02 - Keep a model.
 *
 * A model file holds the whole path from a raw row to an answer: which columns, how they are scaled, the net, its weights, the
 * names of the classes. So a program that only predicts needs the file and a row.
 */
#include <downhill.h>
#include <stdio.h>
#include <string.h>

static const char flowers[] = "petal,colour,kind\n"
                              "1.4,white,daisy\n1.3,white,daisy\n1.6,yellow,daisy\n1.5,white,daisy\n"
                              "4.7,red,rose\n4.5,red,rose\n4.9,white,rose\n4.0,red,rose\n"
                              "2.9,yellow,tulip\n3.1,red,tulip\n2.8,yellow,tulip\n3.0,yellow,tulip\n";

/* Trains on the text above and leaves the model in a file. */
static int learn(const char *path, hill_error *error)
{
    const hill_bytes bytes = {flowers, strlen(flowers), "flowers"};
    hill_table *table = NULL;
    hill_model *model = NULL;
    int status = hill_table_parse(&bytes, NULL, NULL, &table, error);
    if (status >= 0)
        status = hill_train(table, "target=kind", NULL, &model, error);
    if (status >= 0)
        status = hill_model_save(model, path, error);
    hill_model_free(model);
    hill_table_free(table);
    return status;
}

/* Opens the file and asks it about one flower. `like` makes the reader match columns with the model's, by name. */
static int ask(const char *path, const char *row, hill_error *error)
{
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    hill_model *model = NULL;
    hill_table *table = NULL;
    double p[3];
    int status = hill_model_open(path, NULL, &model, error);
    const hill_bytes bytes = {row, strlen(row), "question"};
    options.like = model;
    if (status >= 0)
        status = hill_table_parse(&bytes, &options, NULL, &table, error);
    if (status >= 0)
        status = hill_model_predict(model, table, 0, 1, p, error);
    if (status >= 0)
        printf("%s", row);
    for (size_t i = 0; status >= 0 && hill_model_class(model, i); i++)
        printf("  %s: %.2f\n", hill_model_class(model, i), p[i]);
    hill_table_free(table);
    hill_model_free(model);
    return status;
}

int main(int count, char **arguments)
{
    const char *path = count > 1 ? arguments[1] : "flowers.safetensors";
    hill_error error = HILL_ERROR_INIT;
    if (learn(path, &error) < 0 || ask(path, "colour,petal\nred,4.4\n", &error) < 0)
        fprintf(stderr, "%s\n", error.text);
    return error.status < 0;
}
