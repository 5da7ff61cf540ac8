/*
 * progress.h - how far the descent is: one live line on a terminal, and the curve above it where that is wanted; whole lines now
 * and then elsewhere.
 */
#ifndef CLI_PROGRESS_H
#define CLI_PROGRESS_H

#include "curve.h"
#include "text.h"

#include <downhill.h>

typedef struct progress {
    bool live; /* standard error can redraw a line */
    bool colour;
    bool shapes;                                      /* it shows more than ASCII */
    bool drawn;                                       /* a live line stands there now */
    const char *name;                                 /* of one descent among several; NULL: there is one only */
    uint64_t first, total, epoch_steps, epochs, rows; /* `first`: steps taken before this process */
    double begin, looked, shown;
    uint64_t stride;     /* steps between two looks at the clock */
    uint64_t look_at;    /* the step at which to look next */
    double train, valid; /* at the last epoch's end; NaN before */
    text line;
    const curve *curve;        /* what stands above the line; NULL: nothing does */
    size_t above;              /* lines of it that stand there now ... */
    size_t cells[CURVE_LINES]; /* ... and how wide they are */
    size_t width, height;      /* of the terminal when they were drawn */
    uint64_t epoch;            /* the last one they show */
    double redrawn;
} progress;

/* Seconds of a clock that only goes forward. */
double progress_clock(void);

void progress_init(progress *p);

/* "reading digits ..." while nothing else can be said; on a terminal only. */
void progress_wait(progress *p, const char *doing, const char *what);

/* The descent begins or goes on: so many steps in all, so many rows and steps in an epoch. */
void progress_begin(progress *p, const hill_run *run, uint64_t rows);

/* After each step at or past p->look_at: looks at the clock, which it returns, and draws where it is time. */
double progress_look(progress *p, const hill_row *row);

/* Takes away all that is live; called before anything else is said. */
void progress_clear(progress *p);
void progress_free(progress *p);

#endif
