/*
 * scene_map.c - the document map: what every unit and output says over two columns, the others held still.
 */
#include "scene_map.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SIDE 48
#define VALUES_MOST 64
#define LAYERS_MOST 8
#define UNITS_MOST 64
#define POINTS_MOST 500
#define FIXED_MOST 64
#define AXES_MOST 1000
#define CELLS_MOST ((size_t)1 << 23)

static bool is_wide(const hill_column *column)
{
    return column->kind == HILL_COLUMN_NUMBER ? column->high > column->low : column->distinct > 1;
}

/* The i-th column for an axis, numbers before categories; SIZE_MAX: there is none. */
static size_t column_at(const hill_table *table, size_t target, size_t i)
{
    static const hill_column_kind kinds[] = {HILL_COLUMN_NUMBER, HILL_COLUMN_CATEGORY};
    hill_column column = HILL_COLUMN_INIT;
    for (size_t kind = 0; kind < 2; kind++)
        for (size_t k = 0; k < hill_table_columns(table); k++)
            if (k != target && hill_table_column(table, k, &column) == HILL_OK && column.kind == kinds[kind] &&
                is_wide(&column) && i-- == 0)
                return k;
    return SIZE_MAX;
}

static size_t column_called(const map *m, const char *name)
{
    hill_column column = HILL_COLUMN_INIT;
    for (size_t i = 0; i < m->columns; i++)
        if (i != m->target && hill_table_column(m->table, i, &column) == HILL_OK && strcmp(column.name, name) == 0)
            return i;
    return SIZE_MAX;
}

/* The column of that name, else the first for an axis that isn't `but`. */
static size_t choose(const map *m, const char *name, size_t but)
{
    if (name)
        return column_called(m, name);
    const size_t first = column_at(m->table, m->target, 0);
    return first != but || first == SIZE_MAX ? first : column_at(m->table, m->target, 1);
}

static int make_axis(const map *m, size_t column, axis *a, text *out)
{
    *a = (axis){.column = column, .facts = HILL_COLUMN_INIT};
    if (hill_table_column(m->table, column, &a->facts) != HILL_OK)
        return scene_refuse(out, 404, "there is no such column");
    const bool number = a->facts.kind == HILL_COLUMN_NUMBER;
    const size_t values = a->facts.distinct < VALUES_MOST ? (size_t)a->facts.distinct : VALUES_MOST;
    if (number ? !isfinite(a->facts.low) : values == 0)
        return scene_refuse(out, 404, "column %.200s has no value", a->facts.name);
    a->low = number ? a->facts.low : 0;
    a->high = number ? a->facts.high : (double)values - 1;
    a->cells = number ? SIDE : values;
    return 200;
}

/* Both columns, of which a map can be drawn. */
static int choose_axes(map *m, const scene_query *query, text *out)
{
    hill_column column = HILL_COLUMN_INIT;
    for (size_t i = 0; i < m->columns; i++)
        if (hill_table_column(m->table, i, &column) == HILL_OK && column.kind == HILL_COLUMN_IMAGE)
            return scene_refuse(out, 404, "a model over pictures has no map");
    size_t given = query->y ? column_called(m, query->y) : SIZE_MAX, x = choose(m, query->x, given);
    size_t y = choose(m, query->y, x);
    const char *missing = query->x && x == SIZE_MAX ? query->x : query->y && y == SIZE_MAX ? query->y : NULL;
    if (missing)
        return scene_refuse(out, 404, "the model takes no column %.200s", missing);
    if (x == SIZE_MAX || y == SIZE_MAX)
        return scene_refuse(out, 404, "a map needs two columns, each with more than one value");
    if (x == y)
        return scene_refuse(out, 400, "a map needs two different columns");
    int status = make_axis(m, x, &m->x, out);
    if (status == 200)
        status = make_axis(m, y, &m->y, out);
    m->cells = m->x.cells * m->y.cells;
    if (status == 200 && m->cells * m->columns > CELLS_MOST)
        return scene_refuse(out, 404, "the model takes too many columns for a map");
    return status;
}

const char *scene_axis(scene *s, size_t i)
{
    const hill_table *table = s->tables[SCENE_DATA].table;
    hill_column column = HILL_COLUMN_INIT;
    scene_look look = {.facts = HILL_MODEL_FACTS_INIT};
    if (!table || !s->model || hill_model_info(s->model, &look.facts) != HILL_OK)
        return NULL;
    const size_t found = column_at(table, scene_target(table, &look), i);
    return found != SIZE_MAX && hill_table_column(table, found, &column) == HILL_OK ? column.name : NULL;
}

