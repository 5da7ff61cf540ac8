/*
 * scene_map.h - a map under way: two columns as axes, and the rows of its grid.
 */
#ifndef CLI_SCENE_MAP_H
#define CLI_SCENE_MAP_H

#include "scene_inside.h"

/* A column as an axis of the map. */
typedef struct axis {
    size_t column;
    hill_column facts;
    double low, high;
    size_t cells;
} axis;

typedef struct map {
    scene *s;
    scene_look look;
    const hill_table *table;
    size_t columns, target; /* of the table */
    axis x, y;
    hill_table *grid; /* a row a cell, x first */
    size_t cells;
} map;

/* Of every column but the axes the cell that it is held at, the caller's to free. NULL: no memory. */
text *map_typical_cells(const map *m);

/* Makes the grid; 200, or a status after writing why not. */
int map_make_grid(map *m, const text *typical, text *out);

#endif
