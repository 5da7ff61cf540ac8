/*
 * cmd_view.c - shows descents from their logs, which may still grow.
 *
 * Invariant: nothing is written anywhere.
 */
#define _POSIX_C_SOURCE 200809L

#include "hub.h"
#include "input.h"
#include "json_read.h"
#include "output.h"
#include "report.h"
#include "scene.h"
#include "serve.h"
#include "stop.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOG_MOST ((size_t)256 << 20) /* bytes of a log */
#define POLL 0.2                     /* seconds between two looks at the logs */

typedef struct view {
    const arguments *a;
    hub *hub;
    scene *scene;
    server *server;
    struct stat seen[OPERANDS_MOST]; /* the logs when they were read last */
} view;

/* A number of a line, or NaN. */
static double view_number(const json_value *line, const char *key)
{
    json_value value;
    double number;
    return json_member(line, key, &value) && json_number(&value, &number) ? number : NAN;
}

/* A text of a line, nothing where it has none. */
static void view_text(const json_value *line, const char *key, text *out)
{
    json_value value;
    if (json_member(line, key, &value) && !json_take(&value, out))
        text_clear(out);
}

/* A line that was kept; an empty object where there is none that can be read. */
static bool view_line(const view *v, hub_which which, text *line, json_value *out)
{
    bool ended = hub_show(v->hub, 0, which, line);
    if (!json_whole(text_get(line), line->length, out) || out->kind != JSON_OBJECT)
        (void)json_whole("{}", 2, out);
    return ended;
}

/* Where the run of the first log stands, by its last lines. */
static void publish(view *v)
{
    static const char key[] = "\nepochs=";
    text texts[3] = {TEXT_INIT, TEXT_INIT, TEXT_INIT}, recipe = TEXT_INIT, stopped = TEXT_INIT;
    json_value first, step, last;
    bool ended = view_line(v, HUB_FIRST, &texts[0], &first);
    (void)view_line(v, HUB_LAST_STEP, &texts[1], &step);
    (void)view_line(v, HUB_LAST, &texts[2], &last);
    const json_value *stands = ended ? &last : &step;
    view_text(&first, "recipe", &recipe);
    const char *epochs = strstr(text_get(&recipe), key);
    if (ended)
        view_text(&last, "stopped", &stopped);
    hub_set_state(v->hub, &(hub_standing){.state = ended ? "ended" : "running",
                                          .step = view_number(stands, "step"),
                                          .epoch = view_number(stands, "epoch"),
                                          .epochs = epochs ? strtod(epochs + sizeof key - 1, NULL) : NAN,
                                          .cost = view_number(&step, "cost"),
                                          .train_cost = view_number(&step, "train_cost"),
                                          .valid_cost = view_number(&step, "valid_cost"),
                                          .rate = view_number(&step, "rate"),
                                          .steps_per_second = view_number(stands, "step") / view_number(stands, "seconds"),
                                          .stopped = ended ? text_get(&stopped) : NULL,
                                          .message = ""});
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_free(&texts[i]);
    text_free(&recipe);
    text_free(&stopped);
}

/* Reads a log where it has changed: 1 if it had, 0 if not; *problem is an errno. What can't be read any more stays as it was. */
static int view_read(view *v, size_t log, int *problem)
{
    struct stat now;
    text content = TEXT_INIT;
    int descriptor = output_open(v->a->operands[log], O_RDONLY);
    *problem = descriptor < 0 || fstat(descriptor, &now) != 0 ? errno : 0;
    bool changed = !*problem && !input_unchanged(&v->seen[log], &now);
    if (changed)
        *problem = input_rest(descriptor, LOG_MOST, &content);
    if (descriptor >= 0)
        (void)close(descriptor);
    changed = changed && !*problem;
    if (changed) {
        v->seen[log] = now;
        hub_follow(v->hub, log, text_get(&content), content.length < LOG_MOST ? content.length : LOG_MOST);
    }
    text_free(&content);
    return changed;
}

/* What a log is, and whether these are, is known to the scene. */
static int view_begin(view *v, const hill_host *host)
{
    for (size_t i = 0; i < v->a->operand_count; i++) {
        const char *name = v->a->operands[i];
        if (!input_is_plain(name) && access(name, F_OK) == 0)
            return output_error(CODE_INPUT, "%s: is no file; a log that train --log wrote is needed", name);
    }
    int code = scene_open_logs(v->a->operands, v->a->operand_count, host, &v->scene);
    for (size_t i = 0; i < v->a->operand_count && code == 0; i++) {
        const char *name = v->a->operands[i];
        int problem = 0;
        (void)view_read(v, i, &problem);
        if (problem)
            code = output_error(output_problem(problem, CODE_INPUT), "%s: cannot be read: %s", name, strerror(problem));
    }
    if (code == 0)
        publish(v);
    return code;
}

/* Follows the logs until a signal comes. */
static void view_follow(view *v)
{
    const struct timespec pause = {0, (long)(1e9 * POLL)};
    while (!stop_signal) {
        int changed = 0, problem = 0;
        for (size_t i = 0; i < v->a->operand_count; i++)
            changed |= view_read(v, i, &problem);
        if (changed)
            publish(v);
        (void)nanosleep(&pause, NULL);
    }
}

static int view_serve(view *v)
{
    text out = TEXT_INIT;
    const serve_source source = {.hub = v->hub, .scene = v->scene};
    stop_listen();
    int code = serve_open(&source, v->a->values[OPTION_PORT], &v->server);
    if (code)
        return code;
    report_line(&out, STDERR_FILENO, "view", serve_address(v->server));
    output_say(&out);
    text_free(&out);
    view_follow(v);
    return 0;
}

int cmd_view(const arguments *a)
{
    hill_host host = HILL_HOST_INIT;
    view v = {.a = a};
    int code = options_host(a, &host);
    if (code == 0)
        code = serve_check(a->values[OPTION_PORT]);
    if (code == 0) {
        v.hub = hub_new(a->operand_count);
        code = v.hub ? view_begin(&v, &host) : output_failure(HILL_EMEMORY, NULL);
    }
    if (code == 0)
        code = view_serve(&v);
    serve_close(v.server);
    scene_free(v.scene);
    hub_free(v.hub);
    return code;
}
