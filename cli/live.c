/*
 * live.c - a descent that is watched: what the trainer lends the server's thread, and what the page asks of the trainer.
 *
 * Invariant: whatever is read from the run or done to it, is so by the trainer, between two steps. The server's thread asks for it and
 * waits for two seconds at most; the trainer never waits for the server, but where the page has paused the descent.
 */
#define _POSIX_C_SOURCE 200809L

#include "live.h"

#include "hub.h"
#include "json.h"
#include "output.h"
#include "report.h"
#include "scene.h"
#include "serve.h"
#include "stop.h"
#include "training.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATIENCE 2.0 /* seconds that the server waits for the trainer */
#define DOZE 0.1     /* seconds between two looks at signals while nothing is done */

struct live {
    pthread_mutex_t mutex;
    pthread_cond_t asked, done;
    hub *hub;
    scene *scene;
    server *server;

    /* Under the mutex: what the server wants. */
    float *weights, *gradient; /* where to; NULL: nothing, or it is there */
    uint64_t epoch, step;      /* of the weights */
    bool has_order;
    serve_order order;
    double rate; /* of the order */
    int status;  /* what came of the order; 0: nothing yet */
    bool watched;
    bool ended;

    /* The trainer's alone. */
    size_t vector; /* floats */
    bool paused, stepping;
    double own_rate; /* 0: the schedule's */
    uint64_t steps_then;
    double then; /* when steps were counted last, and how many there were */
    double speed;
    double paused_for; /* seconds since the count */
    const char *stopped;
    text message;
};

/* Waits on a condition, at most until `until` on progress_clock; false where that has passed. */
static bool wait_until(pthread_cond_t *condition, pthread_mutex_t *mutex, double until)
{
    struct timespec end = {(time_t)until, (long)(1e9 * (until - floor(until)))};
    return pthread_cond_timedwait(condition, mutex, &end) != ETIMEDOUT;
}

static void nudge(live *l)
{
    atomic_store(&stop_notice, 1);
    (void)pthread_cond_signal(&l->asked);
}

/* ---- In the server's thread ---- */

/* Has the trainer write to where *wanted says, and says where the descent stood with its last weights. 0, or -1 where it didn't in time. */
static int have_written(live *l, float **wanted, float *to, uint64_t *epoch, uint64_t *step)
{
    (void)pthread_mutex_lock(&l->mutex);
    *wanted = to;
    nudge(l);
    for (double end = progress_clock() + PATIENCE; *wanted && wait_until(&l->done, &l->mutex, end);)
        ;
    int status = *wanted ? -1 : 0;
    *wanted = NULL;
    *epoch = l->epoch;
    *step = l->step;
    (void)pthread_mutex_unlock(&l->mutex);
    return status;
}

static int lend_weights(void *self, float *weights, uint64_t *epoch, uint64_t *step)
{
    live *l = self;
    return have_written(l, &l->weights, weights, epoch, step);
}

static int lend_gradient(void *self, float *gradient)
{
    live *l = self;
    uint64_t epoch, step;
    return have_written(l, &l->gradient, gradient, &epoch, &step);
}

static int pass_order(void *self, serve_order order, double rate)
{
    live *l = self;
    (void)pthread_mutex_lock(&l->mutex);
    int status = l->ended ? 409 : 503;
    if (!l->ended && !l->has_order) {
        l->has_order = true;
        l->order = order;
        l->rate = rate;
        l->status = 0;
        nudge(l);
        for (double end = progress_clock() + PATIENCE; l->status == 0 && wait_until(&l->done, &l->mutex, end);)
            ;
        /* A step that takes longer goes on; the order will be followed when it is done. */
        status = l->status ? l->status : 202;
    }
    (void)pthread_mutex_unlock(&l->mutex);
    return status;
}

static void watch(void *self)
{
    live *l = self;
    (void)pthread_mutex_lock(&l->mutex);
    if (!l->ended) {
        l->watched = true;
        atomic_store(&stop_notice, 1);
    }
    (void)pthread_mutex_unlock(&l->mutex);
}

/* ---- In the trainer's ---- */

/* Steps a second since the last time, which is forgotten once a fifth of a second is full. */
static void measure(live *l, uint64_t step)
{
    double now = progress_clock(), taken = now - l->then - l->paused_for;
    if (step < l->steps_then || now - l->then < 0.2)
        return;
    if (taken > 0.001)
        l->speed = (double)(step - l->steps_then) / taken;
    l->then = now;
    l->steps_then = step;
    l->paused_for = 0;
}

