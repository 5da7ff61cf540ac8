/*
 * recipe.c - a recipe's text, the net in it, the plan of a small shape that the first byte chooses, and two steps of that.
 */
#include "fuzz.h"

#include "plan/plan.h"

/* Runs with more memory than this take too long to try. */
#define RUN_MOST ((size_t)1 << 20)

static const float zeros_and_ones[64] = {0, 1, 1, 0, 0, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 0};

/* The recipe that a text is; NULL where it is none. */
static hill_recipe *read_recipe(const char *text, size_t length, const hill_host *host)
{
    hill_recipe *recipe;
    hill_error error = HILL_ERROR_INIT;
    must(hill_recipe_new(host, &recipe, NULL) == HILL_OK);
    int status = hill_recipe_parse(recipe, text, length, "file", &error);
    if (status == HILL_OK)
        return recipe;
    must(status == HILL_ERECIPE);
    fuzz_said(&error, status, "file");
    hill_recipe_free(recipe);
    return NULL;
}

/* The canonical text is a recipe, and its own canonical text. */
static hill_recipe *read_again(hill_recipe *recipe, const hill_host *host)
{
    const char *text = hill_recipe_text(recipe);
    hill_recipe *again = read_recipe(text, strlen(text), host);
    must(again && strcmp(hill_recipe_text(again), text) == 0);
    return again;
}

static void two_steps(const hill_plan *plan, const hill_host *host, const hill_plan_sizes *sizes)
{
    hill_arrays arrays = {sizeof arrays, zeros_and_ones, zeros_and_ones + 1, 4, sizes->inputs, sizes->outputs, NULL};
    hill_source source = hill_array_source(&arrays);
    hill_run *run;
    if (sizes->vector_bytes + sizes->scratch_bytes + sizes->staging_bytes > RUN_MOST)
        return;
    must(hill_run_new(plan, &source, NULL, host, &run) == HILL_OK);
    for (int i = 0; i < 2; i++) {
        int status = hill_step(run, NULL);
        must(status == HILL_ROW || status == HILL_DONE || status == HILL_EDIVERGED);
    }
    hill_run_free(run);
}

/* A plan's own recipe leaves nothing to choose: it gives the same plan. */
static void plan_twice(const hill_recipe *recipe, unsigned how, const hill_host *host)
{
    hill_shape shape = {sizeof shape,
                        1 + (how & 7),
                        how & 0x80 ? 2 + (how >> 3 & 3) : 1,
                        4,
                        how & 0x80 ? HILL_TASK_CLASSES : HILL_TASK_NUMBERS,
                        0,
                        0,
                        0,
                        how & 0x40 ? "embed 1:5x2" : NULL};
    if (shape.inputs == 8) { /* a picture */
        shape.height = shape.channels = 2;
        shape.width = 2;
    }
    hill_error error = HILL_ERROR_INIT;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT, sizes_again = HILL_PLAN_SIZES_INIT;
    hill_plan *plan, *again;
    int status = hill_plan_new(recipe, &shape, host, &plan, &error);
    must(status == HILL_OK || status == HILL_ERECIPE);
    if (status < 0) {
        fuzz_said(&error, status, "");
        return;
    }
    hill_recipe *resolved = read_again(plan->recipe, host);
    must(hill_plan_new(resolved, &shape, host, &again, NULL) == HILL_OK);
    must(strcmp(hill_recipe_text(again->recipe), hill_recipe_text(resolved)) == 0);
    must(hill_plan_info(plan, &sizes) == HILL_OK && hill_plan_info(again, &sizes_again) == HILL_OK);
    must(memcmp(&sizes, &sizes_again, sizeof sizes) == 0);
    two_steps(plan, host, &sizes);
    hill_recipe_free(resolved);
    hill_plan_free(again);
    hill_plan_free(plan);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_memory memory = {0, 0, 0};
    hill_host host = fuzz_host(&memory);
    if (size < 1)
        return 0;
    hill__file_bytes text = fuzz_copy(data + 1, size - 1, &host.allocator);
    hill_recipe *recipe = read_recipe((const char *)text.data, size - 1, &host), *again = NULL;
    if (recipe) {
        again = read_again(recipe, &host);
        plan_twice(again, data[0], &host);
    }
    hill_recipe_free(again);
    hill_recipe_free(recipe);
    hill__bytes_free(&host.allocator, &text);
    must(memory.used == 0);
    must(memory.asked <= RUN_MOST);
    return 0;
}
