/*
 * progress.c - how far the descent is: one live line on a terminal, and the curve above it where that is wanted; whole lines now
 * and then elsewhere.
 *
 * Invariant: a step costs the progress one comparison; the clock is read about fifty times a second, whatever a step takes. A
 * live line is never as wide as the terminal, so it never wraps. Without a terminal no escape code is written. What stands on the
 * screen is known here and nowhere else, so that it can be taken away; where a terminal became narrower, its lines are taken to
 * have been wrapped, as nearly all terminals do.
 */
#define _POSIX_C_SOURCE 200809L

#include "progress.h"

#include "output.h"
#include "stop.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LOOK_SOON 0.01 /* seconds between looks under which the stride doubles */
#define LOOK_LATE 0.04 /* ... over which it halves */
#define REDRAW 0.1     /* seconds between two drawings of the live line */
#define CURVE 0.25     /* ... and of the curve */
#define FIRST_LINE 2.0 /* seconds until the first whole line */
#define LINES 20.0     /* whole lines over a run ... */
#define SILENCE 60.0   /* ... but never longer than this without one */
#define MEASURED 0.5   /* seconds of descent that an ETA needs */
#define BAR_LEAST 8
#define BAR_MOST 24

enum { PART_NAME, PART_PERCENT, PART_BAR, PART_EPOCH, PART_RATE, PART_ETA, PART_TRAIN, PART_VALID, PARTS };

typedef struct parts {
    char words[PARTS][48];
} parts;

static void format_eta(double seconds, char *out, size_t size)
{
    unsigned long long whole = (unsigned long long)(seconds + 0.5);
    if (whole < 3600)
        (void)snprintf(out, size, "ETA %llu:%02llu", whole / 60, whole % 60);
    else if (whole < 48 * 3600)
        (void)snprintf(out, size, "ETA %llu:%02llu:%02llu", whole / 3600, whole / 60 % 60, whole % 60);
    else
        (void)snprintf(out, size, "ETA %llu days", whole / 86400);
}

static void format_rate(double rate, char *out, size_t size)
{
    static const char *const units[] = {"", "k", "M", "G"};
    size_t unit = 0;
    while (rate >= 999.5 && unit < 3) {
        rate /= 1000;
        unit++;
    }
    (void)snprintf(out, size, "%.*f%s rows/s", rate < 9.95 ? 1 : 0, rate, units[unit]);
}

static void format_parts(const progress *p, const hill_row *row, double now, parts *out)
{
    double elapsed = now - p->begin;
    double done = (double)row->step / (double)p->total;
    double taken = row->step > p->first ? (double)(row->step - p->first) : 1;
    double rate = taken * (double)p->rows / (double)p->epoch_steps / (elapsed > 1e-9 ? elapsed : 1e-9);
    int digits = snprintf(NULL, 0, "%llu", (unsigned long long)p->epochs);
    memset(out, 0, sizeof *out);
    (void)snprintf(out->words[PART_NAME], sizeof *out->words, "%.40s", p->name ? p->name : "");
    (void)snprintf(out->words[PART_PERCENT], sizeof *out->words, "%3.0f%%", floor(done * 100));
    (void)snprintf(out->words[PART_EPOCH], sizeof *out->words, "epoch %*llu/%llu", digits, (unsigned long long)row->epoch,
                   (unsigned long long)p->epochs);
    format_rate(rate, out->words[PART_RATE], sizeof *out->words);
    if (elapsed < MEASURED)
        (void)snprintf(out->words[PART_ETA], sizeof *out->words, "ETA measuring");
    else
        format_eta(elapsed * ((double)p->total - (double)row->step) / taken, out->words[PART_ETA], sizeof *out->words);
    /* Until the first epoch ends the last batch's cost is all there is. */
    if (isnan(p->train))
        (void)snprintf(out->words[PART_TRAIN], sizeof *out->words, "batch %-8.4g", row->cost);
    else
        (void)snprintf(out->words[PART_TRAIN], sizeof *out->words, "train %-8.4g", p->train);
    if (!isnan(p->valid))
        (void)snprintf(out->words[PART_VALID], sizeof *out->words, "valid %-8.4g", p->valid);
}

