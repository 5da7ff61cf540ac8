/*
 * session.h - a table and a recipe on their way to a model.
 */
#ifndef HILL_MODEL_SESSION_H
#define HILL_MODEL_SESSION_H

#include "model/model.h"

struct hill_session {
    hill_allocator allocator;
    hill_host host;
    char isa[16]; /* what host.isa points to */
    hill_tables tables;
    hill_recipe *recipe; /* as asked for; data knobs made concrete step by step */
    hill_plan *plan;
    hill_run *run;
    hill__encoder *encoder;
    hill__rows *train, *valid, *test; /* the last two may be NULL */
    hill_source train_source, valid_source;
    uint64_t data_hash, valid_hash, start_hash; /* of the tables and of the start weights */
    char key[17];                               /* of these and the recipe, in hexadecimal */
    hill__lines notes;
    hill__text guesses;
};

/* What the recipe's cost asks of targets: flags of its row in op.def; none where it isn't chosen yet. */
unsigned hill__session_cost_flags(const hill_session *session);

/* The training table's column that the knob `weight` names; SIZE_MAX where it names none. */
int hill__session_weight_column(const hill_session *session, size_t *column, hill_error *error);

/* Gives training and validation rows the weights that the recipe asks for (session_weights.c). */
int hill__session_weights(hill_session *session, hill_error *error);

/* The data half of hill_session_new: target, task, split, encoder and rows (session_data.c). */
int hill__session_data(hill_session *session, hill_error *error);

#endif
