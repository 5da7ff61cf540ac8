/*
 * hash.h - a number that tells data apart.
 */
#ifndef HILL_BASE_HASH_H
#define HILL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/*
 * XXH64 (Yann Collet's specification, published test vectors): fast, and good against accidents, not against an enemy. The hash of
 * one piece is the seed of the next.
 */
uint64_t hill__hash(const void *bytes, size_t length, uint64_t seed);

#endif
