/*
 * net.h - the text of a net: "128 relu, 64 tanh, output softmax".
 */
#ifndef HILL_PLAN_NET_H
#define HILL_PLAN_NET_H

#include "base/status.h"
#include "op/op.h"

#define HILL__NET_LAYERS 64
#define HILL__NET_UNITS 1048576

typedef struct hill__net_layer {
    size_t units; /* of the output layer 0: the targets say */
    const hill__op *activation;
} hill__net_layer;

typedef struct hill__net {
    hill__net_layer layers[HILL__NET_LAYERS]; /* hidden layers */
    size_t count;
    const hill__op *output; /* activation written for the output layer, or NULL */
} hill__net;

/* Reads a net. HILL_ERECIPE: says what isn't understood and at which character of the text. "" is a net without hidden layers. */
int hill__net_parse(const char *text, hill__net *net, hill_error *error);

#endif
