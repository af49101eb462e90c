/**
 * index.h - nearest neighbours among vectors in memory: one embedding space, online, quantised.
 *
 * An index holds vectors of one dimension under one metric in numbered *slots*. It knows nothing of
 * ids, tenants or files: whoever owns it maps slots to records and makes the vectors last. What it
 * keeps of a vector is
 *
 *  - the *original*, float32 as given: the truth, from which all else can be derived again;
 *  - a *code* of it, rotated and quantised to 8 or 4 bits a component, which searches go through;
 *  - beyond `flat_max` vectors, its *links* in a graph (HNSW: Malkov and Yashunin, "Efficient and
 *    robust approximate nearest neighbor search using Hierarchical Navigable Small World graphs",
 *    2016). Below that every search compares all codes.
 *
 * The best of the codes are compared again by their originals, so hits come with distances that are
 * as exact as float32 arithmetic, and in their order.
 *
 * Codes, links and upper links can be written out as flat sections (`hnsw_snapshot`) and an index
 * be opened over them without reading them (`hnsw_index_attach`). Links are checked as they are
 * followed, so sections with any content whatever are memory-safe: the worst is a poor answer.
 *
 * Threads: searches and facts from any number of threads at once, together with one writer: writers
 * take turns by themselves. A writer computes beside the searches and stops them only to store
 * what it has found out: microseconds. The search allocates nothing once threads and sizes are
 * known: scratch memory is pooled.
 *
 * Determinism: the same calls from one thread, with the same seed, give the same index on every
 * machine, whatever its instructions: distances of codes are sums of integers.
 */
#ifndef LLS_BACKENDS_HNSW_INDEX_H
#define LLS_BACKENDS_HNSW_INDEX_H

#include "ports/vec.h"

typedef struct hnsw_index hnsw_index;

#define HNSW_SLOT_NONE UINT32_MAX
#define HNSW_SLOTS_MAX 0x7fffffffu /* vectors in one index: a bit of each word is ours */

typedef enum hnsw_code {
    HNSW_CODE_INT8, /**< A byte a component. */
    HNSW_CODE_INT4, /**< Half of that, with a factor for each vector. */
} hnsw_code;

/** What an index is. Fixed at birth; 0 stands for the default. */
typedef struct hnsw_params {
    uint32_t dim; /**< 1 to LLS_VEC_DIM_MAX. */
    lls_vec_metric metric;
    hnsw_code code;
    uint32_t m; /**< Links above the ground level, half of those on it; 16. 4 to 64. */
    uint32_t ef_construction; /**< Breadth of the search before linking; 200. Up to 4096. */
    uint32_t flat_max;        /**< Vectors that are searched without a graph; 8192. */
    uint64_t seed;            /**< Of the rotation and of the levels. */
    uint64_t memory_max;      /**< Bytes that hnsw_index_add may come to hold; 0: no limit. */
} hnsw_params;

/** An empty index. Errors: LLS_E_INVALID for params out of range, LLS_E_NOMEM. */
lls_err hnsw_index_new(const hnsw_params *params, hnsw_index **out, lls_error *err) LLS_CHECKED;

/** NULL is fine. Nobody may be using it. */
void hnsw_index_free(hnsw_index *index);

/**
 * Put a vector in and tell its slot: a free one, or the next. Searches that begin afterwards find
 * it. Borrows `vector`: `dim` finite floats, not all 0 under cosine; the caller has checked.
 *
 * Errors: LLS_E_FULL when `memory_max` or HNSW_SLOTS_MAX would be passed; LLS_E_NOMEM. The index
 * is then as before.
 */
lls_err hnsw_index_add(hnsw_index *index, const float *vector, uint32_t *slot,
                       lls_error *err) LLS_CHECKED;

/**
 * Take a vector out: searches that begin afterwards do not find it. Its slot is given to another
 * vector only when no link leads to it any more, which later calls of add, remove and tend bring
 * about. Errors: LLS_E_NOTFOUND when the slot holds none.
 */
