/*
 * encoder.h - how a raw row becomes the numbers a net takes, and the net's answers become classes and units again.
 *
 * Every input column takes a run of units, in the order of the columns, an image block before them:
 *
 *   number    1: (x - mean) / deviation, a missing x being `fill`; 2 if training rows had missing cells: 1 where it's missing
 *             In bins: a unit each, then that one; the units of bins under x are 1, those above 0, and that of its own bin
 *             (x - edge below) / (edge above - edge below)
 *   category  one a value seen in training, bytewise ascending; one for missing cells if training rows had any; one for a value
 *             unseen in training (and for missing cells, where there is no unit for them). The last is never 1 in training; a
 *             session lets its weights begin at 0, where they stay, so that an unseen value adds nothing. Embedded: 1, which
 *             holds the number of the unit that would be 1, and the net looks that row up in a table
 *   image     one a byte: (byte / unit - mean) / deviation, with one mean and deviation for the whole block
 *
 * Targets: one unit a class, 1 for the row's own; or one number, (y - mean) / deviation. With scale none means are 0, deviations
 * and units 1. All arithmetic is in double, by + - * / and sqrt, and rounded to float once: the same bits everywhere.
 */
#ifndef HILL_DATA_ENCODER_H
#define HILL_DATA_ENCODER_H

#include "base/text.h"
#include "data/names.h"
#include "data/table.h"

/* A category with more values than this is left out unless it's to be kept; more classes than that are an error. */
#define HILL__CATEGORIES_MOST 64u
#define HILL__CLASSES_MOST 65536u

/* One input column, or the image block. */
typedef struct hill__input {
    char *name;
    size_t position; /* column of the training table */
    hill_column_kind kind;
    double mean, deviation;
    double fill;                  /* NUMBER: stands for a missing cell */
    double *edges;                /* NUMBER: of its bins, ascending */
    size_t edge_count, edge_room; /* 0: it is a line */
    double unit;                  /* IMAGE: what a byte is divided by */
    bool missing;                 /* there is a unit for missing cells */
    hill__names values;           /* CATEGORY */
    size_t embedded;              /* CATEGORY: the width of its table; 0: it has a unit a value */
    uint32_t height, width, channels;
    size_t first, units; /* where its units are */
} hill__input;

typedef struct hill__target {
    char *name;
    size_t position;
    hill_column_kind kind;
    double mean, deviation; /* of numbers */
    hill__names classes;    /* of classes: in numeric order where all are numbers, else bytewise */
    double *numbers;        /* classes of a NUMBER column, ascending; else NULL */
} hill__target;

typedef struct hill__encoder {
    hill_allocator allocator;
    bool has_header; /* the training table had one: columns are matched by name */
    hill_task task;
    hill__input *inputs;
    size_t input_count, input_room;
    size_t width; /* units of a row */
    hill__target target;
    hill__lines lines;    /* a description of each input, for people */
    hill__wanted *wanted; /* [input_count + 1] */
    hill__schema schema;
} hill__encoder;

typedef struct hill__encoder_options {
    size_t target; /* column of the table */
    hill_task task;
    bool scaled;        /* scale standard, not none */
    bool target_scaled; /* so are number targets */
    size_t weight;      /* column of the rows' weights, which is no input; SIZE_MAX: none */
    const char *keep;   /* comma list of category columns to keep whatever their number of values */
    const char *embed;  /* "none", "auto", or a comma list of category columns that the net embeds, some with "=WIDTH" */
    size_t bins;        /* of a number; 0: it stays a line */
} hill__encoder_options;

/*
 * The first half: an encoder that knows the target column and, of all rows of the table, its classes; no inputs yet.
 * HILL_EDATA: text where numbers are needed, one class only, too many.
 */
int hill__encoder_new(const hill_table *table, const hill__encoder_options *options, const hill_allocator *allocator,
                      hill__encoder **out, hill_error *error);

/*
 * The second half: fits inputs and number targets on the given rows alone. What a person should know is appended to `notes`.
 * HILL_EDATA: a constant target, no input left, a number too large, an unknown column in `keep`.
 */
int hill__encoder_fit(hill__encoder *encoder, const hill_table *table, const hill__encoder_options *options,
                      const uint64_t *rows, uint64_t count, hill__lines *notes, hill_error *error);
void hill__encoder_free(hill__encoder *encoder);

/* Units of a target: the classes, or 1. */
size_t hill__encoder_outputs(const hill__encoder *encoder);

/* What a net is built for: everything but the rows. The inputs are a picture where nothing stands beside the image block. */
void hill__encoder_shape(const hill__encoder *encoder, hill_shape *shape);

/* The class of a NUMBER column's cell, or SIZE_MAX. */
size_t hill__encoder_class_of(const hill__encoder *encoder, double number);

/* A number answered by the net, in the target's own unit. */
double hill__encoder_unscale(const hill__encoder *encoder, double output);

/* For the fitter and the parser: places the units, writes the descriptions and the schema. false: no memory. */
bool hill__encoder_close(hill__encoder *encoder);

/* For the same: the next input, zeroed but for its name and kind; NULL: no memory. */
hill__input *hill__encoder_add(hill__encoder *encoder, const char *name, size_t length, hill_column_kind kind);

/* The encoder as JSON, the same text for the same encoder (encoder_text.c). */
void hill__encoder_write(const hill__encoder *encoder, hill__text *text);

/* Reads such text. HILL_EMODEL: it isn't one. */
int hill__encoder_parse(const char *text, size_t length, const hill_allocator *allocator, hill__encoder **out,
                        hill_error *error);

#endif
