/**
 * vec.h - the vector port: records with an embedding, a text and metadata, found by nearness, by
 * words, by filter or by id; each tenant for itself.
 *
 * This is what a backend implements (`lls_vec_ops`) and what components call (`lls_vec_*`). Nobody
 * calls through `ops` but vec.c, which checks arguments and fuses searches.
 *
 * A *collection* of a tenant holds records, each with an id of its own in it. A record's vector
 * lies in an *embedding space* of the collection: a model, with its dimension, metric and whether
 * its vectors have length 1. Spaces stand side by side; vectors of different spaces are never
 * compared. The first record of a space declares it; a later one that disagrees is refused, until
 * no record is left in it. A batch is judged by what it leaves: it may empty a space and declare it
 * anew. A model without a name stands for "the space of this dimension". A record may lack a
 * vector: it is found by everything but nearness.
 *
 * Four promises carry everything above:
 *
 *  - A filtered search returns k hits whenever k records match: the filter is part of the search.
 *  - Vectors, texts and metadata come back byte for byte.
 *  - `apply` is atomic, and durable when it returns LLS_OK, at the durability that the backend
 *    documents.
 *  - `records` shows every record as a key with a value in its canonical form (ports/vec_record.h),
 *    in byte order of the ids, and takes them in the same form through a stage. So export, backup,
 *    migration and validation know vectors as they know everything else.
 *
 * Threads: all functions may be called on one `lls_vec` from any number of threads at once.
 */
#ifndef LLS_PORTS_VEC_H
#define LLS_PORTS_VEC_H

#include "ports/filter.h"
#include "ports/kv.h"

#include <llmspell/embedding.h>

#define LLS_VEC_ID_MAX 511    /* bytes of an id, not empty, any bytes */
#define LLS_VEC_DIM_MAX 16384 /* of a vector */
#define LLS_VEC_MODEL_MAX 128 /* bytes of a model's name, UTF-8 */
#define LLS_VEC_SCOPE_MAX 255 /* bytes of a scope: "global", "session:ID", …; UTF-8 */
#define LLS_VEC_K_MAX 100000  /* hits of one search */
#define LLS_VEC_TEXT_MAX ((size_t)16 << 20)    /* bytes of a text, UTF-8 */
#define LLS_VEC_METADATA_MAX ((size_t)1 << 20) /* bytes of the metadata's JSON */

typedef struct lls_vec lls_vec;

/** An embedding space. */
typedef struct lls_vec_space {
    lls_str model; /**< Names it in its collection; empty: named by `dim`. */
    uint32_t dim;  /**< 1 to LLS_VEC_DIM_MAX; 0: the record has no vector, and the rest is 0. */
    lls_vec_metric metric;
    bool normalised; /**< Vectors have length 1, within 1e-3: others are refused. */
} lls_vec_space;

/** One record. Views belong to who handed it out. */
typedef struct lls_vec_item {
    lls_bytes id;
    lls_vec_space space;
    const float *vector; /**< `space.dim` of them; finite. */
    lls_str scope;       /**< Empty stands for "global" in a write. */
    lls_str text;        /**< What is found by words; may be empty. */
    lls_str metadata;    /**< A JSON object, kept byte for byte; empty stands for {}. */
    int64_t event_usec;  /**< When it happened; 0 in a write: now. */
    lls_kv_meta meta;    /**< `created_usec` is the ingestion time. */
} lls_vec_item;

typedef enum lls_vec_verb {
    LLS_VEC_PUT,     /**< Insert or replace, whatever was there. */
    LLS_VEC_CREATE,  /**< Insert; LLS_E_EXISTS when the id is there. */
    LLS_VEC_REPLACE, /**< Compare and set: LLS_E_CONFLICT unless the version is `meta.version`. */
    LLS_VEC_PATCH,   /**< Merge `metadata` into the record's (RFC 7396, as lls_json_merge does it);
                          all else stays. LLS_E_NOTFOUND; with `meta.version` not 0, LLS_E_CONFLICT
                          unless it is the version. */
    LLS_VEC_DELETE,  /**< Remove; a missing id is no failure. `meta.version` as for kv. */
    LLS_VEC_RESTORE, /**< Insert or replace with exactly this `meta`. */
} lls_vec_verb;

/** Only the fields that the verb needs are looked at. `meta` as in lls_kv_write. */
typedef struct lls_vec_write {
    lls_vec_verb verb;
    lls_vec_item item;
} lls_vec_write;

/** What of a record a caller wants to see; the id, the scope and the times are always there. */
typedef enum lls_vec_fields {
    LLS_VEC_IDS = 0,
    LLS_VEC_METADATA = 1,
    LLS_VEC_TEXT = 2,
    LLS_VEC_VECTOR = 4,
    LLS_VEC_WHOLE = 7,
} lls_vec_fields;

