/**
 * rotation.h - a random rotation that costs n log n: rounds of random signs and a Hadamard
 * transform (Ailon and Chazelle, "Approximate nearest neighbors and the fast Johnson-Lindenstrauss
 * transform", 2006). The transform wants a power of 2: rounds take turns at the first and the last
 * such part.
 */
#ifndef LLS_BACKENDS_HNSW_ROTATION_H
#define LLS_BACKENDS_HNSW_ROTATION_H

#include "backends/hnsw/kernel.h"

/** How many words of signs a rotation of `len` components has. */
size_t hnsw_rotation_words(size_t len);

/** Draw the signs: words that are 0 or 0x80000000. */
void hnsw_rotation_init(uint32_t *signs, size_t len, uint64_t seed);

/** Rotate `len` floats, a multiple of 64, in place. */
void hnsw_rotation_turn(const hnsw_kernels *kernels, const uint32_t *signs, float *values,
                        size_t len);

/** The next of a sequence of random numbers (splitmix64: Steele, Lea and Flood, 2014). */
static inline uint64_t hnsw_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

#endif
