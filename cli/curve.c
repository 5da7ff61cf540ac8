/*
 * curve.c - the costs of a descent, epoch by epoch, and their picture in characters.
 *
 * Invariant: which epochs are kept follows from their numbers alone, and never are more than CURVE_POINTS; no line is as wide as the
 * terminal, so that none wraps. The two curves differ in what they are drawn with, not in colour alone.
 */
#include "curve.h"

#include "dots.h"

#include <float.h>
#include <math.h>
#include <string.h>

#define DECADES 2 /* a range of more is shown by powers of ten */
#define WIDE 40   /* columns from which on the costs are called so */

enum { TRAIN, VALID, KINDS };

static const char *const names[KINDS] = {"train", "valid"};
static const char ascii_marks[KINDS] = {'*', 'o'};
static const char *const colours[KINDS] = {"\033[36m", "\033[33m"};

/* What a picture shows. */
typedef struct view {
    double low, high; /* costs, or their logarithms */
    bool powers;
    uint64_t first, last; /* epochs */
} view;

static double cost_of(const curve_point *point, int kind)
{
    return kind == TRAIN ? point->train : point->valid;
}

/* The i-th point that is shown: those kept, and the last epoch where it isn't among them. */
static const curve_point *point_at(const curve *c, size_t i)
{
    if (i < c->count)
        return &c->points[i];
    bool more = c->last.epoch && (c->count == 0 || c->points[c->count - 1].epoch < c->last.epoch);
    return i == c->count && more ? &c->last : NULL;
}

/* Whether the stride leads to this epoch; it begins at the first. */
static bool is_kept(const curve *c, uint64_t epoch)
{
    return (epoch - 1) % c->stride == 0;
}

/* Keeps every other point. */
static void thin(curve *c)
{
    size_t kept = 0;
    c->stride *= 2;
    for (size_t i = 0; i < c->count; i++)
        if (is_kept(c, c->points[i].epoch))
            c->points[kept++] = c->points[i];
    c->count = kept;
}

void curve_add(curve *c, uint64_t epoch, double train, double valid)
{
    if (c->stride == 0)
        c->stride = 1;
    c->last = (curve_point){epoch, train, valid};
    while (is_kept(c, epoch) && c->count == CURVE_POINTS)
        thin(c);
    if (is_kept(c, epoch))
        c->points[c->count++] = c->last;
}

void curve_back(curve *c, uint64_t epoch)
{
    while (c->count > 0 && c->points[c->count - 1].epoch > epoch)
        c->count--;
    if (c->last.epoch > epoch)
        c->last = c->count ? c->points[c->count - 1] : (curve_point){0, NAN, NAN};
}

/* The least and the greatest cost, and the least that has a logarithm. */
typedef struct span {
    double low, high, positive;
} span;

static void widen(span *s, double cost)
{
    if (!isfinite(cost))
        return;
    s->low = cost < s->low ? cost : s->low;
    s->high = cost > s->high ? cost : s->high;
    s->positive = cost > 0 && cost < s->positive ? cost : s->positive;
}

/* Looks through all costs; false where there are no two epochs to show. */
static bool look_at(const curve *c, view *v)
{
    const curve_point *point;
    span all = {DBL_MAX, -DBL_MAX, DBL_MAX};
    *v = (view){.first = 0};
    for (size_t i = 0; (point = point_at(c, i)) != NULL; i++) {
        widen(&all, point->train);
        widen(&all, point->valid);
        v->first = i ? v->first : point->epoch;
        v->last = point->epoch;
    }
    if (v->first == v->last || all.low > all.high)
        return false;
    /* A cost of 0 lies below every power, at the foot of the picture. */
    v->powers = all.low >= 0 && all.high > 0 && log10(all.high) - log10(all.positive) > DECADES;
    v->low = v->powers ? log10(all.positive) : all.low;
    v->high = v->powers ? log10(all.high) : all.high;
    if (!(v->high - v->low > 1e-12 * fabs(v->high))) {
        double room = v->high != 0 ? fabs(v->high) / 2 : 0.5;
        v->low -= all.low == 0 ? 0 : room;
        v->high += room;
    }
    return isfinite(v->high - v->low);
}

/* What the middle of a line stands for. */
static double cost_at(const view *v, size_t line)
{
    double up = ((double)(CURVE_HEIGHT - line) - 0.5) / CURVE_HEIGHT;
    double value = v->low + up * (v->high - v->low);
    return v->powers ? pow(10, value) : value;
}

static void put_curve(const dots *d, const curve *c, const view *v, int kind)
{
    const curve_point *point;
    double right = (double)dots_across(d) - 1, top = (double)dots_up(d) - 1, last_x = 0, last_y = 0;
    bool drawn = false;
    for (size_t i = 0; (point = point_at(c, i)) != NULL; i++) {
        double cost = cost_of(point, kind);
        if (!isfinite(cost))
            continue;
        double x = (double)(point->epoch - v->first) / (double)(v->last - v->first) * right;
        double y = ((v->powers ? log10(cost) : cost) - v->low) / (v->high - v->low) * top;
        y = y < 0 ? 0 : y > top ? top : y;
        dots_line(d, drawn ? last_x : x, drawn ? last_y : y, x, y);
        last_x = x;
        last_y = y;
        drawn = true;
    }
}

/* Of validation every other cell only, which tells it from training where there is no colour; in ASCII another letter does. */
static unsigned char shown_at(const dots *canvases, int kind, curve_look look, size_t column, size_t line)
{
    return kind == VALID && look.braille && column % 2 ? 0 : dots_at(&canvases[kind], column, line);
}

