/*
 * rows.h - chosen rows of a table seen through an encoder: what a source gathers from. Nothing is copied but row numbers; cells
 * become floats while a batch is gathered.
 */
#ifndef HILL_DATA_ROWS_H
#define HILL_DATA_ROWS_H

#include "data/encoder.h"

typedef struct hill__rows {
    hill_allocator allocator;
    const hill__encoder *encoder;
    const hill_table *table;
    uint64_t *list;   /* rows of the table, ascending */
    uint32_t *labels; /* their classes; NULL without targets or for numbers */
    uint64_t count;
    uint64_t room;
    size_t target;    /* column of the table; SIZE_MAX: targets weren't asked for */
    uint64_t without; /* rows left out because their target is missing */
    uint64_t unknown; /* rows left out because their target is a class the encoder doesn't know */
    size_t *columns;  /* [inputs] column of the table */
    uint32_t **units; /* [inputs] of a category: which unit each value of the table's column sets; else NULL */
    size_t bound;     /* inputs of the two arrays above */
    float *pixels;    /* [256] float of a byte of the image block, NULL without one */
} hill__rows;

/* What to see: rows first .. first + count - 1, with their targets or without. */
typedef struct hill__view {
    const hill__encoder *encoder;
    const hill_table *table;
    uint64_t first, count;
    bool targets;
} hill__view;

/*
 * Lists the rows; with targets, those that have one the encoder knows. The encoder need not be fitted yet.
 * HILL_EDATA: the target column isn't there or is of another kind.
 */
int hill__rows_new(const hill__view *view, const hill_allocator *allocator, hill__rows **out, hill_error *error);
void hill__rows_free(hill__rows *rows);

/* Keeps in `rows` what isn't marked in held[count] and lists the rest in *out. */
int hill__rows_split(hill__rows *rows, const unsigned char *held, hill__rows **out, hill_error *error);

/*
 * Finds the inputs in the table, once the encoder is fitted, and sees that every cell can be encoded.
 * HILL_EDATA: a column isn't there, is of another kind, or holds a number no float can stand for.
 */
int hill__rows_bind(hill__rows *rows, hill_error *error);

/* The rows as a source, in the order of the list; targets only where they were asked for. The rows must outlive it. */
hill_source hill__rows_source(hill__rows *rows);

/* The target of row i of the list, in its own unit. */
double hill__rows_number(const hill__rows *rows, uint64_t i);

#endif
