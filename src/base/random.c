/*
 * random.c - Philox4x32-10 and the Feistel permutation built on it.
 */
#include "base/fp.h"

#include "base/random.h"

#define PHILOX_M0 0xD2511F53u
#define PHILOX_M1 0xCD9E8D57u
#define PHILOX_W0 0x9E3779B9u
#define PHILOX_W1 0xBB67AE85u

void hill__philox(const uint32_t counter[4], const uint32_t key[2], uint32_t out[4])
{
    uint32_t c0 = counter[0], c1 = counter[1], c2 = counter[2], c3 = counter[3];
    uint32_t k0 = key[0], k1 = key[1];
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)PHILOX_M0 * c0;
        uint64_t p1 = (uint64_t)PHILOX_M1 * c2;
        uint32_t n0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        uint32_t n2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c1 = (uint32_t)p1;
        c3 = (uint32_t)p0;
        c0 = n0;
        c2 = n2;
        k0 += PHILOX_W0;
        k1 += PHILOX_W1;
    }
    out[0] = c0;
    out[1] = c1;
    out[2] = c2;
    out[3] = c3;
}

uint32_t hill__random_bits(uint64_t seed, uint64_t step, uint32_t purpose, uint64_t element)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    const uint32_t counter[4] = {(uint32_t)step, (uint32_t)(step >> 32), purpose, (uint32_t)(element / 4)};
    uint32_t out[4];
    hill__philox(counter, key, out);
    return out[element % 4];
}

float hill__random_uniform(uint64_t seed, uint64_t step, uint32_t purpose, uint64_t element)
{
    return (float)(hill__random_bits(seed, step, purpose, element) >> 8) * 0x1p-24f;
}

hill__permutation hill__permutation_make(uint64_t count, uint64_t seed, uint64_t step, uint32_t purpose)
{
    hill__permutation permutation = {.count = count};
    unsigned bits = 0;
    while (bits < 64 && count > (uint64_t)1 << bits)
        bits++;
    permutation.low_bits = bits / 2;
    permutation.high_bits = bits - bits / 2;
    for (unsigned round = 0; round < HILL__PERMUTATION_ROUNDS; round++)
        permutation.keys[round] = hill__random_bits(seed, step, purpose, round);
    return permutation;
}

/* The finaliser of a 32-bit mixing hash: every input bit reaches every output bit. */
static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ (x >> 16);
}

uint64_t hill__permutation_at(const hill__permutation *permutation, uint64_t i)
{
    const uint32_t low_mask = (uint32_t)(((uint64_t)1 << permutation->low_bits) - 1);
    const uint32_t high_mask = (uint32_t)(((uint64_t)1 << permutation->high_bits) - 1);
    do {
        uint32_t low = (uint32_t)i & low_mask, high = (uint32_t)(i >> permutation->low_bits);
        for (unsigned round = 0; round < HILL__PERMUTATION_ROUNDS; round += 2) {
            high ^= mix(low ^ permutation->keys[round]) & high_mask;
            low ^= mix(high ^ permutation->keys[round + 1]) & low_mask;
        }
        i = (uint64_t)high << permutation->low_bits | low;
    } while (i >= permutation->count);
    return i;
}
