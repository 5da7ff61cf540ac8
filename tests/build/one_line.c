/*
 * one_line.c - the program of the one-line build: trains on the table below by the recipe in argv[2], saves the model as argv[1].
 */
#include "downhill.h"

#include <stdio.h>
#include <string.h>

static const char xor_table[] = "x1,x2,y\n0,0,0\n0,1,1\n1,0,1\n1,1,0\n";

static int train(const char *path, const char *recipe, hill_error *error)
{
    hill_bytes bytes = {xor_table, strlen(xor_table), "xor"};
    hill_table *table = NULL;
    hill_model *model = NULL;
    int status = hill_table_parse(&bytes, NULL, NULL, &table, error);
    if (status == HILL_OK)
        status = hill_train(table, recipe, NULL, &model, error);
    if (status == HILL_OK)
        status = hill_model_save(model, path, error);
    hill_model_free(model);
    hill_table_free(table);
    return status;
}

int main(int argc, char **argv)
{
    hill_error error = HILL_ERROR_INIT;
    if (argc != 3) {
        fprintf(stderr, "usage: %s MODEL RECIPE\n", argv[0]);
        return 2;
    }
    if (train(argv[1], argv[2], &error) == HILL_OK)
        return 0;
    fprintf(stderr, "%s\n", error.text);
    return 1;
}
