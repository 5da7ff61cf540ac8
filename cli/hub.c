/*
 * hub.c - what a page is told as it comes: the lines of each log, and where the descent stands.
 *
 * Invariant: `bytes` of a log are whole lines, each with its newline, as they stand in the file; `begins` says where each begins.
 */
#include "hub.h"

#include "json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define END_KEY "{\"stopped\""
#define STEP_KEY "{\"step\""

typedef struct hub_log {
    text bytes;
    size_t *begins;
    size_t lines, room;
    size_t step_line; /* the last one about a step, from 1; 0: there is none */
    uint64_t cuts;    /* how often lines were taken back */
    size_t cut_at;    /* how many stayed the last time */
    bool ended;
} hub_log;

struct hub {
    pthread_mutex_t mutex;
    hub_log *logs;
    size_t count;
    text state;
    uint64_t states; /* how many there were */
};

hub *hub_new(size_t logs)
{
    hub *h = calloc(1, sizeof *h);
    if (!h)
        return NULL;
    h->logs = calloc(logs, sizeof *h->logs);
    h->count = logs;
    if (!h->logs || pthread_mutex_init(&h->mutex, NULL) != 0) {
        free(h->logs);
        free(h);
        return NULL;
    }
    return h;
}

void hub_free(hub *h)
{
    if (!h)
        return;
    for (size_t i = 0; i < h->count; i++) {
        text_free(&h->logs[i].bytes);
        free(h->logs[i].begins);
    }
    (void)pthread_mutex_destroy(&h->mutex);
    text_free(&h->state);
    free(h->logs);
    free(h);
}

size_t hub_logs(const hub *h)
{
    return h->count;
}

static bool begins_with(const char *line, size_t length, const char *key)
{
    return length >= strlen(key) && memcmp(line, key, strlen(key)) == 0;
}

static void add_line(hub_log *log, const char *line, size_t length)
{
    if (log->lines == log->room) {
        size_t room = log->room ? 2 * log->room : 1024;
        size_t *begins = room > SIZE_MAX / sizeof *begins ? NULL : realloc(log->begins, room * sizeof *begins);
        if (!begins)
            return;
        log->begins = begins;
        log->room = room;
    }
    size_t before = log->bytes.length;
    text_bytes(&log->bytes, line, length);
    text_string(&log->bytes, "\n");
    if (log->bytes.failed) {
        log->bytes.failed = false;
        log->bytes.length = before;
        return;
    }
    log->begins[log->lines++] = before;
    if (begins_with(line, length, STEP_KEY))
        log->step_line = log->lines;
    log->ended = begins_with(line, length, END_KEY);
}

static const char *line_at(const hub_log *log, size_t line, size_t *length)
{
    size_t end = line + 1 < log->lines ? log->begins[line + 1] : log->bytes.length;
    *length = end - log->begins[line] - 1;
    return log->bytes.data + log->begins[line];
}

void hub_line(hub *h, size_t log, const char *line, size_t length)
{
    (void)pthread_mutex_lock(&h->mutex);
    add_line(&h->logs[log], line, length);
    (void)pthread_mutex_unlock(&h->mutex);
}

/* Takes back all lines but the first `lines`. */
static void cut_to(hub_log *log, size_t lines)
{
    if (lines == log->lines)
        return;
    log->bytes.length = log->begins[lines];
    log->lines = lines;
    log->ended = false;
    log->cut_at = lines;
    log->cuts++;
    for (log->step_line = lines; log->step_line > 0; log->step_line--) {
        size_t length;
        const char *line = line_at(log, log->step_line - 1, &length);
        if (begins_with(line, length, STEP_KEY))
            break;
    }
}

void hub_follow(hub *h, size_t log, const char *bytes, size_t length)
{
    (void)pthread_mutex_lock(&h->mutex);
    hub_log *l = &h->logs[log];
    size_t same = 0, at = 0;
    if (l->bytes.length <= length && (l->lines == 0 || memcmp(l->bytes.data, bytes, l->bytes.length) == 0)) {
        same = l->lines;
        at = l->bytes.length;
    }
    while (same < l->lines) {
        size_t count;
        const char *line = line_at(l, same, &count);
        if (length - at <= count || memcmp(line, bytes + at, count + 1) != 0)
            break;
        at += count + 1;
        same++;
    }
    cut_to(l, same);
    for (const char *end; at < length && (end = memchr(bytes + at, '\n', length - at)) != NULL; at = (size_t)(end + 1 - bytes))
        add_line(l, bytes + at, (size_t)(end - bytes) - at);
    (void)pthread_mutex_unlock(&h->mutex);
}

