/*
 * 05 - Down by hand.
 *
 * The whole of gradient descent is one line: theta <- theta - rate * gradient. Weights and gradient are flat arrays of the same
 * layout, and cost and gradient can be asked for at any point of weight space, so here the library only feels the slope and
 * the hiker is this program.
 */
#include <downhill.h>
#include <stdio.h>

static const float xor_inputs[] = {0, 0, 0, 1, 1, 0, 1, 1};
static const float xor_targets[] = {0, 1, 1, 0};

#define MOST_WEIGHTS 256

static void walk(hill_run *run, const hill_source *source, size_t weights)
{
    float *theta = hill_run_weights(run);
    float gradient[MOST_WEIGHTS];
    const float rate = 2.0f;
    for (int step = 0; step <= 2000; step++) {
        hill_score score = HILL_SCORE_INIT;
        if (step % 250 == 0 && hill_run_evaluate(run, theta, source, &score) == HILL_OK)
            printf("step %4d  cost %.6f\n", step, score.cost);
        if (hill_run_slope(run, theta, source, gradient) < 0)
            return;
        for (size_t i = 0; i < weights; i++)
            theta[i] -= rate * gradient[i];
    }
}

int main(void)
{
    static const char text[] = "net=4 sigmoid, output sigmoid\ncost=squared\nseed=5\n";
    const hill_arrays arrays = {sizeof arrays, xor_inputs, xor_targets, 4, 2, 1, NULL};
    hill_source source = hill_array_source(&arrays);
    hill_error error = HILL_ERROR_INIT;
    hill_shape shape = HILL_SHAPE_INIT;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    hill_recipe *recipe = NULL;
    hill_plan *plan = NULL;
    hill_run *run = NULL;

    shape.inputs = 2;
    shape.outputs = 1;
    int status = hill_recipe_new(NULL, &recipe, &error);
    if (status >= 0)
        status = hill_recipe_parse(recipe, text, sizeof text - 1, "recipe", &error);
    if (status >= 0)
        status = hill_plan_new(recipe, &shape, NULL, &plan, &error);
    if (status >= 0)
        status = hill_run_new(plan, &source, NULL, NULL, &run);
    if (status >= 0)
        status = hill_plan_info(plan, &sizes);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hill_status_name(status), error.text);
    else if (sizes.vector <= MOST_WEIGHTS)
        walk(run, &source, sizes.vector);
    hill_run_free(run);
    hill_plan_free(plan);
    hill_recipe_free(recipe);
    return status < 0;
}
