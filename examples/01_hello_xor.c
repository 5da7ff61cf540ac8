/*
 * 01 - Hello, XOR.
 *
 * A table goes in, a model comes out. hill_train chooses everything that the recipe text leaves open: here it is told only
 * which column to learn.
 *
 *     cc 01_hello_xor.c -ldownhill -o hello && ./hello xor.csv
 */
#include <downhill.h>
#include <stdio.h>

int main(int count, char **arguments)
{
    const char *path = count > 1 ? arguments[1] : "examples/xor.csv";
    hill_error error = HILL_ERROR_INIT;
    hill_table *table = NULL;
    hill_model *model = NULL;
    double p[4 * 2];

    if (hill_table_open(path, NULL, NULL, &table, &error) < 0 || hill_train(table, "target=y", NULL, &model, &error) < 0 ||
        hill_model_predict(model, table, 0, 4, p, &error) < 0) {
        fprintf(stderr, "%s\n", error.text);
    } else {
        for (size_t row = 0; row < 4; row++) {
            size_t answer = hill_argmax(p + 2 * row, 2);
            printf("%zu xor %zu: %s, with probability %.3f\n", row / 2, row % 2, hill_model_class(model, answer),
                   p[2 * row + answer]);
        }
    }
    hill_model_free(model);
    hill_table_free(table);
    return error.status < 0;
}