size_t scene_axes(scene *s)
{
    size_t count = 0;
    while (count < AXES_MOST && scene_axis(s, count))
        count++;
    return count;
}

static void write_axis(json *j, const char *key, const map *m, const axis *a)
{
    json_open(j, key, '{');
    json_string(j, "name", a->facts.name);
    json_double(j, "low", a->low);
    json_double(j, "high", a->high);
    if (a->facts.kind == HILL_COLUMN_CATEGORY) {
        json_open(j, "values", '[');
        for (size_t i = 0; i < a->cells; i++)
            json_string(j, NULL, hill_table_category(m->table, a->column, i));
        json_close(j, ']');
        if (a->facts.distinct > a->cells)
            json_count(j, "values_left_out", a->facts.distinct - a->cells);
    } else {
        json_null(j, "values");
    }
    json_close(j, '}');
}

static void write_fixed(json *j, const map *m, const text *typical)
{
    size_t written = 0;
    json_open(j, "fixed", '[');
    for (size_t i = 0; i < m->columns; i++) {
        hill_column column = HILL_COLUMN_INIT;
        if (i == m->target || i == m->x.column || i == m->y.column || hill_table_column(m->table, i, &column) != HILL_OK ||
            written++ >= FIXED_MOST)
            continue;
        json_open(j, NULL, '{');
        json_string(j, "name", column.name);
        json_string(j, "value", text_get(&typical[i]));
        json_close(j, '}');
    }
    json_close(j, ']');
    if (written > FIXED_MOST)
        json_count(j, "fixed_left_out", written - FIXED_MOST);
}

/* Column `unit` of [cells][units], written as one map. */
static void write_plane(json *j, const char *name, const map *m, const float *all, size_t units, size_t unit, float *room)
{
    for (size_t i = 0; i < m->cells; i++)
        room[i] = all[i * units + unit];
    json_open(j, NULL, '{');
    if (name)
        json_string(j, "name", name);
    scene_floats_inside(j, room, m->cells);
    json_close(j, '}');
}

/* The model's answers, in the target's own unit. Returns how many outputs were left out; *status is the library's. */
static size_t write_outputs(json *j, const map *m, float *room, int *status)
{
    const bool classes = m->look.facts.task == HILL_TASK_CLASSES;
    const size_t outputs = m->look.facts.outputs, shown = outputs < UNITS_MOST ? outputs : UNITS_MOST;
    double *answers = outputs <= CELLS_MOST / m->cells ? malloc(m->cells * outputs * sizeof *answers) : NULL;
    float *all = answers ? malloc(m->cells * outputs * sizeof *all) : NULL;
    *status = all ? hill_model_predict(m->look.model, m->grid, 0, m->cells, answers, NULL) : HILL_EMEMORY;
    for (size_t i = 0; *status == HILL_OK && i < m->cells * outputs; i++)
        all[i] = (float)answers[i];
    json_open(j, "outputs", '[');
    for (size_t i = 0; *status == HILL_OK && i < shown; i++)
        write_plane(j, classes ? hill_model_class(m->look.model, i) : m->look.facts.target, m, all, outputs, i, room);
    json_close(j, ']');
    free(answers);
    free(all);
    return outputs - shown;
}

/* Returns how many units were left out. */
static size_t write_layer(json *j, const map *m, size_t i, const hill_layer *layer, const float *inputs, float *room,
                          int *status)
{
    const size_t shown = layer->units < UNITS_MOST ? layer->units : UNITS_MOST;
    float *all = layer->units <= CELLS_MOST / m->cells ? malloc(m->cells * layer->units * sizeof *all) : NULL;
    if (!all)
        return layer->units;
    *status = hill_run_units(m->look.run, hill_model_weights(m->look.model), i, inputs, m->cells, all);
    if (*status == HILL_OK) {
        json_open(j, NULL, '{');
        json_string(j, "name", layer->name);
        json_count(j, "units", layer->units);
        json_open(j, "maps", '[');
        for (size_t unit = 0; unit < shown; unit++)
            write_plane(j, NULL, m, all, layer->units, unit, room);
        json_close(j, ']');
        if (layer->units > shown)
            json_count(j, "left_out", layer->units - shown);
        json_close(j, '}');
    }
    free(all);
    return layer->units - shown;
}

