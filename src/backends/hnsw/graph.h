/**
 * graph.h - what an index is made of, for the files in this folder that read and change it.
 *
 * Two locks. `writer` is held by whoever changes the index, for as long as it takes. `gate` is held
 * shared by searches, and exclusively by the writer only while it stores: a writer may read all
 * without it, for nobody else writes.
 *
 * A slot is *live* (it can be found), *dead* (removed, but links lead to it) or *free*. Slots below
 * `linked` are in the graph, if there is one.
 */
#ifndef LLS_BACKENDS_HNSW_GRAPH_H
#define LLS_BACKENDS_HNSW_GRAPH_H

#include "backends/hnsw/codec.h"
#include "backends/hnsw/index.h"
#include "backends/hnsw/pages.h"
#include "backends/hnsw/scratch.h"

#include <pthread.h>
#include <stdatomic.h>

#define HNSW_LEVEL_MAX 15u /* with m = 4, one vector in 4^15 gets there */

/** Arrays with an element for each slot, all of the same capacity. */
typedef enum hnsw_array {
    HNSW_CODES,       /**< Rows of `codec.row_bytes`. */
    HNSW_LINKS,       /**< Rows of `width` slots of the ground level, HNSW_SLOT_NONE behind. */
    HNSW_LINK_LENGTH, /**< Rows of `width` floats: distances of links; 0: not known. */
    HNSW_UPPER_INDEX, /**< Where in `upper` its block is; 0: none. */
    HNSW_ORIGINALS,   /**< Rows of `dim` floats, of the slots from `base_count` on. */
    HNSW_FREE,        /**< A stack of free slots: `free_count` of them. */
    HNSW_ARRAYS,
} hnsw_array;

typedef struct hnsw_builder hnsw_builder;

struct hnsw_index {
    hnsw_params params; /**< Defaults filled in. */
    hnsw_codec codec;
    uint32_t width; /**< Links of a vector on the ground level: 2 m. */

    pthread_mutex_t writer;
    pthread_rwlock_t gate;
    hnsw_scratch_pool scratch;
    hnsw_builder *builder; /**< What only the writer works with. */

    hnsw_pages arrays[HNSW_ARRAYS];
    hnsw_pages upper; /**< uint32s: blocks of a level L and L × m slots. */
    size_t upper_used;
    hnsw_pages live; /**< Bitmaps. */
    hnsw_pages dead;
    hnsw_pages condemned; /**< Dead ones that the sweep under way will have no links to. */
    float *base;          /**< Originals of the first `base_count` slots: the caller's memory. */
    uint32_t base_count;

    uint32_t slots;    /**< Ever in use. */
    uint32_t capacity; /**< Room in all arrays. */
    uint32_t live_count;
    uint32_t dead_count;
    uint32_t free_count;
    uint32_t learned; /**< How many vectors the codec was fitted to. */

    atomic_bool graph; /**< Begun: slots below `linked` are in it. */
    bool exact_only;   /**< Numbers beyond what codes can stand for: always the originals. */
    uint32_t linked;
    uint32_t settled; /**< Slots below have the levels that their blocks say. */
    uint32_t entry;   /**< On level `top`; HNSW_SLOT_NONE: nothing is linked. */
    uint32_t top;

    bool sweeping;
    uint32_t sweep; /**< Slots below have no links to condemned ones. */
    uint32_t condemned_count;
    uint32_t snapshots; /**< While there are any, no slot is given to another vector. */
};

static inline uint32_t *hnsw_words(const hnsw_pages *pages)
{
    return (uint32_t *)(void *)pages->data;
}

static inline bool hnsw_bit(const hnsw_pages *bitmap, uint32_t slot)
{
    return ((const uint64_t *)(const void *)bitmap->data)[slot >> 6] >> (slot & 63) & 1;
}

static inline void hnsw_bit_set(hnsw_pages *bitmap, uint32_t slot)
{
    ((uint64_t *)(void *)bitmap->data)[slot >> 6] |= (uint64_t)1 << (slot & 63);
}

static inline void hnsw_bit_clear(hnsw_pages *bitmap, uint32_t slot)
{
    ((uint64_t *)(void *)bitmap->data)[slot >> 6] &= ~((uint64_t)1 << (slot & 63));
}

static inline uint8_t *hnsw_code_row(const hnsw_index *index, uint32_t slot)
{
    return index->arrays[HNSW_CODES].data + (size_t)slot * index->codec.row_bytes;
}

static inline float *hnsw_original_row(const hnsw_index *index, uint32_t slot)
{
    size_t dim = index->params.dim;

    if (slot < index->base_count)
        return index->base + slot * dim;
    return (float *)(void *)index->arrays[HNSW_ORIGINALS].data + (slot - index->base_count) * dim;
}

static inline uint32_t *hnsw_ground_row(const hnsw_index *index, uint32_t slot)
{
    return hnsw_words(&index->arrays[HNSW_LINKS]) + (size_t)slot * index->width;
}

static inline float *hnsw_length_row(const hnsw_index *index, uint32_t slot)
{
    return (float *)(void *)index->arrays[HNSW_LINK_LENGTH].data + (size_t)slot * index->width;
}

/** The slots that `rows` of codes means. */
static inline hnsw_rows hnsw_rows_of(const hnsw_index *index, const uint32_t *slots, size_t count)
{
    return (hnsw_rows){index->arrays[HNSW_CODES].data, index->codec.row_bytes, slots, count};
}

/** A list of links: up to `room`, up to the first that is no slot. */
typedef struct hnsw_links {
    uint32_t *slots;
    size_t room;
} hnsw_links;

/** The links of a slot on a level; without room where it has none. */
static inline hnsw_links hnsw_links_of(const hnsw_index *index, uint32_t slot, uint32_t level)
{
    uint32_t *words = hnsw_words(&index->upper);
    size_t at;

    if (level == 0)
        return (hnsw_links){hnsw_ground_row(index, slot), index->width};
    at = hnsw_words(&index->arrays[HNSW_UPPER_INDEX])[slot];
    // an attached section may say anything: stay inside
    if (at == 0 || at >= index->upper_used || words[at] < level || words[at] > HNSW_LEVEL_MAX ||
        at + 1 + (size_t)level * index->params.m > index->upper_used)
        return (hnsw_links){NULL, 0};
    return (hnsw_links){words + at + 1 + (size_t)(level - 1) * index->params.m, index->params.m};
}

/** How many links there are. */
static inline size_t hnsw_links_count(const hnsw_index *index, hnsw_links links)
{
    size_t n = 0;

    while (n < links.room && links.slots[n] < index->slots)
        n++;
    return n;
}

/** The highest level that a slot is on, when it is in the graph: a draw of its number alone. */
uint32_t hnsw_level_of(const hnsw_index *index, uint32_t slot);

/** Whether searches can go through the graph. Under the gate. */
static inline bool hnsw_graph_ready(const hnsw_index *index)
{
    return index->graph && index->linked >= index->slots && index->entry != HNSW_SLOT_NONE;
}

/** As hnsw_index_is_attached; under the gate, or as the writer. */
bool hnsw_borrows(const hnsw_index *index);

/** Make room for `slots` slots and as many blocks above. Stops searches. */
lls_err hnsw_index_reserve(hnsw_index *index, uint32_t slots, lls_error *err) LLS_CHECKED;

/** Bytes held in memory of our own, if there were so many slots. */
uint64_t hnsw_index_memory(const hnsw_index *index, uint32_t slots);

#endif
