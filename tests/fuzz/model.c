/*
 * model.c - a model file, opened, asked for what it says about a table, saved and opened again.
 */
#include "fuzz.h"

#include "model/model.h"

/* Rows with everything that a cell may be, and images of 2 x 2 bytes. */
static const char cells[] = "a,colour,k\n1,red,yes\n?,green,no\n-2.5,,\n3,purple,yes\n";
static const char numbers[] = "1,2,3\n?,5,6\n-1e300,0,0.5\n";
static const unsigned char images[] = {0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 1, 2, 3, 4, 5, 6, 7, 255, 255, 0, 9};

/* The answer to a row is the same whatever stands around it. */
static void ask(hill_model *model, const void *data, size_t size, const hill_host *host)
{
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    hill_table *table;
    hill_metrics metrics = HILL_METRICS_INIT;
    options.like = model;
    if (hill_table_parse(&(hill_bytes){data, size, "table"}, &options, host, &table, NULL) < 0)
        return;
    size_t rows = hill_table_rows(table), each = hill__encoder_outputs(model->encoder);
    double *all = calloc(rows * each, sizeof *all), *one = calloc(each, sizeof *one);
    must(all && one);
    if (hill_model_predict(model, table, 0, rows, all, NULL) == HILL_OK)
        for (size_t i = 0; i < rows; i++) {
            must(hill_model_predict(model, table, i, 1, one, NULL) == HILL_OK);
            must(memcmp(one, all + i * each, each * sizeof *one) == 0);
        }
    (void)hill_model_evaluate(model, table, &metrics, NULL, NULL);
    free(one);
    free(all);
    hill_table_free(table);
}

/* What a person reads about it. */
static void describe(const hill_model *model)
{
    hill_model_facts facts = HILL_MODEL_FACTS_INIT;
    must(hill_model_info(model, &facts) == HILL_OK && facts.inputs == model->sizes.inputs);
    for (size_t i = 0; i < facts.classes; i++)
        must(strlen(hill_model_class(model, i)) < SIZE_MAX);
    for (size_t i = 0; i < facts.columns; i++)
        fuzz_shown(hill_model_column(model, i), 1);
    must(!hill_model_class(model, facts.classes) && !hill_model_column(model, facts.columns));
}

static hill__file_bytes save(const hill_model *model)
{
    hill__file_bytes bytes;
    must(hill_model_save(model, fuzz_path(), NULL) == HILL_OK);
    must(hill__file_read(fuzz_path(), &model->allocator, &bytes, NULL) == HILL_OK);
    return bytes;
}

/* What was saved opens, and is saved again as the same bytes. */
static void save_twice(const hill_model *model, const hill_host *host)
{
    hill_model *again;
    hill__file_bytes first = save(model), second;
    must(hill_model_open(fuzz_path(), host, &again, NULL) == HILL_OK);
    second = save(again);
    must(first.length == second.length && memcmp(first.data, second.data, first.length) == 0);
    hill__bytes_free(&model->allocator, &first);
    hill__bytes_free(&model->allocator, &second);
    hill_model_free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_memory memory = {0, 0, 0};
    hill_host host = fuzz_host(&memory);
    hill_error error = HILL_ERROR_INIT;
    hill_model *model;
    int status = hill_model_open(fuzz_safetensors(data, size), &host, &model, &error);
    must(memory.asked <= FUZZ_JUSTIFIED(size));
    must(status == HILL_OK || status == HILL_EMODEL);
    if (status == HILL_OK) {
        describe(model);
        ask(model, cells, sizeof cells - 1, &host);
        ask(model, numbers, sizeof numbers - 1, &host);
        ask(model, images, sizeof images, &host);
        save_twice(model, &host);
    } else {
        fuzz_said(&error, status, fuzz_path());
    }
    hill_model_free(model);
    must(memory.used == 0);
    must(remove(fuzz_path()) == 0);
    return 0;
}
