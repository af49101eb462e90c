// AVX2 and FMA: every x86 server since 2013.
#include "backends/hnsw/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx2,fma")))

TARGET static inline int32_t sum_int(__m256i v)
{
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));

    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return _mm_cvtsi128_si32(s);
}

TARGET static inline float sum_float(__m256 v)
{
    __m128 s = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));

    s = _mm_add_ps(s, _mm_movehl_ps(s, s));
    s = _mm_add_ss(s, _mm_movehdup_ps(s));
    return _mm_cvtss_f32(s);
}

// 32 products of bytes from −127 to 127, added in fours. |a| × (b with the sign of a): the pairs
// that maddubs adds stay below 2^15, where it would saturate.
TARGET static inline __m256i products(__m256i a, __m256i b)
{
    __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(a), _mm256_sign_epi8(b, a));

    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

TARGET static inline int32_t dot8(const uint8_t *row, const int8_t *query, size_t len)
{
    const __m256i flip = _mm256_set1_epi8((char)0x80);
    __m256i s0 = _mm256_setzero_si256();
    __m256i s1 = s0;

    for (size_t j = 0; j < len; j += 64) {
        const __m256i *a = (const __m256i *)(const void *)(row + j);
        const __m256i *b = (const __m256i *)(const void *)(query + j);
        __m256i a0 = _mm256_xor_si256(_mm256_load_si256(a), flip);
        __m256i a1 = _mm256_xor_si256(_mm256_load_si256(a + 1), flip);
        s0 = _mm256_add_epi32(s0, products(a0, _mm256_load_si256(b)));
        s1 = _mm256_add_epi32(s1, products(a1, _mm256_load_si256(b + 1)));
    }
    return sum_int(_mm256_add_epi32(s0, s1));
}

// The sums of four, side by side.
TARGET static inline __m128i sum_four(__m256i a, __m256i b, __m256i c, __m256i d)
{
    __m256i s = _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));

    return _mm_add_epi32(_mm256_castsi256_si128(s), _mm256_extracti128_si256(s, 1));
}

// 32 products of a row with a query whose amounts are at hand: as `products`, with roles exchanged.
TARGET static inline __m256i products_of(const uint8_t *row, __m256i query, __m256i amounts)
{
    __m256i codes = _mm256_load_si256((const __m256i *)(const void *)row);
    __m256i components = _mm256_xor_si256(codes, _mm256_set1_epi8((char)0x80));
    __m256i pairs = _mm256_maddubs_epi16(amounts, _mm256_sign_epi8(components, query));

    return _mm256_madd_epi16(pairs, _mm256_set1_epi16(1));
}

// Four rows at once: the query is read once for all, and the sums are added together.
TARGET static inline void dot8_four(const uint8_t *const rows[4], const int8_t *query, size_t len,
                                    int32_t out[4])
{
    __m256i s0 = _mm256_setzero_si256();
    __m256i s1 = s0;
    __m256i s2 = s0;
    __m256i s3 = s0;

    for (size_t j = 0; j < len; j += 32) {
        __m256i q = _mm256_load_si256((const __m256i *)(const void *)(query + j));
        __m256i amounts = _mm256_abs_epi8(q);
        s0 = _mm256_add_epi32(s0, products_of(rows[0] + j, q, amounts));
        s1 = _mm256_add_epi32(s1, products_of(rows[1] + j, q, amounts));
        s2 = _mm256_add_epi32(s2, products_of(rows[2] + j, q, amounts));
        s3 = _mm256_add_epi32(s3, products_of(rows[3] + j, q, amounts));
    }
    _mm_storeu_si128((__m128i *)(void *)out, sum_four(s0, s1, s2, s3));
}

