/*
 * scene_files.c - opens what a log names, once it is needed: the model, snapshots of it, tables.
 *
 * Invariant: nothing is opened but plain files and folders, and rows only where a model has a use for them. A model whose file
 * appears later, while a log still grows, is found then.
 */
#define _POSIX_C_SOURCE 200809L

#include "scene_inside.h"

#include "input.h"
#include "output.h"
#include "snapshots.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

/* Snapshots of a run that are told of. */
#define SNAPSHOTS_MOST 100000

static int by_epoch(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

size_t scene_snapshots(const scene_log *log, uint64_t **out)
{
    text folder = TEXT_INIT;
    size_t count = 0, room = 0;
    *out = NULL;
    if (!log->path.length)
        return 0;
    snapshots_folder(&folder, text_get(&log->path));
    DIR *stream = folder.failed ? NULL : opendir(text_get(&folder));
    text_free(&folder);
    for (const struct dirent *entry; stream && (entry = readdir(stream)) != NULL && count < SNAPSHOTS_MOST;) {
        uint64_t epoch;
        if (!snapshots_epoch(entry->d_name, &epoch))
            continue;
        if (count == room) {
            uint64_t *more = realloc(*out, (room = 2 * room + 64) * sizeof *more);
            if (!more)
                break;
            *out = more;
        }
        (*out)[count++] = epoch;
    }
    if (stream)
        (void)closedir(stream);
    if (count > 1)
        qsort(*out, count, sizeof **out, by_epoch);
    return count;
}

void scene_forget(scene *s)
{
    s->verdict.kept = false;
}

static void free_model(scene *s, hill_model **model)
{
    if (s->run_of == *model) {
        hill_run_free(s->run);
        s->run = NULL;
        s->run_of = NULL;
    }
    hill_model_free(*model);
    *model = NULL;
    scene_forget(s);
}

/* Opens a model; where that fails *problem says why. */
static hill_model *open_model(const scene *s, const char *path, text *problem)
{
    hill_error error = HILL_ERROR_INIT;
    hill_model *model = NULL;
    text_clear(problem);
    if (!input_is_plain(path)) {
        text_format(problem, "%s: there is no such model", path);
        return NULL;
    }
    int status = hill_model_open(path, &s->host, &model, &error);
    if (status != HILL_OK)
        text_string(problem, *error.text ? error.text : hill_status_text(status));
    return model;
}

/* The weights of the moment, not the best so far. Without a log there is no folder for them. */
static hill_model *open_snapshot(const scene *s, uint64_t epoch, text *problem)
{
    if (!s->logs[0].path.length)
        return NULL;
    text folder = TEXT_INIT, path = TEXT_INIT;
    hill_error error = HILL_ERROR_INIT;
    snapshots_folder(&folder, text_get(&s->logs[0].path));
    snapshots_file(&path, text_get(&folder), epoch);
    hill_model *model = open_model(s, text_get(&path), problem);
    if (model && hill_model_take_moment(model, text_get(&path), &error) != HILL_OK) {
        text_string(problem, error.text);
        hill_model_free(model);
        model = NULL;
    }
    text_free(&folder);
    text_free(&path);
    return model;
}

/* The last snapshot stands for a model that isn't there yet. */
static void take_last_snapshot(scene *s)
{
    uint64_t *epochs = NULL;
    size_t count = scene_snapshots(&s->logs[0], &epochs);
    text problem = TEXT_INIT;
    if (count > 0 && (!s->model || epochs[count - 1] != s->model_epoch)) {
        hill_model *model = open_snapshot(s, epochs[count - 1], &problem);
        if (model) {
            free_model(s, &s->model);
            s->model = model;
            s->model_epoch = epochs[count - 1];
        }
    }
    text_free(&problem);
    free(epochs);
}

/* A later run may have put its own model there: it isn't taken for this one's. */
static bool is_of_run(const scene *s, const hill_model *model, text *problem)
{
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    const hill_recipe *its = hill_model_recipe(model);
    hill_recipe *here = NULL;
    bool same = true;
    if (hill_recipe_new(&s->host, &here, NULL) == HILL_OK &&
        hill_recipe_parse(here, text_get(&s->recipe), s->recipe.length, NULL, NULL) == HILL_OK)
        for (size_t i = 0; i < count && same; i++) {
            const char *knob = knobs[i].name;
            if (!hill_recipe_is_set(here, knob) || !hill_recipe_is_set(its, knob))
                continue;
            same = strcmp(hill_recipe_get(here, knob), hill_recipe_get(its, knob)) == 0;
            if (!same)
                text_format(problem, "%s: is the model of another run: its %s is %s, and this run's is %s",
                            text_get(&s->model_path), knob, hill_recipe_get(its, knob), hill_recipe_get(here, knob));
        }
    hill_recipe_free(here);
    return same;
}

/* A model in the place of one that was shown: its rows may be others, too. */
static void forget_tables(scene *s)
{
    for (size_t i = 0; i < SCENE_PARTS; i++) {
        hill_table_free(s->tables[i].table);
        s->tables[i].table = NULL;
        s->tables[i].looked = false;
        text_clear(&s->tables[i].problem);
    }
}

/* Opens the model where its file isn't the one that was looked at before. */
static void look_for_model(scene *s)
{
    const char *path = text_get(&s->model_path);
    struct stat now;
    const bool there = stat(path, &now) == 0;
    if (there ? input_unchanged(&s->looked, &now) : s->finished)
        return;
    hill_model *model = open_model(s, path, &s->model_problem);
    if (model && !is_of_run(s, model, &s->model_problem)) {
        hill_model_free(model);
        model = NULL;
    }
    if (there)
        s->looked = now;
    if (!model)
        return;
    if (s->finished) {
        forget_tables(s);
        free_model(s, &s->snapshot);
    }
    free_model(s, &s->model);
    s->model = model;
    s->finished = true;
}

bool scene_has_model(scene *s)
{
    if (s->is_live || (s->finished && s->is_report))
        return true;
    if (s->model_path.length)
        look_for_model(s);
    else if (!s->model_problem.length)
        text_string(&s->model_problem, "the log doesn't name the run's model; the command that wrote it was an older one");
    if (!s->finished)
        take_last_snapshot(s);
    return s->model != NULL;
}

/* How a table is to be read: as in training. Returns 0 or an exit code. */
static int reading_of(const hill_model *model, hill_table_options *options)
{
    const arguments none = {.program = ""};
    int code = input_options(&none, hill_model_recipe(model), options);
    options->like = model;
    return code;
}

/* Opens a file or folder that a log names; a problem goes to t->problem. */
static void open_table(const scene *s, scene_table *t, const char *path, const hill_table_options *options)
{
    hill_error error = HILL_ERROR_INIT;
    if (strcmp(path, "-") == 0) {
        text_string(&t->problem, "the rows came by standard input, which can't be read again");
    } else if (!input_is_plain(path) && !input_is_folder(path)) {
        text_format(&t->problem, "%s: there is no such data", path);
    } else if (options->targets && !input_is_plain(options->targets)) {
        text_format(&t->problem, "%s: there are no such targets", options->targets);
    } else {
        int status = hill_table_open(path, options, &s->host, &t->table, &error);
        if (status != HILL_OK)
            text_string(&t->problem, *error.text ? error.text : hill_status_text(status));
    }
}

bool scene_has_table(scene *s, scene_part part)
{
    scene_table *t = &s->tables[part];
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    const char *data = text_get(&s->data), *test = text_get(&s->test);
    if (t->looked || !s->model)
        return t->table != NULL;
    t->looked = true;
    if (reading_of(s->model, &options) != 0) {
        text_string(&t->problem, "the model's recipe says nothing sound about how its data is to be read");
    } else if (part == SCENE_DATA) {
        options.targets = s->targets.length ? text_get(&s->targets) : NULL;
        if (*data)
            open_table(s, t, data, &options);
        else
            text_string(&t->problem, "the log doesn't name its data");
    } else if (*test || !s->targets.length) {
        /* A folder or an NPZ has a test part of its own. */
        const char *path = *test ? test : data;
        size_t length = strlen(path);
        if (input_is_folder(path) || (length > 4 && strcmp(path + length - 4, ".npz") == 0)) {
            options.part = HILL_PART_TEST;
            open_table(s, t, path, &options);
            options.part = HILL_PART_TRAIN;
        }
        if (!t->table && *test)
            open_table(s, t, path, &options);
    }
    if (!t->table && !t->problem.length)
        text_string(&t->problem, "the run had no test rows");
    return t->table != NULL;
}

int scene_rows_of(scene *s, scene_part part, hill_table **table, text *out)
{
    *table = NULL;
    if (!scene_has_table(s, part))
        return scene_refuse(out, 404, "%s", text_get(&s->tables[part].problem));
    *table = s->tables[part].table;
    return 200;
}

size_t scene_target(const hill_table *table, const scene_look *look)
{
    hill_column column = HILL_COLUMN_INIT;
    /* The target stands behind the model's columns. */
    for (size_t i = hill_table_columns(table); i-- > 0;)
        if (hill_table_column(table, i, &column) == HILL_OK && strcmp(column.name, look->facts.target) == 0 &&
            column.kind != HILL_COLUMN_IMAGE)
            return i;
    return SIZE_MAX;
}

/* The snapshot of an epoch; NULL where there is none. */
static hill_model *snapshot_at(scene *s, uint64_t epoch)
{
    text problem = TEXT_INIT;
    if (!s->snapshot || s->snapshot_epoch != epoch) {
        free_model(s, &s->snapshot);
        s->snapshot = open_snapshot(s, epoch, &problem);
        s->snapshot_epoch = epoch;
    }
    text_free(&problem);
    return s->snapshot;
}

/* Where the weights of a look stand, and of a descent under way the weights themselves. */
static int place_look(scene *s, int64_t at, scene_look *look, text *out)
{
    look->epoch = at >= 0 ? (uint64_t)at : !s->finished ? s->model_epoch : look->facts.best_epoch;
    look->step = look->facts.steps;
    if (at < 0 && s->is_live) {
        look->epoch = look->step = 0;
        if (s->live.weights(s->live.self, hill_model_weights(look->model), &look->epoch, &look->step) != 0)
            return scene_refuse(out, 404, "the weights of the descent can't be had now");
        scene_forget(s);
    }
    return 200;
}

int scene_look_at(scene *s, int64_t at, scene_look *look, text *out)
{
    *look = (scene_look){.facts = HILL_MODEL_FACTS_INIT};
    if (!scene_has_model(s))
        return scene_refuse(out, 404, "%s", text_get(&s->model_problem));
    look->model = at >= 0 ? snapshot_at(s, (uint64_t)at) : s->model;
    if (!look->model)
        return scene_refuse(out, 404, "there is no snapshot of epoch %lld", (long long)at);
    int status = hill_model_info(look->model, &look->facts);
    if (status == HILL_OK && s->run_of != look->model) {
        hill_run_free(s->run);
        s->run = NULL;
        s->run_of = NULL;
        scene_forget(s);
        status = hill_run_new(hill_model_plan(look->model), NULL, NULL, &s->host, &s->run);
        s->run_of = status == HILL_OK ? look->model : NULL;
    }
    if (status != HILL_OK)
        return scene_refuse_for(out, status, NULL);
    look->run = s->run;
    return place_look(s, at, look, out);
}
