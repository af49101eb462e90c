/**
 * bulk.h - which writes of a batch can go as one statement over arrays, and those arrays.
 *
 * Several PUTs, or several RESTOREs, of different keys in one collection, one after the other,
 * may be done in any order: so they are one INSERT over unnest(…).
 */
#ifndef LLS_BACKENDS_POSTGRES_BULK_H
#define LLS_BACKENDS_POSTGRES_BULK_H

#include "backends/postgres/value.h"

/** Remembers the keys of the present run, as hashes: two that collide only end a run early. */
typedef struct lls_pg_run_finder {
    uint64_t *seen; /* owned; 0 is an empty place */
    size_t places;  /* a power of two */
} lls_pg_run_finder;

lls_err lls_pg_run_finder_init(lls_pg_run_finder *finder, size_t count, lls_error *err) LLS_CHECKED;
void lls_pg_run_finder_fini(lls_pg_run_finder *finder);

/** How many writes from the first on can go together; at least 1. */
size_t lls_pg_run_length(lls_pg_run_finder *finder, const lls_kv_write *writes, size_t count);

/** The arrays of a run: one buffer a column, reused from run to run. */
typedef struct lls_pg_arrays {
    lls_buf columns[7];
} lls_pg_arrays;

/** Build the arrays of `count` PUTs or RESTOREs and add them to `params`, which has two already. */
lls_err lls_pg_arrays_fill(lls_pg_arrays *arrays, const lls_kv_write *writes, size_t count,
                           int64_t now_usec, lls_pg_params *params, lls_error *err) LLS_CHECKED;
void lls_pg_arrays_fini(lls_pg_arrays *arrays);

static inline void lls_pg_run_finder_auto(lls_pg_run_finder *finder)
{
    lls_pg_run_finder_fini(finder);
}

static inline void lls_pg_arrays_auto(lls_pg_arrays *arrays)
{
    lls_pg_arrays_fini(arrays);
}

#endif
