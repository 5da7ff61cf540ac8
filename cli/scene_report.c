/*
 * scene_report.c - all documents of a report in one, within a number of bytes.
 *
 * Invariant: what finds no room is left out whole, or every n-th line of it is kept, and it is said.
 */
#include "scene_inside.h"

#include "input.h"
#include "json_read.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a log that are read, and of a line of it but the first. */
#define LOG_MOST ((size_t)64 << 20)
#define LINE_MOST 65536
/* Columns of which all pairs get a map, while there is room. */
#define AXES_MOST 6

typedef enum line_kind { LINE_STEP, LINE_EPOCH, LINE_OTHER, LINE_KINDS } line_kind;

/* A line of a log, zero-ended where its newline was. */
typedef struct log_line {
    const char *begin;
    size_t length;
    line_kind kind;
} log_line;

typedef struct log_lines {
    text content;
    log_line *lines;
    size_t count, broken;
} log_lines;

typedef struct report {
    scene *s;
    json j;
    size_t most;
    text *left_out; /* a line each */
} report;

static bool take_line(log_lines *l, const char *begin, size_t length)
{
    json_value whole, value;
    double number;
    if (length > LINE_MOST && l->count > 0)
        return false;
    if (!json_whole(begin, length, &whole) || whole.kind != JSON_OBJECT)
        return false;
    const bool step = json_member(&whole, "step", &value) && json_member(&whole, "cost", &value);
    const bool epoch = step && json_member(&whole, "train_cost", &value) && json_number(&value, &number);
    l->lines[l->count++] = (log_line){begin, length, epoch ? LINE_EPOCH : step ? LINE_STEP : LINE_OTHER};
    return true;
}

/* The whole lines of a log. Returns 0 or an exit code after saying why not. */
static int read_lines(const char *path, log_lines *l)
{
    int descriptor = output_open(path, O_RDONLY);
    if (descriptor < 0)
        return output_error(output_problem(errno, CODE_INPUT), "%s: cannot be opened: %s", path, strerror(errno));
    int problem = input_rest(descriptor, LOG_MOST, &l->content);
    (void)close(descriptor);
    if (problem)
        return output_error(output_problem(problem, CODE_IO), "%s: cannot be read: %s", path, strerror(problem));
    if (l->content.length > LOG_MOST)
        return output_error(CODE_DATA, "%s: is longer than 64 MiB; a log has about a thousand lines", path);
    size_t count = 0;
    for (size_t i = 0; i < l->content.length; i++)
        count += l->content.data[i] == '\n';
    l->lines = calloc(count + 1, sizeof *l->lines);
    if (!l->lines)
        return output_failure(HILL_EMEMORY, NULL);
    char *begin = l->content.data;
    for (size_t i = 0; i < l->content.length; i++) {
        if (l->content.data[i] != '\n')
            continue;
        l->content.data[i] = '\0';
        l->broken += !take_line(l, begin, (size_t)(l->content.data + i - begin));
        begin = l->content.data + i + 1;
    }
    return 0;
}

static void free_lines(log_lines *l)
{
    text_free(&l->content);
    free(l->lines);
}

/* Writes the lines of a log, of each kind every `each`-th, and the first and the last; returns how many. */
static size_t write_lines(json *j, const log_lines *l, size_t each)
{
    size_t seen[LINE_KINDS] = {0}, written = 0;
    json_open(j, NULL, '[');
    for (size_t i = 0; i < l->count; i++) {
        if (seen[l->lines[i].kind]++ % each != 0 && i > 0 && i + 1 < l->count)
            continue;
        json_string(j, NULL, l->lines[i].begin);
        written++;
    }
    json_close(j, ']');
    return written;
}

/* Says so in one line, and frees the words. */
static void leave_out(report *r, text *words)
{
    if (words->length) {
        text_safe(r->left_out, text_get(words), false);
        text_string(r->left_out, "\n");
    }
    text_end(r->left_out, words);
}

/* One log's lines in at most so many bytes, or a few more. */
static int write_trace(report *r, const scene_log *log, size_t most)
{
    log_lines l = {TEXT_INIT, NULL, 0, 0};
    text words = TEXT_INIT, broken = TEXT_INIT, lines = TEXT_INIT;
    size_t written = 0, each = 1;
    int code = read_lines(text_get(&log->path), &l);
    for (; code == 0; each += each / 4 + 1) {
        json j = {&lines, false};
        text_clear(&lines);
        written = write_lines(&j, &l, each);
        if (lines.length <= most || each > l.count || lines.failed)
            break;
    }
    if (code == 0) {
        text_string(r->j.out, r->j.comma ? "," : "");
        r->j.comma = true;
        text_bytes(r->j.out, text_get(&lines), lines.length);
        if (written < l.count)
            text_format(&words, "%zu of %zu lines of the log %s", l.count - written, l.count, text_get(&log->name));
        if (l.broken)
            text_format(&broken, "%zu lines of the log %s that are no JSON objects", l.broken, text_get(&log->name));
    }
    leave_out(r, &words);
    leave_out(r, &broken);
    text_end(r->j.out, &lines);
    free_lines(&l);
    return code;
}