/* Every layer but dropouts, which let all through, and the last, which the outputs are. */
static size_t write_layers(json *j, const map *m, float *room, int *status)
{
    hill_layer layer = HILL_LAYER_INIT, next = HILL_LAYER_INIT;
    const hill_plan *plan = hill_model_plan(m->look.model);
    float *inputs = malloc(m->cells * m->look.facts.inputs * sizeof *inputs + 1);
    size_t left = 0, written = 0;
    *status = inputs ? hill_model_encode(m->look.model, m->grid, 0, m->cells, inputs, NULL, NULL) : HILL_EMEMORY;
    json_open(j, "layers", '[');
    for (size_t i = 0; *status == HILL_OK && hill_plan_layer(plan, i, &layer) == HILL_OK; i++) {
        if (hill_plan_layer(plan, i + 1, &next) != HILL_OK || strcmp(layer.kind, "dropout") == 0)
            continue;
        if (written++ < LAYERS_MOST)
            left += write_layer(j, m, i, &layer, inputs, room, status);
        else
            left += layer.units;
    }
    json_close(j, ']');
    free(inputs);
    return left;
}

/* Where on an axis a row lies. */
static bool place_on(const map *m, const axis *a, uint64_t row, double *place)
{
    return hill_table_cell(m->table, a->column, row, place) == HILL_OK && !isnan(*place) && *place >= a->low &&
           *place <= a->high;
}

/* The class of a target's cell by its text, which is what classes are called by; a number as it is. */
static bool aim_of(const map *m, uint64_t row, double *aim)
{
    text cell = TEXT_INIT;
    const char *name;
    bool found = false;
    if (hill_table_cell(m->table, m->target, row, aim) != HILL_OK || isnan(*aim))
        return false;
    if (m->look.facts.task == HILL_TASK_NUMBERS)
        return true;
    scene_cell(&cell, m->table, m->target, row);
    for (size_t i = 0; !found && (name = hill_model_class(m->look.model, i)) != NULL; i++) {
        found = strcmp(name, text_get(&cell)) == 0;
        *aim = (double)i;
    }
    text_free(&cell);
    return found;
}

/* Some rows, evenly spread. Returns how many were left out. */
static uint64_t write_points(json *j, const map *m)
{
    const uint64_t rows = hill_table_rows(m->table), count = rows < POINTS_MOST ? rows : POINTS_MOST;
    uint64_t written = 0;
    json_open(j, "points", '[');
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t row = rows / count * i + rows % count * i / count;
        double x, y, aim;
        if (!place_on(m, &m->x, row, &x) || !place_on(m, &m->y, row, &y) || !aim_of(m, row, &aim))
            continue;
        json_open(j, NULL, '[');
        json_double(j, NULL, x);
        json_double(j, NULL, y);
        json_double(j, NULL, aim);
        json_close(j, ']');
        written++;
    }
    json_close(j, ']');
    return rows - written;
}

static int write_map(map *m, const text *typical, text *out)
{
    json j = {out, false};
    float *room = malloc(m->cells * sizeof *room);
    int status = room ? HILL_OK : HILL_EMEMORY;
    size_t units = 0;
    uint64_t points = 0;
    json_open(&j, NULL, '{');
    json_count(&j, "epoch", m->look.epoch);
    json_count(&j, "step", m->look.step);
    json_count(&j, "width", m->x.cells);
    json_count(&j, "height", m->y.cells);
    write_axis(&j, "x", m, &m->x);
    write_axis(&j, "y", m, &m->y);
    write_fixed(&j, m, typical);
    if (status == HILL_OK)
        units += write_outputs(&j, m, room, &status);
    if (status == HILL_OK)
        units += write_layers(&j, m, room, &status);
    points = write_points(&j, m);
    json_open(&j, "left_out", '{');
    json_count(&j, "units", units);
    json_count(&j, "points", points);
    json_close(&j, '}');
    json_close(&j, '}');
    free(room);
    return status == HILL_OK ? 200 : scene_refuse_for(out, status, NULL);
}

int scene_map(scene *s, const scene_query *query, text *out)
{
    map m = {.s = s};
    hill_table *table;
    int status = scene_look_at(s, query->at, &m.look, out);
    if (status == 200)
        status = scene_rows_of(s, SCENE_DATA, &table, out);
    if (status != 200)
        return status;
    m.table = table;
    m.columns = hill_table_columns(table);
    m.target = scene_target(table, &m.look);
    status = choose_axes(&m, query, out);
    if (status != 200)
        return status;
    text *typical = map_typical_cells(&m);
    if (!typical)
        return scene_refuse_for(out, HILL_EMEMORY, NULL);
    status = map_make_grid(&m, typical, out);
    if (status == 200)
        status = write_map(&m, typical, out);
    for (size_t i = 0; i < m.columns; i++)
        text_free(&typical[i]);
    free(typical);
    hill_table_free(m.grid);
    return status;
}
