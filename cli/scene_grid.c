/*
 * scene_grid.c - the rows of a map's grid.
 *
 * Invariant: they go the way of all rows: they are written as CSV and read for the model, so that what is drawn is what the model
 * answers.
 */
#include "scene_map.h"

#include "input.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The value at `rank`, were they sorted; they change places. */
static double ranked(double *values, size_t count, size_t rank)
{
    size_t low = 0, high = count - 1;
    while (low < high) {
        const double middle = values[low + (high - low) / 2];
        size_t i = low, k = high;
        for (;;) {
            while (values[i] < middle)
                i++;
            while (values[k] > middle)
                k--;
            if (i >= k)
                break;
            const double one = values[i];
            values[i++] = values[k];
            values[k--] = one;
        }
        if (rank <= k)
            high = k;
        else
            low = k + 1;
    }
    return values[rank];
}

/* The median of a number column: of an even number of rows the lower one of the two, which is a value of the column. */
static void add_median(const map *m, size_t column, double *room, text *out)
{
    size_t count = 0;
    for (uint64_t row = 0; row < hill_table_rows(m->table); row++)
        if (hill_table_cell(m->table, column, row, &room[count]) == HILL_OK && !isnan(room[count]))
            count++;
    if (count)
        text_double(out, ranked(room, count, (count - 1) / 2));
}

/* The value that most rows have, the first of equals. */
static void add_usual(const map *m, size_t column, const hill_column *facts, text *out)
{
    uint64_t *counts = calloc((size_t)facts->distinct + 1, sizeof *counts);
    size_t best = 0;
    double code;
    out->failed = out->failed || !counts;
    for (uint64_t row = 0; counts && row < hill_table_rows(m->table); row++)
        if (hill_table_cell(m->table, column, row, &code) == HILL_OK && !isnan(code) && code < (double)facts->distinct)
            counts[(size_t)code]++;
    for (size_t i = 1; counts && i < facts->distinct; i++)
        best = counts[i] > counts[best] ? i : best;
    if (counts && facts->distinct)
        text_string(out, hill_table_category(m->table, column, best));
    free(counts);
}

/* Every column's typical cell, one text each. NULL: no memory. */
text *map_typical_cells(const map *m)
{
    text *cells = calloc(m->columns + 1, sizeof *cells);
    double *room = calloc((size_t)hill_table_rows(m->table) + 1, sizeof *room);
    for (size_t i = 0; cells && room && i < m->columns; i++) {
        hill_column column = HILL_COLUMN_INIT;
        if (i == m->target || i == m->x.column || i == m->y.column || hill_table_column(m->table, i, &column) != HILL_OK)
            continue;
        if (column.kind == HILL_COLUMN_NUMBER)
            add_median(m, i, room, &cells[i]);
        else
            add_usual(m, i, &column, &cells[i]);
    }
    if (!room) {
        free(cells);
        cells = NULL;
    }
    free(room);
    return cells;
}

/* A cell in quotes: nothing in it means anything to a reader of CSV. */
static void add_quoted(text *out, const char *value)
{
    text_string(out, "\"");
    for (; *value; value++)
        text_bytes(out, *value == '"' ? "\"\"" : value, *value == '"' ? 2 : 1);
    text_string(out, "\"");
}

static void add_on_axis(const map *m, const axis *a, size_t i, text *out)
{
    if (a->facts.kind == HILL_COLUMN_CATEGORY)
        add_quoted(out, hill_table_category(m->table, a->column, i));
    else if (i + 1 == a->cells)
        text_double(out, a->high);
    else
        text_double(out, a->low + (a->high - a->low) * ((double)i / (double)(a->cells - 1)));
}

/* A line of the grid; with `typical` NULL the names of its columns. */
static void add_line(const map *m, const text *typical, size_t x, size_t y, text *out)
{
    hill_column column = HILL_COLUMN_INIT;
    bool comma = false;
    for (size_t i = 0; i < m->columns; i++) {
        if (i == m->target || hill_table_column(m->table, i, &column) != HILL_OK)
            continue;
        if (comma)
            text_string(out, ",");
        comma = true;
        if (!typical)
            add_quoted(out, column.name);
        else if (i == m->x.column)
            add_on_axis(m, &m->x, x, out);
        else if (i == m->y.column)
            add_on_axis(m, &m->y, y, out);
        else if (column.kind == HILL_COLUMN_CATEGORY && typical[i].length)
            add_quoted(out, text_get(&typical[i]));
        else
            text_string(out, text_get(&typical[i]));
    }
    text_string(out, "\n");
}

int map_make_grid(map *m, const text *typical, text *out)
{
    text csv = TEXT_INIT;
    hill_error error = HILL_ERROR_INIT;
    hill_host host = m->s->host;
    hill_table_options options = HILL_TABLE_OPTIONS_INIT;
    const arguments none = {.program = ""};
    add_line(m, NULL, 0, 0, &csv);
    for (size_t y = 0; y < m->y.cells; y++)
        for (size_t x = 0; x < m->x.cells; x++)
            add_line(m, typical, x, y, &csv);
    if (input_options(&none, hill_model_recipe(m->look.model), &options) != 0)
        return scene_refuse(out, 500, "the model's recipe says nothing sound about how rows are to be read");
    options.like = m->look.model;
    options.header = "yes";
    options.delimiter = ',';
    host.limits = (hill_limits){sizeof host.limits, csv.length + 1, m->columns + 1, csv.length + 1, 0};
    const hill_bytes bytes = {text_get(&csv), csv.length, "the map"};
    int status = csv.failed ? HILL_EMEMORY : hill_table_parse(&bytes, &options, &host, &m->grid, &error);
    text_free(&csv);
    if (status == HILL_OK && hill_table_rows(m->grid) == m->cells)
        return 200;
    return status == HILL_OK ? scene_refuse(out, 500, "the map's rows can't be read back")
                             : scene_refuse_for(out, status, &error);
}
