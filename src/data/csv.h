/*
 * csv.h - the parts of the CSV reader: cells out of bytes (csv_cells.c), guesses (csv_sniff.c), columns out of cells (csv.c).
 *
 * A file is UTF-8 text; rows end in LF, CRLF or CR; a line of blanks is no row. A cell in double quotes may hold anything, a
 * quote written twice; blanks around any other cell are cut off. With a space as delimiter any number of them is one.
 */
#ifndef HILL_DATA_CSV_H
#define HILL_DATA_CSV_H

#include "base/limits.h"
#include "base/text.h"

/* A place in the text, and the cell before it. Copy it to come back to the place; copies share `scratch`. */
typedef struct hill__csv {
    const char *name;
    hill_error *error;
    const unsigned char *at, *end;
    const unsigned char *line_start;
    const unsigned char *row_start;
    uint64_t line;
    uint64_t blank; /* blank lines met */
    hill_limits limits;
    unsigned char delimiter;
    bool stops[256];     /* bytes that end a cell without quotes */
    hill__text *scratch; /* holds a cell whose doubled quotes were undone */
} hill__csv;

typedef struct hill__csv_cell {
    const char *text; /* not zero-ended; until the next cell is read */
    size_t length;
    uint64_t line;
    size_t column; /* byte in the line, from 1 */
    bool last;     /* of its row */
} hill__csv_cell;

/* Begins at the first byte of `bytes`, behind a byte order mark, under the default limits. */
void hill__csv_begin(hill__csv *csv, const hill_bytes *bytes, char delimiter, hill__text *scratch, hill_error *error);
void hill__csv_set_delimiter(hill__csv *csv, char delimiter);

/* Goes to the first cell of the next row: true; false at the end of the text. */
bool hill__csv_row(hill__csv *csv);

/* Reads a cell. HILL_EDATA: the quotes are wrong, the line is too long. */
int hill__csv_cell_read(hill__csv *csv, hill__csv_cell *cell);

/* HILL_EDATA where the bytes hold a zero or are no UTF-8. */
int hill__csv_check_text(const hill_bytes *bytes, hill_error *error);

/* The beginning of a cell's text as it may stand in a message: one line, whole characters, zero-ended. */
#define HILL__CSV_EXCERPT 48
void hill__csv_excerpt(const char *text, size_t length, char out[HILL__CSV_EXCERPT]);

/* The cells of one row, kept. Each text has a zero byte behind it. */
typedef struct hill__csv_cells {
    hill__text text;
    size_t *starts; /* [count + 1] */
    size_t count, capacity;
    uint64_t line;
} hill__csv_cells;

void hill__csv_cells_init(hill__csv_cells *cells, const hill_allocator *allocator);
void hill__csv_cells_free(hill__csv_cells *cells);
int hill__csv_cells_read(hill__csv_cells *cells, hill__csv *csv);
const char *hill__csv_cells_at(const hill__csv_cells *cells, size_t i, size_t *length);

/* The cells that mean missing. */
typedef struct hill__csv_missing {
    hill_allocator allocator;
    bool first[256]; /* bytes that one of the words begins with */
    hill__lines words;
} hill__csv_missing;

bool hill__csv_missing_init(hill__csv_missing *missing, const char *list, const hill_allocator *allocator);
void hill__csv_missing_free(hill__csv_missing *missing);
bool hill__csv_missing_is(const hill__csv_missing *missing, const char *text, size_t length);

/* The delimiter that cuts the first rows most evenly. */
char hill__csv_sniff_delimiter(const hill__csv *start);

/*
 * Does the first row, already read, name the columns? `behind` is the place behind it. CERTAIN: text stands over numbers;
 * LIKELY: all are texts that don't come again.
 */
typedef enum hill__csv_header { HILL__CSV_HEADER_NO, HILL__CSV_HEADER_LIKELY, HILL__CSV_HEADER_CERTAIN } hill__csv_header;
int hill__csv_sniff_header(const hill__csv *behind, const hill__csv_cells *first, const hill__csv_missing *missing,
                           hill__csv_header *out);

#endif
