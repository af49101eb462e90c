#include "backends/hnsw/rotation.h"

#include <math.h>
#include <string.h>

#define ROUNDS ((size_t)4)

size_t hnsw_rotation_words(size_t len)
{
    return ROUNDS * len;
}

void hnsw_rotation_init(uint32_t *signs, size_t len, uint64_t seed)
{
    for (size_t i = 0; i < ROUNDS * len; i += 64) {
        uint64_t bits = hnsw_random(&seed);
        for (size_t j = 0; j < 64; j++)
            signs[i + j] = (bits >> j & 1) ? 0x80000000u : 0;
    }
}

static void flip(float *values, const uint32_t *signs, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint32_t bits;
        memcpy(&bits, values + i, sizeof(bits));
        bits ^= signs[i];
        memcpy(values + i, &bits, sizeof(bits));
    }
}

void hnsw_rotation_turn(const hnsw_kernels *kernels, const uint32_t *signs, float *values,
                        size_t len)
{
    size_t part = 64;
    size_t rounds;
    float shrink;

    while (part * 2 <= len)
        part *= 2;
    rounds = part == len ? ROUNDS - 1 : ROUNDS; // an even number where the parts overlap
    shrink = 1 / sqrtf((float)part);
    for (size_t round = 0; round < rounds; round++) {
        float *at = round % 2 ? values + len - part : values;
        flip(values, signs + round * len, len);
        kernels->hadamard(at, part);
        for (size_t i = 0; i < part; i++)
            at[i] *= shrink;
    }
}
