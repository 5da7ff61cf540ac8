/*
 * trace.h - the log of a descent: JSON lines, each whole or not there.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "text.h"

#include <downhill.h>

typedef struct trace {
    const char *path;                                          /* NULL: no file is kept */
    void (*hear)(void *self, const char *line, size_t length); /* told every line, whatever the disk does; or NULL */
    void *self;
    int descriptor;
    int problem;    /* errno of the last write, 0 where it went well */
    int unsynced;   /* errno of the first sync that failed */
    double earlier; /* seconds that earlier processes took for the steps that are told */
    uint64_t step_every, epoch_every, epoch_steps;
    double own_rate; /* the rate that a person set, as far as the log tells; 0: the schedule's */
    text line;       /* what isn't written yet */
    size_t heard;    /* how much of it was told */
} trace;

/* Bytes of a log's path before its ".jsonl", all of them where it has none. */
size_t trace_stem(const char *path);

/* Whether a log can be written there: nothing, an older log, or a device. Returns 0 or an exit code after saying why not. */
int trace_check(const char *path);

/* The files of a run, as the command names them, so that its log alone leads to them; NULL: there is none. */
typedef struct trace_files {
    const char *data, *model, *targets, *valid, *test, *start;
} trace_files;

/* The object that a log begins with: what run it tells of. */
void trace_first_line(text *out, const char *recipe, const trace_files *files, const hill_model_facts *facts);

/*
 * Opens the log and writes its first line; of a run that goes on, cuts the log back to where the run stands. Which steps are
 * reported depends on the run's length alone. Returns 0 or an exit code after saying what is wrong.
 */
int trace_begin(trace *t, const hill_run *run, const char *recipe, const trace_files *files, const hill_model_facts *facts);

/* 1 if the step (1, 2, ...) will be reported: the caller then asks for norms. */
static inline int trace_wants(const trace *t, uint64_t step)
{
    if (!t->path && !t->hear)
        return 0;
    return step % t->step_every == 0 || (step % t->epoch_steps == 0 && step / t->epoch_steps % t->epoch_every == 0);
}

void trace_row(trace *t, const hill_row *row, double seconds);

/* The run diverged at a step and went back to row->step. */
void trace_back(trace *t, const hill_run *run, const hill_row *row, uint64_t diverged, double seconds);

/* After this step a person set the rate of those to come; 0 gives it back to the schedule. */
void trace_rate(trace *t, uint64_t step, double rate);

/* What was written is on the disk. */
void trace_sync(trace *t);

/* The last line; 0, or an exit code after saying that the log isn't whole. */
int trace_end(trace *t, const char *stopped, const hill_row *row, double seconds);
void trace_free(trace *t);

#endif
