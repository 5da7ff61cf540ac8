/*
 * source.c - the source over a caller's arrays.
 */
#include "base/fp.h"

#include "downhill.h"

#include <string.h>

static int fill_from_arrays(void *self, const uint64_t *rows, size_t count, float *inputs, float *targets)
{
    const hill_arrays *arrays = self;
    const size_t n = arrays->input_count, m = arrays->target_count;
    for (size_t i = 0; i < count; i++) {
        memcpy(inputs + i * n, arrays->inputs + rows[i] * n, n * sizeof *inputs);
        if (targets)
            memcpy(targets + i * m, arrays->targets + rows[i] * m, m * sizeof *targets);
    }
    return HILL_OK;
}

static int weigh_from_arrays(void *self, const uint64_t *rows, size_t count, float *weights)
{
    const hill_arrays *arrays = self;
    for (size_t i = 0; i < count; i++)
        weights[i] = arrays->weights[rows[i]];
    return HILL_OK;
}

hill_source hill_array_source(const hill_arrays *arrays)
{
    return (hill_source){.size = sizeof(hill_source),
                         .self = (void *)(uintptr_t)arrays,
                         .rows = arrays->rows,
                         .inputs = arrays->input_count,
                         .targets = arrays->target_count,
                         .fill = fill_from_arrays,
                         .weigh = arrays->weights ? weigh_from_arrays : NULL};
}
