/*
 * scene.h - what there is to look at: a model, its data and its log, as the documents of docs/page.md.
 */
#ifndef CLI_SCENE_H
#define CLI_SCENE_H

#include "text.h"

#include <downhill.h>

typedef struct scene scene;

typedef struct scene_query {
    int64_t at;        /* an epoch of a snapshot; -1: now (live) or the finished model */
    const char *part;  /* "data", "test"; NULL: "data" */
    const char *x, *y; /* columns; NULL: the first two that make a picture */
    size_t layer, first, truth, answer;
} scene_query;

/* How a scene gets the weights of a descent under way. */
typedef struct scene_live {
    void *self;
    /* Writes the floats of a vector, and where the descent stands; 0, or -1 where they can't be had. */
    int (*weights)(void *self, float *weights, uint64_t *epoch, uint64_t *step);
    /* The same for the gradient of the last step; may be NULL. */
    int (*gradient)(void *self, float *gradient);
} scene_live;

/*
 * From logs, whose first lines name data, recipe and model: of the first one's run. Returns 0 or an exit code after saying why not.
 * What is missing besides the log is told by the run document. Paths are taken from the current folder, when a document needs them.
 */
int scene_open_logs(const char *const *logs, size_t count, const hill_host *host, scene **out);

/*
 * Of a descent under way: takes `model` (the scene's from here on, on failure too; its weights are overwritten) and the first line
 * of the trace, which names the data for reading again. `log` is the trace's file, or NULL. What `live->self` points to and the
 * host's isa must outlive the scene. Returns as scene_open_logs.
 */
int scene_open_live(hill_model *model, const char *first_line, const char *log, const hill_host *host, const scene_live *live,
                    scene **out);

/*
 * The document `name` ("run", "net", "layer", "map", "answers", "rows") into *out, which is cleared. Returns an HTTP status: 200,
 * or 400, 404, 500, and then *out is {"error": "..."}. Not to be called from two threads at once.
 */
int scene_document(scene *s, const char *name, const scene_query *query, text *out);
void scene_free(scene *s);

/*
 * The documents of a report, one JSON value without a `<`, into *documents, in at most about `most` bytes; what was left out for
 * that, or can't be had, a line each into *left_out. Returns 0 or an exit code after saying why not.
 */
int scene_report(scene *s, size_t most, text *documents, text *left_out);

#endif
