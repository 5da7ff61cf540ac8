/*
 * trace.c - the log of a descent: JSON lines, each whole or not there.
 *
 * Invariant: which steps are reported follows from the length of the run alone, never from the clock, so that two runs of one
 * recipe have logs that differ in their seconds only.
 */
#define _POSIX_C_SOURCE 200809L

#include "trace.h"

#include "input.h"
#include "json.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORTS 1000
#define FIRST_KEY "{\"downhill\":"
#define BACK_KEY "{\"rollback\":"
#define RATE_KEY "{\"control\":\"rate\""

/*
 * Writes the line that was begun, and before it what the disk refused earlier: that is kept, for the disk may have room again. It
 * can't grow much, because there are about a thousand lines.
 */
static void write_line(trace *t)
{
    size_t written = 0;
    if (t->hear && !t->line.failed)
        t->hear(t->self, text_get(&t->line) + t->heard, t->line.length - t->heard);
    if (!t->path) {
        text_clear(&t->line);
        return;
    }
    text_string(&t->line, "\n");
    t->problem = t->line.failed ? ENOMEM : 0;
    while (!t->problem && written < t->line.length) {
        ssize_t count = write(t->descriptor, text_get(&t->line) + written, t->line.length - written);
        if (count >= 0)
            written += (size_t)count;
        else if (!output_again(t->descriptor, POLLOUT))
            t->problem = errno;
    }
    if (t->line.failed)
        return;
    memmove(t->line.data, t->line.data + written, t->line.length - written + 1);
    t->line.length -= written;
    t->heard = t->line.length;
}

/* An empty file will do, and a log. Returns 0 or an exit code after saying what else it is. */
static int check_head(const char *path)
{
    char head[sizeof FIRST_KEY - 1];
    size_t length = 0;
    int code = input_head(path, CODE_CREATE, head, sizeof head, &length);
    if (code || length == 0 || (length == sizeof head && memcmp(head, FIRST_KEY, sizeof head) == 0))
        return code;
    return output_error(CODE_CREATE, "%s: exists and isn't a log of Downhill; it is left alone: take another name", path);
}

/* The exit code for an errno about the log, once it is said. */
static int log_problem(const char *path, int code, const char *what, int problem)
{
    return output_error(output_problem(problem, code), "%s: cannot be %s: %s", path, what, strerror(problem));
}

size_t trace_stem(const char *path)
{
    static const char ending[] = ".jsonl";
    size_t length = strlen(path), cut = sizeof ending - 1;
    bool ends = length > cut && path[length - cut - 1] != '/' && strcmp(path + length - cut, ending) == 0;
    return ends ? length - cut : length;
}

int trace_check(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) != 0) {
        int problem = errno == ENOENT ? output_probe(path) : errno;
        return problem ? log_problem(path, CODE_CREATE, "created", problem) : 0;
    }
    if (S_ISDIR(facts.st_mode))
        return output_error(CODE_CREATE, "%s: is a folder", path);
    if (access(path, W_OK) != 0)
        return log_problem(path, CODE_CREATE, "written", errno);
    return S_ISREG(facts.st_mode) ? check_head(path) : 0;
}

/* Chooses which steps are reported. */
static void choose_steps(trace *t, const hill_run *run)
{
    uint64_t total = hill_run_total_steps(run);
    t->epoch_steps = hill_run_epoch_steps(run) ? hill_run_epoch_steps(run) : 1;
    uint64_t epochs = total / t->epoch_steps;
    t->step_every = total / REPORTS + (total % REPORTS != 0);
    t->epoch_every = epochs / REPORTS + (epochs % REPORTS != 0);
    if (t->step_every == 0)
        t->step_every = 1;
    if (t->epoch_every == 0)
        t->epoch_every = 1;
}

/* The number behind `key` in a line, or `otherwise`. */
static double number_in(const char *line, const char *key, double otherwise)
{
    const char *found = strstr(line, key);
    return found ? strtod(found + strlen(key), NULL) : otherwise;
}

/* The bytes of a log that tell of no more than the run has behind it; t->earlier gets the seconds that took. */
static size_t length_until(trace *t, text *log, const hill_run *run)
{
    unsigned ways_back, seen = 0;
    uint64_t step = hill_run_steps(run, &ways_back);
    size_t length = 0;
    for (char *line = log->data, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        *end = '\0';
        if (strncmp(line, "{\"stopped\"", 10) == 0)
            break;
        if (strncmp(line, BACK_KEY, strlen(BACK_KEY)) == 0)
            seen = (unsigned)number_in(line, BACK_KEY, 0);
        else if (strncmp(line, FIRST_KEY, strlen(FIRST_KEY)) != 0 && seen == ways_back &&
                 number_in(line, "\"step\":", 0) > (double)step)
            break;
        if (seen > ways_back)
            break;
        if (strncmp(line, RATE_KEY, strlen(RATE_KEY)) == 0)
            t->own_rate = number_in(line, "\"rate\":", 0);
        if (t->hear)
            t->hear(t->self, line, (size_t)(end - line));
        t->earlier = number_in(line, "\"seconds\":", t->earlier);
        length = (size_t)(end + 1 - log->data);
    }
    return length;
}

/* How much of the file there stays: what an earlier process told of this run; 0 where it is of another. Returns an errno. */
static int kept_length(trace *t, const hill_run *run, size_t *length)
{
    text log = TEXT_INIT;
    *length = 0;
    unsigned ways_back;
    if (hill_run_steps(run, &ways_back) == 0 && ways_back == 0)
        return 0;
    int problem = input_rest(t->descriptor, SIZE_MAX, &log);
    if (!problem && strncmp(text_get(&log), text_get(&t->line), t->line.length) == 0)
        *length = length_until(t, &log, run);
    text_free(&log);
    return problem;
}

