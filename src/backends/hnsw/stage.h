/**
 * stage.h - a stage: in the store's folder `.stage`, one for each run, in it one for each tenant.
 * There, for each collection, COLL.staged has what was added; `prepare` writes beside it COLL.base
 * and COLL.index, ready to be given their names by `publish`.
 */
#ifndef LLS_BACKENDS_HNSW_STAGE_H
#define LLS_BACKENDS_HNSW_STAGE_H

#include "backends/hnsw/staged.h"
#include "backends/hnsw/store.h"

/** What a collection was when the stage was prepared, and what it will be. */
typedef struct hnsw_prospect {
    bool keeps;        /**< Nothing was staged for it: it stays what it is. */
    hnsw_coll *before; /**< NULL: it held nothing. */
    uint64_t changed;  /**< By which frame, the last time. */
    uint64_t number;   /**< Of the new base. */
    hnsw_base *base;   /**< NULL: it will hold nothing. */
} hnsw_prospect;

typedef struct hnsw_stage_coll {
    char name[LLS_COLL_MAX + 1];
    hnsw_staged staged;
    hnsw_prospect prospect;
} hnsw_stage_coll;

typedef struct hnsw_stage {
    lls_kv_stage base;
    hnsw_store *store;
    hnsw_tenant *tenant;
    char *folder;
    lls_stage_mode mode;
    bool prepared;
    bool published;
    uint64_t failures; /**< hnsw_commit.failures when it was prepared. */
    size_t count;
    hnsw_stage_coll colls[];
} hnsw_stage;

/** The path of a file of the stage: "COLL.kind". */
void hnsw_stage_path(const hnsw_stage *stage, const hnsw_stage_coll *coll, const char *kind,
                     lls_buf *out);

/** Let go of what was prepared, its files included. */
void hnsw_stage_unprepare(hnsw_stage *stage);

/* ---- prepare.c, publish.c ---- */

lls_err hnsw_stage_prepare(lls_kv_stage *base, lls_error *err) LLS_CHECKED;
lls_err hnsw_stage_publish(lls_kv_stage *base, lls_error *err) LLS_CHECKED;

/** How often the disk has lost frames. */
uint64_t hnsw_stage_failures(hnsw_tenant *tenant);

#endif
