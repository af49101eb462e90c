/**
 * manifest.h - which files a tenant's records are in. One small text, replaced by renaming: what it
 * names is there, and what it does not name is waste.
 */
#ifndef LLS_BACKENDS_HNSW_MANIFEST_H
#define LLS_BACKENDS_HNSW_MANIFEST_H

#include "ports/kv.h"

/** A collection whose records, up to a moment, are in a file of their own. */
typedef struct hnsw_manifest_coll {
    char name[LLS_COLL_MAX + 1];
    uint64_t base;     /**< The number of its base; 0: it holds nothing. */
    uint64_t sequence; /**< The base knows all frames up to this one. */
} hnsw_manifest_coll;

/** Zeroed is that of a tenant without anything. */
typedef struct hnsw_manifest {
    uint64_t first_log; /**< Frames that a base may lack are in logs `first_log` to `last_log`. */
    uint64_t last_log;  /**< The one that is written to. 0: there is no log. */
    uint64_t next;      /**< The number that the next base gets. */
    hnsw_manifest_coll *colls; /**< In order of their names. */
    size_t count;
} hnsw_manifest;

void hnsw_manifest_fini(hnsw_manifest *manifest);
static inline void hnsw_manifest_auto(hnsw_manifest *manifest)
{
    hnsw_manifest_fini(manifest);
}

/** The entry of `coll`, or NULL. */
hnsw_manifest_coll *hnsw_manifest_find(const hnsw_manifest *manifest, lls_str coll);

/** Set the entry of `coll`. Errors: LLS_E_NOMEM. */
lls_err hnsw_manifest_set(hnsw_manifest *manifest, lls_str coll, uint64_t base, uint64_t sequence,
                          lls_error *err) LLS_CHECKED;

lls_err hnsw_manifest_copy(const hnsw_manifest *from, hnsw_manifest *out,
                           lls_error *err) LLS_CHECKED;

void hnsw_manifest_encode(const hnsw_manifest *manifest, lls_buf *out);

/** Owns: fini `out`. Errors: LLS_E_CORRUPT, LLS_E_NEWER, LLS_E_NOMEM. */
lls_err hnsw_manifest_decode(lls_str text, hnsw_manifest *out, lls_error *err) LLS_CHECKED;

#endif
