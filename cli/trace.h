/*
 * trace.h - the log of a descent: JSON lines, each whole or not there.
 */
#ifndef CLI_TRACE_H
#define CLI_TRACE_H

#include "text.h"

#include <downhill.h>

typedef struct trace {
    const char *path; /* NULL: no log is kept */
    int descriptor;
    int problem; /* errno of the first failed write; nothing is written after it */
    uint64_t step_every, epoch_every, epoch_steps;
    text line;
} trace;

/* Whether a log can be written there: nothing, an older log, or a device. Returns 0 or an exit code after saying why not. */
int trace_check(const char *path);

/* Empties the file and chooses which steps are reported: that depends on the run's length alone. */
int trace_open(trace *t, const char *path, const hill_run *run);

/* 1 if the step (1, 2, ...) will be reported: the caller then asks for norms. */
static inline int trace_wants(const trace *t, uint64_t step)
{
    if (!t->path)
        return 0;
    return step % t->step_every == 0 || (step % t->epoch_steps == 0 && step / t->epoch_steps % t->epoch_every == 0);
}

void trace_begin(trace *t, const char *recipe, const char *data, const hill_model_facts *facts);
void trace_row(trace *t, const hill_row *row, double seconds);

/* The last line; 0, or an exit code after saying that the log isn't whole. */
int trace_end(trace *t, const char *stopped, const hill_row *row, double seconds);
void trace_free(trace *t);

#endif
