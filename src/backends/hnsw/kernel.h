/**
 * kernel.h - the arithmetic of distances, for each kind of processor.
 *
 * One table per instruction set, each in a file of its own whose functions alone are compiled for
 * it; `hnsw_kernels_pick` looks at the processor once. All tables give the same integers. Floats
 * differ in their last bits, by the order of addition; those of `hadamard` do not differ.
 */
#ifndef LLS_BACKENDS_HNSW_KERNEL_H
#define LLS_BACKENDS_HNSW_KERNEL_H

#include <stddef.h>
#include <stdint.h>

/** Where rows of codes lie, and which to take. */
typedef struct hnsw_rows {
    const uint8_t *base;
    size_t stride;         /**< Bytes from one row to the next. */
    const uint32_t *slots; /**< `count` rows to take; NULL: the first `count`. */
    size_t count;
} hnsw_rows;

typedef struct hnsw_kernels {
    const char *name;

    /**
     * Dot products of rows of `len` bytes (component + 128) with a query of bytes from −127 to 127:
     * the sum of row × query, less `bias`, which is 128 times the sum of the query. `len` is a
     * multiple of 64, rows and query are aligned to 64.
     */
    void (*dots8)(hnsw_rows rows, const int8_t *query, size_t len, int32_t bias, int32_t *out);

    /**
     * The same for rows of `len / 2` bytes, a component in 4 bits, without bias. `len` is a
     * multiple of 128: in a block of 128 byte j holds components 2j (low bits) and 2j + 1, and the
     * query holds its even components before its odd ones.
     */
    void (*dots4)(hnsw_rows rows, const int8_t *query, size_t len, int32_t *out);

    /** Of `len` floats: a · b, and b · b into `*norm`. */
    float (*dot_norm)(const float *a, const float *b, size_t len, float *norm);

    float (*dot)(const float *a, const float *b, size_t len);

    /** The square of the Euclidean distance; the sum of absolute differences. */
    float (*l2)(const float *a, const float *b, size_t len);
    float (*l1)(const float *a, const float *b, size_t len);

    /** The fast Walsh-Hadamard transform in place, not scaled. `len` is a power of 2, from 64. */
    void (*hadamard)(float *values, size_t len);
} hnsw_kernels;

extern const hnsw_kernels hnsw_kernels_scalar;
#if defined(__x86_64__)
extern const hnsw_kernels hnsw_kernels_avx2;
extern const hnsw_kernels hnsw_kernels_avx512;
#elif defined(__aarch64__)
extern const hnsw_kernels hnsw_kernels_neon;
#endif

/** The best that this processor can run. */
const hnsw_kernels *hnsw_kernels_pick(void);

/** All that this processor can run, NULL at the end, slowest first. */
void hnsw_kernels_list(const hnsw_kernels *out[4]);

/** The row that is number `i`. */
static inline const uint8_t *hnsw_row(const hnsw_rows *rows, size_t i)
{
    size_t slot = rows->slots ? rows->slots[i] : i;

    return rows->base + slot * rows->stride;
}

/** Ask for all lines of `bytes` at `at`: half a row, prefetched, is still a wait for the rest. */
static inline void hnsw_prefetch(const void *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const uint8_t *)at + i);
}

#define HNSW_AHEAD 3 /* rows in flight ahead of the one that is compared */

#endif
