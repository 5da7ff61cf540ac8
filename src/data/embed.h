/*
 * embed.h - category columns that take one unit, the number of a row in a table that the net learns: which, and how wide.
 */
#ifndef HILL_DATA_EMBED_H
#define HILL_DATA_EMBED_H

#include "data/encoder.h"

/* Rows that a table may have, for floats hold their numbers exactly; and how wide it may be. A net may have so many tables. */
#define HILL__EMBED_ROWS 16777216u
#define HILL__EMBED_WIDTH 1024u
#define HILL__EMBED_COLUMNS 64u
/* A width that is left to hill__embed_width. */
#define HILL__EMBED_AUTO SIZE_MAX

/*
 * Sets widths[i] for every column i that `text` names, "zip=8, model", to what stands behind it or HILL__EMBED_AUTO; for every
 * category column where it's "auto". HILL_EDATA: it isn't there, or holds numbers, or is the target, or its width can't be.
 */
int hill__embed_mark(const hill_table *table, const char *text, size_t target, size_t *widths, hill_error *error);

/* The width of a table of so many rows where none is asked for. */
size_t hill__embed_width(size_t rows);

/* Rows of an embedded input's table: its values, one for missing cells if it has that, one for a value unseen in training. */
size_t hill__embed_rows(const hill__input *input);

/* What the encoder embeds: as the first layer of a net, "embed 3:5001x9", or "" for none; as the knob's value, "zip=9" or "none". */
void hill__embed_layer(const hill__encoder *encoder, hill__text *text);
void hill__embed_choice(const hill__encoder *encoder, const hill_table *table, hill__text *text);

/* A column as a list names it: by its number where it isn't to be named, or its name would be read as something else. */
void hill__embed_add_column(const hill_table *table, size_t column, bool by_name, hill__text *text);

#endif
