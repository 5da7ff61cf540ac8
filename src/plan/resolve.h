/*
 * resolve.h - what "auto" means: the one place where defaults that depend on the data are chosen.
 */
#ifndef HILL_PLAN_RESOLVE_H
#define HILL_PLAN_RESOLVE_H

#include "plan/recipe.h"

/* Replaces every "auto" that this shape decides, net's output layer included. Data knobs are the session's. */
int hill__recipe_resolve(hill_recipe *recipe, const hill_shape *shape, hill_error *error);

#endif