/** A search by nearness. */
typedef struct lls_vec_query {
    lls_str model;       /**< Of the space to search; empty: the space named by `dim`. */
    const float *vector; /**< `dim` of them. */
    uint32_t dim;
    uint32_t k;      /**< At most so many hits, 1 to LLS_VEC_K_MAX. */
    bool has_within; /**< Only hits whose distance is not greater than `within`. */
    float within;
    uint32_t effort;          /**< Breadth of an approximate search (ef); 0: the backend's own. */
    bool exact;               /**< Compare with every matching record. */
    const lls_filter *filter; /**< NULL: all that have not expired. */
    unsigned fields;          /**< LLS_VEC_… */
} lls_vec_query;

/** A search by words: BM25 over the texts, as text/bm25.h defines it, the same everywhere. */
typedef struct lls_vec_words {
    lls_str words;
    uint32_t k;
    const lls_filter *filter;
    unsigned fields;
} lls_vec_words;

typedef struct lls_vec_hit {
    lls_vec_item item; /**< Fields that were not asked for are empty. */
    float distance;    /**< Of a search by nearness, in the metric; otherwise 0. */
    float score;       /**< The higher, the better: see lls_vec_score; BM25; or fused ranks. */
} lls_vec_hit;

/**
 * The hits of one search, best first; equals in byte order of their ids. Zeroed is empty. Views in
 * it live until lls_vec_hits_fini.
 */
typedef struct lls_vec_hits {
    lls_vec_hit *hits;
    size_t count;
    bool exact; /**< No record can be missing: everything that matches was compared. */
    struct lls_vec_hold *hold; /**< What the views point into: ports/vec_hits.h. */
} lls_vec_hits;

typedef enum lls_vec_order {
    LLS_VEC_BY_ID,    /**< In byte order. */
    LLS_VEC_BY_EVENT, /**< Oldest first; equals in byte order of their ids. */
} lls_vec_order;

/** A walk over what a filter lets through, without a vector. */
typedef struct lls_vec_list {
    lls_vec_order order;
    bool newest_first;        /**< The other way round. */
    const lls_filter *filter; /**< NULL: all that have not expired. */
    const lls_vec_item
        *after;     /**< Begin behind this one (`id`, `event_usec`); NULL: at the start. */
    uint32_t limit; /**< 1 to LLS_VEC_K_MAX: a page. */
    unsigned fields;
} lls_vec_list;

/** One embedding space of a collection, as `info` tells of it. Views live for the call. */
typedef struct lls_vec_stats {
    lls_vec_space space;
    uint64_t count;     /**< Records, expired ones included. */
    uint64_t bytes;     /**< Room on disk, or in memory, as the backend counts it. */
    uint64_t hot_bytes; /**< What a search goes through, in memory; 0: unknown. */
    bool exact;         /**< Searches compare everything. */
    char index[64];     /**< "flat int8", "hnsw int8, m 16", "pgvector hnsw (halfvec)", "none" */
} lls_vec_stats;

typedef void (*lls_vec_stats_fn)(void *user, const lls_vec_stats *stats);

/**
 * What a backend implements; arguments were checked by vec.c. `now_usec` is the port's clock, read
 * once per call. Hits and items are appended through ports/vec_hits.h, which copies.
 */
typedef struct lls_vec_ops {
    /** All writes in order, or none. Times as for lls_kv_ops.apply. */
    lls_err (*apply)(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_write *writes,
                     size_t count, lls_error *err);

    /** The items of `ids` that are there and have not expired, in the order of `ids`. */
    lls_err (*get)(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_bytes *ids,
                   size_t count, unsigned fields, lls_vec_hits *out, lls_error *err);

    /** `count` searches; `out[i]` answers `queries[i]`. An unknown space has no hits. */
    lls_err (*search)(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                      const lls_vec_query *queries, size_t count, lls_vec_hits *out,
                      lls_error *err);

    lls_err (*words)(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_words *words,
                     lls_vec_hits *out, lls_error *err);

    lls_err (*list)(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_list *list,
                    lls_vec_hits *out, lls_error *err);

    /** How many records `filter` lets through; remove them, all or none. */
    lls_err (*count)(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_filter *filter,
                     uint64_t *out, lls_error *err);
    lls_err (*remove)(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_filter *filter,
                      uint64_t *removed, lls_error *err);

    /** Tell each space of the collection, by name; one with dimension 0 for records without. */
    lls_err (*stats)(lls_vec *vec, lls_kv_space coll, lls_vec_stats_fn each, void *user,
                     lls_error *err);

    /** Bring derived structures up to date now: build, relink, compact. May be NULL. */
    lls_err (*tend)(lls_vec *vec, lls_kv_space coll, lls_error *err);
} lls_vec_ops;

/* A backend embeds this as the first member of its own struct. */
struct lls_vec {
    const lls_vec_ops *ops;
    const lls_clock *clock; /**< NULL: the system's. Set by whoever opens, before the first call. */