/* A document as the next value, where it can be had and fits; `what` is what it would show. False: it isn't there. */
static bool write_document(report *r, const char *key, const char *name, const scene_query *query, const char *what)
{
    text document = TEXT_INIT, words = TEXT_INIT;
    json_value whole, why;
    const int status = scene_document(r->s, name, query, &document);
    const bool fits = status == 200 && r->j.out->length + document.length < r->most;
    if (fits) {
        text_string(r->j.out, r->j.comma ? "," : "");
        if (key)
            text_format(r->j.out, "\"%s\":", key);
        r->j.comma = true;
        text_bytes(r->j.out, text_get(&document), document.length);
    } else if (key) {
        json_null(&r->j, key);
    }
    if (!fits && what) {
        text_format(&words, "%s: ", what);
        if (status == 200)
            text_string(&words, "too large for a report");
        else if (json_whole(text_get(&document), document.length, &whole) && json_member(&whole, "error", &why))
            (void)json_take(&why, &words);
    }
    leave_out(r, &words);
    text_end(r->j.out, &document);
    return fits;
}

static void write_answers(report *r)
{
    scene_query query = {.at = -1, .part = "data"};
    json_open(&r->j, "answers", '[');
    if (r->s->model)
        (void)write_document(r, NULL, "answers", &query, "answers");
    query.part = "test";
    if (scene_has_table(r->s, SCENE_TEST))
        (void)write_document(r, NULL, "answers", &query, "answers on test rows");
    json_close(&r->j, ']');
}

/* Maps of pairs of columns, those that map draws unasked first. */
static void write_maps(report *r)
{
    const size_t axes = scene_axes(r->s), first = axes < AXES_MOST ? axes : AXES_MOST;
    size_t written = 0, all = axes > 0 ? axes * (axes - 1) / 2 : 0;
    bool room = true;
    json_open(&r->j, "maps", '[');
    for (size_t y = 1; y < first; y++)
        for (size_t x = 0; x < y && room; x++) {
            const scene_query query = {.at = -1, .x = scene_axis(r->s, x), .y = scene_axis(r->s, y)};
            room = write_document(r, NULL, "map", &query, written ? NULL : "the map");
            written += room;
        }
    json_close(&r->j, ']');
    text words = TEXT_INIT;
    if (written > 0 && written < all)
        text_format(&words, "maps of %zu other pairs of columns", all - written);
    leave_out(r, &words);
}

static void write_snapshots_left_out(report *r)
{
    uint64_t *epochs = NULL;
    const size_t count = scene_snapshots(&r->s->logs[0], &epochs);
    free(epochs);
    text words = TEXT_INIT;
    if (count > 0)
        text_format(&words, "net, maps and answers of %zu snapshots: the report shows the run's end", count);
    leave_out(r, &words);
}

/* Nothing in it can end the script element that it stands in. */
static void add_without_brackets(text *out, const text *from)
{
    const char *begin = text_get(from), *next;
    for (; (next = strchr(begin, '<')) != NULL; begin = next + 1) {
        text_bytes(out, begin, (size_t)(next - begin));
        text_string(out, "\\u003c");
    }
    text_string(out, begin);
    out->failed = out->failed || from->failed;
}

static void write_left_out(report *r)
{
    json_open(&r->j, "left_out", '[');
    for (const char *line = text_get(r->left_out); *line; line += strcspn(line, "\n") + 1) {
        text one = TEXT_INIT;
        text_bytes(&one, line, strcspn(line, "\n"));
        json_string(&r->j, NULL, text_get(&one));
        text_end(r->j.out, &one);
    }
    json_close(&r->j, ']');
}

int scene_report(scene *s, size_t most, text *documents, text *left_out)
{
    text whole = TEXT_INIT;
    report r = {s, {&whole, false}, most, left_out};
    const scene_query now = {.at = -1};
    int code = 0;
    s->is_report = true;
    json_open(&r.j, NULL, '{');
    (void)write_document(&r, "run", "run", &now, "what the run is");
    const size_t each = (most > whole.length ? most - whole.length : 0) / 3 / s->log_count;
    json_open(&r.j, "traces", '[');
    for (size_t i = 0; i < s->log_count && code == 0; i++)
        code = write_trace(&r, &s->logs[i], each);
    json_close(&r.j, ']');
    (void)write_document(&r, "net", "net", &now, "the net");
    write_answers(&r);
    write_maps(&r);
    write_snapshots_left_out(&r);
    write_left_out(&r);
    json_close(&r.j, '}');
    add_without_brackets(documents, &whole);
    text_free(&whole);
    const bool failed = documents->failed || left_out->failed;
    return code == 0 && failed ? output_failure(HILL_EMEMORY, NULL) : code;
}
