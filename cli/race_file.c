/*
 * race_file.c - what a race remembers: race.jsonl, a line a finished racer, and the logs of the racers.
 *
 * Invariant: a line stands there only as long as the log and the model beside it are those of the descent that it tells of. Files
 * that can't be understood count as not there: the racer runs again.
 */
#define _POSIX_C_SOURCE 200809L

#include "race.h"

#include "input.h"
#include "json.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RACE_HEAD "{\"downhill\":"

int race_path(const race *g, const racer *r, const char *ending, text *out)
{
    text_clear(out);
    text_format(out, "%s/%s%s", text_get(&g->folder), r ? text_get(&r->stem) : "race", ending);
    return out->failed ? output_failure(HILL_EMEMORY, NULL) : 0;
}

/* A file's content, none where there is no file; `closed` is the exit code where it can't be opened. */
static int read_whole(const char *path, int closed, text *out)
{
    int descriptor = output_open(path, O_RDONLY);
    if (descriptor < 0 && errno == ENOENT)
        return 0;
    if (descriptor < 0)
        return output_error(output_problem(errno, closed), "%s: cannot be opened: %s", path, strerror(errno));
    int problem = input_rest(descriptor, SIZE_MAX, out);
    (void)close(descriptor);
    return problem ? output_error(output_problem(problem, CODE_IO), "%s: cannot be read: %s", path, strerror(problem)) : 0;
}

/* The number behind "key": in a line; NaN where there is none. */
static double number_of(const char *line, const char *key)
{
    char quoted[40] = "\"";
    char *end = NULL;
    strncat(quoted, key, sizeof quoted - 4);
    strncat(quoted, "\":", 3);
    const char *found = strstr(line, quoted);
    if (!found)
        return NAN;
    found += strlen(quoted);
    double value = strtod(found, &end);
    return end == found ? NAN : value;
}

/* False where there is none, or it is no count. */
static bool count_of(const char *line, const char *key, uint64_t *out)
{
    double value = number_of(line, key);
    *out = value >= 0 && value < 1e18 ? (uint64_t)value : 0;
    return value >= 0 && value < 1e18;
}

enum { FIELDS = 5 };

/* The fields of metrics but for the rows, with the keys they have in a line. */
static void fields_of(hill_metrics *metrics, const char *part, char keys[FIELDS + 1][24], double *values[FIELDS])
{
    static const char *const names[FIELDS + 1] = {"cost", "accuracy", "rmse", "mae", "r2", "rows"};
    double *const all[FIELDS] = {&metrics->cost, &metrics->accuracy, &metrics->rmse, &metrics->mae, &metrics->r2};
    for (size_t i = 0; i <= FIELDS; i++)
        (void)snprintf(keys[i], 24, "%s_%s", part, names[i]);
    memcpy(values, all, sizeof all);
}

static bool read_metrics(const char *line, const char *part, hill_metrics *out)
{
    char keys[FIELDS + 1][24];
    double *values[FIELDS];
    fields_of(out, part, keys, values);
    for (size_t i = 0; i < FIELDS; i++)
        *values[i] = number_of(line, keys[i]);
    return count_of(line, keys[FIELDS], &out->rows);
}

static void write_metrics(json *j, const char *part, hill_metrics metrics)
{
    char keys[FIELDS + 1][24];
    double *values[FIELDS];
    fields_of(&metrics, part, keys, values);
    for (size_t i = 0; i < FIELDS; i++)
        json_double(j, keys[i], *values[i]);
    json_count(j, keys[FIELDS], metrics.rows);
}

/* How the line of a racer begins: up to its key, or with it. */
static void begin_line(text *out, const racer *r, bool key)
{
    text_format(out, "{\"racer\":\"%s\",\"key\":\"%s", text_get(&r->stem), key ? r->key : "");
}

static void add_line(text *out, const racer *r)
{
    json j = {out, true};
    begin_line(out, r, true);
    text_string(out, "\"");
    json_double(&j, "rate", r->taken);
    json_string(&j, "stopped", r->diverged ? "diverged" : r->patience ? "patience" : "epochs");
    json_count(&j, "steps", r->steps);
    json_count(&j, "epochs", r->epochs);
    json_count(&j, "best_epoch", r->best_epoch);
    json_count(&j, "ways_back", r->ways_back);
    write_metrics(&j, "train", r->train);
    write_metrics(&j, "valid", r->valid);
    json_double(&j, "seconds", r->seconds);
    json_close(&j, '}');
    text_string(out, "\n");
}

static bool read_line(const char *line, racer *r)
{
    r->taken = number_of(line, "rate");
    r->diverged = strstr(line, "\"stopped\":\"diverged\"") != NULL;
    r->patience = strstr(line, "\"stopped\":\"patience\"") != NULL;
    r->seconds = number_of(line, "seconds");
    return count_of(line, "steps", &r->steps) && count_of(line, "epochs", &r->epochs) &&
           count_of(line, "best_epoch", &r->best_epoch) && count_of(line, "ways_back", &r->ways_back) &&
           read_metrics(line, "train", &r->train) && read_metrics(line, "valid", &r->valid) && isfinite(r->taken) &&
           isfinite(r->seconds);
}

