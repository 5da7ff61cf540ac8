/*
 * norm.h - how long the weights of a unit may become.
 */
#ifndef HILL_TRAIN_NORM_H
#define HILL_TRAIN_NORM_H

#include "train/run.h"

/* Brings every unit whose incoming weights are longer than the recipe's `max-norm` back to that length (Srivastava 2014). */
void hill__norms_limit(hill_run *run);

#endif