static void publish(training *t)
{
    live *l = t->live;
    const hill_row *row = &t->row;
    uint64_t each = hill_run_epoch_steps(t->run), total = hill_run_total_steps(t->run);
    measure(l, row->step);
    hub_set_state(l->hub, &(hub_standing){.state = l->ended    ? "ended"
                                                   : l->paused ? "paused"
                                                               : "running",
                                          .step = (double)row->step,
                                          .epoch = (double)row->epoch,
                                          .epochs = each ? ceil((double)total / (double)each) : 0,
                                          .cost = row->step > 0 ? row->cost : NAN,
                                          .train_cost = t->progress.train,
                                          .valid_cost = t->progress.valid,
                                          .rate = l->own_rate > 0 ? l->own_rate
                                                  : row->rate > 0 ? row->rate
                                                                  : NAN,
                                          .own_rate = l->own_rate > 0,
                                          .steps_per_second = l->speed,
                                          .saved = t->saved ? text_get(&t->out) : NULL,
                                          .stopped = l->stopped,
                                          .message = text_get(&l->message)});
}

/* Gives the server what it waits for: after the end the weights that the model has. */
static void lend(training *t)
{
    live *l = t->live;
    if (l->weights) {
        l->epoch = t->row.epoch;
        l->step = t->row.step;
        const float *weights = l->ended ? hill_run_best(t->run, &l->epoch) : hill_run_weights(t->run);
        uint64_t end = l->epoch * hill_run_epoch_steps(t->run);
        if (end < l->step)
            l->step = end;
        memcpy(l->weights, weights, l->vector * sizeof *weights);
        l->weights = NULL;
    }
    if (l->gradient) {
        memcpy(l->gradient, hill_run_gradient(t->run), l->vector * sizeof *l->gradient);
        l->gradient = NULL;
    }
    (void)pthread_cond_signal(&l->done);
}

/* An order is followed; where the server gave up waiting, and asked for something else, that is still to come. */
static void order_done(live *l)
{
    if (!l->has_order)
        l->status = 200;
}

static void save_now(training *t)
{
    live *l = t->live;
    text_clear(&l->message);
    if (t->checkpoints.off) {
        text_string(&l->message, "no checkpoints are kept: --checkpoint-every is 0, or the model goes to no plain file");
        return;
    }
    /* A disk may take its time: the server needn't. */
    (void)pthread_mutex_unlock(&l->mutex);
    bool saved = train_checkpoint(t);
    (void)pthread_mutex_lock(&l->mutex);
    text_format(&l->message, saved ? "step %llu is saved in %s" : "step %llu couldn't be saved: see the terminal; %s is older",
                (unsigned long long)t->row.step,
                text_get(&t->checkpoints.names[t->checkpoints.newest < 0 ? 0 : t->checkpoints.newest]));
}

static void set_rate(training *t, double rate)
{
    live *l = t->live;
    if (hill_run_set_rate(t->run, rate) != HILL_OK) {
        l->status = 400;
        return;
    }
    if (rate != l->own_rate) {
        /* As a disk may, so may who reads the log. */
        l->status = 0;
        (void)pthread_mutex_unlock(&l->mutex);
        trace_rate(&t->trace, t->row.step, rate);
        (void)pthread_mutex_lock(&l->mutex);
        order_done(l);
    }
    l->own_rate = rate;
}

static void follow_order(training *t)
{
    live *l = t->live;
    serve_order order = l->order;
    l->has_order = false;
    l->status = 200;
    if (order == SERVE_PAUSE || order == SERVE_STEP)
        l->paused = true;
    if (order == SERVE_GO || order == SERVE_STOP)
        l->paused = false;
    if (order == SERVE_STEP) {
        l->stepping = true;
        l->status = 0; /* once it is taken */
    } else if (order == SERVE_SAVE) {
        l->status = 0;
        save_now(t);
        order_done(l);
    } else if (order == SERVE_STOP) {
        t->asked_to_end = true;
    } else if (order == SERVE_RATE) {
        set_rate(t, l->rate);
    }
}

/* While paused: waits for what comes next. The pause isn't counted as time of the descent. */
static void doze(training *t)
{
    live *l = t->live;
    double began = progress_clock();
    (void)wait_until(&l->asked, &l->mutex, began + DOZE);
    double slept = progress_clock() - began;
    l->paused_for += slept;
    t->progress.begin += slept;
    t->progress.looked += slept;
    t->progress.shown += slept;
    if (stop_save) {
        stop_save = 0;
        save_now(t);
        publish(t);
    }
}

void live_attend(training *t)
{
    live *l = t->live;
    (void)pthread_mutex_lock(&l->mutex);
    bool changed = l->watched;
    l->watched = false;
    if (l->stepping) {
        l->stepping = false;
        l->status = 200;
        changed = true;
    }
    for (;;) {
        if (l->has_order) {
            follow_order(t);
            changed = true;
        }
        if (changed)
            publish(t);
        changed = false;
        lend(t);
        if (!l->paused || l->stepping || stop_signal)
            break;
        doze(t);
    }
    if (l->stepping)
        atomic_store(&stop_notice, 1);
    (void)pthread_mutex_unlock(&l->mutex);
}

