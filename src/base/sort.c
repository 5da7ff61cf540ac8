/*
 * sort.c - heap sort of indices. Invariant: order[] is a permutation of what it was at every step.
 */
#include "base/fp.h"

#include "base/sort.h"

#include <stdbool.h>

static bool sort_before(const size_t *order, size_t a, size_t b, hill__compare *compare, const void *self)
{
    int side = compare(self, order[a], order[b]);
    return side < 0 || (side == 0 && order[a] < order[b]);
}

static void sort_swap(size_t *order, size_t a, size_t b)
{
    size_t kept = order[a];
    order[a] = order[b];
    order[b] = kept;
}

/* Lets the item at `root` sink until neither child of it in the heap order[0..count-1] is larger. */
static void sort_sink(size_t *order, size_t root, size_t count, hill__compare *compare, const void *self)
{
    for (;;) {
        size_t child = 2 * root + 1;
        if (child >= count)
            return;
        if (child + 1 < count && sort_before(order, child, child + 1, compare, self))
            child++;
        if (!sort_before(order, root, child, compare, self))
            return;
        sort_swap(order, root, child);
        root = child;
    }
}

void hill__sort(size_t *order, size_t count, hill__compare *compare, const void *self)
{
    for (size_t i = count / 2; i-- > 0;)
        sort_sink(order, i, count, compare, self);
    for (size_t last = count; last-- > 1;) {
        sort_swap(order, 0, last);
        sort_sink(order, 0, last, compare, self);
    }
}
