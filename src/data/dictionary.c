/*
 * dictionary.c - texts to numbers by open addressing. Invariant: at most half of the slots are taken, so a search ends.
 */
#include "base/fp.h"

#include "data/dictionary.h"

#include <string.h>

#define DICTIONARY_FIRST_ROOM 64u

/* Multiply and fold (FNV-1a's constants); the top bits are mixed down because slots are picked by the low ones. */
static size_t dictionary_hash(const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (size_t)(hash ^ (hash >> 32));
}

/* The slot that holds `text` or is free for it. */
static size_t dictionary_slot(const hill__dictionary *dictionary, const char *text, size_t length)
{
    size_t mask = dictionary->room - 1, slot = dictionary_hash(text, length) & mask;
    for (; dictionary->slots[slot]; slot = (slot + 1) & mask) {
        const char *value = hill__lines_at(dictionary->values, dictionary->slots[slot] - 1);
        if (strncmp(value, text, length) == 0 && value[length] == '\0')
            break;
    }
    return slot;
}

static bool dictionary_double(hill__dictionary *dictionary)
{
    hill__dictionary bigger = *dictionary;
    bigger.room = dictionary->room ? dictionary->room * 2 : DICTIONARY_FIRST_ROOM;
    bigger.slots = hill__alloc(&dictionary->allocator, bigger.room, sizeof *bigger.slots);
    if (!bigger.slots)
        return false;
    for (size_t i = 0; i < dictionary->values->count; i++) {
        const char *value = hill__lines_at(dictionary->values, i);
        bigger.slots[dictionary_slot(&bigger, value, strlen(value))] = (uint32_t)i + 1;
    }
    hill__dictionary_free(dictionary);
    *dictionary = bigger;
    return true;
}

/* hill__lines_add formats at most 2,000 bytes; a cell may be longer. */
static bool dictionary_append(hill__lines *values, const char *text, size_t length)
{
    void *starts = values->starts;
    if (!hill__grow(&values->text.allocator, &starts, &values->capacity, values->count + 1, sizeof *values->starts))
        return false;
    values->starts = starts;
    size_t start = values->text.length;
    hill__text_add(&values->text, text, length);
    hill__text_add(&values->text, "", 1);
    if (values->text.failed)
        return false;
    values->starts[values->count++] = start;
    return true;
}

void hill__dictionary_init(hill__dictionary *dictionary, hill__lines *values)
{
    *dictionary = (hill__dictionary){.allocator = values->text.allocator, .values = values};
}

void hill__dictionary_free(hill__dictionary *dictionary)
{
    hill__free(&dictionary->allocator, dictionary->slots, dictionary->room, sizeof *dictionary->slots);
    dictionary->slots = NULL;
    dictionary->room = 0;
}

bool hill__dictionary_code(hill__dictionary *dictionary, const char *text, size_t length, uint32_t *code)
{
    size_t count = dictionary->values->count;
    if (count >= dictionary->room / 2 && !dictionary_double(dictionary))
        return false;
    size_t slot = dictionary_slot(dictionary, text, length);
    if (!dictionary->slots[slot]) {
        if (count >= UINT32_MAX - 1 || !dictionary_append(dictionary->values, text, length))
            return false;
        dictionary->slots[slot] = (uint32_t)count + 1;
    }
    *code = dictionary->slots[slot] - 1;
    return true;
}

size_t hill__dictionary_find(const hill__dictionary *dictionary, const char *text, size_t length)
{
    if (dictionary->room == 0)
        return SIZE_MAX;
    uint32_t taken = dictionary->slots[dictionary_slot(dictionary, text, length)];
    return taken ? taken - 1 : SIZE_MAX;
}