lls_err hnsw_index_remove(hnsw_index *index, uint32_t slot, lls_error *err) LLS_CHECKED;

/**
 * Replace the vector of `*slot`, which thereby becomes another slot: an add and a remove, of which
 * both happen or none. A vector that is the same to the bit stays where it is.
 */
lls_err hnsw_index_update(hnsw_index *index, uint32_t *slot, const float *vector,
                          lls_error *err) LLS_CHECKED;

/**
 * Do a piece of the work that is put off: links of new vectors, links around removed ones, hot
 * parts of an attached index into memory of its own. LLS_OK: something is left; LLS_END: nothing.
 * A piece takes about a millisecond, but the first one after attaching copies all codes and links.
 */
lls_err hnsw_index_tend(hnsw_index *index, lls_error *err) LLS_CHECKED;

/**
 * Whether so much is put off that a piece is worth while now: vectors without links, or so many
 * dead ones that searches feel them.
 */
bool hnsw_index_due(hnsw_index *index);

/** A search. */
typedef struct hnsw_query {
    const float *vector; /**< `dim` of them, as for add. */
    uint32_t k;          /**< At most so many hits, from 1. */
    uint32_t ef; /**< Breadth of a walk through the graph; 0: a default that depends on k. */

    /**
     * The slots that may be hits, or NULL for all: bit `slot % 64` of word `slot / 64`. Slots
     * beyond `allowed_slots` bits are not allowed. `allowed_count` is how many bits are set: an
     * estimate will do, for it only helps to choose a plan.
     */
    const uint64_t *allowed;
    uint32_t allowed_slots;
    uint32_t allowed_count;

    bool exact;      /**< Compare the originals of all that is allowed. */
    bool has_within; /**< Only hits whose distance is not greater than `within`. */
    float within;
} hnsw_query;

typedef struct hnsw_hit {
    uint32_t slot;
    float distance; /**< In the metric, as lls_vec_distance defines it. */
} hnsw_hit;

/**
 * Find the nearest, nearest first, equals by slot. `hits` has room for `query->k`; `*count` says
 * how many there are: min(k, allowed), always, unless `within` says less. `*exact` says whether it
 * is proven that no nearer vector was left out: always so below `flat_max` with 8-bit codes.
 *
 * Errors: LLS_E_NOMEM.
 */
lls_err hnsw_index_search(hnsw_index *index, const hnsw_query *query, hnsw_hit *hits, size_t *count,
                          bool *exact, lls_error *err) LLS_CHECKED;

/** Copy the original of a slot to `out` (`dim` floats). Errors: LLS_E_NOTFOUND. */
lls_err hnsw_index_original(hnsw_index *index, uint32_t slot, float *out,
                            lls_error *err) LLS_CHECKED;

typedef struct hnsw_stats {
    uint64_t count;        /**< Vectors that can be found. */
    uint64_t slots;        /**< Slots that were ever in use: all are less than this. */
    uint64_t dead;         /**< Removed, but still linked to. */
    uint64_t unlinked;     /**< Found by comparing all codes until the graph has them. */
    uint64_t hot_bytes;    /**< Codes and links: what a search goes through. */
    uint64_t memory_bytes; /**< Everything held in memory of our own, mapped sections excluded. */
    bool graph;            /**< Searches walk the graph. */
    const char *kernel;    /**< "avx512-vnni", "avx2", "neon" or "scalar". */
} hnsw_stats;

void hnsw_index_stats(hnsw_index *index, hnsw_stats *out);

/** What an inspection of the graph found. All but `reached` and `count` should be 0. */
typedef struct hnsw_health {
    uint64_t count;   /**< Vectors in the graph. */
    uint64_t reached; /**< Those that can be reached from the entry on the ground level. */
    uint64_t astray;  /**< Links to slots that do not exist, to oneself, or twice to the same. */
    uint64_t lost;    /**< Links of living vectors to slots that are free. */
} hnsw_health;

/** Walk the whole graph. Writers wait meanwhile; searches do not. Errors: LLS_E_NOMEM. */
lls_err hnsw_index_inspect(hnsw_index *index, hnsw_health *out, lls_error *err) LLS_CHECKED;

