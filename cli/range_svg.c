/*
 * range_svg.c - the curve of a rate range test as a picture: one SVG file without scripts, fonts or links.
 *
 * Colours are set once for light pages and once for dark ones. Coordinates have two decimals, so that the same test makes the same
 * file.
 */
#include "range.h"

#include <math.h>
#include <string.h>

enum { WIDTH = 720, HEIGHT = 444, LEFT = 72, RIGHT = 700, TOP = 56, BOTTOM = 360 };

#define TICKS 6 /* at most */

/* Plain properties, and no variables: many that draw SVG know no more. */
static const char head[] =
    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 444\" width=\"720\" height=\"444\" role=\"img\" "
    "aria-labelledby=\"title\" font-family=\"system-ui, sans-serif\" font-size=\"13\">\n"
    "<style>\n"
    ".page{fill:#fff}.ink{fill:#1c2330}.faint{fill:#667085}.grid{stroke:#e4e7ec}.raw{fill:#b8c4dc}\n"
    ".curve{fill:none;stroke:#2457c5;stroke-width:2.5;stroke-linejoin:round}\n"
    ".mark{stroke:#b54708;stroke-width:1.5;stroke-dasharray:5 4}.named{fill:#b54708;font-weight:600}\n"
    "@media(prefers-color-scheme:dark){.page{fill:#14171d}.ink{fill:#e8eaf0}.faint{fill:#98a2b3}.grid{stroke:#2b303b}\n"
    ".raw{fill:#46536e}.curve{stroke:#84adff}.mark{stroke:#fdb022}.named{fill:#fdb022}}\n"
    "</style>\n";

static double x_of(const range_view *view, double rate)
{
    return LEFT + range_across(view, rate) * (RIGHT - LEFT);
}

static double y_of(const range_view *view, double cost)
{
    return BOTTOM - range_up(view, cost) * (BOTTOM - TOP);
}

/* Text with what XML would read as its own escaped. */
static void add_words(text *out, const char *words)
{
    text safe = TEXT_INIT;
    text_safe(&safe, words, false);
    for (const char *s = text_get(&safe); *s; s++) {
        if (*s == '&')
            text_string(out, "&amp;");
        else if (*s == '<')
            text_string(out, "&lt;");
        else
            text_bytes(out, s, 1);
    }
    text_end(out, &safe);
}

static void add_rates(text *out, const range_view *view)
{
    for (int decade = view->first; decade <= view->last; decade++) {
        double x = LEFT + (double)(decade - view->first) / (view->last - view->first) * (RIGHT - LEFT);
        text_format(out, "<line class=\"grid\" x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\"/>", x, TOP, x, BOTTOM);
        text_format(out, "<text class=\"faint\" x=\"%.2f\" y=\"%d\" text-anchor=\"middle\">", x, BOTTOM + 20);
        range_decade(out, decade);
        text_string(out, "</text>\n");
    }
    text_format(out, "<text class=\"ink\" x=\"%d\" y=\"%d\" text-anchor=\"middle\">rate</text>\n", (LEFT + RIGHT) / 2,
                BOTTOM + 44);
}

/* 1, 2 or 5 times a power of ten: the least that is no less than `least`. */
static double round_step(double least)
{
    double ten = pow(10, floor(log10(least)));
    return least <= ten ? ten : least <= 2 * ten ? 2 * ten : least <= 5 * ten ? 5 * ten : 10 * ten;
}

static void add_costs(text *out, const range_view *view)
{
    double step = round_step((view->high - view->low) / TICKS);
    for (double i = ceil(view->low / step); i * step <= view->high; i++) {
        double y = y_of(view, i * step);
        text_format(out, "<line class=\"grid\" x1=\"%d\" y1=\"%.2f\" x2=\"%d\" y2=\"%.2f\"/>", LEFT, y, RIGHT, y);
        text_format(out, "<text class=\"faint\" x=\"%d\" y=\"%.2f\" text-anchor=\"end\">%.4g</text>\n", LEFT - 8, y + 4.5,
                    i * step);
    }
    text_format(out, "<text class=\"ink\" x=\"%d\" y=\"%d\">cost</text>\n", LEFT - 42, TOP - 16);
}

static void add_curve(text *out, const range *r, const range_view *view)
{
    for (size_t i = 0; i < view->count; i++)
        if (r->points[i].cost <= view->high && r->points[i].cost >= view->low)
            text_format(out, "<circle class=\"raw\" cx=\"%.2f\" cy=\"%.2f\" r=\"1.6\"/>\n", x_of(view, r->points[i].rate),
                        y_of(view, r->points[i].cost));
    text_string(out, "<path class=\"curve\" d=\"");
    for (size_t i = 0; i < view->count; i++)
        text_format(out, "%s%.2f %.2f", i ? "L" : "M", x_of(view, r->points[i].rate), y_of(view, r->points[i].smooth));
    text_string(out, "\"/>\n");
}

static void add_suggestion(text *out, const range *r, const range_view *view)
{
    double x = x_of(view, r->suggestion);
    bool left = x > (LEFT + RIGHT) / 2.0;
    text_format(out, "<line class=\"mark\" x1=\"%.2f\" y1=\"%d\" x2=\"%.2f\" y2=\"%d\"/>\n", x, TOP, x, BOTTOM);
    text_format(out, "<text class=\"named\" x=\"%.2f\" y=\"%d\" text-anchor=\"%s\">--rate %g</text>\n", left ? x - 8 : x + 8,
                TOP + 18, left ? "end" : "start", r->suggestion);
}

void range_svg(text *out, const range *r, const char *data, const char *rule)
{
    range_view view = range_look(r);
    text_string(out, head);
    text_string(out, "<title id=\"title\">Rate range test of ");
    add_words(out, data);
    text_string(out, "</title>\n<rect class=\"page\" width=\"720\" height=\"444\"/>\n");
    text_format(out, "<text class=\"ink\" x=\"%d\" y=\"24\" text-anchor=\"end\" font-weight=\"600\">", RIGHT);
    add_words(out, data);
    text_format(out, ", %s</text>\n", rule);
    add_rates(out, &view);
    add_costs(out, &view);
    if (view.count > 0)
        add_curve(out, r, &view);
    if (r->suggestion > 0)
        add_suggestion(out, r, &view);
    text_format(out, "<text class=\"faint\" x=\"%d\" y=\"%d\">", LEFT, HEIGHT - 12);
    add_words(out, text_get(&r->why));
    text_string(out, "</text>\n</svg>\n");
}
