/*
 * split.c - holding out rows. Invariant: every class keeps at least one row to train on.
 */
#include "base/fp.h"

#include "data/split.h"

#include "base/random.h"
#include "base/sort.h"

/* A class while its rows are dealt out. */
typedef struct split_class {
    uint64_t rows, held, met;
    double remainder; /* of its exact share */
    hill__permutation permutation;
} split_class;

static int split_compare(const void *self, size_t a, size_t b)
{
    const split_class *classes = self;
    return classes[a].remainder > classes[b].remainder ? -1 : classes[a].remainder < classes[b].remainder;
}

/* How many of each class: whole shares first, then one each by largest remainder until the total is reached. */
static void split_share(const hill__holdout *split, split_class *classes, size_t *order, uint64_t total)
{
    uint64_t given = 0;
    for (size_t c = 0; c < split->classes; c++) {
        double share = split->rows ? (double)total * (double)classes[c].rows / (double)split->rows : 0;
        uint64_t most = classes[c].rows ? classes[c].rows - 1 : 0;
        uint64_t whole = (uint64_t)share;
        classes[c].remainder = share - (double)whole;
        classes[c].held = whole < most ? whole : most;
        given += classes[c].held;
        order[c] = c;
    }
    hill__sort(order, split->classes, split_compare, classes);
    for (size_t i = 0; i < split->classes && given < total; i++) {
        split_class *class = &classes[order[i]];
        if (class->held + 1 < class->rows) {
            class->held++;
            given++;
        }
    }
}

int hill__holdout_rows(const hill__holdout *split, const hill_allocator *allocator, unsigned char *held, uint64_t *count)
{
    *count = 0;
    split_class *classes = hill__alloc(allocator, split->classes, sizeof *classes);
    size_t *order = hill__alloc(allocator, split->classes, sizeof *order);
    if (classes && order) {
        for (uint64_t i = 0; i < split->rows; i++)
            classes[split->labels ? split->labels[i] : 0].rows++;
        split_share(split, classes, order, (uint64_t)((double)split->rows * split->fraction + 0.5));
        for (size_t c = 0; c < split->classes; c++)
            classes[c].permutation = hill__permutation_make(classes[c].rows, split->seed, c, HILL__PURPOSE_SPLIT);
        for (uint64_t i = 0; i < split->rows; i++) {
            split_class *class = &classes[split->labels ? split->labels[i] : 0];
            held[i] = hill__permutation_at(&class->permutation, class->met++) < class->held;
            *count += held[i];
        }
    }
    bool good = classes && order;
    hill__free(allocator, order, split->classes, sizeof *order);
    hill__free(allocator, classes, split->classes, sizeof *classes);
    return good ? HILL_OK : HILL_EMEMORY;
}
