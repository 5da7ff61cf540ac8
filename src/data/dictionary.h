/*
 * dictionary.h - numbers the different texts of a category column in order of first appearance.
 */
#ifndef HILL_DATA_DICTIONARY_H
#define HILL_DATA_DICTIONARY_H

#include "base/text.h"

/* A hash table over `values`, which holds the texts and may be taken away when the numbering is done. */
typedef struct hill__dictionary {
    hill_allocator allocator;
    hill__lines *values;
    uint32_t *slots; /* index + 1, or 0 */
    size_t room;     /* a power of two, or 0 */
    uint64_t salt;   /* how often the slots were dealt anew because texts crowded */
} hill__dictionary;

void hill__dictionary_init(hill__dictionary *dictionary, hill__lines *values);
void hill__dictionary_free(hill__dictionary *dictionary);

/* The number of `text`, which is appended to the values where it is new. false: no memory. */
bool hill__dictionary_code(hill__dictionary *dictionary, const char *text, size_t length, uint32_t *code);

/* The number of `text`, or SIZE_MAX where it isn't there. */
size_t hill__dictionary_find(const hill__dictionary *dictionary, const char *text, size_t length);

#endif
