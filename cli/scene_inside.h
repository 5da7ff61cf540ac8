/*
 * scene_inside.h - what the files of a scene share.
 *
 * scene.c opens logs and finds documents, scene_files.c opens models and tables; scene_run.c, scene_net.c, scene_map.c (with
 * scene_grid.c) and scene_answers.c write one document each, scene_report.c all of them, scene_bytes.c their arrays.
 */
#ifndef CLI_SCENE_INSIDE_H
#define CLI_SCENE_INSIDE_H

#include "json.h"
#include "scene.h"

#include <sys/stat.h>

/* A log by its name, and what the run is called. */
typedef struct scene_log {
    text path, name;
} scene_log;

typedef enum scene_part { SCENE_DATA, SCENE_TEST, SCENE_PARTS } scene_part;

/* A table that is opened at its first use. */
typedef struct scene_table {
    hill_table *table;
    bool looked;  /* for the model that is shown */
    text problem; /* why it can't be had */
} scene_table;

/* A row that was answered. */
typedef struct scene_judged {
    uint64_t row;
    double truth, answer; /* a class, or a number */
    float sure, cost;
} scene_judged;

/* All rows of a part that have a target, as one model answers them. */
typedef struct scene_verdict {
    scene_judged *rows;
    size_t count;
    scene_part part;
    bool kept; /* of the weights that were looked at last */
} scene_verdict;

struct scene {
    hill_host host;
    bool is_live, is_report;
    scene_live live;
    scene_log *logs;
    size_t log_count;
    /* From the first line of the first log; "" for what it doesn't name. */
    text version, recipe, data, targets, valid, test, start, model_path;
    hill_model *model;    /* at -1 */
    bool finished;        /* it is the run's own, not its last snapshot */
    struct stat looked;   /* the file at model_path when it was opened last */
    uint64_t model_epoch; /* of a snapshot that stands for it */
    hill_model *snapshot; /* the last one asked for */
    uint64_t snapshot_epoch;
    text model_problem; /* why there is no model */
    scene_table tables[SCENE_PARTS];
    hill_run *run; /* of `run_of` */
    const hill_model *run_of;
    scene_verdict verdict;
};

/* The weights that a document is about. */
typedef struct scene_look {
    hill_model *model;
    hill_model_facts facts;
    hill_run *run;
    uint64_t epoch, step;
} scene_look;

/* Writes {"error": "..."} into a cleared `out`, and returns the status. */
int scene_refuse(text *out, int status, const char *format, ...) CLI_PRINTF(3, 4);

/* The same for a status of the library. */
int scene_refuse_for(text *out, int status, const hill_error *error);

/* scene_files.c: the weights of an epoch; a part's table. Both return 200 or a status after writing why not. */
int scene_look_at(scene *s, int64_t at, scene_look *look, text *out);
int scene_rows_of(scene *s, scene_part part, hill_table **table, text *out);

/*
 * Whether there is a model, now: it may be another one than before. Whether there is a table, once there is a model. Where there is
 * none, its problem says why.
 */
bool scene_has_model(scene *s);
bool scene_has_table(scene *s, scene_part part);

/* Epochs of the snapshots beside a log, ascending, into *out, the caller's to free; returns how many. */
size_t scene_snapshots(const scene_log *log, uint64_t **out);

/* Forgets what was told of weights that are gone or have changed. */
void scene_forget(scene *s);

/* The target's column in a table; SIZE_MAX: there is none. */
size_t scene_target(const hill_table *table, const scene_look *look);

/* Floats of a tensor. */
size_t scene_tensor_floats(const hill_tensor *tensor);

/*
 * Columns that can be an axis of a map, once there is a look: numbers first, then categories, with more than one value each. How
 * many; the name of one.
 */
size_t scene_axes(scene *s);
const char *scene_axis(scene *s, size_t i);

/* The documents. */
int scene_run(scene *s, const scene_query *query, text *out);
int scene_net(scene *s, const scene_query *query, text *out);
int scene_layer(scene *s, const scene_query *query, text *out);
int scene_map(scene *s, const scene_query *query, text *out);
int scene_answers(scene *s, const scene_query *query, text *out);
int scene_rows(scene *s, const scene_query *query, text *out);

/* scene_bytes.c: floats as {"low", "high", "data"}, or the members alone; bytes in base64; a histogram; text from a cell. */
void scene_floats(json *j, const char *key, const float *values, size_t count);
void scene_floats_inside(json *j, const float *values, size_t count);
void scene_base64(json *j, const char *key, const unsigned char *bytes, size_t count);
void scene_bins(json *j, const char *key, const float *values, size_t count);
void scene_cell(text *out, const hill_table *table, size_t column, uint64_t row);

#endif
