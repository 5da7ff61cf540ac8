/*
 * range.h - the rate range test: a descent whose rate grows with every step until the cost runs away.
 */
#ifndef CLI_RANGE_H
#define CLI_RANGE_H

#include "training.h"

typedef struct range_point {
    double rate;
    double cost;   /* of the batch */
    double still;  /* what the start weights cost on the same batch */
    double smooth; /* mean cost near this rate, without the luck of the batches; no finite number where it ran away */
} range_point;

typedef struct range {
    range_point *points;
    size_t count;
    double start;      /* mean cost of the start weights */
    size_t lowest;     /* the point where the smooth cost is least, before `lost` */
    size_t steepest;   /* ... where it falls fastest with the rate's logarithm, before that */
    size_t lost;       /* the first point behind that where half of the fall is lost again; `count`: there is none */
    double suggestion; /* of two digits; 0: none can be made */
    text why;          /* the suggestion, or that there is none, in words */
} range;

/* Knobs of a descent that is a test: it never goes back, never ends early, and has steps enough. Returns 0 or an exit code. */
int range_prepare(hill_recipe *recipe);

/*
 * Takes the test with a session of a recipe that was prepared, and of the training's tables; it leaves nothing but `out`, even where
 * it fails. Returns 0, or an exit code after saying why; that no rate can be suggested is no failure.
 */
int range_test(training *t, hill_session *session, range *out);
void range_free(range *r);

/* What a picture shows: the curve until it has run away, whole decades of the rate, as powers of ten, and some costs. */
typedef struct range_view {
    size_t count; /* points */
    int first, last;
    double low, high;
} range_view;
range_view range_look(const range *r);

/* Where a rate lies between the ends of the view, 0 to 1; and a cost, those outside at its ends. */
double range_across(const range_view *view, double rate);
double range_up(const range_view *view, double cost);

/* "0.01" for -2, "1e-5" for -5. */
void range_decade(text *out, int decade);

/* The curve in characters, with the suggestion marked, in lines of at most `width` cells; in braille or in ASCII. */
void range_draw(text *out, const range *r, size_t width, bool braille);

/* The curve as an SVG file that needs no other, for light and dark pages. */
void range_svg(text *out, const range *r, const char *data, const char *rule);

#endif
