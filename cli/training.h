/*
 * training.h - what the verbs that train have in hand, from the command line to the answer.
 *
 * train_open.c opens everything, train_walk.c takes the steps, train_end.c measures, saves and tells.
 */
#ifndef CLI_TRAINING_H
#define CLI_TRAINING_H

#include "checkpoint.h"
#include "curve.h"
#include "live.h"
#include "options.h"
#include "progress.h"
#include "snapshots.h"
#include "trace.h"

typedef struct training {
    const arguments *a;
    const char *data;       /* the operand */
    const char *valid_file; /* --valid, where it is no fraction */
    text out;
    hill_host host;
    hill_recipe *recipe;
    hill_table *train, *valid, *test;
    bool untested; /* the verb doesn't look at test rows, a directory's own neither */
    hill_session *session;
    const char *resumed; /* the checkpoint that is gone on from, or NULL */
    hill_run *run;
    hill_model *model;
    hill_model_facts facts;
    hill_metrics metrics[3]; /* by hill_which */
    hill_diagnosis diagnosis;
    progress progress;
    trace trace;
    checkpoints checkpoints;
    snapshots snapshots;
    curve *curve; /* costs to draw at the end; NULL: nobody sees them */
    hill_row row; /* the last step */
    double seconds;
    struct live *live; /* where somebody may watch, or NULL */
    bool asked_to_end; /* the page ended the descent, as if its passes were made */
    bool saved;        /* the model is */
} training;

/* What a command line begins with: nothing is open. train_free() gives back whatever was opened by then. */
training train_make(const arguments *a);
void train_free(training *t);

/* Whether standard input is named once at most. */
int train_standard_inputs(const arguments *a);

/* The host from the flags, then one phase after another while none fails; frees *t. `code` is what came of it before. */
int train_through(training *t, int code, int (*const *phases)(training *), size_t count);

/* The recipe: its file first, flags over it. */
int train_read_recipe(training *t);
int train_open_tables(training *t);

/* What the first line of the log names. */
trace_files train_files(const training *t);
int train_session(training *t);

/* --strict: what was guessed about the data must be said by the caller instead. */
int train_refuse_guesses(training *t);

/* Says, once, what was guessed, what a person should know, and what net it is. */
int train_introduce(training *t);

/* Steps until the end: 0 with t->row the last step, or an exit code after saying why, as that a signal came. */
int train_walk(training *t);

/* The same, but that the run failed or diverged isn't said: *status is what hill_step returned last. */
int train_steps(training *t, int *status);

/* Saves the state of the descent now; whether that went well is said where it didn't. */
bool train_checkpoint(training *t);

/* Why the descent is over, for logs: what hill_run_stopped says, or "page". */
const char *train_stopped(const training *t);

/* Ends a descent that a signal stopped: saves its state and says how to go on. */
int train_interrupted(training *t);

/* Makes the model and measures it on the rows there are. */
int train_measure(training *t);

/*
 * Saves the model. What a disk refuses is tried again for as long as the training took, but for no more than a minute: what
 * is in the way may go. That it could be created was found before, so that it can't any more is the disk's fault too.
 */
int train_save(training *t);

/* Measures, saves and tells. */
int train_end(training *t);

#endif
