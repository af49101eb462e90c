/** kv.h - the key/value port of an LMDB store: what its files share. */
#ifndef LLS_BACKENDS_LMDB_KV_H
#define LLS_BACKENDS_LMDB_KV_H

#include "backends/lmdb/env.h"
#include "ports/backend.h"
#include "ports/stage.h"

typedef struct lmdb_store {
    lls_backend base;
    lls_kv kv;
    lmdb_env *env;
    bool writable; /* this opening; the environment may be shared with one that writes */
} lmdb_store;

extern const lls_kv_ops lmdb_kv_ops;

lmdb_store *lmdb_store_of(lls_kv *kv);

/** Errors: LLS_E_DENIED. */
lls_err lmdb_must_write(const lmdb_store *store, lls_error *err) LLS_CHECKED;

/**
 * Scan what stands under `id`, or what (tenant, coll) holds when `id` is 0. `shown` names the
 * collection in messages.
 */
lls_err lmdb_scan_open(lmdb_env *env, lls_kv_space space, uint32_t id, lls_kv_range range,
                       lls_kv_iter **out, lls_error *err) LLS_CHECKED;

/* The functions of lmdb_kv_ops that have a file of their own. */
lls_err lmdb_kv_apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                      size_t count, lls_error *err) LLS_CHECKED;
lls_err lmdb_kv_scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                     lls_error *err) LLS_CHECKED;
lls_err lmdb_kv_stage(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                      lls_error *err) LLS_CHECKED;
lls_err lmdb_kv_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err) LLS_CHECKED;

/** Collect up to `batches` batches of dead records; 0: all that there are. Best effort. */
void lmdb_collect(lmdb_env *env, unsigned batches);

/* What `info`, `check` and a migration's preflight ask for. */
lls_err lmdb_facts(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err) LLS_CHECKED;
lls_err lmdb_check(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err) LLS_CHECKED;
lls_err lmdb_ready(lls_backend *backend, uint64_t bytes_to_come, lls_error *err) LLS_CHECKED;

#endif
