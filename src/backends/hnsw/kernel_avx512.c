// AVX-512 with VNNI: Ice Lake and Zen 4, and newer.
#include "backends/hnsw/kernel.h"

#if defined(__x86_64__)

#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vnni,avx2,fma")))

TARGET static inline int32_t dot8(const uint8_t *row, const int8_t *query, size_t len)
{
    __m512i s0 = _mm512_setzero_si512();
    __m512i s1 = s0;
    size_t j = 0;

    for (; j + 128 <= len; j += 128) {
        s0 = _mm512_dpbusd_epi32(s0, _mm512_load_si512(row + j), _mm512_load_si512(query + j));
        s1 = _mm512_dpbusd_epi32(s1, _mm512_load_si512(row + j + 64),
                                 _mm512_load_si512(query + j + 64));
    }
    if (j < len)
        s0 = _mm512_dpbusd_epi32(s0, _mm512_load_si512(row + j), _mm512_load_si512(query + j));
    return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
}

TARGET static void dots8(hnsw_rows rows, const int8_t *query, size_t len, int32_t bias,
                         int32_t *out)
{
    for (size_t i = 0; i < rows.count; i++) {
        if (i + HNSW_AHEAD < rows.count)
            hnsw_prefetch(hnsw_row(&rows, i + HNSW_AHEAD), len);
        out[i] = dot8(hnsw_row(&rows, i), query, len) - bias;
    }
}

TARGET static inline int32_t dot4(const uint8_t *row, const int8_t *query, size_t len)
{
    const __m512i low = _mm512_set1_epi8(15);
    __m512i s0 = _mm512_setzero_si512();
    __m512i s1 = s0;

    for (size_t block = 0; block < len; block += 128) {
        __m512i both = _mm512_load_si512(row + block / 2);
        __m512i odd = _mm512_and_si512(_mm512_srli_epi16(both, 4), low);
        s0 = _mm512_dpbusd_epi32(s0, _mm512_and_si512(both, low), _mm512_load_si512(query + block));
        s1 = _mm512_dpbusd_epi32(s1, odd, _mm512_load_si512(query + block + 64));
    }
    return _mm512_reduce_add_epi32(_mm512_add_epi32(s0, s1));
}

TARGET static void dots4(hnsw_rows rows, const int8_t *query, size_t len, int32_t *out)
{
    for (size_t i = 0; i < rows.count; i++) {
        if (i + HNSW_AHEAD < rows.count)
            hnsw_prefetch(hnsw_row(&rows, i + HNSW_AHEAD), len / 2);
        out[i] = dot4(hnsw_row(&rows, i), query, len);
    }
}

// The lanes that the last `left` floats fill.
TARGET static inline __mmask16 lanes(size_t left)
{
    return (__mmask16)(left >= 16 ? 0xffff : (1u << left) - 1);
}

TARGET static float dot_norm(const float *a, const float *b, size_t len, float *norm)
{
    __m512 d = _mm512_setzero_ps();
    __m512 n = d;
    __m512 d1 = d;
    __m512 n1 = d;
    size_t i = 0;

    for (; i + 32 <= len; i += 32) {
        __m512 b0 = _mm512_loadu_ps(b + i);
        __m512 b1 = _mm512_loadu_ps(b + i + 16);
        d = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), b0, d);
        d1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), b1, d1);
        n = _mm512_fmadd_ps(b0, b0, n);
        n1 = _mm512_fmadd_ps(b1, b1, n1);
    }
    for (; i < len; i += 16) {
        __mmask16 m = lanes(len - i);
        __m512 b0 = _mm512_maskz_loadu_ps(m, b + i);
        d = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(m, a + i), b0, d);
        n = _mm512_fmadd_ps(b0, b0, n);
    }
    *norm = _mm512_reduce_add_ps(_mm512_add_ps(n, n1));
    return _mm512_reduce_add_ps(_mm512_add_ps(d, d1));
}

