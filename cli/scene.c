/*
 * scene.c - a stand-in that gives documents of little content, until the real ones come.
 */
#include "scene.h"

#include "json.h"
#include "output.h"

#include <stdlib.h>
#include <string.h>

struct scene {
    hill_model *model;
    scene_live live;
};

int scene_open_logs(const char *const *logs, size_t count, const hill_host *host, scene **out)
{
    (void)logs;
    (void)count;
    (void)host;
    *out = calloc(1, sizeof **out);
    return *out ? 0 : output_failure(HILL_EMEMORY, NULL);
}

int scene_open_live(hill_model *model, const char *first_line, const char *log, const hill_host *host, const scene_live *live,
                    scene **out)
{
    (void)first_line;
    int code = scene_open_logs(&log, 0, host, out);
    if (code == 0) {
        (*out)->model = model;
        (*out)->live = *live;
    }
    return code;
}

int scene_document(scene *s, const char *name, const scene_query *query, text *out)
{
    json j = {out, false};
    if (strcmp(name, "net") == 0 && s->model) {
        uint64_t epoch, step;
        hill_plan_sizes sizes = HILL_PLAN_SIZES_INIT;
        if (hill_plan_info(hill_model_plan(s->model), &sizes) != HILL_OK)
            return 500;
        float *weights = calloc(2 * sizes.vector, sizeof *weights);
        int status = weights ? s->live.weights(s->live.self, weights, &epoch, &step) : -1;
        status = status == 0 && s->live.gradient ? s->live.gradient(s->live.self, weights + sizes.vector) : status;
        if (status == 0) {
            json_open(&j, NULL, '{');
            json_count(&j, "epoch", epoch);
            json_count(&j, "step", step);
            json_double(&j, "low", (double)weights[0]);
            json_close(&j, '}');
        }
        free(weights);
        return status ? 503 : 200;
    }
    json_open(&j, NULL, '{');
    json_string(&j, "mode", s->model ? "live" : "replay");
    json_string(&j, "document", name);
    json_double(&j, "at", (double)query->at);
    json_close(&j, '}');
    return 200;
}

void scene_free(scene *s)
{
    if (s)
        hill_model_free(s->model);
    free(s);
}
