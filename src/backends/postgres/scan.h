/**
 * scan.h - scans in key order, whatever the rows are made of.
 */
#ifndef LLS_BACKENDS_POSTGRES_SCAN_H
#define LLS_BACKENDS_POSTGRES_SCAN_H

#include "backends/postgres/kv.h"
#include "backends/postgres/rows.h"

/** How rows are asked for, and become items. `state` is zeroed room of `state_size` bytes. */
typedef struct lls_pg_scan_kind {
    size_t state_size;
    void (*fini)(void *state); /* NULL: nothing to do */

    /** Send the SELECT on an idle connection, in a transaction of the tenant. */
    lls_err (*send)(void *state, lls_pg_rows *rows, lls_pg_pool *pool,
                    lls_pg_connection *connection, lls_kv_space space, lls_kv_range range,
                    lls_error *err);

    /** Views of `item` live until the next call. */
    lls_err (*read)(void *state, const PGresult *row, lls_kv_item *item, lls_error *err);
} lls_pg_scan_kind;

extern const lls_pg_scan_kind lls_pg_kv_scan;  /* scan.c */
extern const lls_pg_scan_kind lls_pg_vec_scan; /* vec_scan.c */

/** For lls_kv_ops.scan. */
lls_err lls_pg_scan_open(const lls_pg_scan_kind *kind, lls_pg_pool *pool, lls_kv_space space,
                         lls_kv_range range, lls_kv_iter **out, lls_error *err) LLS_CHECKED;

/** Open a scan inside the transaction that `connection` is in. It is not released on close. */
lls_err lls_pg_scan_inside(const lls_pg_scan_kind *kind, lls_pg_pool *pool,
                           lls_pg_connection *connection, lls_kv_space space, bool *is_open,
                           lls_kv_iter **out, lls_error *err) LLS_CHECKED;

/** Append the first key behind all that begin with `prefix`; nothing when it is all 0xFF. */
void lls_pg_upper_bound(lls_bytes prefix, lls_buf *out);

#endif