static void add_line(text *out, const dots *canvases, const view *v, curve_look look, size_t line)
{
    text words = TEXT_INIT;
    double cost = cost_at(v, line);
    int colour = KINDS; /* none */
    dots_margin(&words, line % 3 == 1 ? &cost : NULL, look.braille);
    size_t end = canvases->width;
    while (end > 0 && !shown_at(canvases, TRAIN, look, end - 1, line) && !shown_at(canvases, VALID, look, end - 1, line))
        end--;
    for (size_t x = 0; x < end; x++) {
        unsigned char train = shown_at(canvases, TRAIN, look, x, line), valid = shown_at(canvases, VALID, look, x, line);
        int kind = valid ? VALID : train ? TRAIN : KINDS;
        if (look.colour && kind != KINDS && kind != colour)
            text_string(&words, colours[colour = kind]);
        if (look.braille)
            dots_braille(&words, train | valid);
        else
            text_bytes(&words, kind == KINDS ? " " : &ascii_marks[kind], 1);
    }
    text_string(&words, colour != KINDS ? "\033[0m\n" : "\n");
    text_string(out, text_get(&words));
    text_end(out, &words);
}

/* The axis, and below it the first and the last epoch and, where there is room, the word. */
static void add_axis(text *out, const view *v, curve_look look, size_t width)
{
    static const char word[] = "epoch";
    text first = TEXT_INIT, last = TEXT_INIT, words = TEXT_INIT;
    text_count(&first, v->first);
    text_count(&last, v->last);
    text_repeat(&words, " ", DOTS_MARGIN - 1);
    text_string(&words, look.braille ? "\xe2\x94\x94" : "+");
    text_repeat(&words, look.braille ? "\xe2\x94\x80" : "-", width);
    text_string(&words, "\n");
    text_string(out, text_get(&words));
    text_clear(&words);
    text_repeat(&words, " ", DOTS_MARGIN);
    if (first.length + 1 + last.length <= width)
        text_string(&words, text_get(&first));
    size_t used = words.length - DOTS_MARGIN, middle = (width - sizeof word + 1) / 2;
    if (middle > used && middle + sizeof word + last.length <= width) {
        text_repeat(&words, " ", middle - used);
        text_string(&words, word);
    }
    size_t end = DOTS_MARGIN + width;
    if (words.length + last.length > end)
        text_clear(&words);
    if (last.length <= end) {
        text_repeat(&words, " ", end - words.length - last.length);
        text_string(&words, text_get(&last));
    }
    text_string(&words, "\n");
    text_string(out, text_get(&words));
    text_end(out, &words);
    text_end(out, &first);
    text_end(out, &last);
}

static void add_mark(text *out, int kind, curve_look look)
{
    static const char *const shapes[KINDS] = {"\xe2\xa0\x92\xe2\xa0\x92\xe2\xa0\x92", "\xe2\xa0\x92 \xe2\xa0\x92"};
    text_string(out, look.colour ? colours[kind] : "");
    if (look.braille)
        text_string(out, shapes[kind]);
    else
        text_bytes(out, &ascii_marks[kind], 1);
    text_string(out, look.colour ? "\033[0m" : "");
}

/* What is drawn how, with the last costs; on two lines where one is too narrow. Returns how many lines. */
static size_t add_legend(text *out, const curve *c, curve_look look)
{
    size_t used = 0, lines = 1;
    if (look.width >= WIDE) {
        text_string(out, "cost");
        used = strlen("cost");
    }
    for (int kind = 0; kind < KINDS; kind++) {
        text words = TEXT_INIT;
        double cost = cost_of(&c->last, kind);
        if (kind == VALID && isnan(cost))
            continue;
        text_format(&words, " %s ", names[kind]);
        text_number(&words, cost, 4);
        size_t cells = (look.braille ? 3 : 1) + words.length;
        if (used && used + 3 + cells >= look.width) {
            text_string(out, "\n");
            lines++;
        } else {
            text_string(out, used ? "   " : "");
        }
        used += used ? 3 + cells : cells;
        add_mark(out, kind, look);
        text_string(out, text_get(&words));
        text_end(out, &words);
    }
    text_string(out, "\n");
    return lines;
}

size_t curve_draw(const curve *c, curve_look look, text *out)
{
    view v;
    dots canvases[KINDS] = {{.cells = NULL}};
    if (look.width < CURVE_LEAST || !look_at(c, &v))
        return 0;
    look.width = look.width > CURVE_MOST ? CURVE_MOST : look.width;
    size_t width = look.width - 1 - DOTS_MARGIN;
    bool made = true;
    for (int kind = 0; kind < KINDS; kind++)
        made = made && dots_make(&canvases[kind], width, CURVE_HEIGHT, look.braille ? 2 : 1, look.braille ? 4 : 1);
    size_t lines = CURVE_HEIGHT + 2;
    if (made) {
        for (int kind = 0; kind < KINDS; kind++)
            put_curve(&canvases[kind], c, &v, kind);
        lines += add_legend(out, c, look);
        for (size_t line = 0; line < CURVE_HEIGHT; line++)
            add_line(out, canvases, &v, look, line);
        add_axis(out, &v, look, width);
    }
    for (int kind = 0; kind < KINDS; kind++)
        dots_free(&canvases[kind]);
    out->failed = out->failed || !made;
    return made ? lines : 0;
}