TARGET static float dot(const float *a, const float *b, size_t len)
{
    __m512 s = _mm512_setzero_ps();
    __m512 s1 = s;
    size_t i = 0;

    for (; i + 32 <= len; i += 32) {
        s = _mm512_fmadd_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i), s);
        s1 = _mm512_fmadd_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16), s1);
    }
    for (; i < len; i += 16) {
        __mmask16 m = lanes(len - i);
        s = _mm512_fmadd_ps(_mm512_maskz_loadu_ps(m, a + i), _mm512_maskz_loadu_ps(m, b + i), s);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(s, s1));
}

TARGET static float l2(const float *a, const float *b, size_t len)
{
    __m512 s = _mm512_setzero_ps();
    __m512 s1 = s;
    size_t i = 0;

    for (; i + 32 <= len; i += 32) {
        __m512 d0 = _mm512_sub_ps(_mm512_loadu_ps(a + i), _mm512_loadu_ps(b + i));
        __m512 d1 = _mm512_sub_ps(_mm512_loadu_ps(a + i + 16), _mm512_loadu_ps(b + i + 16));
        s = _mm512_fmadd_ps(d0, d0, s);
        s1 = _mm512_fmadd_ps(d1, d1, s1);
    }
    for (; i < len; i += 16) {
        __mmask16 m = lanes(len - i);
        __m512 d = _mm512_sub_ps(_mm512_maskz_loadu_ps(m, a + i), _mm512_maskz_loadu_ps(m, b + i));
        s = _mm512_fmadd_ps(d, d, s);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(s, s1));
}

TARGET static float l1(const float *a, const float *b, size_t len)
{
    __m512 s = _mm512_setzero_ps();

    for (size_t i = 0; i < len; i += 16) {
        __mmask16 m = lanes(len - i);
        __m512 d = _mm512_sub_ps(_mm512_maskz_loadu_ps(m, a + i), _mm512_maskz_loadu_ps(m, b + i));
        s = _mm512_add_ps(s, _mm512_abs_ps(d));
    }
    return _mm512_reduce_add_ps(s);
}

// The first four steps stay inside a register: each lane and the one that differs in a bit of its
// number, added or subtracted.
TARGET static inline __m512 hadamard_16(__m512 v)
{
    __m512 other = _mm512_permute_ps(v, 0xb1);

    v = _mm512_mask_sub_ps(_mm512_add_ps(other, v), 0xaaaa, other, v);
    other = _mm512_permute_ps(v, 0x4e);
    v = _mm512_mask_sub_ps(_mm512_add_ps(other, v), 0xcccc, other, v);
    other = _mm512_shuffle_f32x4(v, v, 0xb1);
    v = _mm512_mask_sub_ps(_mm512_add_ps(other, v), 0xf0f0, other, v);
    other = _mm512_shuffle_f32x4(v, v, 0x4e);
    return _mm512_mask_sub_ps(_mm512_add_ps(other, v), 0xff00, other, v);
}

TARGET static void hadamard(float *values, size_t len)
{
    for (size_t i = 0; i < len; i += 16)
        _mm512_storeu_ps(values + i, hadamard_16(_mm512_loadu_ps(values + i)));
    for (size_t half = 16; half < len; half *= 2) {
        for (size_t i = 0; i < len; i += 2 * half) {
            for (size_t j = i; j < i + half; j += 16) {
                __m512 a = _mm512_loadu_ps(values + j);
                __m512 b = _mm512_loadu_ps(values + j + half);
                _mm512_storeu_ps(values + j, _mm512_add_ps(a, b));
                _mm512_storeu_ps(values + j + half, _mm512_sub_ps(a, b));
            }
        }
    }
}

const hnsw_kernels hnsw_kernels_avx512 = {
    .name = "avx512-vnni",
    .dots8 = dots8,
    .dots4 = dots4,
    .dot_norm = dot_norm,
    .dot = dot,
    .l2 = l2,
    .l1 = l1,
    .hadamard = hadamard,
};

#else
typedef int hnsw_kernels_avx512_absent; // no other processor has it; a file may not be empty
#endif
