/*
 * vec_avx512.h - vectors of 16 floats by AVX-512F; the names are those of vec_scalar.h.
 */
#define ISA(name) name##_avx512
#define ISA_NAME "avx512"
#define ISA_TABLE hill__kernels_avx512
#define WIDTH 16
#define TILE_ROWS 6
#define TILE_VECS 4
/* A single row has sixteen outputs at most and often one: eight lanes divide in half the time. */
#define SINGLE_WALK hill__single_walk_avx2
#define THREAD_WORK 150000
#define THREAD_REUSE 38

#define VF __m512
#define VI __m512i
#define VM __mmask16

#define V_INLINE static inline __attribute__((always_inline))
#define V_UNROLL HILL__UNROLL

#define V_PART(n) ((__mmask16)((n) >= 16 ? 0xFFFFu : (1u << (n)) - 1u))

/* Even and odd lanes apart, for their products take the room of two. */
V_INLINE VI ISA(multiply_whole)(VI a, uint32_t b, VI *high)
{
    VI factor = _mm512_set1_epi32((int)b);
    VI even = _mm512_mul_epu32(a, factor), odd = _mm512_mul_epu32(_mm512_srli_epi64(a, 32), factor);
    *high = _mm512_mask_mov_epi32(_mm512_srli_epi64(even, 32), 0xAAAA, odd);
    return _mm512_mask_mov_epi32(even, 0xAAAA, _mm512_slli_epi64(odd, 32));
}

#define v_load(p) _mm512_loadu_ps(p)
#define v_store(p, a) _mm512_storeu_ps(p, a)
#define v_load_part(p, n, fill) _mm512_mask_loadu_ps(_mm512_set1_ps(fill), V_PART(n), p)
#define v_store_part(p, a, n) _mm512_mask_storeu_ps(p, V_PART(n), a)
#define v_load_four(p) _mm512_zextps128_ps512(_mm_loadu_ps(p))
#define v_load_bytes(p) _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)(p))))
#define v_keep(a, n) _mm512_maskz_mov_ps(V_PART(n), a)
#define v_first(a) _mm512_cvtss_f32(a)
#define v_set(x) _mm512_set1_ps((float)(x))
#define v_add(a, b) _mm512_add_ps(a, b)
#define v_sub(a, b) _mm512_sub_ps(a, b)
#define v_mul(a, b) _mm512_mul_ps(a, b)
#define v_div(a, b) _mm512_div_ps(a, b)
#define v_sqrt(a) _mm512_sqrt_ps(a)
#define v_fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define v_greater(a, b) _mm512_cmp_ps_mask(a, b, _CMP_GT_OQ)
#define v_less(a, b) _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ)
#define v_any(m) ((m) != 0)
#define v_unordered(a) _mm512_cmp_ps_mask(a, a, _CMP_UNORD_Q)
#define v_max(a, b) _mm512_max_ps(a, b)
#define v_min(a, b) _mm512_min_ps(a, b)
#define v_select(m, a, b) _mm512_mask_blend_ps(m, b, a)
#define v_abs(a) v_float(_mm512_and_si512(v_bits(a), _mm512_set1_epi32(0x7FFFFFFF)))
#define v_sign_of(a) v_float(_mm512_and_si512(v_bits(a), _mm512_set1_epi32((int)0x80000000u)))
#define v_or_sign(a, s) v_float(_mm512_or_si512(v_bits(a), v_bits(s)))
#define v_bits(a) _mm512_castps_si512(a)
#define v_float(i) _mm512_castsi512_ps(i)
#define v_whole(i) _mm512_cvtepi32_ps(i)
#define vi_set(x) _mm512_set1_epi32((int)(x))
#define vi_add(a, b) _mm512_add_epi32(a, b)
#define vi_sub(a, b) _mm512_sub_epi32(a, b)
#define vi_and(a, b) _mm512_and_si512(a, b)
#define vi_xor(a, b) _mm512_xor_si512(a, b)
#define vi_multiply(a, b, high) ISA(multiply_whole)(a, b, high)
#define vi_shift_left23(a) _mm512_slli_epi32(a, 23)
#define vi_shift_right(a, n) _mm512_srai_epi32(a, n)

/* Sixteen rows: pairs of columns, then quarters, then eighths and halves change places. */
V_INLINE void ISA(transpose_block)(float *out, size_t out_row, const float *in, size_t in_row)
{
    __m512 a[16], b[16];
    V_UNROLL for (int i = 0; i < 16; i += 2)
    {
        __m512 even = _mm512_loadu_ps(in + (size_t)i * in_row), odd = _mm512_loadu_ps(in + (size_t)(i + 1) * in_row);
        a[i] = _mm512_unpacklo_ps(even, odd);
        a[i + 1] = _mm512_unpackhi_ps(even, odd);
    }
    V_UNROLL for (int i = 0; i < 16; i += 4)
    {
        b[i] = _mm512_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm512_shuffle_ps(a[i], a[i + 2], 0xEE);
        b[i + 2] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm512_shuffle_ps(a[i + 1], a[i + 3], 0xEE);
    }
    V_UNROLL for (int i = 0; i < 4; i++)
    {
        a[i] = _mm512_shuffle_f32x4(b[i], b[i + 4], 0x88);
        a[i + 4] = _mm512_shuffle_f32x4(b[i], b[i + 4], 0xDD);
        a[i + 8] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0x88);
        a[i + 12] = _mm512_shuffle_f32x4(b[i + 8], b[i + 12], 0xDD);
    }
    V_UNROLL for (int i = 0; i < 4; i++)
    {
        _mm512_storeu_ps(out + (size_t)i * out_row, _mm512_shuffle_f32x4(a[i], a[i + 8], 0x88));
        _mm512_storeu_ps(out + (size_t)(i + 4) * out_row, _mm512_shuffle_f32x4(a[i + 4], a[i + 12], 0x88));
        _mm512_storeu_ps(out + (size_t)(i + 8) * out_row, _mm512_shuffle_f32x4(a[i], a[i + 8], 0xDD));
        _mm512_storeu_ps(out + (size_t)(i + 12) * out_row, _mm512_shuffle_f32x4(a[i + 4], a[i + 12], 0xDD));
    }
}
#define v_transpose(out, out_row, in, in_row) ISA(transpose_block)(out, out_row, in, in_row)

/* Lane i with lane i + 8, then i + 4, i + 2 and i + 1: what lane 0 ends with is the fixed tree's result. */
#define V_FOLD(name, op)                             \
    V_INLINE VF ISA(name)(VF a)                      \
    {                                                \
        a = op(a, _mm512_shuffle_f32x4(a, a, 0x4E)); \
        a = op(a, _mm512_shuffle_f32x4(a, a, 0xB1)); \
        a = op(a, _mm512_permute_ps(a, 0x4E));       \
        return op(a, _mm512_permute_ps(a, 0xB1));    \
    }
