/*
 * vec_scalar.h - vectors of one float: the reference row of the kernel table. vec_avx2.h, vec_avx512.h and vec_neon.h
 * define the same names; loops.inc is written against them once.
 */
#include <math.h>
#include <string.h>

#define ISA(name) name##_scalar
#define ISA_NAME "scalar"
#define ISA_TABLE hill__kernels_scalar
#define WIDTH 1
#define TILE_ROWS 6
#define TILE_VECS 2
#define THREAD_WORK 10000
#define THREAD_REUSE 2

typedef float ISA(vf);
typedef int32_t ISA(vi);
typedef bool ISA(vm);
#define VF ISA(vf)
#define VI ISA(vi)
#define VM ISA(vm)

#define V_INLINE static inline
#define V_UNROLL /* nothing to keep in vector registers */

V_INLINE VI ISA(bits)(VF a)
{
    VI i;
    memcpy(&i, &a, sizeof i);
    return i;
}

V_INLINE VF ISA(from_bits)(VI i)
{
    VF a;
    memcpy(&a, &i, sizeof a);
    return a;
}

/* The low half of the product of two unsigned numbers; *high gets the other. */
V_INLINE VI ISA(multiply_whole)(VI a, uint32_t b, VI *high)
{
    uint64_t product = (uint64_t)(uint32_t)a * b;
    *high = (VI)(uint32_t)(product >> 32);
    return (VI)(uint32_t)product;
}

/* a and b the right way round: where one is NaN the result is b. */
V_INLINE VF ISA(max)(VF a, VF b)
{
    return a > b ? a : b;
}

V_INLINE VF ISA(min)(VF a, VF b)
{
    return a < b ? a : b;
}

#define v_load(p) (*(p))
#define v_store(p, a) (*(p) = (a))
#define v_load_part(p, n, fill) ((n) ? *(p) : (fill))
#define v_store_part(p, a, n) ((n) ? (void)(*(p) = (a)) : (void)0)
#define v_load_four(p) (*(p))
#define v_load_bytes(p) ((float)*(p))
#define v_keep(a, n) ((n) ? (a) : 0.0f)
#define v_first(a) (a)
#define v_set(x) ((float)(x))
#define v_add(a, b) ((a) + (b))
#define v_sub(a, b) ((a) - (b))
#define v_mul(a, b) ((a) * (b))
#define v_div(a, b) ((a) / (b))
#define v_sqrt(a) sqrtf(a)
#define v_fma(a, b, c) fmaf(a, b, c)
#define v_greater(a, b) ((a) > (b))
#define v_less(a, b) ((a) < (b))
#define v_any(m) (m)
#define v_unordered(a) ((a) != (a))
#define v_max(a, b) ISA(max)(a, b)
#define v_min(a, b) ISA(min)(a, b)
#define v_select(m, a, b) ((m) ? (a) : (b))
#define v_abs(a) ISA(from_bits)(ISA(bits)(a) & 0x7FFFFFFF)
#define v_sign_of(a) ISA(from_bits)(ISA(bits)(a) & (int32_t)0x80000000)
#define v_or_sign(a, s) ISA(from_bits)(ISA(bits)(a) | ISA(bits)(s))
#define v_bits(a) ISA(bits)(a)
#define v_float(i) ISA(from_bits)(i)
#define v_whole(i) ((float)(i))
#define vi_set(x) ((int32_t)(x))
#define vi_add(a, b) ((int32_t)((uint32_t)(a) + (uint32_t)(b)))
#define vi_sub(a, b) ((int32_t)((uint32_t)(a) - (uint32_t)(b)))
#define vi_and(a, b) ((a) & (b))
#define vi_xor(a, b) ((a) ^ (b))
#define vi_multiply(a, b, high) ISA(multiply_whole)(a, b, high)
#define vi_shift_left23(a) ((int32_t)((uint32_t)(a) << 23))
#define vi_shift_right(a, n) ((a) >= 0 ? (a) >> (n) : ~(~(a) >> (n)))
#define v_transpose(out, out_row, in, in_row) (*(out) = *(in))

/* Folds the lanes of a vector into its first; of one lane nothing is to be folded. */
#define V_FOLD(name, op)        \
    V_INLINE VF ISA(name)(VF a) \
    {                           \
        return a;               \
    }
