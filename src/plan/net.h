/*
 * net.h - the text of a net: "128 relu, 64 tanh, output softmax".
 */
#ifndef HILL_PLAN_NET_H
#define HILL_PLAN_NET_H

#include "base/status.h"
#include "op/op.h"

#define HILL__NET_LAYERS 64
#define HILL__NET_UNITS 1048576
#define HILL__NET_WINDOW 65535
#define HILL__NET_PART 0.99 /* dropped at most */
#define HILL__NET_DEVIATION 1000

typedef struct hill__net_layer {
    const hill__op *op;
    size_t units;         /* or channels that come out; 0: as many as go in */
    size_t height, width; /* of the window; height 0: 1 on a row of columns, else as the width; both 0: all there is */
    size_t stride;        /* 0: 1, or a pooling window's width */
    size_t groups;
    bool same;
    double part;      /* that is dropped */
    size_t waves;     /* that come of each unit */
    double deviation; /* of their numbers at first */
    const hill__op *activation;
    size_t at; /* 1-based character of the text */
} hill__net_layer;

typedef struct hill__net {
    hill__net_layer layers[HILL__NET_LAYERS]; /* hidden layers */
    size_t count;
    hill__lookup lookups[HILL__LOOKUPS]; /* of an embedding, which is the first layer */
    size_t lookup_count;
    const hill__op *output; /* activation written for the output layer, or NULL */
} hill__net;

/* Reads a net. HILL_ERECIPE: says what isn't understood and at which character of the text. "" is a net without hidden layers. */
int hill__net_parse(const char *text, hill__net *net, hill_error *error);

#endif
