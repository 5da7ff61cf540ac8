/*
 * vec_neon.h - vectors of 4 floats by NEON, which every AArch64 has; the names are those of vec_scalar.h.
 *
 * NEON has no masked loads and stores: parts go through a buffer on the stack, so that no byte outside an array is touched.
 */
#include <string.h>

#define ISA(name) name##_neon
#define ISA_NAME "neon"
#define ISA_TABLE hill__kernels_neon
#define WIDTH 4
#define TILE_ROWS 6
#define TILE_VECS 4
#define THREAD_WORK 60000
#define THREAD_REUSE 12

#define VF float32x4_t
#define VI int32x4_t
#define VM uint32x4_t

#define V_INLINE static inline __attribute__((always_inline))
#define V_UNROLL HILL__UNROLL

V_INLINE VF ISA(load_part)(const float *p, size_t n, float fill)
{
    if (n >= 4)
        return vld1q_f32(p);
    float all[4] = {fill, fill, fill, fill};
    memcpy(all, p, n * sizeof *p);
    return vld1q_f32(all);
}

V_INLINE void ISA(store_part)(float *p, VF a, size_t n)
{
    float all[4];
    vst1q_f32(all, a);
    memcpy(p, all, (n < 4 ? n : 4) * sizeof *p);
}

/* As the other rows have them: b where either is NaN. */
V_INLINE VF ISA(max)(VF a, VF b)
{
    return vbslq_f32(vcgtq_f32(a, b), a, b);
}

V_INLINE VF ISA(min)(VF a, VF b)
{
    return vbslq_f32(vcltq_f32(a, b), a, b);
}

V_INLINE VF ISA(keep)(VF a, size_t n)
{
    const uint32_t lanes[4] = {0, 1, 2, 3};
    uint32x4_t part = vcltq_u32(vld1q_u32(lanes), vdupq_n_u32(n < 4 ? (uint32_t)n : 4));
    return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(a), part));
}

V_INLINE VF ISA(load_bytes)(const unsigned char *p)
{
    uint32_t four;
    memcpy(&four, p, sizeof four);
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(four))))));
}

/* The low half of the product of two unsigned numbers; *high gets the other. */
V_INLINE VI ISA(multiply_whole)(VI a, uint32_t b, VI *high)
{
    uint32x4_t of = vreinterpretq_u32_s32(a), factor = vdupq_n_u32(b);
    uint32x4_t first = vreinterpretq_u32_u64(vmull_u32(vget_low_u32(of), vget_low_u32(factor)));
    uint32x4_t last = vreinterpretq_u32_u64(vmull_high_u32(of, factor));
    *high = vreinterpretq_s32_u32(vuzp2q_u32(first, last));
    return vreinterpretq_s32_u32(vuzp1q_u32(first, last));
}

#define v_load(p) vld1q_f32(p)
#define v_store(p, a) vst1q_f32(p, a)
#define v_load_part(p, n, fill) ISA(load_part)(p, n, fill)
#define v_store_part(p, a, n) ISA(store_part)(p, a, n)
#define v_load_four(p) vld1q_f32(p)
#define v_load_bytes(p) ISA(load_bytes)(p)
#define v_keep(a, n) ISA(keep)(a, n)
#define v_first(a) vgetq_lane_f32(a, 0)
#define v_set(x) vdupq_n_f32((float)(x))
#define v_add(a, b) vaddq_f32(a, b)
#define v_sub(a, b) vsubq_f32(a, b)
#define v_mul(a, b) vmulq_f32(a, b)
#define v_div(a, b) vdivq_f32(a, b)
#define v_sqrt(a) vsqrtq_f32(a)
#define v_fma(a, b, c) vfmaq_f32(c, a, b)
#define v_greater(a, b) vcgtq_f32(a, b)
#define v_less(a, b) vcltq_f32(a, b)
#define v_unordered(a) vmvnq_u32(vceqq_f32(a, a))
#define v_any(m) (vmaxvq_u32(m) != 0)
#define v_max(a, b) ISA(max)(a, b)
#define v_min(a, b) ISA(min)(a, b)
#define v_select(m, a, b) vbslq_f32(m, a, b)
#define v_abs(a) vabsq_f32(a)
#define v_sign_of(a) v_float(vandq_s32(v_bits(a), vdupq_n_s32(INT32_MIN)))
#define v_or_sign(a, s) v_float(vorrq_s32(v_bits(a), v_bits(s)))
#define v_bits(a) vreinterpretq_s32_f32(a)
#define v_float(i) vreinterpretq_f32_s32(i)
#define v_whole(i) vcvtq_f32_s32(i)
#define vi_set(x) vdupq_n_s32((int)(x))
#define vi_add(a, b) vaddq_s32(a, b)
#define vi_sub(a, b) vsubq_s32(a, b)
#define vi_and(a, b) vandq_s32(a, b)
#define vi_xor(a, b) veorq_s32(a, b)
#define vi_multiply(a, b, high) ISA(multiply_whole)(a, b, high)
#define vi_shift_left23(a) vshlq_n_s32(a, 23)
#define vi_shift_right(a, n) vshrq_n_s32(a, n)

/* Four rows: pairs of columns, then halves change places. */
V_INLINE void ISA(transpose_block)(float *out, size_t out_row, const float *in, size_t in_row)
{
    float32x4x2_t top = vtrnq_f32(vld1q_f32(in), vld1q_f32(in + in_row));
    float32x4x2_t below = vtrnq_f32(vld1q_f32(in + 2 * in_row), vld1q_f32(in + 3 * in_row));
    for (size_t i = 0; i < 2; i++) {
        vst1q_f32(out + i * out_row, vcombine_f32(vget_low_f32(top.val[i]), vget_low_f32(below.val[i])));
        vst1q_f32(out + (i + 2) * out_row, vcombine_f32(vget_high_f32(top.val[i]), vget_high_f32(below.val[i])));
    }
}
#define v_transpose(out, out_row, in, in_row) ISA(transpose_block)(out, out_row, in, in_row)

/* Lane i with lane i + 2, then i + 1: what lane 0 ends with is the fixed tree's result. */
#define V_FOLD(name, op)               \
    V_INLINE VF ISA(name)(VF a)        \
    {                                  \
        a = op(a, vextq_f32(a, a, 2)); \
        return op(a, vrev64q_f32(a));  \
    }
