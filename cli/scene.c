/*
 * scene.c - opens logs and descents to look at, and finds who writes a document.
 *
 * Invariant: a log is a stranger's: of its first line only what is of the right kind is taken, and nothing else of it is read here.
 */
#include "scene_inside.h"

#include "input.h"
#include "json_read.h"
#include "output.h"
#include "trace.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Bytes of a log's first line, at most: it holds a recipe. */
#define FIRST_MOST ((size_t)1 << 20)

int scene_refuse(text *out, int status, const char *format, ...)
{
    char words[1200];
    json j = {out, false};
    va_list values;
    va_start(values, format);
    (void)vsnprintf(words, sizeof words, format, values);
    va_end(values);
    text_clear(out);
    json_open(&j, NULL, '{');
    json_string(&j, "error", words);
    json_close(&j, '}');
    return status;
}

int scene_refuse_for(text *out, int status, const hill_error *error)
{
    return scene_refuse(out, status == HILL_EMEMORY ? 500 : 404, "%s",
                        error && *error->text ? error->text : hill_status_text(status));
}

/* A member that is a string; "" where it isn't. */
static void take_member(const json_value *line, const char *key, text *out)
{
    json_value value;
    text_clear(out);
    if (json_member(line, key, &value) && !json_take(&value, out))
        text_clear(out);
}

/* False where it is no first line of a descent's log. */
static bool take_first_line(scene *s, const char *line, size_t length)
{
    json_value whole, value;
    if (!json_whole(line, length, &whole) || !json_member(&whole, "downhill", &value) || value.kind != JSON_STRING ||
        !json_member(&whole, "recipe", &value) || value.kind != JSON_STRING)
        return false;
    take_member(&whole, "downhill", &s->version);
    take_member(&whole, "recipe", &s->recipe);
    take_member(&whole, "data", &s->data);
    take_member(&whole, "targets", &s->targets);
    take_member(&whole, "valid", &s->valid);
    take_member(&whole, "test", &s->test);
    take_member(&whole, "start", &s->start);
    take_member(&whole, "model", &s->model_path);
    return true;
}

/* "runs/xor.jsonl" is the run xor. */
static void name_log(scene_log *log, const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t length = trace_stem(path) - (size_t)(name - path);
    text_string(&log->path, path);
    text_bytes(&log->name, name, length);
}

/* The first line of a log, without its end. Returns 0 or an exit code after saying why not. */
static int read_first_line(const char *path, text *out)
{
    int descriptor = output_open(path, O_RDONLY), problem = 0;
    char block[4096];
    ssize_t length = 1;
    const char *end = NULL;
    if (descriptor < 0)
        return output_error(output_problem(errno, CODE_INPUT), "%s: cannot be opened: %s", path, strerror(errno));
    while (!end && length > 0 && out->length <= FIRST_MOST) {
        length = read(descriptor, block, sizeof block);
        if (length < 0 && output_again(descriptor, POLLIN)) {
            length = 1;
            continue;
        }
        problem = length < 0 ? errno : 0;
        end = length > 0 ? memchr(block, '\n', (size_t)length) : NULL;
        text_bytes(out, block, end ? (size_t)(end - block) : length > 0 ? (size_t)length : 0);
    }
    (void)close(descriptor);
    if (problem)
        return output_error(output_problem(problem, CODE_IO), "%s: cannot be read: %s", path, strerror(problem));
    if (out->failed)
        return output_failure(HILL_EMEMORY, NULL);
    return end ? 0 : output_error(CODE_DATA, "%s: is no log of a descent: its first line doesn't end", path);
}

static int open_log(scene *s, const char *path)
{
    text line = TEXT_INIT;
    scene other = {.host = HILL_HOST_INIT};
    scene *of = s->log_count == 0 ? s : &other; /* later ones are only looked at */
    if (!input_is_plain(path) && input_is_folder(path))
        return output_error(CODE_INPUT, "%s: is a folder; a log is needed, as train --log writes it", path);
    int code = read_first_line(path, &line);
    if (code == 0 && !take_first_line(of, text_get(&line), line.length))
        code = output_error(CODE_DATA, "%s: is no log of a descent, as train --log writes it: line 1", path);
    if (code == 0)
        name_log(&s->logs[s->log_count++], path);
    text *const taken[] = {&other.version, &other.recipe, &other.data,  &other.targets,
                           &other.valid,   &other.test,   &other.start, &other.model_path};
    for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
        text_free(taken[i]);
    text_free(&line);
    return code;
}

/* An empty scene with room for logs. NULL: no memory. */
static scene *make_scene(size_t logs, const hill_host *host)
{
    scene *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->host = *host;
    s->logs = calloc(logs, sizeof *s->logs);
    if (s->logs)
        return s;
    free(s);
    return NULL;
}

int scene_open_logs(const char *const *logs, size_t count, const hill_host *host, scene **out)
{
    scene *s = make_scene(count, host);
    int code = s ? 0 : output_failure(HILL_EMEMORY, NULL);
    *out = NULL;
    for (size_t i = 0; i < count && code == 0; i++)
        code = open_log(s, logs[i]);
    if (code == 0)
        *out = s;
    else
        scene_free(s);
    return code;
}

int scene_open_live(hill_model *model, const char *first_line, const char *log, const hill_host *host, const scene_live *live,
                    scene **out)
{
    scene *s = make_scene(1, host);
    *out = NULL;
    if (!s) {
        hill_model_free(model);
        return output_failure(HILL_EMEMORY, NULL);
    }
    s->model = model;
    s->finished = s->is_live = true;
    s->live = *live;
    size_t length = strcspn(first_line, "\n");
    if (!take_first_line(s, first_line, length)) {
        scene_free(s);
        return output_error(CODE_FAILED, "the trace's first line cannot be read");
    }
    name_log(&s->logs[s->log_count++], log ? log : text_get(&s->data));
    if (!log)
        text_clear(&s->logs[0].path);
    *out = s;
    return 0;
}

void scene_free(scene *s)
{
    if (!s)
        return;
    text *const texts[] = {&s->version, &s->recipe, &s->data,       &s->targets,      &s->valid,
                           &s->test,    &s->start,  &s->model_path, &s->model_problem};
    hill_run_free(s->run);
    hill_model_free(s->model);
    hill_model_free(s->snapshot);
    for (size_t i = 0; i < SCENE_PARTS; i++) {
        hill_table_free(s->tables[i].table);
        text_free(&s->tables[i].problem);
    }
    for (size_t i = 0; i < s->log_count; i++) {
        text_free(&s->logs[i].path);
        text_free(&s->logs[i].name);
    }
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        text_free(texts[i]);
    free(s->verdict.rows);
    free(s->logs);
    free(s);
}

int scene_document(scene *s, const char *name, const scene_query *query, text *out)
{
    static const struct {
        const char *name;
        int (*write)(scene *s, const scene_query *query, text *out);
    } documents[] = {{"run", scene_run}, {"net", scene_net},         {"layer", scene_layer},
                     {"map", scene_map}, {"answers", scene_answers}, {"rows", scene_rows}};
    text_clear(out);
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        if (strcmp(documents[i].name, name) != 0)
            continue;
        int status = documents[i].write(s, query, out);
        return out->failed ? 500 : status;
    }
    return scene_refuse(out, 404, "there is no document %.40s", name);
}
