/*
 * depthwise.h - convolutions whose channels each have an output of their own and see nothing else.
 */
#ifndef HILL_OP_DEPTHWISE_H
#define HILL_OP_DEPTHWISE_H

#include "op/op.h"

static inline bool hill__is_depthwise(const hill__window *window)
{
    return window->groups > 1 && window->groups == window->in.channels && window->groups == window->out.channels;
}

/* Lines of places begin .. end - 1, counted through the pictures: answers, activations but for those of a whole row. */
void hill__depthwise_lines(const hill__instr *instr, const hill__walk *walk, size_t begin, size_t end);

/* The gradient of the weights of elements begin .. end - 1 of the window; a chain each over all places of the batch, in order. */
void hill__depthwise_weights(const hill__instr *instr, const hill__walk *walk, size_t begin, size_t end);

/* Adds to a picture of d_next what its places hand on. */
void hill__depthwise_hand_on(const hill__instr *instr, const hill__walk *walk, size_t picture);

#endif
