/*
 * 04 - My own data.
 *
 * No table, no encoder: a source is a function that fills a batch, here with points of a sine that exist nowhere until they
 * are asked for. The plan is the recipe compiled for one input and one output; the run descends.
 */
#include <downhill.h>
#include <math.h>
#include <stdio.h>

#define POINTS 200

static int fill_sine(void *self, const uint64_t *rows, size_t count, float *inputs, float *targets)
{
    (void)self;
    for (size_t i = 0; i < count; i++) {
        float x = (float)rows[i] / POINTS * 2 - 1;
        inputs[i] = x;
        if (targets)
            targets[i] = sinf(3.14159265f * x);
    }
    return HILL_OK;
}

/* Prints the curve that the net has learned, as text. */
static void draw(hill_run *run)
{
    for (int i = -8; i <= 8; i++) {
        float x = (float)i / 8, y;
        hill_run_answer(run, NULL, &x, 1, &y);
        printf("%+.3f %*s\n", (double)y, (int)(24 + 20 * y), "*");
    }
}

int main(void)
{
    static const char text[] = "net=16 tanh, 16 tanh\nrule=adam\nrate=0.01\nschedule=cosine\nbatch=20\nepochs=200\n";
    hill_error error = HILL_ERROR_INIT;
    hill_source source = HILL_SOURCE_INIT;
    hill_shape shape = HILL_SHAPE_INIT;
    hill_recipe *recipe = NULL;
    hill_plan *plan = NULL;
    hill_run *run = NULL;
    hill_score score = HILL_SCORE_INIT;
    source.rows = POINTS;
    source.inputs = source.targets = 1;
    source.fill = fill_sine;

    shape.inputs = shape.outputs = 1;
    int status = hill_recipe_new(NULL, &recipe, &error);
    if (status >= 0)
        status = hill_recipe_parse(recipe, text, sizeof text - 1, "recipe", &error);
    if (status >= 0)
        status = hill_plan_new(recipe, &shape, NULL, &plan, &error);
    if (status >= 0)
        status = hill_run_new(plan, &source, NULL, NULL, &run);
    if (status < 0)
        fprintf(stderr, "%s: %s\n", hill_status_name(status), error.text);
    while (status >= 0 && (status = hill_step(run, NULL)) == HILL_ROW)
        continue;
    if (status == HILL_DONE && hill_run_evaluate(run, NULL, &source, &score) == HILL_OK) {
        draw(run);
        printf("cost %g\n", score.cost);
    }
    hill_run_free(run);
    hill_plan_free(plan);
    hill_recipe_free(recipe);
    return status < 0;
}
