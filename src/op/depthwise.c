/*
 * depthwise.c - convolutions whose channels each have an output of their own and see nothing else (Howard 2017: MobileNets).
 *
 * Nothing is unfolded: for every element of the window a line of places takes the line of pixels that it sees there, channel by
 * channel times the element's weights. Invariant: chains are those of conv.c, along a patch and along the places of a batch; what
 * lies beyond the picture is left out, where conv.c adds zeros.
 */
#include "base/fp.h"

#include "op/depthwise.h"

#include <string.h>

#include "op/patch.h"

void hill__depthwise_lines(const hill__instr *instr, const hill__walk *walk, size_t begin, size_t end)
{
    const hill__window *window = &instr->window;
    const size_t n = window->groups, width = window->out.width;
    const float *x = hill__input_of(instr, walk), *weights = walk->weights + instr->weight;
    const hill__op *activation = instr->activation;
    for (size_t line = begin; line < end; line++) {
        float *z = hill__buffer(walk, instr->z) + line * width * n;
        memset(z, 0, width * n * sizeof *z);
        for (size_t e = 0; e < window->height * window->width; e++) {
            hill__span span = hill__span_of(window, line / window->out.height, line % window->out.height, e / window->width,
                                            e % window->width);
            walk->kernels->weigh_window(z + span.skip * n, n, x + span.offset, window->stride * n, weights + e * n, span.count,
                                        n);
        }
        walk->kernels->add_window(z, n, walk->weights + instr->bias, 0, width, n, 1);
        if (!(activation->flags & HILL__OP_ROW) && walk->kernels->map[activation->kernel])
            walk->kernels->map[activation->kernel](hill__buffer(walk, instr->y) + line * width * n, z, width * n);
    }
}

void hill__depthwise_weights(const hill__instr *instr, const hill__walk *walk, size_t begin, size_t end)
{
    const hill__window *window = &instr->window;
    const size_t n = window->groups;
    const float *x = hill__input_of(instr, walk);
    float *gradient = walk->gradient + instr->weight;
    if (!walk->add)
        memset(gradient + begin * n, 0, (end - begin) * n * sizeof *gradient);
    for (size_t line = 0; line < walk->rows * window->out.height; line++)
        for (size_t e = begin; e < end; e++) {
            hill__span span = hill__span_of(window, line / window->out.height, line % window->out.height, e / window->width,
                                            e % window->width);
            walk->kernels->window_products(gradient + e * n, x + span.offset, window->stride * n,
                                           walk->d + (line * window->out.width + span.skip) * n, n, span.count, n);
        }
}

void hill__depthwise_hand_on(const hill__instr *instr, const hill__walk *walk, size_t picture)
{
    const hill__window *window = &instr->window;
    const size_t n = window->groups, elements = window->height * window->width;
    for (size_t y = 0; y < window->out.height; y++)
        for (size_t e = 0; e < elements; e++) {
            hill__span span = hill__span_of(window, picture, y, e / window->width, e % window->width);
            const float *d = walk->d + ((picture * window->out.height + y) * window->out.width + span.skip) * n;
            walk->kernels->weigh_window(walk->d_next + span.offset, window->stride * n, d, n,
                                        walk->weights + instr->weight + e * n, span.count, n);
        }
}
