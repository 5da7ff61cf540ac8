/*
 * pool.c - pooling: the most, or the mean, of what a window covers, channel by channel.
 */
#include "base/fp.h"

#include "op/op.h"

#include <math.h>
#include <string.h>

/* Looking at a float of a window costs about as much as this many multiply-adds. */
#define POOL_WORK 8

typedef struct pool_job {
    const hill__instr *instr;
    hill__walk *walk;
    bool mean;
} pool_job;

/* One output row of one picture, and one pixel of the window: where that lies in x for the first place. */
typedef struct pool_view {
    size_t places; /* offset of the row in y and d */
    size_t pixel;
} pool_view;

typedef void pool_loop(const pool_job *job, const pool_view *view, bool first);

/* Calls `loop` for each output row of a picture and each pixel of the window, which begins with the first. */
static void each_view(const pool_job *job, size_t picture, pool_loop *loop)
{
    const hill__window *w = &job->instr->window;
    for (size_t y = 0; y < w->out.height; y++)
        for (size_t i = 0; i < w->height; i++)
            for (size_t j = 0; j < w->width; j++) {
                size_t pixel = (y * w->stride + i) * w->in.width + j;
                loop(job,
                     &(pool_view){picture * job->instr->outputs + y * w->out.width * w->out.channels,
                                  picture * job->instr->inputs + pixel * w->in.channels},
                     i + j == 0);
            }
}

static float one_over_window(const hill__window *window)
{
    return 1.0f / (float)(window->height * window->width);
}

static void look(const pool_job *job, const pool_view *view, bool first)
{
    const hill__window *w = &job->instr->window;
    const hill__kernels *kernels = job->walk->kernels;
    hill__window_loop loop = first ? kernels->copy_window : kernels->max_window;
    float *y = hill__buffer(job->walk, job->instr->y) + view->places;
    if (job->mean) {
        loop = kernels->add_window;
        if (first)
            memset(y, 0, w->out.width * w->out.channels * sizeof *y);
    }
    loop(y, w->out.channels, hill__input_of(job->instr, job->walk) + view->pixel, w->stride * w->in.channels, w->out.width,
         w->in.channels, one_over_window(w));
}

static void give_back(const pool_job *job, const pool_view *view, bool first)
{
    const hill__window *w = &job->instr->window;
    const hill__walk *walk = job->walk;
    const size_t step = w->stride * w->in.channels;
    float *dx = walk->d_next + view->pixel, *d = walk->d + view->places;
    (void)first;
    if (job->mean)
        walk->kernels->add_window(dx, step, d, w->out.channels, w->out.width, w->in.channels, one_over_window(w));
    else
        walk->kernels->give_window(dx, hill__input_of(job->instr, walk) + view->pixel, step, d,
                                   hill__buffer(walk, job->instr->y) + view->places, w->out.width, w->in.channels);
}

static void pool_up_part(void *context, unsigned part, unsigned parts)
{
    const pool_job *job = context;
    size_t begin, end;
    hill__split(job->walk->rows, 1, part, parts, &begin, &end);
    for (size_t picture = begin; picture < end; picture++)
        each_view(job, picture, look);
}

static void pool_down_part(void *context, unsigned part, unsigned parts)
{
    const pool_job *job = context;
    const hill__instr *instr = job->instr;
    size_t begin, end;
    hill__split(job->walk->rows, 1, part, parts, &begin, &end);
    for (size_t picture = begin; picture < end; picture++) {
        memset(job->walk->d_next + picture * instr->inputs, 0, instr->inputs * sizeof(float));
        each_view(job, picture, give_back);
        hill__slope_below(instr, job->walk, picture, 1);
    }
}

static void pool(const hill__instr *instr, hill__walk *walk, bool mean, hill__task task)
{
    pool_job job = {instr, walk, mean};
    hill__walk_share(walk, walk->rows * instr->inputs * POOL_WORK, task, &job);
}

static void pool_backward(const hill__instr *instr, hill__walk *walk, bool mean)
{
    if (instr->first)
        return;
    pool(instr, walk, mean, pool_down_part);
    hill__hand_on(walk);
}

void hill__maxpool_forward(const hill__instr *instr, hill__walk *walk)
{
    pool(instr, walk, false, pool_up_part);
}

void hill__maxpool_backward(const hill__instr *instr, hill__walk *walk)
{
    pool_backward(instr, walk, false);
}

void hill__avgpool_forward(const hill__instr *instr, hill__walk *walk)
{
    pool(instr, walk, true, pool_up_part);
}

void hill__avgpool_backward(const hill__instr *instr, hill__walk *walk)
{
    pool_backward(instr, walk, true);
}

/* The input that window pixel (i, j) of a unit covers. */
static size_t covered(const hill__window *w, size_t unit, size_t i, size_t j)
{
    size_t place = unit / w->out.channels, y = place / w->out.width, x = place % w->out.width;
    return ((y * w->stride + i) * w->in.width + x * w->stride + j) * w->in.channels + unit % w->out.channels;
}

/* The input that is the most of a unit's window. */
static size_t most_of(const hill__window *w, const double *x, size_t unit)
{
    size_t most = covered(w, unit, 0, 0);
    for (size_t i = 0; i < w->height; i++)
        for (size_t j = 0; j < w->width; j++) {
            size_t at = covered(w, unit, i, j);
            most = x[at] > x[most] ? at : most;
        }
    return most;
}

bool hill__maxpool_turns(const hill__window *window, const double *a, const double *b)
{
    for (size_t unit = 0; unit < hill__extent_units(&window->out); unit++)
        if (most_of(window, a, unit) != most_of(window, b, unit))
            return true;
    return false;
}

void hill__maxpool_formula(const hill__formula *f)
{
    for (size_t unit = f->first; unit < f->first + f->count; unit++)
        f->y[unit] = f->x[most_of(f->window, f->x, unit)];
}

void hill__avgpool_formula(const hill__formula *f)
{
    const hill__window *w = f->window;
    for (size_t unit = f->first; unit < f->first + f->count; unit++) {
        double sum = 0;
        for (size_t i = 0; i < w->height; i++)
            for (size_t j = 0; j < w->width; j++)
                sum += f->x[covered(w, unit, i, j)];
        f->y[unit] = sum / (double)(w->height * w->width);
    }
}
