/*
 * array.h - a typed array of one to four axes as IDX and NPY files hold it, and how it becomes columns or images.
 */
#ifndef HILL_DATA_ARRAY_H
#define HILL_DATA_ARRAY_H

#include "base/limits.h"
#include "data/table.h"

#define HILL__ARRAY_AXES 4u

typedef enum hill__array_kind { HILL__ARRAY_UNSIGNED, HILL__ARRAY_SIGNED, HILL__ARRAY_FLOAT } hill__array_kind;

typedef struct hill__array {
    const char *name; /* of the file, for messages */
    hill__array_kind kind;
    size_t item;        /* bytes of a number: 1, 2, 4 or 8 */
    bool big;           /* most significant byte first */
    bool columns_first; /* the first axis varies fastest (Fortran's order) */
    size_t axes;
    uint64_t shape[HILL__ARRAY_AXES];
    const unsigned char *data;
    size_t header, start; /* bytes of the file where the shape, or what it stands in, and the data begin */
    hill_limits limits;
    bool lasting; /* the data outlives the table: images may stay where they are */
} hill__array;

/* HILL_EDATA unless the shape's numbers are exactly `length` bytes, one row at least. */
int hill__array_check(const hill__array *array, size_t length, hill_error *error);

/*
 * Makes the array the content of an empty table: one or two axes as number columns, called `name` where there is one and name
 * isn't NULL, else c1, c2, ...; bytes of three or four axes (rows, height, width, channels) as images. HILL_EDATA: an infinite
 * number, other shapes and types.
 */
int hill__array_fill(const hill__array *array, const char *name, hill_table *table, hill_error *error);

#endif
