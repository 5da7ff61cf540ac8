/*
 * golden.c - the program behind the golden table: trains on the data file argv[1] by the recipe argv[2], on the kernel row
 * argv[3] and argv[4] threads. The model goes to standard output; what really trained it to standard error, as one line:
 *
 *     row=avx2 threads=8 shared=5
 *
 * where `shared` is among how many threads the largest product of a step was divided.
 */
#include "downhill.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"
#include "train/run.h"

/* The one place where a host meets the library: the row and the threads asked for must be the ones that run. */
static int new_session(const hill_recipe *recipe, const hill_table *table, const hill_host *host, hill_session **out,
                       hill_error *error)
{
    hill_tables tables = HILL_TABLES_INIT;
    tables.train = table;
    return hill_session_new(recipe, &tables, host, out, error);
}

static void note_parts(void *context, unsigned part, unsigned parts)
{
    if (part == 0)
        *(unsigned *)context = parts;
}

/* Among how many threads the run divides the largest product of a step. */
static unsigned parts_of_largest(const hill_run *run)
{
    const hill_plan *plan = run->plan;
    hill_tensor tensor = HILL_TENSOR_INIT;
    size_t rows = run->batch < plan->block_rows ? run->batch : plan->block_rows, largest = 0;
    hill__walk walk = {.kernels = run->kernels, .pool = rows >= run->share_rows ? run->pool : NULL};
    unsigned parts = 0;
    for (size_t i = 0; hill_plan_tensor(plan, i, &tensor) == HILL_OK; i++)
        if (tensor.rank == 2 && tensor.shape[0] * tensor.shape[1] > largest)
            largest = tensor.shape[0] * tensor.shape[1];
    hill__walk_share(&walk, rows * largest, note_parts, &parts);
    return parts;
}

static int descend(hill_session *session, hill_error *error)
{
    hill_run *run = hill_session_run(session);
    hill_model *model = NULL;
    int status;
    while ((status = hill_step(run, NULL)) == HILL_ROW)
        continue;
    if (status != HILL_DONE) {
        snprintf(error->text, sizeof error->text, "%s", hill_run_message(run));
        return status;
    }
    status = hill_session_finish(session, &model, error);
    if (status == HILL_OK)
        status = hill_model_save(model, "/dev/stdout", error);
    if (status == HILL_OK)
        fprintf(stderr, "row=%s threads=%u shared=%u\n", run->kernels->name, hill__pool_size(run->pool), parts_of_largest(run));
    hill_model_free(model);
    return status;
}

int main(int argc, char **argv)
{
    hill_error error = HILL_ERROR_INIT;
    hill_host host = HILL_HOST_INIT;
    hill_table *table = NULL;
    hill_recipe *recipe = NULL;
    hill_session *session = NULL;
    if (argc != 5) {
        fprintf(stderr, "usage: %s DATA RECIPE ROW THREADS\n", argv[0]);
        return 2;
    }
    host.isa = argv[3];
    host.threads = (unsigned)strtoul(argv[4], NULL, 10);
    host.crowd = 1;
    int status = hill_table_open(argv[1], NULL, NULL, &table, &error);
    if (status == HILL_OK)
        status = hill_recipe_new(NULL, &recipe, &error);
    if (status == HILL_OK)
        status = hill_recipe_parse(recipe, argv[2], strlen(argv[2]), NULL, &error);
    if (status == HILL_OK)
        status = new_session(recipe, table, &host, &session, &error);
    if (status == HILL_OK)
        status = descend(session, &error);
    if (status != HILL_OK)
        fprintf(stderr, "%s\n", error.text);
    hill_session_free(session);
    hill_recipe_free(recipe);
    hill_table_free(table);
    return status == HILL_OK ? 0 : 1;
}
