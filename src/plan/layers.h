/*
 * layers.h - appends instructions to a plan.
 */
#ifndef HILL_PLAN_LAYERS_H
#define HILL_PLAN_LAYERS_H

#include "plan/net.h"
#include "plan/plan.h"

typedef struct hill__builder {
    hill_plan *plan;
    bool fused;
    size_t x;            /* buffer the next instruction reads */
    size_t width;        /* its units */
    hill__extent extent; /* and how they lie */
    size_t widest;
    size_t largest_turned;
    size_t kept; /* floats of tensors that aren't trained */
    size_t rows; /* of a block, at most */
    struct {
        size_t x, from, saved, at;
        hill__extent extent;
    } groups[HILL__NET_LAYERS]; /* begun and not ended */
    size_t group_count;
} hill__builder;

/* HILL_ERECIPE: the layer can't stand here. */
int hill__add_layer(hill__builder *builder, const hill__net_layer *layer, hill_error *error);

/* The output layer, the activation that turns it into answers, and the cost. */
int hill__add_head(hill__builder *builder, const hill__op *output, const hill__op *cost, hill_error *error);

#endif
