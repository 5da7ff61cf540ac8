/*
 * recipe.h - the knob table and the recipe: every knob with its value, as text.
 */
#ifndef HILL_PLAN_RECIPE_H
#define HILL_PLAN_RECIPE_H

#include "base/text.h"

struct hill_recipe {
    hill_allocator allocator;
    char **values; /* one a knob, NULL where the default stands */
    hill__text text;
};

/* True for a knob that is the host's and no part of a plan or a model: the limits. */
bool hill__knob_is_lent(const hill_knob *knob);

/* A copy without the knobs that are lent. The caller frees it with hill_recipe_free. */
int hill__recipe_copy(const hill_recipe *recipe, const hill_allocator *allocator, hill_recipe **out, hill_error *error);

/* The knob as a number (its default where unset). 0 for an unknown knob: callers name knobs of the table. */
double hill__recipe_number(const hill_recipe *recipe, const char *knob);

/* Pieces that a number has, by a value of the knob numbers: 0 for "plain". false: it is no such value. */
#define HILL__PIECES_MOST 1024u
bool hill__recipe_pieces(const char *value, size_t *pieces);

/* The knob as a whole number. */
uint64_t hill__recipe_count(const hill_recipe *recipe, const char *knob);

/* True if the knob's value is `word`. */
bool hill__recipe_is(const hill_recipe *recipe, const char *knob, const char *word);

#endif
