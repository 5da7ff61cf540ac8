/*
 * trace.c - the log of a descent: JSON lines, each whole or not there.
 *
 * Invariant: which steps are reported follows from the length of the run alone, never from the clock, so that two runs of one
 * recipe have logs that differ in their seconds only.
 */
#define _POSIX_C_SOURCE 200809L

#include "trace.h"

#include "json.h"
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define REPORTS 1000
#define FIRST_KEY "{\"downhill\":"

static void write_line(trace *t)
{
    text_string(&t->line, "\n");
    if (!t->problem)
        t->problem = t->line.failed ? ENOMEM : output_write(t->descriptor, text_get(&t->line), t->line.length);
    text_clear(&t->line);
}

/* True for an empty file and for a log. */
static bool is_log(const char *path)
{
    char head[sizeof FIRST_KEY - 1];
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    ssize_t length = read(descriptor, head, sizeof head);
    (void)close(descriptor);
    return length == 0 || (length == (ssize_t)sizeof head && memcmp(head, FIRST_KEY, sizeof head) == 0);
}

int trace_check(const char *path)
{
    struct stat facts;
    if (stat(path, &facts) != 0) {
        int problem = errno == ENOENT ? output_probe(path) : errno;
        return problem ? output_error(CODE_CREATE, "--log %s: cannot be created: %s", path, strerror(problem)) : 0;
    }
    if (S_ISDIR(facts.st_mode))
        return output_error(CODE_CREATE, "--log %s: is a folder", path);
    if (S_ISREG(facts.st_mode) && !is_log(path))
        return output_error(CODE_CREATE, "--log %s: exists and isn't a log of Downhill; it is left alone: take another name",
                            path);
    if (access(path, W_OK) != 0)
        return output_error(CODE_CREATE, "--log %s: cannot be written: %s", path, strerror(errno));
    return 0;
}

int trace_open(trace *t, const char *path, const hill_run *run)
{
    uint64_t total = hill_run_total_steps(run);
    *t = (trace){.path = path, .descriptor = -1};
    if (!path)
        return 0;
    t->epoch_steps = hill_run_epoch_steps(run) ? hill_run_epoch_steps(run) : 1;
    uint64_t epochs = total / t->epoch_steps;
    t->step_every = total / REPORTS + (total % REPORTS != 0);
    t->epoch_every = epochs / REPORTS + (epochs % REPORTS != 0);
    if (t->step_every == 0)
        t->step_every = 1;
    if (t->epoch_every == 0)
        t->epoch_every = 1;
    t->descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (t->descriptor < 0)
        return output_error(CODE_CREATE, "--log %s: cannot be created: %s", path, strerror(errno));
    return 0;
}

void trace_begin(trace *t, const char *recipe, const char *data, const hill_model_facts *facts)
{
    json j = {&t->line, false};
    if (!t->path)
        return;
    json_open(&j, NULL, '{');
    json_string(&j, "downhill", hill_version());
    json_string(&j, "recipe", recipe);
    json_string(&j, "data", data);
    json_count(&j, "rows", facts->rows);
    json_count(&j, "inputs", facts->inputs);
    json_count(&j, "outputs", facts->outputs);
    json_count(&j, "parameters", facts->parameters);
    json_close(&j, '}');
    write_line(t);
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
    if (!t->path)
        return 0;
    json_open(&j, NULL, '{');
    json_string(&j, "stopped", stopped);
    json_count(&j, "step", row->step);
    json_count(&j, "epoch", row->epoch);
    json_double(&j, "seconds", seconds);
    json_close(&j, '}');
    write_line(t);
    if (close(t->descriptor) != 0 && !t->problem)
        t->problem = errno;
    t->descriptor = -1;
    if (t->problem)
        return output_error(CODE_IO, "--log %s: cannot be written: %s; the log isn't whole", t->path, strerror(t->problem));
    return 0;
}

void trace_free(trace *t)
{
    if (t->path && t->descriptor >= 0)
        (void)close(t->descriptor);
    text_free(&t->line);
}
