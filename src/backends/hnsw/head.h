/**
 * head.h - the section that says what the others are: 128 bytes, little-endian.
 *
 *      0  uint32   version, 1
 *      4  uint32   dimension
 *      8  uint32   metric: 0 cosine, 1 L2, 2 inner product, 3 L1
 *     12  uint32   code: 0 int8, 1 int4
 *     16  uint32   m
 *     20  uint32   count of vectors
 *     24  uint32   entry slot; 2^32 − 1: none
 *     28  uint32   its level
 *     32  uint64   seed
 *     40  uint32   flags: 1 there is a graph, 2 searches compare originals only
 *     44  uint32   how many vectors the codec was fitted to
 *     48  float32  what 1 in a code stands for, where rows have no tail
 *     52  float32  the square of the centre's length
 *     56  4 float32  the largest factor, addend, error and norm of any row
 *     72  zeroes
 *
 * Where rows have a tail (all but cosine with int8, and L1, which has no rows), the centre follows:
 * `dimension` float32.
 */
#ifndef LLS_BACKENDS_HNSW_HEAD_H
#define LLS_BACKENDS_HNSW_HEAD_H

#include "backends/hnsw/graph.h"

#define HNSW_HEAD_BYTES ((size_t)128)

/** Bytes of the whole section. */
size_t hnsw_head_bytes(const hnsw_index *index);

/** Write the head of `count` vectors with this entry to `out`. */
void hnsw_head_write(const hnsw_index *index, uint32_t count, uint32_t entry, uint8_t *out);

/**
 * Read what a head says into `index`, whose params are set: the codec, the graph, and `count`.
 * Errors: LLS_E_CORRUPT when it does not fit the params; LLS_E_NEWER.
 */
lls_err hnsw_head_read(hnsw_index *index, lls_bytes head, uint32_t *count,
                       lls_error *err) LLS_CHECKED;

#endif
