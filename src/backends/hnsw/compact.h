/** compact.h - a collection as it was at one moment, on its way into a file. */
#ifndef LLS_BACKENDS_HNSW_COMPACT_H
#define LLS_BACKENDS_HNSW_COMPACT_H

#include "backends/hnsw/store.h"

typedef struct hnsw_frozen {
    hnsw_coll *coll;
    uint64_t sequence; /**< Of its last change. */
    uint32_t *docs;    /**< Its records, by id. */
    size_t count;
    hnsw_snapshot **snapshots; /**< Of its spaces. */
    uint32_t **places;         /**< For each slot of a space, its place in the snapshot. */
    uint32_t space_count;
    size_t next; /* while it is written */
    hnsw_record record;
    lls_buf value;
} hnsw_frozen;

/** Freeze it. The tenant's `write` is held, or nobody else has the collection. */
lls_err hnsw_freeze(hnsw_coll *coll, hnsw_frozen *out, lls_error *err) LLS_CHECKED;
void hnsw_frozen_fini(hnsw_frozen *frozen);

/** Write base `number` and its derived parts. */
lls_err hnsw_frozen_write(hnsw_frozen *frozen, const char *base_path, const char *derived_path,
                          uint64_t number, lls_error *err) LLS_CHECKED;

#endif
