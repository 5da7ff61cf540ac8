/*
 * threads.h - a pool of threads that splits one call among them and waits for all.
 *
 * Who computes a part never shows in a result: callers give every part its own outputs.
 */
#ifndef HILL_BASE_THREADS_H
#define HILL_BASE_THREADS_H

#include <stdatomic.h>

#include "base/memory.h"

typedef struct hill__pool hill__pool;

/* part is 0 .. parts - 1; part 0 runs on the calling thread. */
typedef void (*hill__task)(void *context, unsigned part, unsigned parts);

/* Starts threads - 1 workers. 1 gives *out = NULL, which every call here takes for "this thread alone". */
int hill__pool_new(unsigned threads, const hill_allocator *allocator, hill__pool **out);
void hill__pool_free(hill__pool *pool);
unsigned hill__pool_size(const hill__pool *pool);

/* Runs task for every part of min(parts, size) and returns when all are done. */
void hill__pool_run(hill__pool *pool, unsigned parts, hill__task task, void *context);

/* A wish that any part may raise and the caller sees afterwards. */
typedef struct hill__flag {
    atomic_bool raised;
} hill__flag;

static inline void hill__flag_raise(hill__flag *flag)
{
    atomic_store_explicit(&flag->raised, true, memory_order_relaxed);
}

static inline bool hill__flag_is_raised(hill__flag *flag)
{
    return atomic_load_explicit(&flag->raised, memory_order_relaxed);
}

/* How many processors this process may use, at least 1. */
unsigned hill__core_count(void);

/* The part-th of `parts` ranges of 0 .. count, each a multiple of `unit` but the last. */
void hill__split(size_t count, size_t unit, unsigned part, unsigned parts, size_t *begin, size_t *end);

#endif