/* Cuts the file off behind so many bytes, and goes there; an errno. */
static int cut(int descriptor, size_t length)
{
    int result;
    do {
        result = ftruncate(descriptor, (off_t)length);
    } while (result != 0 && errno == EINTR);
    return result != 0 || lseek(descriptor, (off_t)length, SEEK_SET) < 0 ? errno : 0;
}

void trace_first_line(text *out, const char *recipe, const trace_files *files, const hill_model_facts *facts)
{
    const char *const members[][2] = {{"model", files->model},
                                      {"targets", files->targets},
                                      {"valid", files->valid},
                                      {"test", files->test},
                                      {"start", files->start}};
    json j = {out, false};
    json_open(&j, NULL, '{');
    json_string(&j, "downhill", hill_version());
    json_string(&j, "recipe", recipe);
    json_string(&j, "data", files->data);
    for (size_t i = 0; i < sizeof members / sizeof *members; i++)
        if (members[i][1])
            json_string(&j, members[i][0], members[i][1]);
    json_count(&j, "rows", facts->rows);
    json_count(&j, "inputs", facts->inputs);
    json_count(&j, "outputs", facts->outputs);
    json_count(&j, "parameters", facts->parameters);
    json_close(&j, '}');
}

int trace_begin(trace *t, const hill_run *run, const char *recipe, const trace_files *files, const hill_model_facts *facts)
{
    struct stat found;
    size_t length = 0;
    if (!t->path && !t->hear)
        return 0;
    choose_steps(t, run);
    trace_first_line(&t->line, recipe, files, facts);
    if (t->line.failed)
        return output_failure(HILL_EMEMORY, NULL);
    if (!t->path) {
        write_line(t);
        return 0;
    }
    bool plain = stat(t->path, &found) != 0 || S_ISREG(found.st_mode);
    t->descriptor = output_open(t->path, (plain ? O_RDWR : O_WRONLY) | O_CREAT);
    if (t->descriptor < 0)
        return log_problem(t->path, CODE_CREATE, "created", errno);
    int problem = plain ? kept_length(t, run, &length) : 0;
    if (problem)
        return log_problem(t->path, CODE_IO, "read", problem);
    problem = plain ? cut(t->descriptor, length) : 0;
    if (problem)
        return log_problem(t->path, CODE_IO, "written", problem);
    if (length > 0)
        text_clear(&t->line);
    else
        write_line(t);
    /* The process that set it has ended, and no checkpoint kept it. */
    if (t->own_rate > 0)
        trace_rate(t, hill_run_steps(run, NULL), 0);
    return 0;
}

void trace_back(trace *t, const hill_run *run, const hill_row *row, uint64_t diverged, double seconds)
{
    json j = {&t->line, false};
    unsigned ways_back;
    if (!t->path && !t->hear)
        return;
    (void)hill_run_steps(run, &ways_back);
    json_open(&j, NULL, '{');
    json_count(&j, "rollback", ways_back);
    json_count(&j, "step", diverged);
    json_count(&j, "to", row->step);
    json_double(&j, "rate", row->rate);
    json_string(&j, "reason", hill_run_message(run));
    json_double(&j, "seconds", seconds);
    json_close(&j, '}');
    write_line(t);
}

void trace_rate(trace *t, uint64_t step, double rate)
{
    json j = {&t->line, false};
    t->own_rate = rate;
    if (!t->path && !t->hear)
        return;
    json_open(&j, NULL, '{');
    json_string(&j, "control", "rate");
    json_count(&j, "step", step);
    json_double(&j, "rate", rate);
    json_close(&j, '}');
    write_line(t);
}

void trace_sync(trace *t)
{
    /* What can't be synced is a device or a pipe. A disk that refuses says so once only, and lines may be lost. */
    if (t->path && output_sync(t->descriptor) != 0 && errno != EINVAL && !t->unsynced)
        t->unsynced = errno;
}

void trace_row(trace *t, const hill_row *row, double seconds)
{
    json j = {&t->line, false};
    json_open(&j, NULL, '{');
    json_count(&j, "step", row->step);
    json_count(&j, "epoch", row->epoch);
    json_double(&j, "cost", row->cost);
    json_double(&j, "rate", row->rate);
    json_double(&j, "gradient_norm", row->gradient_norm);
    json_double(&j, "weight_norm", row->weight_norm);
    json_double(&j, "step_norm", row->step_norm);
    json_double(&j, "train_cost", row->train_cost);
    json_double(&j, "valid_cost", row->valid_cost);
    json_double(&j, "valid_accuracy", row->valid_accuracy);
    json_double(&j, "seconds", seconds);
    json_close(&j, '}');
    write_line(t);
}

int trace_end(trace *t, const char *stopped, const hill_row *row, double seconds)
{
    json j = {&t->line, false};
    if (!t->path && !t->hear)
        return 0;
    json_open(&j, NULL, '{');
    json_string(&j, "stopped", stopped);
    json_count(&j, "step", row->step);
    json_count(&j, "epoch", row->epoch);
    json_double(&j, "seconds", seconds);
    json_close(&j, '}');
    write_line(t);
    if (!t->path)
        return 0;
    if (close(t->descriptor) != 0 && errno != EINTR && !t->problem)
        t->problem = errno;
    t->descriptor = -1;
    int problem = t->problem ? t->problem : t->unsynced;
    if (!problem)
        return 0;
    return output_error(output_problem(problem, CODE_IO), "%s: cannot be written: %s; the log isn't whole", t->path,
                        strerror(problem));
}

void trace_free(trace *t)
{
    if (t->path && t->descriptor >= 0)
        (void)close(t->descriptor);
    text_free(&t->line);
}
