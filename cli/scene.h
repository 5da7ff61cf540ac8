/*
 * scene.h - the documents that the page draws: what a run, its net, its answers are.
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

typedef struct scene_live {
    void *self;
    int (*weights)(void *self, float *weights, uint64_t *epoch, uint64_t *step); /* plan `vector` floats; 0, or -1 */
    int (*gradient)(void *self, float *gradient);                                /* may be NULL */
} scene_live;

int scene_open_logs(const char *const *logs, size_t count, const hill_host *host, scene **out);
int scene_open_live(hill_model *model, const char *first_line, const char *log, const hill_host *host, const scene_live *live,
                    scene **out);
int scene_document(scene *s, const char *name, const scene_query *query, text *out);
void scene_free(scene *s);

#endif
