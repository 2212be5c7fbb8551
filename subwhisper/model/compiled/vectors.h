/* Vectors of float32, as wide as the processor has them, and what is reckoned with them everywhere. */
#pragma once
#include <immintrin.h>
#include <math.h>
#include <stdint.h>

#ifdef __AVX512F__
#define LANES 16
typedef __m512 vec;
#define zero() _mm512_setzero_ps()
#define all(x) _mm512_set1_ps(x)
#define load(p) _mm512_loadu_ps(p)
#define store(p, v) _mm512_storeu_ps(p, v)
#define fma(a, b, c) _mm512_fmadd_ps(a, b, c)
#define add(a, b) _mm512_add_ps(a, b)
#define sub(a, b) _mm512_sub_ps(a, b)
#define mul(a, b) _mm512_mul_ps(a, b)
#define divide(a, b) _mm512_div_ps(a, b)
#define larger(a, b) _mm512_max_ps(a, b)
#define smaller(a, b) _mm512_min_ps(a, b)
#define nearest(a) _mm512_roundscale_ps(a, 0)
#define total(a) _mm512_reduce_add_ps(a)
#define greatest(a) _mm512_reduce_max_ps(a)
#define half(p) _mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(p)))
#define whole(p) _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128((const __m128i *)(p))))
#define power_of_two(n) _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127)), 23))
#define with_sign_of(a, b) \
    _mm512_castsi512_ps(_mm512_or_si512(_mm512_castps_si512(a), _mm512_and_si512(_mm512_castps_si512(b), _mm512_set1_epi32((int)0x80000000))))
#define without_sign(a) _mm512_abs_ps(a)
#define square_root(a) _mm512_sqrt_ps(a)
#define where_positive(a, b) _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(a, zero(), _CMP_GT_OQ), b)
#define any_above(a, x) _mm512_cmp_ps_mask(a, all(x), _CMP_GT_OQ)
#else
#define LANES 8
typedef __m256 vec;
#define zero() _mm256_setzero_ps()
#define all(x) _mm256_set1_ps(x)
#define load(p) _mm256_loadu_ps(p)
#define store(p, v) _mm256_storeu_ps(p, v)
#define fma(a, b, c) _mm256_fmadd_ps(a, b, c)
#define add(a, b) _mm256_add_ps(a, b)
#define sub(a, b) _mm256_sub_ps(a, b)
#define mul(a, b) _mm256_mul_ps(a, b)
#define divide(a, b) _mm256_div_ps(a, b)
#define larger(a, b) _mm256_max_ps(a, b)
#define smaller(a, b) _mm256_min_ps(a, b)
#define nearest(a) _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC)
#define half(p) _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(p)))
#define whole(p) _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(_mm_loadl_epi64((const __m128i *)(p))))
#define power_of_two(n) _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127)), 23))
#define with_sign_of(a, b) _mm256_or_ps(a, _mm256_and_ps(b, _mm256_set1_ps(-0.0f)))
#define without_sign(a) _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a)
#define square_root(a) _mm256_sqrt_ps(a)
#define where_positive(a, b) _mm256_and_ps(_mm256_cmp_ps(a, zero(), _CMP_GT_OQ), b)
#define any_above(a, x) _mm256_movemask_ps(_mm256_cmp_ps(a, all(x), _CMP_GT_OQ))
static inline float total(vec a) {
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
static inline float greatest(vec a) {
    __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
    s = _mm_max_ps(s, _mm_movehl_ps(s, s));
    return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
#endif
#define ALWAYS static inline __attribute__((always_inline))

/* e to the x, x <= 0: powers of two, and a polynomial between them (Cephes). */
ALWAYS vec exponential(vec x) {
    x = larger(all(-87.0f), x); /* the second where either is no number: it is seen, and not made one */
    vec n = nearest(mul(x, all(1.44269504f)));
    vec r = fma(n, all(-0.693359375f), x);
    r = fma(n, all(2.12194440e-4f), r);
    vec p = all(1.9875691500e-4f);
    p = fma(p, r, all(1.3981999507e-3f));
    p = fma(p, r, all(8.3334519073e-3f));
    p = fma(p, r, all(4.1665795894e-2f));
    p = fma(p, r, all(1.6666665459e-1f));
    p = fma(p, r, all(5.0000001201e-1f));
    p = fma(p, mul(r, r), add(r, all(1.0f)));
    return mul(p, power_of_two(n));
}

/* Softmax of n numbers in place, which are multiplied first. */
static inline void softmax(float *x, int64_t n, float times) {
    vec best = all(-INFINITY), sums = zero();
    int64_t at = 0;
    for (; at + LANES <= n; at += LANES) best = larger(best, load(x + at));
    float highest = greatest(best), sum = 0;
    for (; at < n; at++) highest = x[at] > highest ? x[at] : highest;
    for (at = 0; at + LANES <= n; at += LANES) {
        const vec e = exponential(mul(sub(load(x + at), all(highest)), all(times)));
        sums = add(sums, e);
        store(x + at, e);
    }
    for (; at < n; at++) sum += x[at] = expf((x[at] - highest) * times);
    const float share = 1 / (sum + total(sums));
    for (at = 0; at + LANES <= n; at += LANES) store(x + at, mul(load(x + at), all(share)));
    for (; at < n; at++) x[at] *= share;
}
