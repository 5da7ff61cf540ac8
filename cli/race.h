/*
 * race.h - rules that descend from the same start in the same batch order, one after another, and what came of each.
 *
 * cmd_race.c reads the flags and runs the race, race_run.c one racer, race_file.c keeps what is finished, race_table.c tells.
 * All that a race leaves is in one folder: of each racer a log and a model, and race.jsonl.
 */
#ifndef CLI_RACE_H
#define CLI_RACE_H

#include "training.h"

/* The end of a pass, as the log has it. */
typedef struct race_point {
    uint64_t steps;
    double seconds;
    double cost; /* that the target is about */
} race_point;

typedef struct racer {
    text name;     /* "sgd", or "sgd 0.5" with a rate of its own */
    text stem;     /* what its files are called */
    char rule[64]; /* as in the recipe */
    char rate[32]; /* "" for the one that its rule takes by itself */
    char key[17];  /* of its session */
    bool done;     /* what follows is known */
    double taken;  /* the rate it took */
    bool diverged; /* it has no model, and no metrics */
    bool patience; /* it ended before its last pass */
    uint64_t steps, epochs, best_epoch, ways_back;
    double seconds;
    hill_metrics train, valid; /* of its model */
    race_point *points;
    size_t point_count;
    const race_point *reached; /* the first point that is at the target or below; NULL: there is none */
} racer;

typedef struct race {
    training base;       /* the data, and what all racers have in common */
    hill_recipe *common; /* of every racer, but for rule and rate */
    racer *racers;
    size_t count;
    bool chosen; /* the rules were named: each has to run */
    bool afresh; /* nothing that is there counts */
    text folder;
    text finished; /* lines of race.jsonl but the first: one a racer, also of an earlier race of other rules */
    bool whole;    /* a step looks at all rows */
    double target;
    bool told;     /* the target was given */
    bool by_valid; /* the target is about validation rows */
} race;

/* FOLDER/stem and an ending; FOLDER/race where r is NULL. Returns 0 or an exit code, as all here that return an int. */
int race_path(const race *g, const racer *r, const char *ending, text *out);

/* A racer's recipe, and its session, which gives the racer its key; into `t`, a training that has the race's tables. A status. */
int race_recipe(const race *g, const racer *r, training *t, hill_error *error);
int race_session(const race *g, racer *r, training *t, hill_error *error);
training race_lend(const race *g);
void race_return(training *t);

/* A line of talk. */
void race_say(training *t, const char *label, const text *words);

/* Runs a racer to its end, or on from its checkpoint; r is `done` then. Returns 0 or an exit code after saying why. */
int race_run(race *g, racer *r, size_t place);

/* What is finished, from the folder: a file that isn't there is an empty one. */
int race_load(race *g);

/* Takes from it what is known of the racer, where that is of the very same descent and its files are there; it needs no checkpoints. */
int race_recall(race *g, racer *r);

/* The racer begins: what was known about its files holds no more. It ended: that is kept. Each writes the file. */
int race_forget(race *g, const racer *r);
int race_keep(race *g, const racer *r);

/* The ends of passes from a finished racer's log. Returns 0 or an exit code after saying why. */
int race_read_points(const race *g, racer *r);

/* Sorts the racers, sets the target where it wasn't told, and answers with the table or in JSON. */
int race_answer(race *g);

#endif
