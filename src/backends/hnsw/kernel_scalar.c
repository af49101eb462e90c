// The reference that all other kernels are checked against.
#include "backends/hnsw/kernel.h"

#include <math.h>

static void dots8(hnsw_rows rows, const int8_t *query, size_t len, int32_t bias, int32_t *out)
{
    for (size_t i = 0; i < rows.count; i++) {
        const uint8_t *row = hnsw_row(&rows, i);
        int32_t sum = -bias;
        for (size_t j = 0; j < len; j++)
            sum += (int32_t)row[j] * query[j];
        out[i] = sum;
    }
}

static void dots4(hnsw_rows rows, const int8_t *query, size_t len, int32_t *out)
{
    for (size_t i = 0; i < rows.count; i++) {
        const uint8_t *row = hnsw_row(&rows, i);
        int32_t sum = 0;
        for (size_t block = 0; block < len; block += 128) {
            for (size_t j = 0; j < 64; j++) {
                uint8_t both = row[block / 2 + j];
                sum += (both & 15) * query[block + j] + (both >> 4) * query[block + 64 + j];
            }
        }
        out[i] = sum;
    }
}

static float dot_norm(const float *a, const float *b, size_t len, float *norm)
{
    float dot = 0;
    float square = 0;

    for (size_t i = 0; i < len; i++) {
        dot += a[i] * b[i];
        square += b[i] * b[i];
    }
    *norm = square;
    return dot;
}

static float dot(const float *a, const float *b, size_t len)
{
    float sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += a[i] * b[i];
    return sum;
}

static float l2(const float *a, const float *b, size_t len)
{
    float sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

static float l1(const float *a, const float *b, size_t len)
{
    float sum = 0;

    for (size_t i = 0; i < len; i++)
        sum += fabsf(a[i] - b[i]);
    return sum;
}

static void hadamard(float *values, size_t len)
{
    for (size_t half = 1; half < len; half *= 2) {
        for (size_t i = 0; i < len; i += 2 * half) {
            for (size_t j = i; j < i + half; j++) {
                float a = values[j];
                float b = values[j + half];
                values[j] = a + b;
                values[j + half] = a - b;
            }
        }
    }
}

const hnsw_kernels hnsw_kernels_scalar = {
    .name = "scalar",
    .dots8 = dots8,
    .dots4 = dots4,
    .dot_norm = dot_norm,
    .dot = dot,
    .l2 = l2,
    .l1 = l1,
    .hadamard = hadamard,
};