void live_ended(training *t, const char *stopped, const char *message)
{
    live *l = t->live;
    if (!l)
        return;
    (void)pthread_mutex_lock(&l->mutex);
    l->ended = true;
    l->paused = false;
    l->stopped = stopped;
    if (l->has_order || l->status == 0) {
        l->has_order = false;
        l->status = 409;
    }
    text_clear(&l->message);
    text_string(&l->message, message);
    publish(t);
    lend(t);
    (void)pthread_mutex_unlock(&l->mutex);
}

int live_stay(training *t, int code)
{
    live *l = t->live;
    if (!l || stop_signal)
        return code;
    text out = TEXT_INIT, words = TEXT_INIT;
    text_format(&words, "still at %s; Ctrl-C ends it", serve_address(l->server));
    report_line(&out, STDERR_FILENO, "view", text_get(&words));
    output_say(&out);
    text_free(&words);
    text_free(&out);
    (void)pthread_mutex_lock(&l->mutex);
    publish(t);
    while (!stop_signal && !stop_hangup) {
        lend(t);
        (void)wait_until(&l->asked, &l->mutex, progress_clock() + DOZE);
    }
    (void)pthread_mutex_unlock(&l->mutex);
    return code;
}

/* ---- Beginning and end ---- */

static void hear_line(void *self, const char *line, size_t length)
{
    live *l = self;
    hub_line(l->hub, 0, line, length);
}

static int make_clocks(live *l)
{
    pthread_condattr_t forward;
    if (pthread_condattr_init(&forward) != 0)
        return -1;
    int problem = pthread_condattr_setclock(&forward, CLOCK_MONOTONIC);
    problem = problem ? problem : pthread_cond_init(&l->asked, &forward);
    problem = problem ? problem : pthread_cond_init(&l->done, &forward);
    problem = problem ? problem : pthread_mutex_init(&l->mutex, NULL);
    (void)pthread_condattr_destroy(&forward);
    return problem ? -1 : 0;
}

/* The scene, from the model as it is before the first step: its data and its shapes are those of the finished one. */
static int open_scene(training *t)
{
    live *l = t->live;
    hill_error error = HILL_ERROR_INIT;
    hill_model *model = NULL;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    text recipe = TEXT_INIT, line = TEXT_INIT;
    const trace_files files = train_files(t);
    int status = hill_session_finish(t->session, &model, &error);
    if (status == HILL_OK)
        status = hill_plan_info(hill_model_plan(model), &sizes);
    report_recipe(&recipe, hill_session_recipe(t->session));
    trace_first_line(&line, text_get(&recipe), &files, &t->facts);
    text_end(&line, &recipe);
    if (status == HILL_OK && line.failed)
        status = HILL_EMEMORY;
    int code = status == HILL_OK ? 0 : output_failure(status, &error);
    if (code == 0) {
        hill_host host = t->host;
        host.threads = 1; /* the others are the descent's */
        const scene_live lent = {l, lend_weights, lend_gradient};
        l->vector = sizes.vector;
        code = scene_open_live(model, text_get(&line), t->trace.path, &host, &lent, &l->scene);
    } else {
        hill_model_free(model);
    }
    text_free(&line);
    return code;
}

int live_check(const training *t)
{
    const char *port = t->a->values[OPTION_PORT];
    if (t->a->values[OPTION_VIEW])
        return serve_check(port);
    return port ? output_error(CODE_USAGE, "--port %s: is of the page that --view serves; give both", port) : 0;
}

int live_open(training *t)
{
    if (!t->a->values[OPTION_VIEW])
        return 0;
    live *l = calloc(1, sizeof *l);
    if (!l)
        return output_failure(HILL_EMEMORY, NULL);
    l->hub = hub_new(1);
    if (!l->hub || make_clocks(l) != 0) {
        hub_free(l->hub);
        free(l);
        return output_failure(HILL_EMEMORY, NULL);
    }
    t->live = l;
    l->speed = NAN;
    l->then = progress_clock();
    l->steps_then = t->row.step = hill_run_steps(t->run, NULL);
    t->trace.hear = hear_line;
    t->trace.self = l;
    publish(t);
    int code = open_scene(t);
    const serve_source source = {l->hub, l->scene, l, pass_order, watch, true};
    if (code == 0)
        code = serve_open(&source, t->a->values[OPTION_PORT], &l->server);
    if (code)
        return code;
    text out = TEXT_INIT;
    report_line(&out, STDERR_FILENO, "view", serve_address(l->server));
    output_say(&out);
    text_free(&out);
    return 0;
}

void live_close(training *t)
{
    live *l = t->live;
    if (!l)
        return;
    serve_close(l->server);
    scene_free(l->scene);
    hub_free(l->hub);
    text_free(&l->message);
    (void)pthread_mutex_destroy(&l->mutex);
    (void)pthread_cond_destroy(&l->asked);
    (void)pthread_cond_destroy(&l->done);
    t->live = NULL;
    free(l);
}
