// NEON: every 64-bit ARM processor.
#include "backends/hnsw/kernel.h"

#if defined(__aarch64__)

#include <arm_neon.h>

static inline int32_t dot8(const uint8_t *row, const int8_t *query, size_t len)
{
    const uint8x16_t flip = vdupq_n_u8(0x80);
    int32x4_t s0 = vdupq_n_s32(0);
    int32x4_t s1 = s0;

    for (size_t j = 0; j < len; j += 16) {
        int8x16_t a = vreinterpretq_s8_u8(veorq_u8(vld1q_u8(row + j), flip));
        int8x16_t b = vld1q_s8(query + j);
        s0 = vpadalq_s16(s0, vmull_s8(vget_low_s8(a), vget_low_s8(b)));
        s1 = vpadalq_s16(s1, vmull_high_s8(a, b));
    }
    return vaddvq_s32(vaddq_s32(s0, s1));
}

static void dots8(hnsw_rows rows, const int8_t *query, size_t len, int32_t bias, int32_t *out)
{
    (void)bias; // the sign is put right before multiplying
    for (size_t i = 0; i < rows.count; i++) {
        if (i + HNSW_AHEAD < rows.count)
            hnsw_prefetch(hnsw_row(&rows, i + HNSW_AHEAD), len);
        out[i] = dot8(hnsw_row(&rows, i), query, len);
    }
}

static inline int32_t dot4(const uint8_t *row, const int8_t *query, size_t len)
{
    const uint8x16_t low = vdupq_n_u8(15);
    int32x4_t s0 = vdupq_n_s32(0);
    int32x4_t s1 = s0;

    for (size_t block = 0; block < len; block += 128) {
        for (size_t j = 0; j < 64; j += 16) {
            uint8x16_t both = vld1q_u8(row + block / 2 + j);
            int8x16_t even = vreinterpretq_s8_u8(vandq_u8(both, low));
            int8x16_t odd = vreinterpretq_s8_u8(vshrq_n_u8(both, 4));
            int8x16_t q0 = vld1q_s8(query + block + j);
            int8x16_t q1 = vld1q_s8(query + block + 64 + j);
            s0 = vpadalq_s16(s0, vmull_s8(vget_low_s8(even), vget_low_s8(q0)));
            s0 = vpadalq_s16(s0, vmull_high_s8(even, q0));
            s1 = vpadalq_s16(s1, vmull_s8(vget_low_s8(odd), vget_low_s8(q1)));
            s1 = vpadalq_s16(s1, vmull_high_s8(odd, q1));
        }
    }
    return vaddvq_s32(vaddq_s32(s0, s1));
}

static void dots4(hnsw_rows rows, const int8_t *query, size_t len, int32_t *out)
{
    for (size_t i = 0; i < rows.count; i++) {
        if (i + HNSW_AHEAD < rows.count)
            hnsw_prefetch(hnsw_row(&rows, i + HNSW_AHEAD), len / 2);
        out[i] = dot4(hnsw_row(&rows, i), query, len);
    }
}

static float dot_norm(const float *a, const float *b, size_t len, float *norm)
{
    float32x4_t d = vdupq_n_f32(0);
    float32x4_t n = d;
    size_t i = 0;
    float dot;
    float square;

    for (; i + 4 <= len; i += 4) {
        float32x4_t v = vld1q_f32(b + i);
        d = vfmaq_f32(d, vld1q_f32(a + i), v);
        n = vfmaq_f32(n, v, v);
    }
    dot = vaddvq_f32(d);
    square = vaddvq_f32(n);
    for (; i < len; i++) {
        dot += a[i] * b[i];
        square += b[i] * b[i];
    }
    *norm = square;
    return dot;
}

static float dot(const float *a, const float *b, size_t len)
{
    float32x4_t s0 = vdupq_n_f32(0);
    float32x4_t s1 = s0;
    size_t i = 0;
    float sum;

    for (; i + 8 <= len; i += 8) {
        s0 = vfmaq_f32(s0, vld1q_f32(a + i), vld1q_f32(b + i));
        s1 = vfmaq_f32(s1, vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
    }
    sum = vaddvq_f32(vaddq_f32(s0, s1));
    for (; i < len; i++)
        sum += a[i] * b[i];
    return sum;
}

static float l2(const float *a, const float *b, size_t len)
{
    float32x4_t s0 = vdupq_n_f32(0);
    float32x4_t s1 = s0;
    size_t i = 0;
    float sum;

    for (; i + 8 <= len; i += 8) {
        float32x4_t d0 = vsubq_f32(vld1q_f32(a + i), vld1q_f32(b + i));
        float32x4_t d1 = vsubq_f32(vld1q_f32(a + i + 4), vld1q_f32(b + i + 4));
        s0 = vfmaq_f32(s0, d0, d0);
        s1 = vfmaq_f32(s1, d1, d1);
    }
    sum = vaddvq_f32(vaddq_f32(s0, s1));
    for (; i < len; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static float l1(const float *a, const float *b, size_t len)
{
    float32x4_t s = vdupq_n_f32(0);
    size_t i = 0;
    float sum;

    for (; i + 4 <= len; i += 4)
        s = vaddq_f32(s, vabdq_f32(vld1q_f32(a + i), vld1q_f32(b + i)));
    sum = vaddvq_f32(s);
    for (; i < len; i++)
        sum += a[i] > b[i] ? a[i] - b[i] : b[i] - a[i];
    return sum;
}

static void hadamard(float *values, size_t len)
{
    for (size_t half = 1; half < 4; half *= 2) {
        for (size_t i = 0; i < len; i += 2 * half) {
            for (size_t j = i; j < i + half; j++) {
                float a = values[j];
                float b = values[j + half];
                values[j] = a + b;
                values[j + half] = a - b;
            }
        }
    }
    for (size_t half = 4; half < len; half *= 2) {
        for (size_t i = 0; i < len; i += 2 * half) {
            for (size_t j = i; j < i + half; j += 4) {
                float32x4_t a = vld1q_f32(values + j);
                float32x4_t b = vld1q_f32(values + j + half);
                vst1q_f32(values + j, vaddq_f32(a, b));
                vst1q_f32(values + j + half, vsubq_f32(a, b));
            }
        }
    }
}

const hnsw_kernels hnsw_kernels_neon = {
    .name = "neon",
    .dots8 = dots8,
    .dots4 = dots4,
    .dot_norm = dot_norm,
    .dot = dot,
    .l2 = l2,
    .l1 = l1,
    .hadamard = hadamard,
};

#else
typedef int hnsw_kernels_neon_absent; // no other processor has it; a file may not be empty
#endif