static void add_bar(progress *p, size_t cells, double done)
{
    size_t full = (size_t)(done * (double)cells);
    text_repeat(&p->line, p->shapes ? "\xe2\x94\x81" : "#", full);
    if (p->colour)
        text_string(&p->line, "\033[2m");
    text_repeat(&p->line, p->shapes ? "\xe2\x94\x80" : "-", cells - full);
    if (p->colour)
        text_string(&p->line, "\033[0m");
}

/* Puts into p->line what fits into `width` cells; what matters more goes in first, whatever its place in the line. */
static void compose(progress *p, const parts *all, double done, size_t width)
{
    static const int by_weight[] = {PART_PERCENT, PART_ETA, PART_NAME, PART_TRAIN, PART_VALID, PART_EPOCH, PART_BAR, PART_RATE};
    bool taken[PARTS] = {false};
    size_t used = 0;
    for (size_t i = 0; i < PARTS; i++) {
        int part = by_weight[i];
        size_t cells = part == PART_BAR ? BAR_LEAST : strlen(all->words[part]);
        size_t with_gap = cells + (used ? 2 : 0);
        if (cells == 0 || used + with_gap > width)
            continue;
        used += with_gap;
        taken[part] = true;
    }
    text_clear(&p->line);
    for (int i = 0; i < PARTS; i++) {
        if (!taken[i])
            continue;
        text_string(&p->line, p->line.length ? "  " : "");
        if (i == PART_BAR)
            add_bar(p, width - used < BAR_MOST - BAR_LEAST ? BAR_LEAST + width - used : BAR_MOST, done);
        else
            text_string(&p->line, all->words[i]);
    }
}

/* Cells of a line with colours in it. */
static size_t cells_of(const char *line, size_t length)
{
    size_t cells = 0;
    for (size_t i = 0; i < length; i++) {
        if (line[i] == '\033')
            while (i + 1 < length && line[i] != 'm')
                i++;
        else
            cells += ((unsigned char)line[i] & 0xc0) != 0x80;
    }
    return cells;
}

/* Goes from the live line to the first one above it that is ours, at the left. */
static void go_up(const progress *p, text *out, size_t width, size_t height)
{
    size_t rows = 0;
    for (size_t i = 0; i < p->above; i++)
        rows += p->cells[i] > width ? (p->cells[i] + width - 1) / width : 1;
    rows = rows < height ? rows : height - 1;
    text_string(out, "\r");
    if (rows)
        text_format(out, "\033[%zuA", rows);
}

/* Puts the curve above the live line, where it is time and anything has changed. */
static void add_curve(progress *p, text *out, size_t width, size_t height, double now)
{
    bool resized = width != p->width || height != p->height;
    bool changed = resized || p->above == 0 || p->curve->last.epoch != p->epoch;
    text picture = TEXT_INIT;
    if (now - p->redrawn < CURVE || !changed)
        return;
    go_up(p, out, width, height);
    text_string(out, resized ? "\033[J" : "");
    size_t lines = curve_draw(p->curve, (curve_look){width, p->shapes, p->colour}, &picture);
    p->above = lines && lines + 2 <= height && !picture.failed ? lines : 0;
    const char *line = text_get(&picture);
    for (size_t i = 0; i < p->above; i++) {
        size_t length = strcspn(line, "\n");
        text_bytes(out, line, length);
        text_string(out, "\033[K\n");
        p->cells[i] = cells_of(line, length);
        line += length + 1;
    }
    p->width = width;
    p->height = height;
    p->epoch = p->curve->last.epoch;
    p->redrawn = now;
    text_end(out, &picture);
}