    /**
     * The same records behind the key/value port: collections, ids as keys, canonical values. It
     * has get, apply, scan, count, stats, clear and, if the backend can be migrated to, stage. Its
     * `port` is LLS_PORT_VEC. apply refuses values that are not canonical.
     */
    lls_kv *records;
};

/**
 * Do `count` writes in one collection, all or none. Borrows `writes`. None is a success.
 *
 * Errors: LLS_E_INVALID naming the id: a vector with NaN or infinity, of length 0 under cosine, not
 * of length 1 where the space says so; a dimension, metric or length that is not that of the space
 * (LLS_E_MISMATCH); a text that is not UTF-8; metadata that is no JSON object. LLS_E_EXISTS,
 * LLS_E_CONFLICT, LLS_E_NOTFOUND (PATCH), LLS_E_FULL. After any of them nothing has changed.
 */
lls_err lls_vec_apply(lls_vec *vec, lls_kv_space coll, const lls_vec_write *writes, size_t count,
                      lls_error *err) LLS_CHECKED;

/** One PUT. */
lls_err lls_vec_put(lls_vec *vec, lls_kv_space coll, const lls_vec_item *item,
                    lls_error *err) LLS_CHECKED;

/** One record. Errors: LLS_E_NOTFOUND, also when it has expired. `out` holds it: fini it. */
lls_err lls_vec_get(lls_vec *vec, lls_kv_space coll, lls_bytes id, unsigned fields,
                    lls_vec_hits *out, lls_error *err) LLS_CHECKED;

/** Those of `ids` that are there; absent ones are left out. */
lls_err lls_vec_get_many(lls_vec *vec, lls_kv_space coll, const lls_bytes *ids, size_t count,
                         unsigned fields, lls_vec_hits *out, lls_error *err) LLS_CHECKED;

/**
 * The records nearest to a vector.
 *
 * Errors: LLS_E_INVALID for a bad vector, k or filter; LLS_E_MISMATCH when the dimension is not
 * that of the model's space. An empty collection, or an unknown space, has no hits.
 */
lls_err lls_vec_search(lls_vec *vec, lls_kv_space coll, const lls_vec_query *query,
                       lls_vec_hits *out, lls_error *err) LLS_CHECKED;

/** Several at once: `out` has room for `count`. On failure all are empty. */
lls_err lls_vec_search_many(lls_vec *vec, lls_kv_space coll, const lls_vec_query *queries,
                            size_t count, lls_vec_hits *out, lls_error *err) LLS_CHECKED;

/** The records that fit words best. Words that no record has are ignored. */
lls_err lls_vec_match(lls_vec *vec, lls_kv_space coll, const lls_vec_words *words,
                      lls_vec_hits *out, lls_error *err) LLS_CHECKED;

/**
 * Both searches, fused by reciprocal rank: a record's score is the sum of 1 / (60 + rank) over the
 * lists it is in (Cormack, Clarke and Büttcher, SIGIR 2009). Each list is taken to `depth`, at
 * least k; 0: 4 k, not less than 50. `query->k`, `filter` and `fields` hold for the whole.
 */
lls_err lls_vec_hybrid(lls_vec *vec, lls_kv_space coll, const lls_vec_query *query, lls_str words,
                       uint32_t depth, lls_vec_hits *out, lls_error *err) LLS_CHECKED;

/** One page of what a filter lets through. */
lls_err lls_vec_list_page(lls_vec *vec, lls_kv_space coll, const lls_vec_list *list,
                          lls_vec_hits *out, lls_error *err) LLS_CHECKED;

lls_err lls_vec_count(lls_vec *vec, lls_kv_space coll, const lls_filter *filter, uint64_t *out,
                      lls_error *err) LLS_CHECKED;

/** Remove what `filter` lets through: a scope, what happened before a time, … NULL is refused. */
lls_err lls_vec_remove(lls_vec *vec, lls_kv_space coll, const lls_filter *filter, uint64_t *removed,
                       lls_error *err) LLS_CHECKED;

lls_err lls_vec_stats_of(lls_vec *vec, lls_kv_space coll, lls_vec_stats_fn each, void *user,
                         lls_error *err) LLS_CHECKED;

/** Bring derived structures up to date; nothing to do is a success. */
lls_err lls_vec_tend(lls_vec *vec, lls_kv_space coll, lls_error *err) LLS_CHECKED;

/** Release what hits hold. A zeroed one is fine. */
void lls_vec_hits_fini(lls_vec_hits *hits);
static inline void lls_vec_hits_auto(lls_vec_hits *hits)
{
    lls_vec_hits_fini(hits);
}

/** Cosine: 1 − distance. L2 and L1: 1 / (1 + distance). Inner product: −distance. */
float lls_vec_score(lls_vec_metric metric, float distance);

/** The distance of two vectors, in double precision: the definition that all kernels approximate.
 */
double lls_vec_distance(lls_vec_metric metric, const float *a, const float *b, uint32_t dim);

#endif
