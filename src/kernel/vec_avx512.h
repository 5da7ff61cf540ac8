/*
 * vec_avx512.h - vectors of 16 floats by AVX-512F; the names are those of vec_scalar.h.
 */
#define ISA(name) name##_avx512
#define ISA_NAME "avx512"
#define ISA_TABLE hill__kernels_avx512
#define WIDTH 16
#define TILE_ROWS 6
#define TILE_VECS 4

#define VF __m512
#define VI __m512i
#define VM __mmask16

#define V_INLINE static inline __attribute__((always_inline))

#define V_PART(n) ((__mmask16)((n) >= 16 ? 0xFFFFu : (1u << (n)) - 1u))

#define v_load(p) _mm512_loadu_ps(p)
#define v_store(p, a) _mm512_storeu_ps(p, a)
#define v_load_part(p, n, fill) _mm512_mask_loadu_ps(_mm512_set1_ps(fill), V_PART(n), p)
#define v_store_part(p, a, n) _mm512_mask_storeu_ps(p, V_PART(n), a)
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
#define vi_shift_left23(a) _mm512_slli_epi32(a, 23)
#define vi_shift_right(a, n) _mm512_srai_epi32(a, n)