TARGET static void dots8(hnsw_rows rows, const int8_t *query, size_t len, int32_t bias,
                         int32_t *out)
{
    size_t i = 0;

    (void)bias; // the sign is put right before multiplying
    for (; i + 4 <= rows.count; i += 4) {
        const uint8_t *four[4] = {hnsw_row(&rows, i), hnsw_row(&rows, i + 1),
                                  hnsw_row(&rows, i + 2), hnsw_row(&rows, i + 3)};
        for (size_t ahead = i + 4; ahead < i + 8 && ahead < rows.count; ahead++)
            hnsw_prefetch(hnsw_row(&rows, ahead), len);
        dot8_four(four, query, len, out + i);
    }
    for (; i < rows.count; i++)
        out[i] = dot8(hnsw_row(&rows, i), query, len);
}

TARGET static inline int32_t dot4(const uint8_t *row, const int8_t *query, size_t len)
{
    const __m256i low = _mm256_set1_epi8(15);
    const __m256i ones = _mm256_set1_epi16(1);
    __m256i s0 = _mm256_setzero_si256();
    __m256i s1 = s0;

    for (size_t block = 0; block < len; block += 128) {
        for (size_t half = 0; half < 64; half += 32) {
            const int8_t *q = query + block + half;
            __m256i both =
                _mm256_load_si256((const __m256i *)(const void *)(row + block / 2 + half));
            __m256i even = _mm256_and_si256(both, low);
            __m256i odd = _mm256_and_si256(_mm256_srli_epi16(both, 4), low);
            __m256i q0 = _mm256_load_si256((const __m256i *)(const void *)q);
            __m256i q1 = _mm256_load_si256((const __m256i *)(const void *)(q + 64));
            s0 = _mm256_add_epi32(s0, _mm256_madd_epi16(_mm256_maddubs_epi16(even, q0), ones));
            s1 = _mm256_add_epi32(s1, _mm256_madd_epi16(_mm256_maddubs_epi16(odd, q1), ones));
        }
    }
    return sum_int(_mm256_add_epi32(s0, s1));
}

TARGET static void dots4(hnsw_rows rows, const int8_t *query, size_t len, int32_t *out)
{
    for (size_t i = 0; i < rows.count; i++) {
        if (i + HNSW_AHEAD < rows.count)
            hnsw_prefetch(hnsw_row(&rows, i + HNSW_AHEAD), len / 2);
        out[i] = dot4(hnsw_row(&rows, i), query, len);
    }
}

TARGET static float dot_norm(const float *a, const float *b, size_t len, float *norm)
{
    __m256 d0 = _mm256_setzero_ps();
    __m256 d1 = d0;
    __m256 n0 = d0;
    __m256 n1 = d0;
    size_t i = 0;
    float dot;
    float square;

    for (; i + 16 <= len; i += 16) {
        __m256 b0 = _mm256_loadu_ps(b + i);
        __m256 b1 = _mm256_loadu_ps(b + i + 8);
        d0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), b0, d0);
        d1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), b1, d1);
        n0 = _mm256_fmadd_ps(b0, b0, n0);
        n1 = _mm256_fmadd_ps(b1, b1, n1);
    }
    dot = sum_float(_mm256_add_ps(d0, d1));
    square = sum_float(_mm256_add_ps(n0, n1));
    for (; i < len; i++) {
        dot += a[i] * b[i];
        square += b[i] * b[i];
    }
    *norm = square;
    return dot;
}

TARGET static float dot(const float *a, const float *b, size_t len)
{
    __m256 s0 = _mm256_setzero_ps();
    __m256 s1 = s0;
    size_t i = 0;
    float sum;

    for (; i + 16 <= len; i += 16) {
        s0 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i), s0);
        s1 = _mm256_fmadd_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8), s1);
    }
    sum = sum_float(_mm256_add_ps(s0, s1));
    for (; i < len; i++)
        sum += a[i] * b[i];
    return sum;
}

