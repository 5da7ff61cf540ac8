/*
 * table.h - typed columns in memory, and the contract of the readers that make them.
 *
 * A reader fills a table that table.c made empty. Columns are column-major; a missing number is a NaN, a missing category is
 * HILL__MISSING. Image bytes are row-major, one block a table.
 */
#ifndef HILL_DATA_TABLE_H
#define HILL_DATA_TABLE_H

#include "base/text.h"

#define HILL__MISSING UINT32_MAX

typedef struct hill__column {
    char *name;
    hill_column_kind kind;
    double *numbers;    /* [rows], NUMBER */
    uint32_t *codes;    /* [rows], CATEGORY: index into values */
    hill__lines values; /* CATEGORY: the different values in order of first appearance */
    uint64_t missing;
    uint64_t distinct;
    double low, high, mean; /* NUMBER */
    bool whole;             /* NUMBER: every value that isn't missing is a whole number */
} hill__column;

struct hill_table {
    hill_allocator allocator;
    char *name;           /* file name for messages */
    const char *format;   /* "csv", ... */
    uint64_t rows;
    size_t column_count;  /* the image block is not one of them here */
    hill__column *columns;
    bool has_header;
    unsigned char *image; /* [rows][image_bytes] or NULL */
    size_t image_bytes;   /* height * width * channels */
    uint32_t image_height, image_width, image_channels;
    uint64_t *lines;      /* CSV: the line each row begins on, for messages; else NULL */
    hill__text guesses;
    hill__lines notes;
};

/*
 * What a model needs of a table: hill_table_options.like boiled down. With `header` columns are matched by name, without by
 * position; the target may be absent.
 */
typedef struct hill__wanted {
    const char *name;
    size_t position; /* 0-based column in the training table */
    hill_column_kind kind;
    bool target;
} hill__wanted;

typedef struct hill__schema {
    const hill__wanted *columns;
    size_t count;
    bool has_header; /* the training table had one */
} hill__schema;

/* The schema of a model; lives in the model. NULL model: NULL. Defined beside the model (src/model). */
const hill__schema *hill__model_schema(const hill_model *model);

/* Column index by name, else by 1-based number; SIZE_MAX if there is none. */
size_t hill__table_find(const hill_table *table, const char *name);

/* "file:line" of a row, for messages, into `out`; "file: row N" for formats without lines. */
void hill__table_place(const hill_table *table, uint64_t row, char *out, size_t size);

#endif