/**
 * The derived parts as bytes. All numbers are little-endian; `count` is the number of vectors,
 * slots are 0 to count − 1.
 */
typedef enum hnsw_section {
    HNSW_SECTION_HEAD,        /**< Params, count, entry, scale: see head.h. */
    HNSW_SECTION_CODES,       /**< count rows of hnsw_code_bytes() each. */
    HNSW_SECTION_LINKS,       /**< count rows of 2 m uint32: slots, then HNSW_SLOT_NONE. */
    HNSW_SECTION_UPPER_INDEX, /**< count uint32: where in UPPER, in uint32s; 0: ground only. */
    HNSW_SECTION_UPPER,       /**< uint32s: one of no meaning, then blocks: the level L, L × m. */
    HNSW_SECTION_COUNT,
} hnsw_section;

#define HNSW_SECTION_ALIGN 64 /* bytes: where a section may begin in memory */

/** Bytes of one row of codes: 0 under L1, which is searched by originals alone. */
size_t hnsw_code_bytes(const hnsw_params *params);

/**
 * A compacted copy of the derived parts: without removed vectors, and renumbered so that what is
 * near in the graph is near in memory (breadth-first from the entry). `order[i]` is the slot in the
 * index of the vector that is number i here.
 *
 * While it lives no slot of the index is given to another vector, so its originals stay. It holds
 * about as much memory as the hot parts.
 */
typedef struct hnsw_snapshot {
    hnsw_index *index;
    uint32_t count;
    uint32_t *order;
    lls_bytes sections[HNSW_SECTION_COUNT]; /**< Without a graph, the last three are empty. */
} hnsw_snapshot;

/** Finishes what tend would do, then copies. Writers wait. Errors: LLS_E_NOMEM. */
lls_err hnsw_snapshot_new(hnsw_index *index, hnsw_snapshot **out, lls_error *err) LLS_CHECKED;

/** NULL is fine. */
void hnsw_snapshot_free(hnsw_snapshot *snapshot);

/** The original of number `i`, for a section of `count` rows of `dim` float32. */
const float *hnsw_snapshot_original(const hnsw_snapshot *snapshot, uint32_t i);

/**
 * Open an index over sections in memory that the caller keeps, for as long as the index lives.
 *
 * `originals` holds `count` rows of `dim` floats and must be private and writable (a copy-on-write
 * mapping): a slot that is given to another vector gets its original there. Nothing is read but the
 * head and what searches touch. The caller vouches for checksums, in its own time: until then
 * answers may be poor, but nothing breaks. With sections[HNSW_SECTION_HEAD] empty, all derived
 * parts are made again from the originals: the codes at once, the links by tend and add.
 *
 * `params` are what the index was made with: its `memory_max` may differ.
 *
 * Errors: LLS_E_CORRUPT when head and params or lengths disagree, LLS_E_NEWER, LLS_E_NOMEM.
 */
lls_err hnsw_index_attach(const hnsw_params *params, const lls_bytes sections[HNSW_SECTION_COUNT],
                          float *originals, uint32_t count, hnsw_index **out,
                          lls_error *err) LLS_CHECKED;

/** Whether searches still read codes and links from the sections given to attach. */
bool hnsw_index_is_attached(hnsw_index *index);

/**
 * Replace the originals of slots 0 to count − 1, which must be the same to the bit, by others in
 * memory that the caller keeps (see attach), and give up the room of the old ones.
 */
lls_err hnsw_index_adopt(hnsw_index *index, float *originals, uint32_t count,
                         lls_error *err) LLS_CHECKED;

/**
 * Recall at `k` of searches of breadth `ef` (0: the default) against exact ones, over `samples`
 * vectors of the index itself, evenly spread: 0 to 1. Errors: LLS_E_NOMEM.
 */
lls_err hnsw_index_recall(hnsw_index *index, uint32_t samples, uint32_t k, uint32_t ef,
                          double *recall, lls_error *err) LLS_CHECKED;

#endif