bool hub_show(hub *h, size_t log, hub_which which, text *out)
{
    (void)pthread_mutex_lock(&h->mutex);
    const hub_log *l = &h->logs[log];
    size_t line = which == HUB_FIRST ? (l->lines > 0) : which == HUB_LAST ? l->lines : l->step_line, length;
    if (line > 0) {
        const char *bytes = line_at(l, line - 1, &length);
        text_bytes(out, bytes, length);
    }
    bool ended = l->ended;
    (void)pthread_mutex_unlock(&h->mutex);
    return ended;
}

static void write_standing(const hub_standing *s, text *out)
{
    json j = {out, false};
    json_open(&j, NULL, '{');
    json_string(&j, "state", s->state);
    json_double(&j, "step", s->step);
    json_double(&j, "epoch", s->epoch);
    json_double(&j, "epochs", s->epochs);
    json_double(&j, "cost", s->cost);
    json_double(&j, "train_cost", s->train_cost);
    json_double(&j, "valid_cost", s->valid_cost);
    json_double(&j, "rate", s->rate);
    text_format(out, ",\"own_rate\":%s", s->own_rate ? "true" : "false");
    json_double(&j, "steps_per_second", s->steps_per_second);
    json_string(&j, "saved", s->saved);
    json_string(&j, "stopped", s->stopped);
    json_string(&j, "message", s->message);
    json_close(&j, '}');
}

void hub_set_state(hub *h, const hub_standing *standing)
{
    text state = TEXT_INIT;
    write_standing(standing, &state);
    (void)pthread_mutex_lock(&h->mutex);
    if (!state.failed && strcmp(text_get(&h->state), text_get(&state)) != 0) {
        text_clear(&h->state);
        text_string(&h->state, text_get(&state));
        h->states++;
    }
    (void)pthread_mutex_unlock(&h->mutex);
    text_free(&state);
}

void hub_state(hub *h, text *out)
{
    (void)pthread_mutex_lock(&h->mutex);
    text_bytes(out, text_get(&h->state), h->state.length);
    (void)pthread_mutex_unlock(&h->mutex);
}

hub_place hub_behind(hub *h, size_t log, uint64_t lines)
{
    hub_place place = HUB_PLACE_INIT;
    (void)pthread_mutex_lock(&h->mutex);
    place.log = log;
    if (h->logs[log].cuts > 0)
        place.cuts = h->logs[log].cuts - 1;
    else if (lines <= h->logs[log].lines)
        place.line = (size_t)lines;
    (void)pthread_mutex_unlock(&h->mutex);
    return place;
}

/* A line as an event. A carriage return, which no line of ours has, would end the event's line: it becomes a blank. */
static void tell_line(text *out, const char *line, size_t length, size_t number)
{
    text_format(out, "id: %zu\ndata: ", number);
    size_t begin = out->length;
    text_bytes(out, line, length);
    for (size_t i = begin; !out->failed && i < out->length; i++)
        if (out->data[i] == '\r')
            out->data[i] = ' ';
    text_string(out, "\n\n");
}

static bool is_behind(const hub *h, const hub_place *place)
{
    const hub_log *log = &h->logs[place->log];
    return place->cuts != log->cuts || place->line < log->lines || place->state != h->states || place->ended != log->ended;
}

void hub_take(hub *h, hub_place *place, size_t most, text *out)
{
    (void)pthread_mutex_lock(&h->mutex);
    const hub_log *log = &h->logs[place->log];
    if (place->cuts != log->cuts) {
        size_t stay = log->cuts - place->cuts == 1 ? log->cut_at : 0;
        if (place->line > stay)
            place->line = stay;
        text_format(out, "event: cut\ndata: %zu\n\n", place->line);
        place->cuts = log->cuts;
        place->ended = false;
    }
    while (place->line < log->lines && out->length < most) {
        size_t length;
        const char *line = line_at(log, place->line, &length);
        tell_line(out, line, length, ++place->line);
    }
    if (place->state != h->states) {
        text_format(out, "event: state\ndata: %s\n\n", text_get(&h->state));
        place->state = h->states;
    }
    if (log->ended && !place->ended && place->line == log->lines)
        text_format(out, "event: end\ndata: %zu\n\n", log->lines);
    if (place->line == log->lines)
        place->ended = log->ended;
    (void)pthread_mutex_unlock(&h->mutex);
}

bool hub_has(hub *h, const hub_place *place)
{
    (void)pthread_mutex_lock(&h->mutex);
    bool has = is_behind(h, place);
    (void)pthread_mutex_unlock(&h->mutex);
    return has;
}
