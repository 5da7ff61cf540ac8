/*
 * model.h - a trained net with all it takes to answer raw rows.
 */
#ifndef HILL_MODEL_MODEL_H
#define HILL_MODEL_MODEL_H

#include "data/rows.h"
#include "model/safetensors.h"
#include "plan/recipe.h"

/* How the names begin that a checkpoint's tensors have and its model's don't. */
#define HILL__RUN_PREFIX "run."

/* What a training left behind besides weights. */
typedef struct hill__facts {
    uint64_t rows, epochs, steps, best_epoch;
} hill__facts;

struct hill_model {
    hill_allocator allocator;
    hill_host host;
    char isa[16]; /* what host.isa points to */
    hill_plan *plan;
    hill_plan_sizes sizes;
    hill__encoder *encoder;
    float *weights; /* [sizes.vector] */
    hill__facts facts;
    hill_run *run; /* answers; made when the first are asked for, with the two buffers */
    float *inputs;
    float *outputs;
};

/*
 * What a model is made of. It takes over the encoder, on failure too. The weights are those of a file called `name`, or a vector,
 * or, with both NULL, zeros.
 */
typedef struct hill__model_parts {
    const hill_recipe *recipe; /* resolved */
    hill__encoder *encoder;
    const hill__safetensors *file;
    const char *name;
    const float *weights;
    hill__facts facts;
} hill__model_parts;

/* A host whose `isa` is kept in `isa`, so that the caller's may go. */
hill_host hill__model_host(const hill_host *host, char isa[16]);

/*
 * Sees that a net looks up what an encoder embeds, and nothing else: the same units, in tables of as many rows and as wide.
 * HILL_ERECIPE: it doesn't.
 */
int hill__model_tables(const hill__encoder *encoder, const hill_plan *plan, hill_error *error);

/* Rows answered at once. */
size_t hill__model_rows(const hill_model *model);

int hill__model_new(const hill__model_parts *parts, const hill_host *host, hill_model **out, hill_error *error);

/* What a checkpoint's file has besides its model: a text of the metadata under "run", and tensors with the floats of each. */
typedef struct hill__model_extra {
    const char *run;
    const hill_tensor *tensors;
    const float *const *values;
    size_t count;
} hill__model_extra;

/* Writes a model file, `extra` NULL, or a checkpoint. */
int hill__model_write(const hill_model *model, const hill__model_extra *extra, const char *path, hill_error *error);

/* Whether a file is a model of this version; its recipe and arithmetic. HILL_EMODEL: it isn't. */
int hill__model_recognise(const hill__safetensors *file, const char *name, hill_recipe *recipe, hill_error *error);

/* hill__model_load for the tensors of these names behind a prefix, and without a look at the others. */
int hill__model_load_part(const hill__safetensors *file, const char *name, const char *prefix, const hill_plan *plan,
                          float *weights, hill_error *error);

/*
 * Copies the plan's tensors from a file into a vector of its layout. Other tensors may only be a checkpoint's, under "run.".
 * HILL_EMODEL: one is missing, of another shape or dtype, too many, or holds a value that isn't finite. `name` is the file's.
 */
int hill__model_load(const hill__safetensors *file, const char *name, const hill_plan *plan, float *weights, hill_error *error);

/* Reads the weights of a model or a bare safetensors file that fits the plan. */
int hill__model_start(const char *path, const hill_plan *plan, const hill_host *host, float *weights, hill_error *error);

/* Metrics over bound rows with targets; `confusion` as in hill_model_evaluate. */
int hill__model_score(hill_model *model, hill__rows *rows, hill_metrics *metrics, uint64_t *confusion, hill_error *error);

#endif
