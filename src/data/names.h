/*
 * names.h - a fixed list of different texts: the values of a category, the classes of a target.
 */
#ifndef HILL_DATA_NAMES_H
#define HILL_DATA_NAMES_H

#include "base/memory.h"
#include "data/table.h"

typedef struct hill__names {
    hill_allocator allocator;
    char **items;
    size_t *sorted; /* indices of items, bytewise ascending */
    size_t count;
    size_t room;
} hill__names;

/* An empty list with room for `room` texts. false: no memory. */
bool hill__names_init(hill__names *names, size_t room, const hill_allocator *allocator);
void hill__names_free(hill__names *names);

/* Appends a copy. There must be room. false: no memory. */
bool hill__names_add(hill__names *names, const char *text, size_t length);

/* Ends the adding: makes the texts findable. false: two of them are the same. */
bool hill__names_close(hill__names *names);

/* Index of `text`, or SIZE_MAX. */
size_t hill__names_find(const hill__names *names, const char *text);

/* What a category column holds in some rows. */
typedef struct hill__census {
    const hill__column *column;
    const uint64_t *rows; /* NULL: the first `row_count` */
    uint64_t row_count;
    bool numeric; /* order by number where all values are numbers; else, and without it, bytewise */
    size_t most;  /* leave `names` empty where there are more values */
    size_t found; /* out: different values */
    uint64_t missing;
} hill__census;

/* Counts the values and lists them in `names`. HILL_EMEMORY, or HILL_EDATA where one value has two codes. */
int hill__names_census(hill__names *names, hill__census *census, const hill_allocator *allocator, hill_error *error);

#endif
