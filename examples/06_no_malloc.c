/*
 * 06 - No malloc in my program.
 *
 * Everything Downhill needs comes from the allocator of the host. Here that is one static block: what the run takes of it is
 * printed at the end, and training takes nothing more, however long it lasts.
 */
#include <downhill.h>
#include <stdio.h>

static unsigned char memory[96 * 1024];

static const float sensor_inputs[] = {0.1f, 0.9f, 0.2f, 0.8f, 0.9f, 0.1f, 0.8f, 0.3f, 0.5f, 0.5f, 0.4f, 0.6f};
static const float sensor_targets[] = {1, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 0};

static int train(const hill_host *host, hill_error *error)
{
    static const char text[] = "net=8 tanh\nrule=adam\nrate=0.02\nepochs=300\nbatch=full\n";
    const hill_arrays arrays = {sizeof arrays, sensor_inputs, sensor_targets, 6, 2, 2, NULL};
    hill_source source = hill_array_source(&arrays);
    hill_shape shape = HILL_SHAPE_INIT;
    hill_recipe *recipe = NULL;
    hill_plan *plan = NULL;
    hill_run *run = NULL;
    hill_score score = HILL_SCORE_INIT;

    shape.inputs = shape.outputs = 2;
    shape.task = HILL_TASK_CLASSES;
    int status = hill_recipe_new(host, &recipe, error);
    if (status >= 0)
        status = hill_recipe_parse(recipe, text, sizeof text - 1, "recipe", error);
    if (status >= 0)
        status = hill_plan_new(recipe, &shape, host, &plan, error);
    if (status >= 0)
        status = hill_run_new(plan, &source, NULL, host, &run);
    while (status >= 0 && (status = hill_step(run, NULL)) == HILL_ROW)
        continue;
    if (status == HILL_DONE && hill_run_evaluate(run, NULL, &source, &score) == HILL_OK)
        printf("cost %.4f, %.0f%% right\n", score.cost, 100 * score.accuracy);
    hill_run_free(run);
    hill_plan_free(plan);
    hill_recipe_free(recipe);
    return status;
}

int main(void)
{
    hill_block block = {sizeof block, memory, sizeof memory, 0, 0};
    hill_host host = HILL_HOST_INIT;
    hill_error error = HILL_ERROR_INIT;
    host.allocator = hill_block_allocator(&block);
    int status = train(&host, &error);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hill_status_name(status), error.text);
    printf("%zu of %zu bytes used at most\n", block.peak, block.bytes);
    return status < 0;
}
