/**
 * stage.h - stages of either port: what differs is which functions of the schema are called, and
 * how rows go in and come out.
 */
#ifndef LLS_BACKENDS_POSTGRES_STAGE_H
#define LLS_BACKENDS_POSTGRES_STAGE_H

#include "backends/postgres/copy.h"
#include "backends/postgres/scan.h"

typedef struct lls_pg_stage_kind {
    lls_pg_common open;
    lls_pg_common last;
    lls_pg_common fill;
    lls_pg_common publish;
    lls_pg_common discard;
    lls_pg_common is_published;
    const lls_pg_copy_kind *copy;
    const lls_pg_scan_kind *scan;
    size_t state_size; /* of `copy` */
    void (*state_fini)(void *state);
} lls_pg_stage_kind;

extern const lls_pg_stage_kind lls_pg_kv_stage;  /* stage.c */
extern const lls_pg_stage_kind lls_pg_vec_stage; /* vec_copy.c */

/* For lls_kv_ops.stage and stage_discard. */
lls_err lls_pg_stage_open(const lls_pg_stage_kind *kind, lls_pg_pool *pool,
                          const lls_stage_spec *spec, lls_kv_stage **out,
                          lls_error *err) LLS_CHECKED;
lls_err lls_pg_stage_discard(const lls_pg_stage_kind *kind, lls_pg_pool *pool, lls_str tenant,
                             lls_str run, lls_error *err) LLS_CHECKED;

#endif
