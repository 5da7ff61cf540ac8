/*
 * reader.h - what a reader of one format is given and gives, and how files are opened when the model's needs are known.
 */
#ifndef HILL_DATA_READER_H
#define HILL_DATA_READER_H

#include "base/limits.h"
#include "data/dictionary.h"
#include "data/table.h"

/* How to read: the caller's options, whole whatever size they had, and what a model wants. */
typedef struct hill__reading {
    hill_table_options options;
    const hill__schema *schema; /* NULL: every column */
    hill_allocator allocator;
    hill_limits limits;
    bool lasting; /* the bytes that are read outlive the table: images may stay among them */
} hill__reading;

/*
 * Readers of one format: a new table from a file's bytes, or HILL_EDATA with the file's name in front. All but the CSV reader
 * give every column as numbers or images and leave `categories` and `schema` to their caller.
 */
int hill__csv_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error);
int hill__idx_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error);
int hill__npy_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error);
int hill__zip_read(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error);

/* Do the bytes begin like that format? */
bool hill__idx_is(const hill_bytes *bytes);
bool hill__npy_is(const hill_bytes *bytes);
bool hill__zip_is(const hill_bytes *bytes);

/* hill_table_open and hill_table_parse with the schema given instead of options->like. */
int hill__table_open(const char *path, const hill__reading *reading, hill_table **out, hill_error *error);
int hill__table_parse(const hill_bytes *bytes, const hill__reading *reading, hill_table **out, hill_error *error);

/*
 * Where a file's columns are that a model wants (schema.c). `names` are those of the file's columns, all different; `image`
 * says that it has an image block. map[i] gets the column of schema->columns[i], SIZE_MAX for an image, an absent target and one
 * that comes from a file of its own. HILL_EDATA: a column is missing.
 */
typedef struct hill__match {
    const char *file;
    const hill__dictionary *names;
    bool by_name;
    bool image;
    bool targets_apart;
} hill__match;
int hill__schema_match(const hill__schema *schema, const hill__match *match, size_t *map, hill_error *error);

/* How many of the wanted number and category columns, the target apart, are among `names`; *all gets how many there are. */
size_t hill__schema_named(const hill__schema *schema, const hill__dictionary *names, size_t *all);

/* Leaves in a whole table the wanted columns alone, in the schema's order and kinds. */
int hill__schema_apply(const hill__schema *schema, hill_table *table, bool targets_apart, hill_error *error);

/* Brings a column of a whole table to the kind a model wants. HILL_EDATA: a text that isn't a number. */
int hill__schema_convert(hill_table *table, size_t column, hill_column_kind kind, hill_error *error);

#endif
