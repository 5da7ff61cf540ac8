/*
 * dots.h - curves in characters: a canvas whose cells hold a few dots each, and what stands at its left.
 */
#ifndef CLI_DOTS_H
#define CLI_DOTS_H

#include "text.h"

typedef struct dots {
    size_t width, height; /* in cells */
    size_t across, up;    /* dots in a cell: 2 and 4 in braille, at most that elsewhere */
    unsigned char *cells; /* a bit a dot, those of braille */
} dots;

/* An empty canvas; false: memory ran out. */
bool dots_make(dots *d, size_t width, size_t height, size_t across, size_t up);
void dots_free(dots *d);

/* How many dots it has in each direction. */
size_t dots_across(const dots *d);
size_t dots_up(const dots *d);

/* Sets the dots between two places, both among them; y counts from below. Places are within the canvas. */
void dots_line(const dots *d, double x0, double y0, double x1, double y1);

/* The dots of a cell; line 0 is the uppermost. */
unsigned char dots_at(const dots *d, size_t column, size_t line);

/* A cell of braille; without dots a blank. */
void dots_braille(text *out, unsigned char bits);

/* What stands left of a line of the canvas: a number, or blanks where it is NULL, and the axis. */
#define DOTS_MARGIN 10 /* cells */
void dots_margin(text *out, const double *number, bool shapes);

/* Takes blanks off the end of a line. */
void dots_trim(text *line);

#endif
