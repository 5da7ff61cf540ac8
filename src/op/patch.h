/*
 * patch.h - patches of pictures as the rows of a matrix, and their sum back into pictures.
 */
#ifndef HILL_OP_PATCH_H
#define HILL_OP_PATCH_H

#include "kernel/kernel.h"
#include "op/window.h"

/* Elements begin .. end - 1 of the patches of one group of channels. */
typedef struct hill__patches {
    const hill__kernels *kernels;
    const hill__window *window;
    size_t group;
    size_t begin, end;
} hill__patches;

/* Of a line of places those whose windows have an element within the picture, `count` from number `skip` on; the first one's. */
typedef struct hill__span {
    size_t skip, count;
    size_t offset; /* of the pixel's first channel */
} hill__span;

/* Of line y of the places of a picture, for element (row, column) of the window. */
hill__span hill__span_of(const hill__window *window, size_t picture, size_t y, size_t row, size_t column);

/* rows[count][end - begin]: the patches at places first .. first + count - 1, counted through all pictures of x. */
void hill__unfold(const hill__patches *patches, const float *x, size_t first, size_t count, float *rows);

/* Adds such rows to dx, where they come from: for every element in turn, place by place. */
void hill__fold(const hill__patches *patches, float *dx, size_t first, size_t count, const float *rows);

#endif
