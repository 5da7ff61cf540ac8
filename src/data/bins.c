/*
 * bins.c - the edges of a number's bins. Invariant: edges ascend, each is a training cell or lies between two; all is done in
 * double, by + - * /.
 */
#include "base/fp.h"

#include "data/bins.h"

#include <math.h>

#include "base/sort.h"

static int bins_compare(const void *self, size_t a, size_t b)
{
    const double *values = self;
    return values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0;
}

/* The quantile part / bins: a value, or so far from one to the next as the place is between theirs. */
static double bins_quantile(const double *values, const size_t *order, size_t count, size_t part, size_t bins)
{
    size_t last = count - 1, at = last / bins * part + last % bins * part / bins, rest = last % bins * part % bins;
    double low = values[order[at]], high = values[order[at < last ? at + 1 : last]];
    double between = low + (high - low) * ((double)rest / (double)bins);
    return between < high ? between : high;
}

static void bins_place(hill__input *input, const double *values, const size_t *order, size_t count, size_t bins)
{
    for (size_t part = 0; part <= bins; part++) {
        double edge = bins_quantile(values, order, count, part, bins);
        if (input->edge_count == 0 || edge > input->edges[input->edge_count - 1])
            input->edges[input->edge_count++] = edge;
    }
    if (input->edge_count < 2)
        input->edge_count = 0;
}

bool hill__bins_fit(hill__input *input, const double *numbers, const uint64_t *rows, uint64_t count, size_t bins,
                    const hill_allocator *allocator)
{
    double *values = hill__alloc(allocator, (size_t)count, sizeof *values);
    size_t *order = hill__alloc(allocator, (size_t)count, sizeof *order), present = 0;
    input->edge_room = bins + 1;
    input->edges = hill__alloc(allocator, input->edge_room, sizeof *input->edges);
    bool good = values && order && input->edges;
    for (uint64_t i = 0; i < count && good; i++)
        if (!isnan(numbers[rows[i]])) {
            values[present] = numbers[rows[i]];
            order[present] = present;
            present++;
        }
    if (good && present > 0) {
        hill__sort(order, present, bins_compare, values);
        bins_place(input, values, order, present, bins);
    }
    hill__free(allocator, order, (size_t)count, sizeof *order);
    hill__free(allocator, values, (size_t)count, sizeof *values);
    return good;
}

size_t hill__bins_find(const hill__input *input, double number, float *part)
{
    const double *edges = input->edges;
    size_t low = 0, high = input->edge_count - 2;
    while (low < high) { /* the last bin that doesn't begin above the number, or the first */
        size_t middle = low + (high - low + 1) / 2;
        if (edges[middle] <= number)
            low = middle;
        else
            high = middle - 1;
    }
    *part = (float)((number - edges[low]) / (edges[low + 1] - edges[low]));
    return low;
}
