/** kv.h - the key/value port over a pool, and what its files share. */
#ifndef LLS_BACKENDS_POSTGRES_KV_H
#define LLS_BACKENDS_POSTGRES_KV_H

#include "backends/postgres/pipeline.h"
#include "ports/backend.h"
#include "ports/kv.h"
#include "ports/stage.h"

typedef struct lls_pg_kv {
    lls_kv base;
    lls_pg_pool pool;
} lls_pg_kv;

extern const lls_kv_ops lls_pg_kv_ops;

/** From the port's struct to ours. */
lls_pg_kv *lls_pg_downcast(lls_kv *kv);

/** Begin the parameters of a table's statement: tenant and collection. */
lls_pg_params lls_pg_space_params(lls_kv_space space);

/**
 * The advisory lock of one tenant's collection, the same in every process: writers share it, and
 * publishing a stage takes it alone.
 */
int64_t lls_pg_space_lock(lls_kv_space space);

/** Append the locks of these collections as an array parameter, sorted, so that nobody deadlocks.
 */
lls_err lls_pg_locks(lls_str tenant, const lls_str *colls, size_t count, lls_buf *out,
                     lls_error *err) LLS_CHECKED;

/* Each in the file of its name. */
lls_err lls_pg_apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err);

/* facts.c */
lls_err lls_pg_facts(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err);
lls_err lls_pg_check(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err);
lls_err lls_pg_ready(lls_backend *backend, uint64_t bytes_to_come, lls_error *err);

#endif
