/*
 * vec_avx2.h - vectors of 8 floats by AVX2 and FMA; the names are those of vec_scalar.h.
 */
#define ISA(name) name##_avx2
#define ISA_NAME "avx2"
#define ISA_TABLE hill__kernels_avx2
#define WIDTH 8
#define TILE_ROWS 6
#define TILE_VECS 2
#define SINGLE_LINKAGE /* the avx512 row takes it, too */
#define THREAD_WORK 100000
#define THREAD_REUSE 20

#define VF __m256
#define VI __m256i
#define VM __m256

#define V_INLINE static inline __attribute__((always_inline))
#define V_UNROLL HILL__UNROLL

static const int32_t ISA(part_table)[16] = {-1, -1, -1, -1, -1, -1, -1, -1, 0, 0, 0, 0, 0, 0, 0, 0};

V_INLINE VI ISA(part)(size_t n)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)(ISA(part_table) + 8 - (n < 8 ? n : 8)));
}

V_INLINE VF ISA(load_part)(const float *p, size_t n, float fill)
{
    VI part = ISA(part)(n);
    VF all = _mm256_maskload_ps(p, part);
    return __builtin_constant_p(fill) && fill == 0.0f ? all
                                                      : _mm256_blendv_ps(_mm256_set1_ps(fill), all, _mm256_castsi256_ps(part));
}

/* Even and odd lanes apart, for their products take the room of two. */
V_INLINE VI ISA(multiply_whole)(VI a, uint32_t b, VI *high)
{
    VI factor = _mm256_set1_epi32((int)b);
    VI even = _mm256_mul_epu32(a, factor), odd = _mm256_mul_epu32(_mm256_srli_epi64(a, 32), factor);
    *high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xAA);
    return _mm256_blend_epi32(even, _mm256_slli_epi64(odd, 32), 0xAA);
}

#define v_load(p) _mm256_loadu_ps(p)
#define v_store(p, a) _mm256_storeu_ps(p, a)
#define v_load_part(p, n, fill) ISA(load_part)(p, n, fill)
#define v_store_part(p, a, n) _mm256_maskstore_ps(p, ISA(part)(n), a)
#define v_load_four(p) _mm256_zextps128_ps256(_mm_loadu_ps(p))
#define v_load_bytes(p) _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)(p))))
#define v_keep(a, n) _mm256_and_ps(a, _mm256_castsi256_ps(ISA(part)(n)))
#define v_first(a) _mm256_cvtss_f32(a)
#define v_set(x) _mm256_set1_ps((float)(x))
#define v_add(a, b) _mm256_add_ps(a, b)
#define v_sub(a, b) _mm256_sub_ps(a, b)
#define v_mul(a, b) _mm256_mul_ps(a, b)
#define v_div(a, b) _mm256_div_ps(a, b)
#define v_sqrt(a) _mm256_sqrt_ps(a)
#define v_fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define v_greater(a, b) _mm256_cmp_ps(a, b, _CMP_GT_OQ)
#define v_less(a, b) _mm256_cmp_ps(a, b, _CMP_LT_OQ)
#define v_any(m) (_mm256_movemask_ps(m) != 0)
#define v_unordered(a) _mm256_cmp_ps(a, a, _CMP_UNORD_Q)
#define v_max(a, b) _mm256_max_ps(a, b)
#define v_min(a, b) _mm256_min_ps(a, b)
#define v_select(m, a, b) _mm256_blendv_ps(b, a, m)
#define v_abs(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
#define v_sign_of(a) _mm256_and_ps(_mm256_set1_ps(-0.0f), a)
#define v_or_sign(a, s) _mm256_or_ps(a, s)
#define v_bits(a) _mm256_castps_si256(a)
#define v_float(i) _mm256_castsi256_ps(i)
#define v_whole(i) _mm256_cvtepi32_ps(i)
#define vi_set(x) _mm256_set1_epi32((int)(x))
#define vi_add(a, b) _mm256_add_epi32(a, b)
#define vi_sub(a, b) _mm256_sub_epi32(a, b)
#define vi_and(a, b) _mm256_and_si256(a, b)
#define vi_xor(a, b) _mm256_xor_si256(a, b)
#define vi_multiply(a, b, high) ISA(multiply_whole)(a, b, high)
#define vi_shift_left23(a) _mm256_slli_epi32(a, 23)
#define vi_shift_right(a, n) _mm256_srai_epi32(a, n)

/* Eight rows: pairs of columns, then quarters, then halves change places. */
V_INLINE void ISA(transpose_block)(float *out, size_t out_row, const float *in, size_t in_row)
{
    __m256 a[8], b[8];
    V_UNROLL for (int i = 0; i < 8; i += 2)
    {
        __m256 even = _mm256_loadu_ps(in + (size_t)i * in_row), odd = _mm256_loadu_ps(in + (size_t)(i + 1) * in_row);
        a[i] = _mm256_unpacklo_ps(even, odd);
        a[i + 1] = _mm256_unpackhi_ps(even, odd);
    }
    V_UNROLL for (int i = 0; i < 8; i += 4)
    {
        b[i] = _mm256_shuffle_ps(a[i], a[i + 2], 0x44);
        b[i + 1] = _mm256_shuffle_ps(a[i], a[i + 2], 0xEE);
        b[i + 2] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0x44);
        b[i + 3] = _mm256_shuffle_ps(a[i + 1], a[i + 3], 0xEE);
    }
    V_UNROLL for (int i = 0; i < 4; i++)
    {
        _mm256_storeu_ps(out + (size_t)i * out_row, _mm256_permute2f128_ps(b[i], b[i + 4], 0x20));
        _mm256_storeu_ps(out + (size_t)(i + 4) * out_row, _mm256_permute2f128_ps(b[i], b[i + 4], 0x31));
    }
}
#define v_transpose(out, out_row, in, in_row) ISA(transpose_block)(out, out_row, in, in_row)

/* Lane i with lane i + 4, then i + 2, then i + 1: what lane 0 ends with is the fixed tree's result. */
#define V_FOLD(name, op)                               \
    V_INLINE VF ISA(name)(VF a)                        \
    {                                                  \
        a = op(a, _mm256_permute2f128_ps(a, a, 0x01)); \
        a = op(a, _mm256_permute_ps(a, 0x4E));         \
        return op(a, _mm256_permute_ps(a, 0xB1));      \
    }
