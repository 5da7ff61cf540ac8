/*
 * random.h - randomness as a pure function: Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel Random Numbers: As Easy as
 * 1, 2, 3, SC 2011), and permutations that are never stored.
 *
 * A number is a function of (seed, step, purpose, element) and nothing else, so any of them can be had again in any order.
 */
#ifndef HILL_BASE_RANDOM_H
#define HILL_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* What a number is for; part of the counter, so that two purposes never share numbers. Values are part of arith=1. */
typedef enum hill__purpose {
    HILL__PURPOSE_INIT = 1,  /* step: the tensor's index */
    HILL__PURPOSE_ORDER = 2, /* step: the epoch; element: the round of the permutation */
    HILL__PURPOSE_SPLIT = 3, /* step: the class; element: the round */
    HILL__PURPOSE_CHECK = 4,
    HILL__PURPOSE_GROW = 5,   /* step: the epoch, for a seed of its own; under that one, the row */
    HILL__PURPOSE_DROPOUT = 6 /* step: the step, for a key of each layer; under that one, a group of 128 numbers */
} hill__purpose;

/* One block of Philox4x32-10: 128 counter bits and 64 key bits to 128 random bits. */
void hill__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4]);

/* 32 random bits. */
uint32_t hill__random_bits(uint64_t seed, uint64_t step, uint32_t purpose, uint64_t element);

/* Uniform in [0, 1): a multiple of 2^-24. */
float hill__random_uniform(uint64_t seed, uint64_t step, uint32_t purpose, uint64_t element);

/* A permutation of 0 .. count-1: a Feistel network over the next power of two, walked until it lands inside. */
#define HILL__PERMUTATION_ROUNDS 6
typedef struct hill__permutation {
    uint64_t count;
    unsigned low_bits, high_bits; /* halves of the network's domain, 0 to 32 bits each */
    uint32_t keys[HILL__PERMUTATION_ROUNDS];
} hill__permutation;

hill__permutation hill__permutation_make(uint64_t count, uint64_t seed, uint64_t step, uint32_t purpose);
uint64_t hill__permutation_at(const hill__permutation *permutation, uint64_t i);

#endif
