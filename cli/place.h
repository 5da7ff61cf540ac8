/*
 * place.h - where a trained model goes.
 */
#ifndef CLI_PLACE_H
#define CLI_PLACE_H

#include "text.h"

#include <downhill.h>

/* What files about data are called: "train" for "train.csv.gz" in any folder, "model" for "-". */
void place_stem(text *out, const char *data);

/* "train.csv.gz" in any folder gives "train.safetensors"; "-" gives "model.safetensors". */
void place_default(text *out, const char *data);

/* Whether a model can be written there without hurting anything. Returns 0 or an exit code after saying why not. */
int place_check(const char *path, const hill_host *host);

#endif
