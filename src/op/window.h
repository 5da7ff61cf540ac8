/*
 * window.h - what layers with a window see: patches of a picture, laid out as rows of a matrix and put back.
 *
 * A picture is [height][width][channels]. A patch is what the window covers at one place, [height][width][channels of a group].
 */
#ifndef HILL_OP_WINDOW_H
#define HILL_OP_WINDOW_H

#include <stdbool.h>
#include <stddef.h>

typedef struct hill__extent {
    size_t height, width, channels;
} hill__extent;

typedef struct hill__window {
    hill__extent in, out;
    size_t height, width; /* of the window; 0: a layer without one */
    size_t stride;
    bool padded;      /* windows reach beyond the picture, where everything is 0 */
    size_t top, left; /* how far they do */
    size_t groups;    /* of channels; an output sees those of its own group */
} hill__window;

/* Sets out's height and width, and what goes with `same`: as many places as the picture has, by the stride. False: no place. */
bool hill__window_place(hill__window *window, bool same);

/* Pixels, floats and the elements of a patch. They fit: the plan looked. */
static inline size_t hill__pixels(const hill__extent *extent)
{
    return extent->height * extent->width;
}

static inline size_t hill__extent_units(const hill__extent *extent)
{
    return extent->height * extent->width * extent->channels;
}

static inline size_t hill__patch_elements(const hill__window *window)
{
    return window->height * window->width * (window->in.channels / window->groups);
}

#endif
