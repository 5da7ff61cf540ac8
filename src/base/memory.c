/*
 * memory.c - checked sizes and the host's allocator. Invariant: no size reaches an allocator unless it was checked here.
 */
#include "base/fp.h"

#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

bool hill__mul(size_t a, size_t b, size_t *out)
{
    if (b != 0 && a > SIZE_MAX / b)
        return false;
    *out = a * b;
    return true;
}

bool hill__add(size_t a, size_t b, size_t *out)
{
    if (a > SIZE_MAX - b)
        return false;
    *out = a + b;
    return true;
}

bool hill__round_up(size_t n, size_t unit, size_t *out)
{
    size_t rest = n % unit;
    return hill__add(n, rest ? unit - rest : 0, out);
}

static void *malloc_alloc(void *self, size_t bytes)
{
    (void)self;
    return malloc(bytes);
}

static void malloc_free(void *self, void *block, size_t bytes)
{
    (void)self;
    (void)bytes;
    free(block);
}

hill_allocator hill__allocator(const hill_host *host)
{
    if (host && host->allocator.alloc && host->allocator.free)
        return host->allocator;
    return (hill_allocator){NULL, malloc_alloc, malloc_free};
}

void *hill__alloc(const hill_allocator *allocator, size_t count, size_t size)
{
    void *block = hill__alloc_raw(allocator, count, size);
    if (block)
        memset(block, 0, count * size);
    return block;
}

void hill__free(const hill_allocator *allocator, void *block, size_t count, size_t size)
{
    size_t bytes = count * size;
    if (block)
        allocator->free(allocator->self, block, bytes ? bytes : 1);
}

void *hill__alloc_raw(const hill_allocator *allocator, size_t count, size_t size)
{
    size_t bytes;
    if (!hill__mul(count, size, &bytes))
        return NULL;
    return allocator->alloc(allocator->self, bytes ? bytes : 1);
}

/* The block handed out is preceded by the pointer that the allocator gave. */
void *hill__alloc_aligned(const hill_allocator *allocator, size_t bytes)
{
    size_t total;
    if (!hill__add(bytes, HILL__ALIGN + sizeof(void *), &total))
        return NULL;
    char *raw = allocator->alloc(allocator->self, total);
    if (!raw)
        return NULL;
    char *block = raw + sizeof(void *);
    block += (HILL__ALIGN - (uintptr_t)block % HILL__ALIGN) % HILL__ALIGN;
    memcpy(block - sizeof(void *), &raw, sizeof raw);
    memset(block, 0, bytes);
    return block;
}

void hill__free_aligned(const hill_allocator *allocator, void *block, size_t bytes)
{
    if (!block)
        return;
    char *raw;
    memcpy(&raw, (char *)block - sizeof(void *), sizeof raw);
    allocator->free(allocator->self, raw, bytes + HILL__ALIGN + sizeof(void *));
}

char *hill__copy_text(const hill_allocator *allocator, const char *text, size_t length)
{
    size_t bytes;
    if (!hill__add(length, 1, &bytes))
        return NULL;
    char *copy = hill__alloc(allocator, bytes, 1);
    if (copy && length)
        memcpy(copy, text, length);
    return copy;
}

bool hill__grow(const hill_allocator *allocator, void **items, size_t *capacity, size_t needed, size_t size)
{
    if (needed <= *capacity)
        return true;
    size_t room = *capacity ? *capacity : 16;
    while (room < needed)
        if (!hill__mul(room, 2, &room))
            return false;
    void *bigger = hill__alloc_raw(allocator, room, size);
    if (!bigger)
        return false;
    if (*capacity)
        memcpy(bigger, *items, *capacity * size);
    hill__free(allocator, *items, *capacity, size);
    *items = bigger;
    *capacity = room;
    return true;
}

/* Blocks of a hill_block are multiples of this, so that each is aligned for any type. */
#define BLOCK_UNIT 16u

static void *block_alloc(void *self, size_t bytes)
{
    hill_block *block = self;
    size_t start, end;
    uintptr_t base = (uintptr_t)block->memory;
    if (!hill__round_up((size_t)(base % BLOCK_UNIT) + block->used, BLOCK_UNIT, &start))
        return NULL;
    start -= (size_t)(base % BLOCK_UNIT);
    if (!hill__add(start, bytes, &end) || end > block->bytes)
        return NULL;
    block->used = end;
    if (block->peak < end)
        block->peak = end;
    return (char *)block->memory + start;
}

static void block_free(void *self, void *memory, size_t bytes)
{
    hill_block *block = self;
    if ((char *)memory + bytes == (char *)block->memory + block->used)
        block->used -= bytes;
}

hill_allocator hill_block_allocator(hill_block *block)
{
    return (hill_allocator){block, block_alloc, block_free};
}
