/*
 * table.h - typed columns in memory, and the contract of the readers that make them.
 *
 * A reader fills a table that table.c made empty. Columns are column-major; a missing number is a NaN, a missing category is
 * HILL__MISSING. Image bytes are row-major, one block a table.
 */
#ifndef HILL_DATA_TABLE_H
#define HILL_DATA_TABLE_H

#include "base/file.h"
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
    char *name;         /* file name for messages */
    const char *format; /* "csv", ... */
    uint64_t rows;
    size_t column_count; /* the image block is not one of them here */
    hill__column *columns;
    bool has_header;
    const unsigned char *image;   /* [rows][image_bytes] or NULL */
    hill__file_bytes image_block; /* what the image lies in: memory of its own, or the whole file */
    size_t image_bytes;           /* height * width * channels */
    uint32_t image_height, image_width, image_channels;
    uint64_t *lines; /* CSV: the line each row begins on, for messages; else NULL */
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

/* The same for a name of `length` bytes that no zero byte ends. */
int hill__table_find_bytes(const hill_table *table, const char *name, size_t length, size_t *column, hill_error *error);

/* "file:line" of a row, for messages, into `out`; "file: row N" for formats without lines. */
void hill__table_place(const hill_table *table, uint64_t row, char *out, size_t size);

/* A number that tells tables apart: of names, kinds and every value, not of the file they came from. */
uint64_t hill__table_hash(const hill_table *table);

/*
 * For the readers: an empty table; `count` columns without rows; the name of one; then, once table->rows is set, room for the
 * values of one. NULL and false: no memory.
 */
hill_table *hill__table_new(const char *name, const char *format, const hill_allocator *allocator);
bool hill__table_set_columns(hill_table *table, size_t count);
bool hill__table_set_name(hill_table *table, size_t column, const char *name, size_t length);
bool hill__table_make_image(hill_table *table, uint64_t rows, size_t bytes); /* room of its own for an image block */
bool hill__table_set_kind(hill_table *table, size_t column, hill_column_kind kind);

/* Counts missing and different values of every column and takes low, high, mean and whole of the numbers. false: no memory. */
bool hill__table_measure(hill_table *table);

/* Turns a NUMBER column into a CATEGORY of the numbers' texts. false: no memory. */
bool hill__table_make_category(hill_table *table, size_t column);

/*
 * Moves the one column of `other`, which stays empty, behind those of the table, under `name` or its own where that is NULL;
 * a name that is taken gets its number behind it. HILL_EDATA: it hasn't one column, or not as many rows.
 */
int hill__table_append(hill_table *table, hill_table *other, const char *name, hill_error *error);

/* Sets marks[i] for every column i that `list`, commas between names or 1-based numbers, names. HILL_EDATA: it isn't there. */
int hill__table_mark(const hill_table *table, const char *list, bool *marks, hill_error *error);

#endif
