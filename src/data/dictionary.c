/*
 * dictionary.c - texts to numbers by open addressing. Invariant: at most half of the slots are taken, so a search ends; where
 * texts crowd in a few slots, as those of a hostile file may be chosen to do, all are dealt anew by another hash.
 */
#include "base/fp.h"

#include "data/dictionary.h"

#include <string.h>

#define DICTIONARY_FIRST_ROOM 64u

/* Slots looked at before texts are said to crowd: many more than chance makes it in half a table. */
#define DICTIONARY_CROWD 256u

/* Multiply and fold (FNV-1a's constants); the top bits are mixed down because slots are picked by the low ones. */
static size_t dictionary_hash(uint64_t salt, const char *text, size_t length)
{
    uint64_t hash = 0xcbf29ce484222325u ^ salt * 0x9e3779b97f4a7c15u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 0x100000001b3u;
    return (size_t)(hash ^ (hash >> 32));
}

/* The slot that holds `text` or is free for it; *looks gets how many were looked at. */
static size_t dictionary_slot(const hill__dictionary *dictionary, const char *text, size_t length, size_t *looks)
{
    size_t mask = dictionary->room - 1, slot = dictionary_hash(dictionary->salt, text, length) & mask;
    for (*looks = 1; dictionary->slots[slot]; slot = (slot + 1) & mask, ++*looks) {
        const char *value = hill__lines_at(dictionary->values, dictionary->slots[slot] - 1);
        if (strncmp(value, text, length) == 0 && value[length] == '\0')
            break;
    }
    return slot;
}

/* Puts the texts into other slots. */
static bool dictionary_deal(hill__dictionary *dictionary, size_t room, uint64_t salt)
{
    size_t looks;
    hill__dictionary other = *dictionary;
    other.room = room;
    other.salt = salt;
    other.slots = hill__alloc(&dictionary->allocator, room, sizeof *other.slots);
    if (!other.slots)
        return false;
    for (size_t i = 0; i < dictionary->values->count; i++) {
        const char *value = hill__lines_at(dictionary->values, i);
        other.slots[dictionary_slot(&other, value, strlen(value), &looks)] = (uint32_t)i + 1;
    }
    hill__dictionary_free(dictionary);
    *dictionary = other;
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
    size_t count = dictionary->values->count, room = dictionary->room, looks;
    if (count >= room / 2 && !dictionary_deal(dictionary, room ? room * 2 : DICTIONARY_FIRST_ROOM, dictionary->salt))
        return false;
    size_t slot = dictionary_slot(dictionary, text, length, &looks);
    if (looks > DICTIONARY_CROWD && !dictionary->slots[slot]) {
        if (!dictionary_deal(dictionary, dictionary->room, dictionary->salt + 1))
            return false;
        slot = dictionary_slot(dictionary, text, length, &looks);
    }
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
    size_t looks;
    if (dictionary->room == 0)
        return SIZE_MAX;
    uint32_t taken = dictionary->slots[dictionary_slot(dictionary, text, length, &looks)];
    return taken ? taken - 1 : SIZE_MAX;
}
