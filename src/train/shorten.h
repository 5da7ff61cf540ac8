/*
 * shorten.h - how long the weights of a unit may become.
 */
#ifndef HILL_TRAIN_SHORTEN_H
#define HILL_TRAIN_SHORTEN_H

#include "train/run.h"

/* Brings every unit whose incoming weights are longer than the recipe's `max-norm` back to that length (Srivastava 2014). */
void hill__shorten(hill_run *run);

#endif