int race_load(race *g)
{
    text path = TEXT_INIT, content = TEXT_INIT;
    int code = race_path(g, NULL, ".jsonl", &path);
    if (code == 0)
        code = read_whole(text_get(&path), CODE_CREATE, &content);
    if (code == 0 && content.length > 0 && strncmp(text_get(&content), RACE_HEAD, strlen(RACE_HEAD)) != 0)
        code =
            output_error(CODE_CREATE, "%s: exists and isn't of a race; it is left alone: --out FOLDER says where the race goes",
                         text_get(&path));
    const char *rest = code == 0 && !g->afresh ? strchr(text_get(&content), '\n') : NULL;
    if (rest)
        text_string(&g->finished, rest + 1);
    text_free(&path);
    text_end(&g->finished, &content);
    return code == 0 && g->finished.failed ? output_failure(HILL_EMEMORY, NULL) : code;
}

/* Where the next whole line that begins so begins; NULL: there is none. *end is behind its newline. */
static char *find_line(text *lines, const char *begin, char **end)
{
    for (char *line = lines->data; line && (*end = strchr(line, '\n')) != NULL; line = *end) {
        ++*end;
        if (strncmp(line, begin, strlen(begin)) == 0)
            return line;
    }
    return NULL;
}

int race_recall(race *g, racer *r)
{
    static const char *const endings[] = {".jsonl", ".safetensors"};
    text begin = TEXT_INIT, path = TEXT_INIT;
    char *end;
    begin_line(&begin, r, true);
    int code = begin.failed ? output_failure(HILL_EMEMORY, NULL) : 0;
    const char *line = code == 0 ? find_line(&g->finished, text_get(&begin), &end) : NULL;
    r->done = line && read_line(line, r);
    for (size_t i = 0; i < (r->diverged ? 1 : 2) && r->done && code == 0; i++) {
        code = race_path(g, r, endings[i], &path);
        r->done = code == 0 && access(text_get(&path), R_OK) == 0;
    }
    /* A kill may have come between the line and their removal. */
    for (int i = 1; i <= 2 && r->done; i++) {
        text_clear(&path);
        text_format(&path, "%s/%s.safetensors.%s.ckpt-%d", text_get(&g->folder), text_get(&r->stem), r->key, i);
        if (!path.failed)
            (void)unlink(text_get(&path));
    }
    text_free(&path);
    text_free(&begin);
    return code;
}

/* Beside it under a name that is always the same, so that what a kill leaves of it is written over. */
static int open_finished(const race *g, const char *path, output_file *file)
{
    text temporary = TEXT_INIT;
    int code = race_path(g, NULL, ".jsonl.tmp0", &temporary);
    if (code) {
        text_free(&temporary);
        return code;
    }
    *file = (output_file){path, temporary.data, -1};
    file->descriptor = output_open(file->temporary, O_WRONLY | O_CREAT | O_TRUNC);
    if (file->descriptor >= 0)
        return 0;
    int problem = errno;
    output_drop(file);
    return output_error(output_problem(problem, CODE_CREATE), "%s: cannot be created: %s", path, strerror(problem));
}

static int write_finished(const race *g)
{
    text path = TEXT_INIT, content = TEXT_INIT;
    output_file file;
    json j = {&content, false};
    int code = race_path(g, NULL, ".jsonl", &path);
    json_open(&j, NULL, '{');
    json_string(&j, "downhill", hill_version());
    json_string(&j, "race", g->base.data);
    json_close(&j, '}');
    text_string(&content, "\n");
    text_string(&content, text_get(&g->finished));
    if (code == 0)
        code = g->finished.failed ? output_failure(HILL_EMEMORY, NULL) : open_finished(g, text_get(&path), &file);
    if (code == 0) {
        code = output_append(&file, &content);
        if (code)
            output_drop(&file);
        else
            code = output_close(&file);
    }
    text_free(&content);
    text_free(&path);
    return code;
}

static void drop_line(text *lines, const racer *r)
{
    text begin = TEXT_INIT;
    char *line, *end;
    begin_line(&begin, r, false);
    while ((line = find_line(lines, text_get(&begin), &end)) != NULL) {
        memmove(line, end, strlen(end) + 1);
        lines->length -= (size_t)(end - line);
    }
    text_end(lines, &begin);
}

int race_forget(race *g, const racer *r)
{
    drop_line(&g->finished, r);
    return write_finished(g);
}

int race_keep(race *g, const racer *r)
{
    drop_line(&g->finished, r);
    add_line(&g->finished, r);
    return write_finished(g);
}

/* Takes a line of a log; `thrown` counts the steps that were gone back over. */
static bool take_line(const race *g, racer *r, const char *line, uint64_t *thrown)
{
    uint64_t steps, to;
    race_point *point;
    if (strncmp(line, "{\"rollback\":", 12) == 0 && count_of(line, "step", &steps) && count_of(line, "to", &to) && steps > to)
        *thrown += steps - 1 - to;
    double cost = number_of(line, g->by_valid ? "valid_cost" : "train_cost");
    if (strncmp(line, "{\"step\":", 8) != 0 || isnan(cost) || !count_of(line, "step", &steps))
        return true;
    if (r->point_count % 256 == 0) {
        point = realloc(r->points, (r->point_count + 256) * sizeof *point);
        if (!point)
            return false;
        r->points = point;
    }
    r->points[r->point_count++] = (race_point){steps + *thrown, number_of(line, "seconds"), cost};
    return true;
}

int race_read_points(const race *g, racer *r)
{
    text path = TEXT_INIT, content = TEXT_INIT;
    uint64_t thrown = 0;
    bool room = true;
    int code = race_path(g, r, ".jsonl", &path);
    if (code == 0)
        code = read_whole(text_get(&path), CODE_INPUT, &content);
    char *end;
    for (char *line = content.data; code == 0 && room && line && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        room = take_line(g, r, line, &thrown);
    }
    text_free(&content);
    text_free(&path);
    return code == 0 && !room ? output_failure(HILL_EMEMORY, NULL) : code;
}
