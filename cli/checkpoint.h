/*
 * checkpoint.h - the state of a descent on disk: two files that are written in turn, and the way back from them.
 */
#ifndef CLI_CHECKPOINT_H
#define CLI_CHECKPOINT_H

#include "progress.h"
#include "text.h"

#include <downhill.h>

typedef struct checkpoints {
    bool off;          /* none are written: --checkpoint-every 0, or the model goes to what is no plain file */
    uint64_t steps;    /* between two, or 0 where `seconds` counts */
    double seconds;    /* between two */
    uint64_t due_step; /* the next one; UINT64_MAX where time decides */
    double due;        /* likewise, by progress_clock */
    hill_session *session;
    text out;      /* the model's path */
    text names[2]; /* OUT.<key>.ckpt-1 and -2 */
    int next;      /* which of them is written next */
    int newest;    /* which of them holds the latest state; -1: none does */
    bool fresh;    /* what stands there is of a run that isn't gone on with */
    uint64_t newest_step;
    bool failing;       /* the last try failed, and that was said */
    progress *progress; /* what must go from the screen before anything is said; NULL: nothing stands there */
} checkpoints;

/* Reads --checkpoint-every (NULL: the default). Returns 0 or an exit code after saying what is wrong. */
int checkpoint_every(checkpoints *c, const char *value);

/* Names the files, and takes away what a killed run left half written. */
int checkpoint_begin(checkpoints *c, hill_session *session, const char *out);

/*
 * Goes on from `file`, or where that is NULL from the newest good one of the two, if there is any. *from is the file, or NULL
 * for a new start. Returns 0 or an exit code after saying why `file` cannot be gone on from, or which of the two could not be
 * read.
 */
int checkpoint_resume(checkpoints *c, const char *file, const char **from);

/* The descent begins, or its steps were counted back: when the next one is due. */
void checkpoint_schedule(checkpoints *c, uint64_t step, double now);

/* Writes one. false, after saying why once, where it can't; it is tried again when the next is due. */
bool checkpoint_save(checkpoints *c, double now);

/* Whether the newest state is on the disk: there was one, and nobody took it away. */
bool checkpoint_stands(const checkpoints *c);

/* The model is safe: takes both away. */
void checkpoint_remove(checkpoints *c);
void checkpoint_free(checkpoints *c);

#endif