TARGET static float l2(const float *a, const float *b, size_t len)
{
    __m256 s0 = _mm256_setzero_ps();
    __m256 s1 = s0;
    size_t i = 0;
    float sum;

    for (; i + 16 <= len; i += 16) {
        __m256 d0 = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        __m256 d1 = _mm256_sub_ps(_mm256_loadu_ps(a + i + 8), _mm256_loadu_ps(b + i + 8));
        s0 = _mm256_fmadd_ps(d0, d0, s0);
        s1 = _mm256_fmadd_ps(d1, d1, s1);
    }
    sum = sum_float(_mm256_add_ps(s0, s1));
    for (; i < len; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

TARGET static float l1(const float *a, const float *b, size_t len)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 s = _mm256_setzero_ps();
    size_t i = 0;
    float sum;

    for (; i + 8 <= len; i += 8) {
        __m256 d = _mm256_sub_ps(_mm256_loadu_ps(a + i), _mm256_loadu_ps(b + i));
        s = _mm256_add_ps(s, _mm256_andnot_ps(sign, d));
    }
    sum = sum_float(s);
    for (; i < len; i++)
        sum += a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
    return sum;
}

// The first three steps stay inside a register: each lane and the one that differs in a bit of its
// number, added or subtracted.
TARGET static inline __m256 hadamard_8(__m256 v)
{
    __m256 other = _mm256_permute_ps(v, 0xb1);

    v = _mm256_blend_ps(_mm256_add_ps(other, v), _mm256_sub_ps(other, v), 0xaa);
    other = _mm256_permute_ps(v, 0x4e);
    v = _mm256_blend_ps(_mm256_add_ps(other, v), _mm256_sub_ps(other, v), 0xcc);
    other = _mm256_permute2f128_ps(v, v, 1);
    return _mm256_blend_ps(_mm256_add_ps(other, v), _mm256_sub_ps(other, v), 0xf0);
}

// Two steps in one pass over memory.
TARGET static void hadamard_two(float *values, size_t len, size_t half)
{
    for (size_t i = 0; i < len; i += 4 * half) {
        for (size_t j = i; j < i + half; j += 8) {
            __m256 a = _mm256_loadu_ps(values + j);
            __m256 b = _mm256_loadu_ps(values + j + half);
            __m256 c = _mm256_loadu_ps(values + j + 2 * half);
            __m256 d = _mm256_loadu_ps(values + j + 3 * half);
            __m256 sum = _mm256_add_ps(a, b);
            __m256 difference = _mm256_sub_ps(a, b);
            __m256 sum2 = _mm256_add_ps(c, d);
            __m256 difference2 = _mm256_sub_ps(c, d);
            _mm256_storeu_ps(values + j, _mm256_add_ps(sum, sum2));
            _mm256_storeu_ps(values + j + half, _mm256_add_ps(difference, difference2));
            _mm256_storeu_ps(values + j + 2 * half, _mm256_sub_ps(sum, sum2));
            _mm256_storeu_ps(values + j + 3 * half, _mm256_sub_ps(difference, difference2));
        }
    }
}

TARGET static void hadamard(float *values, size_t len)
{
    size_t half = 8;

    for (size_t i = 0; i < len; i += 8)
        _mm256_storeu_ps(values + i, hadamard_8(_mm256_loadu_ps(values + i)));
    for (; 2 * half < len; half *= 4)
        hadamard_two(values, len, half);
    for (; half < len; half *= 2) {
        for (size_t j = 0; j < half; j += 8) { // the last step, if their number is odd
            __m256 a = _mm256_loadu_ps(values + j);
            __m256 b = _mm256_loadu_ps(values + j + half);
            _mm256_storeu_ps(values + j, _mm256_add_ps(a, b));
            _mm256_storeu_ps(values + j + half, _mm256_sub_ps(a, b));
        }
    }
}

const hnsw_kernels hnsw_kernels_avx2 = {
    .name = "avx2",
    .dots8 = dots8,
    .dots4 = dots4,
    .dot_norm = dot_norm,
    .dot = dot,
    .l2 = l2,
    .l1 = l1,
    .hadamard = hadamard,
};

#else
typedef int hnsw_kernels_avx2_absent; // no other processor has it; a file may not be empty
#endif
