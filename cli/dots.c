/*
 * dots.c - curves in characters: a canvas whose cells hold a few dots each, and what stands at its left.
 */
#include "dots.h"

#include <math.h>
#include <stdlib.h>

bool dots_make(dots *d, size_t width, size_t height, size_t across, size_t up)
{
    *d = (dots){width, height, across, up, calloc(width * height, 1)};
    return d->cells != NULL;
}

void dots_free(dots *d)
{
    free(d->cells);
    d->cells = NULL;
}

size_t dots_across(const dots *d)
{
    return d->width * d->across;
}

size_t dots_up(const dots *d)
{
    return d->height * d->up;
}

static void put(const dots *d, size_t x, size_t y)
{
    static const unsigned char bits[2][4] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};
    y = dots_up(d) - 1 - y;
    d->cells[y / d->up * d->width + x / d->across] |= bits[x % d->across][y % d->up];
}

void dots_line(const dots *d, double x0, double y0, double x1, double y1)
{
    double length = fabs(x1 - x0) > fabs(y1 - y0) ? fabs(x1 - x0) : fabs(y1 - y0);
    size_t steps = (size_t)length + 1;
    for (size_t i = 0; i <= steps; i++) {
        double part = (double)i / (double)steps;
        put(d, (size_t)(x0 + part * (x1 - x0) + 0.5), (size_t)(y0 + part * (y1 - y0) + 0.5));
    }
}

unsigned char dots_at(const dots *d, size_t column, size_t line)
{
    return d->cells[line * d->width + column];
}

void dots_braille(text *out, unsigned char bits)
{
    if (bits)
        text_format(out, "\xe2%c%c", 0xa0 | bits >> 6, 0x80 | (bits & 0x3f));
    else
        text_string(out, " ");
}

void dots_margin(text *out, const double *number, bool shapes)
{
    text label = TEXT_INIT;
    for (int digits = 3; number && digits > 0 && (digits == 3 || label.length > DOTS_MARGIN - 2); digits--) {
        text_clear(&label);
        text_number(&label, *number, digits);
    }
    text_cells(out, text_get(&label), DOTS_MARGIN - 2, true);
    text_format(out, " %s", !shapes ? "|" : number ? "\xe2\x94\xa4" : "\xe2\x94\x82");
    text_end(out, &label);
}

void dots_trim(text *line)
{
    while (line->length > 0 && line->data[line->length - 1] == ' ')
        line->data[--line->length] = '\0';
}
