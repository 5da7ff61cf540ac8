/*
 * angle.c - angles too large for floats to reduce (Payne and Hanek, 1983). All rows of the kernel table share it, for it is rare
 * and its integers are the same everywhere.
 */
#include "base/fp.h"

#include "kernel/angle.h"

#include <string.h>

/* The bits of 2 / pi behind the binary point, after 32 zeros. */
static const uint32_t angle_two_over_pi[] = {0,          0xA2F9836E, 0x4E441529, 0xFC2757D1,
                                             0xF534DDC0, 0xDB629599, 0x3C439041, 0xFE5163AB};

/* 32 bits of the table from bit `at` on. */
static uint32_t angle_bits(uint32_t at)
{
    uint64_t pair = (uint64_t)angle_two_over_pi[at / 32] << 32 | angle_two_over_pi[at / 32 + 1];
    return (uint32_t)(pair >> (32 - at % 32));
}

float hill__reduce_angle(float x, int32_t *quarters)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    /*
     * x is whole * 2^e, e = exponent - 150. Bits of 2 / pi that make multiples of 4 of the product are left out: the first one
     * needed has the weight 2^(1 - e), which is bit 32 + e - 2 of the table. 96 bits from there give 62 bits behind the point of
     * the product mod 4, off by at most 2 of the last one. No float comes nearer than 2^-29.3 to a multiple of pi / 2
     * (0x1.f37c8ap+95 does), so more than a float's 24 bits are left.
     */
    uint64_t whole = (bits & 0x7FFFFF) | 0x800000;
    uint32_t at = (bits >> 23) + 30 - 150;
    uint64_t product = (whole * angle_bits(at) << 32) + whole * angle_bits(at + 32) + (whole * angle_bits(at + 64) >> 32);
    uint64_t n = (product + (UINT64_C(1) << 61)) >> 62;
    uint64_t rest = product - (n << 62); /* in 2^-62 of a quarter turn, of either sign */
    *quarters = (int32_t)(n & 3);
    double quarter = rest >> 63 ? -(double)(0 - rest) : (double)rest;
    return (float)(quarter * (1.5707963267948966 * 0x1p-62));
}
