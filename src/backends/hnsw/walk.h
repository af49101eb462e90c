/** walk.h - searching the graph. Under the gate, or as the writer. */
#ifndef LLS_BACKENDS_HNSW_WALK_H
#define LLS_BACKENDS_HNSW_WALK_H

#include "backends/hnsw/graph.h"

/** The entry of the graph, with its distance to the probe. */
hnsw_candidate hnsw_walk_entry(const hnsw_index *index, const hnsw_probe *probe);

/** From `from` go to the nearest, one link at a time, on each level above `level`. */
hnsw_candidate hnsw_walk_down(const hnsw_index *index, hnsw_scratch *scratch,
                              const hnsw_probe *probe, hnsw_candidate from, uint32_t level);

/**
 * The `ef` nearest that a best-first search on `level` finds from `from` (the paper's algorithm 2):
 * into `scratch->pool`, `pool_count` of them, nearest first. Dead slots are among them.
 */
void hnsw_walk_level(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_probe *probe,
                     hnsw_candidate from, uint32_t level, size_t ef);

/** Slots that may be hits: live ones, in `allowed` if that is not NULL. */
typedef struct hnsw_mask {
    const uint64_t *live;
    const uint64_t *allowed;
    uint32_t slots; /**< Of which these bitmaps tell. */
} hnsw_mask;

static inline uint64_t hnsw_mask_word(const hnsw_mask *mask, size_t word)
{
    uint64_t bits = mask->live[word];

    if (mask->allowed)
        bits &= mask->allowed[word];
    if (word == mask->slots / 64)
        bits &= ((uint64_t)1 << mask->slots % 64) - 1;
    return bits;
}

static inline bool hnsw_mask_has(const hnsw_mask *mask, uint32_t slot)
{
    if (slot >= mask->slots || !(mask->live[slot >> 6] >> (slot & 63) & 1))
        return false;
    return !mask->allowed || (mask->allowed[slot >> 6] >> (slot & 63) & 1);
}

/**
 * The same on the ground level among slots that the mask has, through those that it has not: a link
 * to a slot outside is followed one step further, as in ACORN-1 (Patel et al., "ACORN: performant
 * and predicate-agnostic search over vector embeddings and structured data", 2024).
 */
void hnsw_walk_masked(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_probe *probe,
                      hnsw_candidate from, const hnsw_mask *mask, size_t ef);

#define HNSW_EXPANDED 0x80000000u /* in a pool under way: the links were followed */

#endif
