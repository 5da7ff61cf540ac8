/*
 * snapshots.h - states of a descent that are kept to look at it later: a model file for some epochs, in a folder beside the log.
 */
#ifndef CLI_SNAPSHOTS_H
#define CLI_SNAPSHOTS_H

#include "options.h"
#include "text.h"

#include <downhill.h>

typedef struct snapshots {
    uint64_t most; /* so many epochs besides the start; 0: none are kept */
    uint64_t epoch_steps, total;
    uint64_t every;    /* steps between two */
    uint64_t due_step; /* the next one; UINT64_MAX: there is none */
    hill_session *session;
    text folder; /* "": no log, so none */
    bool failed; /* one couldn't be written, and that was said */
} snapshots;

/* RUN.jsonl -> RUN.snapshots, and the file of an epoch in that folder. */
void snapshots_folder(text *out, const char *log);
void snapshots_file(text *out, const char *folder, uint64_t epoch);

/* The epoch that a file in such a folder is of, by its name; false where it is no snapshot. */
bool snapshots_epoch(const char *name, uint64_t *epoch);

/*
 * Reads --snapshots, and looks whether they can be kept beside the log with the model going to `out`. Returns 0 or an exit code
 * after saying what is wrong. Nothing is made yet.
 */
int snapshots_check(snapshots *s, const arguments *a, const char *out);

/*
 * The descent begins, or goes on: what another run left in the folder is taken away, what this one did stays. Of a new start one is
 * due at once. Returns 0 or an exit code after saying why the folder can't be made.
 */
int snapshots_begin(snapshots *s, hill_session *session);

/* Takes one. false, once in a run, where that can't be, with the reason; a later failure isn't worth another word. */
bool snapshots_take(snapshots *s, uint64_t step, hill_error *error);

/* The steps were counted back to this one: what was taken since is gone. */
void snapshots_back(snapshots *s, uint64_t step);

/* The descent has ended after this step: takes the last one, if it isn't there. As snapshots_take. */
bool snapshots_end(snapshots *s, uint64_t step, hill_error *error);
void snapshots_free(snapshots *s);

#endif
