/*
 * one_line.c - the program of the one-line build: trains on a table of its own by the recipe in argv[2], saves the model as
 * argv[1]. The table is XOR drawn large: 300 points of a square, more than one block of rows; y says whether just one of x1 and
 * x2 lies above the middle.
 */
#include "downhill.h"

#include <stdio.h>

#define ROWS 300
#define ROOM (ROWS * 16)

static size_t write_table(char *text)
{
    int length = snprintf(text, ROOM, "x1,x2,y\n");
    for (int row = 0; row < ROWS; row++) {
        int x1 = row * 37 % 101, x2 = row * 53 % 89;
        length += snprintf(text + length, ROOM - (size_t)length, "%d,%d,%d\n", x1, x2, (x1 > 50) != (x2 > 44));
    }
    return (size_t)length;
}

static int train(const char *path, const char *recipe, hill_error *error)
{
    char text[ROOM];
    hill_bytes bytes = {text, write_table(text), "points"};
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