static void draw(progress *p, const hill_row *row, double now)
{
    parts all;
    text out = TEXT_INIT;
    size_t width = output_width(STDERR_FILENO, 80);
    if (stop_continued) {
        /* A shell has written since; where our lines are isn't known any more. */
        stop_continued = 0;
        p->above = 0;
    }
    format_parts(p, row, now, &all);
    compose(p, &all, (double)row->step / (double)p->total, width > 1 ? width - 1 : 1);
    text_string(&out, "\r");
    if (p->curve)
        add_curve(p, &out, width, output_height(STDERR_FILENO, 24), now);
    text_string(&out, text_get(&p->line));
    /* The cursor waits at the left, where the ^C of a Ctrl-C makes no new line. */
    text_string(&out, p->curve ? "\033[J\r" : "\033[K");
    output_say(&out);
    text_free(&out);
    p->drawn = true;
    p->shown = now;
}

static void say_line(progress *p, const hill_row *row, double now)
{
    parts all;
    format_parts(p, row, now, &all);
    text_clear(&p->line);
    for (size_t i = 0; i < PARTS; i++)
        if (all.words[i][0])
            text_format(&p->line, "%s%s", p->line.length ? "  " : "", all.words[i]);
    while (p->line.length > 0 && p->line.data[p->line.length - 1] == ' ')
        p->line.data[--p->line.length] = '\0';
    text_string(&p->line, "\n");
    output_say(&p->line);
    p->shown = now;
}

double progress_clock(void)
{
    struct timespec now;
    if (clock_gettime(CLOCK_MONOTONIC, &now) != 0)
        return 0;
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_init(progress *p)
{
    *p = (progress){.live = output_is_terminal(STDERR_FILENO), .train = NAN, .valid = NAN};
    p->colour = p->live && output_has_colour(STDERR_FILENO);
    p->shapes = p->live && output_speaks_utf8();
}

void progress_wait(progress *p, const char *doing, const char *what)
{
    if (!p->live)
        return;
    text words = TEXT_INIT, out = TEXT_INIT;
    text_format(&words, "%s %s ...", doing, what);
    size_t width = output_width(STDERR_FILENO, 80);
    size_t cells = text_width(text_get(&words));
    text_string(&out, "\r");
    text_cells(&out, text_get(&words), cells < width ? cells : width - 1, false);
    text_string(&out, "\033[K");
    output_say(&out);
    text_free(&out);
    text_free(&words);
    p->drawn = true;
}

void progress_begin(progress *p, const hill_run *run, uint64_t rows)
{
    p->first = hill_run_steps(run, NULL);
    p->total = hill_run_total_steps(run);
    p->epoch_steps = hill_run_epoch_steps(run);
    if (p->total == 0)
        p->total = 1;
    if (p->epoch_steps == 0)
        p->epoch_steps = 1;
    p->epochs = (p->total + p->epoch_steps - 1) / p->epoch_steps;
    p->rows = rows;
    p->begin = p->looked = p->shown = progress_clock();
    p->stride = 1;
    p->look_at = p->first + 1;
}

double progress_look(progress *p, const hill_row *row)
{
    double now = progress_clock();
    if (now - p->looked < LOOK_SOON)
        p->stride *= 2;
    else if (now - p->looked > LOOK_LATE && p->stride > 1)
        p->stride /= 2;
    p->looked = now;
    p->look_at = row->step + p->stride;
    if (p->live) {
        if (now - p->shown >= REDRAW)
            draw(p, row, now);
        return now;
    }
    double taken = row->step > p->first ? (double)(row->step - p->first) : 1;
    double part = (now - p->begin) * (double)(p->total - p->first) / taken / LINES;
    bool first = p->shown <= p->begin;
    double interval = first || part < FIRST_LINE ? FIRST_LINE : part > SILENCE ? SILENCE : part;
    if (now - p->shown >= interval)
        say_line(p, row, now);
    return now;
}

void progress_clear(progress *p)
{
    if (!p->drawn)
        return;
    text out = TEXT_INIT;
    if (p->above)
        go_up(p, &out, output_width(STDERR_FILENO, 80), output_height(STDERR_FILENO, 24));
    text_string(&out, p->above ? "\033[J" : "\r\033[K");
    output_say(&out);
    text_free(&out);
    p->drawn = false;
    p->above = 0;
}

void progress_free(progress *p)
{
    progress_clear(p);
    text_free(&p->line);
}
