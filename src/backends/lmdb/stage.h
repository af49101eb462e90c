/**
 * stage.h - a stage in LMDB: for each collection a space of its own, and an entry in `meta` that
 * says which. docs/FORMATS.md, "LMDB".
 */
#ifndef LLS_BACKENDS_LMDB_STAGE_H
#define LLS_BACKENDS_LMDB_STAGE_H

#include "backends/lmdb/kv.h"
#include "backends/lmdb/space.h"
#include "ports/stage.h"

/** What `meta` says of a stage's collection. */
typedef struct lmdb_staged {
    bool watching;         /* it is one of the watchers of `live` */
    uint32_t staged;       /* the space of what was added */
    uint32_t merged;       /* the space of that and the survivors, or 0 */
    uint32_t live;         /* what the target was when it was prepared, or 0 */
    uint64_t live_changes; /* and how often it had changed */
    uint64_t count;        /* records in `staged` */
} lmdb_staged;

/** Records on their way into spaces, so that a transaction takes many. */
typedef struct lmdb_load {
    lls_buf frames; /* number of the collection, id, lengths (u32 each), key, stored value */
    size_t count;
} lmdb_load;

enum { LMDB_LOAD_BYTES = 4 << 20 }; /* of one transaction */

enum { LMDB_STAGE_COLLS = 120 }; /* of one stage */

typedef struct lmdb_stage_coll {
    char name[LLS_COLL_MAX + 1];
    lmdb_staged entry; /* as it is in `meta` */
} lmdb_stage_coll;

typedef struct lmdb_stage {
    lls_kv_stage base;
    lmdb_store *store;
    lls_stage_mode mode;
    bool prepared;
    bool published;
    char tenant[LLS_TENANT_MAX + 1];
    char run[LLS_RUN_MAX + 1];
    lmdb_load load;
    size_t count;
    lmdb_stage_coll colls[];
} lmdb_stage;

/** Which space the collection will be once published. */
uint32_t lmdb_stage_result(const lmdb_stage *stage, const lmdb_staged *entry);

/* ---- staged.c: the entries ---- */

lls_err lmdb_staged_find(lmdb_env *env, MDB_txn *txn, lls_str run, lls_kv_space space,
                         lmdb_staged *out, lls_error *err) LLS_CHECKED;
lls_err lmdb_staged_store(lmdb_txn *txn, lls_str run, lls_kv_space space, const lmdb_staged *entry,
                          lls_error *err) LLS_CHECKED;
lls_err lmdb_staged_remove(lmdb_txn *txn, lls_str run, lls_kv_space space,
                           lls_error *err) LLS_CHECKED;
lls_err lmdb_staged_decode(const MDB_val *key, const MDB_val *val, lmdb_staged *out,
                           lls_error *err) LLS_CHECKED;

/** Stop watching the target, and give up what was merged. */
lls_err lmdb_staged_unwatch(lmdb_txn *txn, lls_kv_space space, lmdb_staged *entry,
                            lls_error *err) LLS_CHECKED;

/** The first collection that `run` of `tenant` has a stage for. LLS_END when there is none. */
lls_err lmdb_staged_first(lmdb_txn *txn, lls_str run, lls_str tenant, char coll[LLS_COLL_MAX + 1],
                          lmdb_staged *out, lls_error *err) LLS_CHECKED;

/* ---- load.c: writing many records ---- */

/** Note a record for the space `id` of the collection `index`. */
lls_err lmdb_load_add(lmdb_load *load, size_t index, uint32_t id, const lls_kv_item *item,
                      lls_error *err) LLS_CHECKED;

/** Whether it is time to write. */
bool lmdb_load_is_full(const lmdb_load *load);

/** Write all of it in one transaction, those of staged spaces counted, and empty it. */
lls_err lmdb_load_write(lmdb_stage *stage, lls_error *err) LLS_CHECKED;

/* ---- prepare.c ---- */

lls_err lmdb_stage_prepare(lls_kv_stage *base, lls_error *err) LLS_CHECKED;

static inline lls_kv_space lmdb_stage_space(const lmdb_stage *stage, size_t index)
{
    return (lls_kv_space){lls_str_of(stage->tenant), lls_str_of(stage->colls[index].name)};
}

#endif
