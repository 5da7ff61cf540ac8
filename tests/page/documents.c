/*
 * documents.c - the command with another door: prints documents of a scene, so that they can be tested without a server.
 *
 *     documents [--live MODEL] LOG... -- QUERY...
 *
 * A query is a document's name and what is asked, as in "net?at=3&part=test"; for each comes a line, its status and the document.
 * "report?first=BYTES" are the documents of a report, in so many bytes.
 * With --live the scene is of a descent: MODEL's, whose weights are halved at each look, and whose gradient is 1, 2, 3, ...
 */
#include "../../cli/scene.h"

#include "../../cli/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int __wrap_main(int count, char **words);

typedef struct descent {
    hill_model *model;
    float part;
    size_t floats;
} descent;

static int weights_of(void *self, float *weights, uint64_t *epoch, uint64_t *step)
{
    descent *d = self;
    d->part /= 2;
    memcpy(weights, hill_model_weights(d->model), d->floats * sizeof *weights);
    for (size_t i = 0; i < d->floats; i++)
        weights[i] *= d->part;
    *epoch = 7;
    *step = 70;
    return d->part < 0.1f ? -1 : 0;
}

static int gradient_of(void *self, float *gradient)
{
    const descent *d = self;
    for (size_t i = 0; i < d->floats; i++)
        gradient[i] = (float)(i + 1);
    return 0;
}

static size_t number_in(const char *value)
{
    return (size_t)strtoull(value, NULL, 10);
}

/* Cuts the words of a query apart; what it points to lies in `words`. */
static scene_query query_of(char *words)
{
    scene_query q = {-1, NULL, NULL, NULL, 0, 0, 0, 0};
    char *next = strchr(words, '?');
    while (next) {
        char *key = next + 1, *value = strchr(key, '=');
        *next = '\0';
        next = strchr(key, '&');
        if (next)
            *next = '\0';
        if (!value)
            continue;
        *value++ = '\0';
        if (strcmp(key, "at") == 0)
            q.at = strtoll(value, NULL, 10);
        else if (strcmp(key, "part") == 0)
            q.part = value;
        else if (strcmp(key, "x") == 0)
            q.x = value;
        else if (strcmp(key, "y") == 0)
            q.y = value;
        else if (strcmp(key, "layer") == 0)
            q.layer = number_in(value);
        else if (strcmp(key, "first") == 0)
            q.first = number_in(value);
        else if (strcmp(key, "truth") == 0)
            q.truth = number_in(value);
        else if (strcmp(key, "answer") == 0)
            q.answer = number_in(value);
    }
    return q;
}

static int open_descent(const char *path, const char *log, const hill_host *host, descent *d, scene **out)
{
    static char line[65536];
    hill_model *shown = NULL;
    hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
    const scene_live live = {d, weights_of, gradient_of};
    FILE *file = fopen(log, "r");
    const bool read = file && fgets(line, sizeof line, file);
    if (file)
        (void)fclose(file);
    if (!read || hill_model_open(path, host, &d->model, NULL) != HILL_OK ||
        hill_model_open(path, host, &shown, NULL) != HILL_OK || hill_plan_info(hill_model_plan(shown), &sizes) != HILL_OK)
        return 1;
    d->floats = sizes.vector;
    return scene_open_live(shown, line, NULL, host, &live, out);
}

static int report(scene *s, size_t most)
{
    text out = TEXT_INIT, left_out = TEXT_INIT;
    int code = scene_report(s, most, &out, &left_out);
    if (code == 0)
        printf("200 %s\n", text_get(&out));
    text_free(&left_out);
    text_free(&out);
    return code;
}

int __wrap_main(int count, char **words)
{
    hill_host host = HILL_HOST_INIT;
    descent d = {NULL, 2, 0};
    scene *s = NULL;
    int at = 1, code;
    const bool live = count > 3 && strcmp(words[1], "--live") == 0;
    at += live ? 2 : 0;
    int logs = at;
    while (at < count && strcmp(words[at], "--") != 0)
        at++;
    if (live)
        code = open_descent(words[2], words[3], &host, &d, &s);
    else
        code = scene_open_logs((const char *const *)words + logs, (size_t)(at - logs), &host, &s);
    text out = TEXT_INIT;
    for (at++; code == 0 && at < count; at++) {
        scene_query query = query_of(words[at]);
        if (strcmp(words[at], "report") == 0) {
            code = report(s, query.first);
            continue;
        }
        int status = scene_document(s, words[at], &query, &out);
        printf("%d %s\n", status, text_get(&out));
    }
    text_free(&out);
    scene_free(s);
    hill_model_free(d.model);
    return code;
}
