/*
 * scene_run.c - the document run: what there is to look at, and what is missing.
 */
#include "scene_inside.h"

#include <stdlib.h>
#include <string.h>

#define COLUMNS_MOST 1000
#define VALUES_MOST 1000
/* Bytes of the document up to which values are told: a report must have room for it. */
#define VALUES_BYTES ((size_t)1 << 20)

static void write_runs(json *j, const scene *s)
{
    json_open(j, "runs", '[');
    for (size_t i = 0; i < s->log_count; i++) {
        const scene_log *log = &s->logs[i];
        uint64_t *epochs = NULL;
        size_t count = scene_snapshots(log, &epochs);
        json_open(j, NULL, '{');
        json_string(j, "name", text_get(&log->name));
        json_string(j, "log", log->path.length ? text_get(&log->path) : NULL);
        json_open(j, "snapshots", '[');
        for (size_t k = 0; k < count; k++)
            json_count(j, NULL, epochs[k]);
        json_close(j, ']');
        json_close(j, '}');
        free(epochs);
    }
    json_close(j, ']');
}

static void write_values(json *j, const hill_table *table, size_t i, const hill_column *column)
{
    const char *value;
    size_t count = 0;
    if (column->kind != HILL_COLUMN_CATEGORY) {
        json_null(j, "values");
        return;
    }
    json_open(j, "values", '[');
    for (; count < VALUES_MOST && j->out->length < VALUES_BYTES && (value = hill_table_category(table, i, count)) != NULL;
         count++)
        json_string(j, NULL, value);
    json_close(j, ']');
    if (column->distinct > count)
        json_count(j, "values_left_out", column->distinct - count);
}

static void write_column(json *j, const hill_table *table, size_t i, const hill_column *column)
{
    static const char *const kinds[] = {"number", "category", "image"};
    const bool number = column->kind == HILL_COLUMN_NUMBER, image = column->kind == HILL_COLUMN_IMAGE;
    json_open(j, NULL, '{');
    json_string(j, "name", column->name);
    json_string(j, "kind", kinds[column->kind]);
    json_double(j, "low", number ? column->low : 0);
    json_double(j, "high", number ? column->high : image ? 255 : column->distinct ? (double)column->distinct - 1 : 0);
    write_values(j, table, i, column);
    json_close(j, '}');
}

static void write_columns(json *j, scene *s, const scene_look *look)
{
    const hill_table *table = look && scene_has_table(s, SCENE_DATA) ? s->tables[SCENE_DATA].table : NULL;
    const size_t count = table ? hill_table_columns(table) : 0, target = table ? scene_target(table, look) : SIZE_MAX;
    size_t left = 0, written = 0;
    json_open(j, "columns", '[');
    for (size_t i = 0; i < count; i++) {
        hill_column column = HILL_COLUMN_INIT;
        if (i == target || hill_table_column(table, i, &column) != HILL_OK)
            continue;
        if (written < COLUMNS_MOST)
            write_column(j, table, i, &column);
        written++;
    }
    left = written > COLUMNS_MOST ? written - COLUMNS_MOST : 0;
    json_close(j, ']');
    if (left)
        json_count(j, "columns_left_out", left);
}

/* A knob of the log's recipe, which no model may stand behind. */
static void knob_of(const hill_recipe *recipe, const char *knob, text *out)
{
    const char *value = recipe ? hill_recipe_get(recipe, knob) : NULL;
    text_string(out, value ? value : "");
}

static void write_target(json *j, const scene_look *look, const hill_recipe *recipe)
{
    text target = TEXT_INIT, task = TEXT_INIT;
    const char *name;
    if (look) {
        text_string(&target, look->facts.target);
        text_string(&task, look->facts.task == HILL_TASK_CLASSES ? "classes" : "numbers");
    } else {
        knob_of(recipe, "target", &target);
        knob_of(recipe, "task", &task);
    }
    json_string(j, "target", text_get(&target));
    json_string(j, "task", text_get(&task));
    json_open(j, "classes", '[');
    for (size_t i = 0; look && (name = hill_model_class(look->model, i)) != NULL; i++)
        json_string(j, NULL, name);
    json_close(j, ']');
    text_end(j->out, &task);
    text_end(j->out, &target);
}

static void add_flag(text *out, const char *flag, const text *value)
{
    if (!value->length)
        return;
    text_format(out, " --%s ", flag);
    text_shell(out, text_get(value));
}

/* The command that makes the run again: every knob that isn't at its default. */
static void write_command(json *j, const scene *s, const hill_recipe *recipe)
{
    size_t count = 0;
    const hill_knob *knobs = hill_knobs(&count);
    text out = TEXT_INIT;
    text_string(&out, "downhill train ");
    text_shell(&out, s->data.length ? text_get(&s->data) : "DATA");
    add_flag(&out, "targets", &s->targets);
    add_flag(&out, "valid", &s->valid);
    add_flag(&out, "test", &s->test);
    add_flag(&out, "start", &s->start);
    for (size_t i = 0; recipe && i < count; i++) {
        const char *value = hill_recipe_get(recipe, knobs[i].name);
        if (!hill_recipe_is_set(recipe, knobs[i].name) || strcmp(value, knobs[i].initial) == 0 ||
            (strcmp(knobs[i].name, "valid") == 0 && s->valid.length))
            continue;
        text_format(&out, " --%s ", knobs[i].name);
        text_shell(&out, value);
    }
    add_flag(&out, "out", &s->model_path);
    json_string(j, "command", text_get(&out));
    text_end(j->out, &out);
}

static void write_missing(json *j, const scene *s, bool model)
{
    const text *problem = !model ? &s->model_problem : !s->tables[SCENE_DATA].table ? &s->tables[SCENE_DATA].problem : NULL;
    if (problem)
        json_string(j, "missing", text_get(problem));
    else
        json_null(j, "missing");
}

int scene_run(scene *s, const scene_query *query, text *out)
{
    json j = {out, false};
    scene_look now = {.facts = HILL_MODEL_FACTS_INIT};
    hill_recipe *recipe = NULL;
    (void)query;
    /* What it is needs no run, and no weights. */
    const bool model = scene_has_model(s) && hill_model_info(s->model, &now.facts) == HILL_OK;
    now.model = s->model;
    if (hill_recipe_new(&s->host, &recipe, NULL) != HILL_OK ||
        hill_recipe_parse(recipe, text_get(&s->recipe), s->recipe.length, NULL, NULL) != HILL_OK) {
        hill_recipe_free(recipe);
        recipe = NULL;
    }
    json_open(&j, NULL, '{');
    json_string(&j, "mode", s->is_report ? "report" : s->is_live ? "live" : "replay");
    write_runs(&j, s);
    write_columns(&j, s, model ? &now : NULL);
    write_target(&j, model ? &now : NULL, recipe);
    json_open(&j, "parts", '[');
    if (model && scene_has_table(s, SCENE_DATA))
        json_string(&j, NULL, "data");
    if (model && scene_has_table(s, SCENE_TEST))
        json_string(&j, NULL, "test");
    json_close(&j, ']');
    json_string(&j, "recipe", text_get(&s->recipe));
    write_command(&j, s, recipe);
    json_string(&j, "version", text_get(&s->version));
    json_count(&j, "arithmetic", HILL_ARITH);
    write_missing(&j, s, model);
    json_close(&j, '}');
    hill_recipe_free(recipe);
    return 200;
}
