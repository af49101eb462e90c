/**
 * scratch.h - the memory that a search works in: taken from a pool and given back, so that searches
 * allocate nothing once there is one for every thread that searches at the same time.
 */
#ifndef LLS_BACKENDS_HNSW_SCRATCH_H
#define LLS_BACKENDS_HNSW_SCRATCH_H

#include "backends/hnsw/codec.h"
#include "backends/hnsw/top.h"

#include <pthread.h>

#define HNSW_BATCH 512  /* slots that are compared at once, at most */
#define HNSW_MARKS 4096 /* slots seen, beyond which it is cheaper to clear the whole set */

typedef struct hnsw_scratch {
    struct hnsw_scratch *next;
    uint64_t *seen; /**< A bit for each slot; all 0 between walks. */
    size_t seen_words;
    hnsw_candidate *pool; /**< Where a walk keeps its candidates. */
    size_t pool_room;
    size_t pool_count;    /**< What the last walk left there, nearest first. */
    hnsw_candidate *best; /**< For what is compared by originals. */
    size_t best_room;
    hnsw_probe probe;
    float *work;     /**< `padded` floats. */
    size_t marked;   /**< How many bits are set; the first HNSW_MARKS are in `marks`. */
    uint32_t *marks; /**< Slots whose bits are set. */
    uint32_t *batch; /**< HNSW_BATCH slots, and their distances. */
    float *distances;
    uint8_t *block; /**< Holds what has a fixed size. */
} hnsw_scratch;

typedef struct hnsw_scratch_pool {
    pthread_mutex_t lock;
    hnsw_scratch *idle;
} hnsw_scratch_pool;

/** One that is free, or a new one, for `slots` slots and pools of `ef` and `best` candidates. */
lls_err hnsw_scratch_take(hnsw_scratch_pool *pool, const hnsw_codec *codec, size_t slots, size_t ef,
                          size_t best, hnsw_scratch **out, lls_error *err) LLS_CHECKED;
void hnsw_scratch_give(hnsw_scratch_pool *pool, hnsw_scratch *scratch);

/** Make sure of the sizes of one that is held. */
lls_err hnsw_scratch_fit(hnsw_scratch *scratch, size_t slots, size_t ef, size_t best,
                         lls_error *err) LLS_CHECKED;

/** Mark a slot as seen; whether it was not before. */
static inline bool hnsw_scratch_mark(hnsw_scratch *scratch, uint32_t slot)
{
    uint64_t bit = (uint64_t)1 << (slot & 63);

    if (scratch->seen[slot >> 6] & bit)
        return false;
    scratch->seen[slot >> 6] |= bit;
    if (scratch->marked < HNSW_MARKS)
        scratch->marks[scratch->marked] = slot;
    scratch->marked++;
    return true;
}

/** These slots were marked by hand. */
static inline void hnsw_scratch_note(hnsw_scratch *scratch, const uint32_t *slots, size_t count)
{
    if (scratch->marked + count <= HNSW_MARKS)
        memcpy(scratch->marks + scratch->marked, slots, count * sizeof(*scratch->marks));
    else
        scratch->marked = HNSW_MARKS + 1; // more than the list holds
    scratch->marked += count;
}

static inline bool hnsw_scratch_seen(const hnsw_scratch *scratch, uint32_t slot)
{
    return scratch->seen[slot >> 6] >> (slot & 63) & 1;
}

/** Forget what was seen. */
void hnsw_scratch_clear(hnsw_scratch *scratch);

void hnsw_scratch_free(hnsw_scratch *scratch);

#endif
