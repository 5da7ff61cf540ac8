/*
 * range_draw.c - the curve of a rate range test in characters.
 *
 * A cell holds a few dots: two by four in braille, one by two in ASCII. No line is wider than it was told, down to 18 cells.
 */
#include "range.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LABELS 10 /* cells of the costs at the left and the axis */
#define CELLS_LEAST 8
#define LINES_MOST 14
#define LINES_LEAST 8

typedef struct canvas {
    size_t width, height; /* in cells */
    bool dots;
    unsigned char *cells; /* a bit a dot */
    size_t mark;          /* the column of the suggestion; SIZE_MAX: none */
} canvas;

static size_t dots_across(const canvas *c)
{
    return c->width * (c->dots ? 2 : 1);
}

static size_t dots_up(const canvas *c)
{
    return c->height * (c->dots ? 4 : 2);
}

/* y counts from below. */
static void put_dot(const canvas *c, size_t x, size_t y)
{
    static const unsigned char braille[2][4] = {{0x01, 0x02, 0x04, 0x40}, {0x08, 0x10, 0x20, 0x80}};
    y = dots_up(c) - 1 - y;
    if (c->dots)
        c->cells[y / 4 * c->width + x / 2] |= braille[x % 2][y % 4];
    else
        c->cells[y / 2 * c->width + x] |= (unsigned char)(1 << y % 2);
}

static void put_line(const canvas *c, double x0, double y0, double x1, double y1)
{
    double length = fabs(x1 - x0) > fabs(y1 - y0) ? fabs(x1 - x0) : fabs(y1 - y0);
    size_t steps = (size_t)length + 1;
    for (size_t i = 0; i <= steps; i++) {
        double part = (double)i / (double)steps;
        put_dot(c, (size_t)(x0 + part * (x1 - x0) + 0.5), (size_t)(y0 + part * (y1 - y0) + 0.5));
    }
}

static void put_curve(const canvas *c, const range *r, const range_view *view)
{
    double right = (double)dots_across(c) - 1, top = (double)dots_up(c) - 1, last_x = 0, last_y = 0;
    for (size_t i = 0; i < view->count; i++) {
        double across = range_across(view, r->points[i].rate);
        double x = (across > 1 ? 1 : across) * right, y = range_up(view, r->points[i].smooth) * top;
        put_line(c, i ? last_x : x, i ? last_y : y, x, y);
        last_x = x;
        last_y = y;
    }
}

static void add_cell(const canvas *c, text *out, size_t column, unsigned char bits)
{
    static const char ascii[] = " '.:";
    if (bits == 0 && column == c->mark)
        text_string(out, c->dots ? "\xe2\x94\x8a" : "|");
    else if (bits == 0 || !c->dots)
        text_bytes(out, &ascii[bits], 1);
    else
        text_format(out, "\xe2%c%c", 0xa0 | bits >> 6, 0x80 | (bits & 0x3f));
}

static void trim(text *line)
{
    while (line->length > 0 && line->data[line->length - 1] == ' ')
        line->data[--line->length] = '\0';
}

/* A line of the picture, with the cost that its middle stands for at every third one. */
static void add_line(const canvas *c, text *out, const range_view *view, size_t line)
{
    text words = TEXT_INIT;
    double up = ((double)(c->height - line) - 0.5) / (double)c->height;
    if (line % 3 == 1) {
        text number = TEXT_INIT;
        text_number(&number, view->low + up * (view->high - view->low), 3);
        text_cells(&words, text_get(&number), LABELS - 2, true);
        text_end(&words, &number);
    } else {
        text_repeat(&words, " ", LABELS - 2);
    }
    text_format(&words, " %s", c->dots ? line % 3 == 1 ? "\xe2\x94\xa4" : "\xe2\x94\x82" : "|");
    for (size_t x = 0; x < c->width; x++)
        add_cell(c, &words, x, c->cells[line * c->width + x]);
    trim(&words);
    text_string(&words, "\n");
    text_string(out, text_get(&words));
    text_end(out, &words);
}

static size_t column_of(const canvas *c, double across)
{
    return (size_t)((across < 0 ? 0 : across > 1 ? 1 : across) * (double)(c->width - 1) + 0.5);
}

/* The axis and the rates below it: as many decades as have room. */
static void add_axis(const canvas *c, text *out, const range_view *view)
{
    text axis = TEXT_INIT, words = TEXT_INIT;
    size_t used = 0, next = 0;
    text_repeat(&axis, " ", LABELS - 1);
    text_string(&axis, c->dots ? "\xe2\x94\x94" : "+");
    text_repeat(&words, " ", LABELS);
    for (int decade = view->first; decade <= view->last; decade++) {
        text label = TEXT_INIT;
        range_decade(&label, decade);
        size_t column = column_of(c, (double)(decade - view->first) / (view->last - view->first));
        text_repeat(&axis, c->dots ? "\xe2\x94\x80" : "-", column - used);
        text_string(&axis, c->dots ? "\xe2\x94\xb4" : "+");
        used = column + 1;
        size_t begin = column + 1 > label.length ? column + 1 - label.length : 0; /* under its tick or ending there */
        if (column + label.length <= c->width)
            begin = column;
        if ((begin >= next || next == 0) && begin + label.length <= c->width) {
            text_repeat(&words, " ", LABELS + begin - words.length);
            text_string(&words, text_get(&label));
            next = begin + label.length + 1;
        }
        text_end(&words, &label);
    }
    text_format(out, "%s\n%s\n", text_get(&axis), text_get(&words));
    text_end(out, &axis);
    text_end(out, &words);
}

void range_draw(text *out, const range *r, size_t width, bool dots)
{
    range_view view = range_look(r);
    size_t cells = width > LABELS + CELLS_LEAST ? width - LABELS : CELLS_LEAST;
    size_t lines = cells / 5 > LINES_MOST ? LINES_MOST : cells / 5 < LINES_LEAST ? LINES_LEAST : cells / 5;
    canvas c = {cells, lines, dots, calloc(cells * lines, 1), SIZE_MAX};
    if (!c.cells) {
        out->failed = true;
        return;
    }
    if (r->suggestion > 0)
        c.mark = column_of(&c, range_across(&view, r->suggestion));
    put_curve(&c, r, &view);
    text_string(out, "cost against rate\n");
    for (size_t line = 0; line < c.height; line++)
        add_line(&c, out, &view, line);
    add_axis(&c, out, &view);
    free(c.cells);
}
