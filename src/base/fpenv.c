/*
 * fpenv.c - looks at the control register where one is known, else at what arithmetic does.
 */
#include "base/fp.h"

#include "base/fpenv.h"

#if defined(__x86_64__) || defined(__SSE2__)
#include <xmmintrin.h>

/* Rounding control, flush to zero, denormals are zero. */
#define CONTROL_BITS 0xE040u

bool hill__fp_is_default(void)
{
    return (_mm_getcsr() & CONTROL_BITS) == 0;
}
#elif defined(__aarch64__)
#include <stdint.h>

/* FPCR: rounding mode, flush to zero, flush inputs to zero. Its other bits don't reach a float that isn't NaN. */
#define CONTROL_BITS 0x01C00001u

bool hill__fp_is_default(void)
{
    uint64_t control;
    __asm__ volatile("mrs %0, fpcr" : "=r"(control));
    return (control & CONTROL_BITS) == 0;
}
#else
bool hill__fp_is_default(void)
{
    volatile float one = 1.0f, above_half = 0x1.8p-24f, below_half = 0x1p-25f, least = FLT_MIN;
    volatile float up = one + above_half, stays = one + below_half, down = -one - below_half, denormal = least * 0.5f;
    return up > 1.0f && stays == 1.0f && down == -1.0f && denormal > 0.0f;
}
#endif
