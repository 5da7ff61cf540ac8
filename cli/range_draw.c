/*
 * range_draw.c - the curve of a rate range test in characters.
 *
 * A cell holds a few dots: two by four in braille, one by two in ASCII. No line is wider than it was told, down to 18 cells.
 */
#include "range.h"

#include "dots.h"

#define CELLS_LEAST 8
#define LINES_MOST 14
#define LINES_LEAST 8

typedef struct canvas {
    dots dots;
    bool braille;
    size_t mark; /* the column of the suggestion; SIZE_MAX: none */
} canvas;

static void put_curve(const canvas *c, const range *r, const range_view *view)
{
    double right = (double)dots_across(&c->dots) - 1, top = (double)dots_up(&c->dots) - 1, last_x = 0, last_y = 0;
    for (size_t i = 0; i < view->count; i++) {
        double across = range_across(view, r->points[i].rate);
        double x = (across > 1 ? 1 : across) * right, y = range_up(view, r->points[i].smooth) * top;
        dots_line(&c->dots, i ? last_x : x, i ? last_y : y, x, y);
        last_x = x;
        last_y = y;
    }
}

static void add_cell(const canvas *c, text *out, size_t column, unsigned char bits)
{
    static const char ascii[] = " '.:";
    if (bits == 0 && column == c->mark)
        text_string(out, c->braille ? "\xe2\x94\x8a" : "|");
    else if (c->braille)
        dots_braille(out, bits);
    else
        text_bytes(out, &ascii[bits], 1);
}

/* A line of the picture, with the cost that its middle stands for at every third one. */
static void add_line(const canvas *c, text *out, const range_view *view, size_t line)
{
    text words = TEXT_INIT;
    double up = ((double)(c->dots.height - line) - 0.5) / (double)c->dots.height;
    double cost = view->low + up * (view->high - view->low);
    dots_margin(&words, line % 3 == 1 ? &cost : NULL, c->braille);
    for (size_t x = 0; x < c->dots.width; x++)
        add_cell(c, &words, x, dots_at(&c->dots, x, line));
    dots_trim(&words);
    text_string(&words, "\n");
    text_string(out, text_get(&words));
    text_end(out, &words);
}

static size_t column_of(const canvas *c, double across)
{
    return (size_t)((across < 0 ? 0 : across > 1 ? 1 : across) * (double)(c->dots.width - 1) + 0.5);
}

/* The axis and the rates below it: as many decades as have room. */
static void add_axis(const canvas *c, text *out, const range_view *view)
{
    text axis = TEXT_INIT, words = TEXT_INIT;
    size_t used = 0, next = 0;
    text_repeat(&axis, " ", DOTS_MARGIN - 1);
    text_string(&axis, c->braille ? "\xe2\x94\x94" : "+");
    text_repeat(&words, " ", DOTS_MARGIN);
    for (int decade = view->first; decade <= view->last; decade++) {
        text label = TEXT_INIT;
        range_decade(&label, decade);
        size_t column = column_of(c, (double)(decade - view->first) / (view->last - view->first));
        text_repeat(&axis, c->braille ? "\xe2\x94\x80" : "-", column - used);
        text_string(&axis, c->braille ? "\xe2\x94\xb4" : "+");
        used = column + 1;
        size_t begin = column + 1 > label.length ? column + 1 - label.length : 0; /* under its tick or ending there */
        if (column + label.length <= c->dots.width)
            begin = column;
        if ((begin >= next || next == 0) && begin + label.length <= c->dots.width) {
            text_repeat(&words, " ", DOTS_MARGIN + begin - words.length);
            text_string(&words, text_get(&label));
            next = begin + label.length + 1;
        }
        text_end(&words, &label);
    }
    text_format(out, "%s\n%s\n", text_get(&axis), text_get(&words));
    text_end(out, &axis);
    text_end(out, &words);
}

void range_draw(text *out, const range *r, size_t width, bool braille)
{
    range_view view = range_look(r);
    size_t cells = width > DOTS_MARGIN + CELLS_LEAST ? width - DOTS_MARGIN : CELLS_LEAST;
    size_t lines = cells / 5 > LINES_MOST ? LINES_MOST : cells / 5 < LINES_LEAST ? LINES_LEAST : cells / 5;
    canvas c = {.braille = braille, .mark = SIZE_MAX};
    if (!dots_make(&c.dots, cells, lines, braille ? 2 : 1, braille ? 4 : 2)) {
        out->failed = true;
        return;
    }
    if (r->suggestion > 0)
        c.mark = column_of(&c, range_across(&view, r->suggestion));
    put_curve(&c, r, &view);
    text_string(out, "cost against rate\n");
    for (size_t line = 0; line < lines; line++)
        add_line(&c, out, &view, line);
    add_axis(&c, out, &view);
    dots_free(&c.dots);
}
