/*
 * hash.c - XXH64. Invariant: words are read as little-endian, so that the same bytes have the same hash everywhere.
 */
#include "base/fp.h"

#include "base/hash.h"

static const uint64_t hash_primes[] = {0x9E3779B185EBCA87u, 0xC2B2AE3D27D4EB4Fu, 0x165667B19E3779F9u, 0x85EBCA77C2B2AE63u,
                                       0x27D4EB2F165667C5u};

static uint64_t hash_turn(uint64_t x, unsigned bits)
{
    return x << bits | x >> (64 - bits);
}

static uint64_t hash_word(const unsigned char *p, unsigned bytes)
{
    uint64_t word = 0;
    for (unsigned i = 0; i < bytes; i++)
        word |= (uint64_t)p[i] << (8 * i);
    return word;
}

static uint64_t hash_round(uint64_t lane, uint64_t word)
{
    return hash_turn(lane + word * hash_primes[1], 31) * hash_primes[0];
}

/* Stripes of 32 bytes, a lane for every 8 of them. */
static uint64_t hash_stripes(const unsigned char *p, size_t stripes, uint64_t seed)
{
    static const unsigned turns[] = {1, 7, 12, 18};
    uint64_t lanes[] = {seed + hash_primes[0] + hash_primes[1], seed + hash_primes[1], seed, seed - hash_primes[0]}, hash = 0;
    for (size_t i = 0; i < stripes; i++, p += 32)
        for (unsigned k = 0; k < 4; k++)
            lanes[k] = hash_round(lanes[k], hash_word(p + 8 * k, 8));
    for (unsigned k = 0; k < 4; k++)
        hash += hash_turn(lanes[k], turns[k]);
    for (unsigned k = 0; k < 4; k++)
        hash = (hash ^ hash_round(0, lanes[k])) * hash_primes[0] + hash_primes[3];
    return hash;
}

uint64_t hill__hash(const void *bytes, size_t length, uint64_t seed)
{
    static const unsigned char nothing[1] = {0};
    const unsigned char *p = bytes ? bytes : nothing, *end = p + length;
    uint64_t hash = length >= 32 ? hash_stripes(p, length / 32, seed) : seed + hash_primes[4];
    hash += length;
    for (p += length / 32 * 32; end - p >= 8; p += 8)
        hash = hash_turn(hash ^ hash_round(0, hash_word(p, 8)), 27) * hash_primes[0] + hash_primes[3];
    for (; end - p >= 4; p += 4)
        hash = hash_turn(hash ^ hash_word(p, 4) * hash_primes[0], 23) * hash_primes[1] + hash_primes[2];
    for (; p < end; p++)
        hash = hash_turn(hash ^ *p * hash_primes[4], 11) * hash_primes[0];
    hash = (hash ^ hash >> 33) * hash_primes[1];
    hash = (hash ^ hash >> 29) * hash_primes[2];
    return hash ^ hash >> 32;
}
