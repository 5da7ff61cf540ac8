/*
 * rows.h - chosen rows of a table seen through an encoder: what a source gathers from.
 *
 * Cells of number and category columns are packed row by row, 4 bytes each (8 of a number in bins), so that gathering a row reads
 * one stretch of memory rather than one place a column. Images stay where they are: their bytes become floats while a batch is
 * gathered.
 */
#ifndef HILL_DATA_ROWS_H
#define HILL_DATA_ROWS_H

#include "data/encoder.h"

/*
 * A packed cell: a number scaled, NaN where it's missing; the number of a bin, followed by how full it is; or which unit of its
 * category is set, as a number where it is embedded.
 */
typedef union hill__cell {
    float number;
    uint32_t unit;
} hill__cell;

/* Turns bytes into floats: out[i] = scale * bytes[i] + shift, rounded once. */
typedef void (*hill__spread)(float *out, const unsigned char *bytes, size_t n, float scale, float shift);

typedef struct hill__rows {
    hill_allocator allocator;
    const hill__encoder *encoder;
    const hill_table *table;
    uint64_t *list;   /* rows of the table, ascending */
    uint32_t *labels; /* their classes; NULL without targets or for numbers */
    uint64_t count;
    uint64_t room;
    size_t target;     /* column of the table; SIZE_MAX: targets weren't asked for */
    uint64_t without;  /* rows left out because their target is missing */
    uint64_t unknown;  /* rows left out because their target is a class the encoder doesn't know */
    hill__cell *cells; /* [count][cell_count], NULL until they are bound */
    uint64_t cell_rows;
    size_t cell_count;  /* of number and category inputs */
    bool plain;         /* the cells of a row are its inputs as they are: numbers, none missing */
    float *targets;     /* [count] scaled, of a number target */
    float *weights;     /* [count] what each counts for; NULL: every one the same */
    float scale, shift; /* of the image block's bytes */
    hill__spread spread;
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

/*
 * Gives bound rows their weights: that of a row's class (`classes`, NULL: 1), times the row's number in a column (SIZE_MAX: 1),
 * brought to mean 1. HILL_EDATA: a cell is missing or below 0, the column is text, or all weights are 0.
 */
int hill__rows_weigh(hill__rows *rows, const double *classes, size_t column, hill_error *error);

/*
 * The rows as a source, in the order of the list; targets only where they were asked for. The rows must outlive it. `spread`
 * is the caller's, for the fast ones are kernels, which this folder doesn't know.
 */
hill_source hill__rows_source(hill__rows *rows, hill__spread spread);

/* The target of row i of the list, in its own unit. */
double hill__rows_number(const hill__rows *rows, uint64_t i);

#endif
