/*
 * weights.c - any safetensors file as the weights to start from: refused, or the very floats that are saved again.
 */
#include "fuzz.h"

#include "model/model.h"

/* A net of 3 inputs, 2 hidden units and 2 outputs. */
static hill_plan *make_plan(const hill_host *host)
{
    hill_shape shape = HILL_SHAPE_INIT;
    hill_recipe *recipe;
    hill_plan *plan;
    shape.inputs = 3;
    shape.outputs = 2;
    must(hill_recipe_new(host, &recipe, NULL) == HILL_OK);
    must(hill_recipe_set(recipe, "net", "2 tanh", NULL) == HILL_OK);
    must(hill_plan_new(recipe, &shape, host, &plan, NULL) == HILL_OK);
    hill_recipe_free(recipe);
    return plan;
}

static int start(const hill_plan *plan, const hill_host *host, float *weights, hill_error *error)
{
    return hill__model_start(fuzz_path(), plan, host, weights, error);
}

/* The weights saved as a bare file, and read again. */
static void start_again(const hill_plan *plan, const hill_host *host, const float *weights, size_t floats)
{
    hill_tensor tensors[4];
    const float *values[4];
    hill__file_bytes bytes;
    float *again = hill__alloc(&host->allocator, floats, sizeof *again);
    for (size_t i = 0; i < 4; i++) {
        tensors[i] = (hill_tensor)HILL_TENSOR_INIT;
        must(hill_plan_tensor(plan, i, &tensors[i]) == HILL_OK);
        values[i] = weights + tensors[i].offset;
    }
    hill__safetensors_draft draft = {NULL, 0, tensors, 4, values};
    must(again && hill__safetensors_build(&draft, &host->allocator, &bytes, NULL) == HILL_OK);
    fuzz_file(bytes.data, bytes.length);
    must(start(plan, host, again, NULL) == HILL_OK && memcmp(again, weights, floats * sizeof *again) == 0);
    hill__bytes_free(&host->allocator, &bytes);
    hill__free(&host->allocator, again, floats, sizeof *again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_memory memory = {0, 0, 0};
    hill_host host = fuzz_host(&memory);
    hill_error error = HILL_ERROR_INIT;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    hill_plan *plan = make_plan(&host);
    must(hill_plan_info(plan, &sizes) == HILL_OK);
    float *weights = hill__alloc(&host.allocator, sizes.vector, sizeof *weights);
    fuzz_safetensors(data, size);
    int status = start(plan, &host, weights, &error);
    must(status == HILL_OK || status == HILL_EMODEL);
    must(memory.asked <= FUZZ_JUSTIFIED(size));
    if (status == HILL_OK)
        start_again(plan, &host, weights, sizes.vector);
    else
        fuzz_said(&error, status, fuzz_path());
    hill__free(&host.allocator, weights, sizes.vector, sizeof *weights);
    hill_plan_free(plan);
    must(memory.used == 0);
    must(remove(fuzz_path()) == 0);
    return 0;
}
