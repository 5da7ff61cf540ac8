/*
 * memory.h - sizes that cannot wrap, and blocks from the host's allocator.
 */
#ifndef HILL_BASE_MEMORY_H
#define HILL_BASE_MEMORY_H

#include <stdbool.h>

#include "downhill.h"

/* Alignment of every vector and scratch buffer: one cache line, one AVX-512 register. */
#define HILL__ALIGN 64u

/* True and *out = a * b (a + b), or false where it doesn't fit. */
bool hill__mul(size_t a, size_t b, size_t *out);
bool hill__add(size_t a, size_t b, size_t *out);

/* n rounded up to a multiple of `unit`; false where it doesn't fit. */
bool hill__round_up(size_t n, size_t unit, size_t *out);

/* The host's allocator, or malloc and free where it gave none. */
hill_allocator hill__allocator(const hill_host *host);

/* count * size bytes of zeros, or NULL when that wraps or memory ends; count 0 gives a block too. Free with the same numbers. */
void *hill__alloc(const hill_allocator *allocator, size_t count, size_t size);
void hill__free(const hill_allocator *allocator, void *block, size_t count, size_t size);

/* The same without the zeros: memory that nothing is written to costs nothing. */
void *hill__alloc_raw(const hill_allocator *allocator, size_t count, size_t size);

/* The same as hill__alloc, aligned to HILL__ALIGN. */
void *hill__alloc_aligned(const hill_allocator *allocator, size_t bytes);
void hill__free_aligned(const hill_allocator *allocator, void *block, size_t bytes);

/* A copy of `length` bytes with a zero byte behind it; free with hill__free(allocator, copy, length + 1, 1). */
char *hill__copy_text(const hill_allocator *allocator, const char *text, size_t length);

/*
 * Makes room for `needed` items in a growing array: doubles *capacity as often as it takes and moves the old items over; what
 * comes behind them is left as it is. false and nothing changed when memory ends.
 */
bool hill__grow(const hill_allocator *allocator, void **items, size_t *capacity, size_t needed, size_t size);

#endif
