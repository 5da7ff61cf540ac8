/*
 * curve.h - the costs of a descent, epoch by epoch, and their picture in characters.
 */
#ifndef CLI_CURVE_H
#define CLI_CURVE_H

#include "text.h"

#define CURVE_POINTS 2048
#define CURVE_LEAST 20                 /* columns that a picture needs */
#define CURVE_MOST 100                 /* ... and that it takes at most */
#define CURVE_HEIGHT 8                 /* lines of the canvas ... */
#define CURVE_LINES (CURVE_HEIGHT + 4) /* ... and of all at most */

typedef struct curve_point {
    uint64_t epoch;
    double train, valid; /* mean costs; valid is NaN where there are no such rows */
} curve_point;

typedef struct curve {
    curve_point points[CURVE_POINTS]; /* of epochs 1, 1 + stride, 1 + 2 stride, ... */
    size_t count;
    uint64_t stride;  /* 1, 2, 4, ...; 0: none was added yet */
    curve_point last; /* the last one, whichever it is; epoch 0: there is none */
} curve;

/* What an epoch ended with. In the order of epochs, but that a descent may have gone back. */
void curve_add(curve *c, uint64_t epoch, double train, double valid);

/* The descent went back: what was told of later epochs than this is forgotten. */
void curve_back(curve *c, uint64_t epoch);

typedef struct curve_look {
    size_t width; /* of the terminal */
    bool braille; /* else ASCII */
    bool colour;
} curve_look;

/* Appends the picture, in whole lines narrower than the terminal. Returns how many: 0 where two epochs or columns are missing. */
size_t curve_draw(const curve *c, curve_look look, text *out);

#endif
