/**
 * vec_where.h - a filter as conditions of SQL over the alias r of llmspell.vector_embeddings.
 *
 * Scopes, times and expiry are decided by the server. What a filter says about metadata is only
 * narrowed down there, by facets and ordered values (vec_derived.h): a row that comes back may
 * still not match, and `recheck` says that lls_filter_match has to be asked.
 */
#ifndef LLS_BACKENDS_POSTGRES_VEC_WHERE_H
#define LLS_BACKENDS_POSTGRES_VEC_WHERE_H

#include "backends/postgres/value.h"
#include "backends/postgres/vec_derived.h"

enum { LLS_PG_TERMS_MAX = 10 /* conditions that are sent; the others are left to the recheck */ };

/** Zero is empty. What parameters point at lives here until they were sent. */
typedef struct lls_pg_where {
    lls_buf sql;                              /* " AND …", or empty */
    lls_buf arrays[LLS_PG_TERMS_MAX * 3 + 1]; /* of parameters */
    size_t used;
    char names[LLS_PG_TERMS_MAX][17]; /* of ordered values, so many of them: */
    size_t named;
    bool recheck;
    lls_buf groups; /* for llmspell.vector_having: the facets asked for, as int64_t */
    lls_buf sizes;  /* how many each group has, as int64_t */
} lls_pg_where;

/** Write the conditions and add their parameters. `filter` NULL: what has not expired. */
lls_err lls_pg_where_make(lls_pg_where *where, lls_kv_space coll, const lls_filter *filter,
                          int64_t now_usec, lls_pg_params *params, lls_error *err) LLS_CHECKED;

void lls_pg_where_fini(lls_pg_where *where);
static inline void lls_pg_where_auto(lls_pg_where *where)
{
    lls_pg_where_fini(where);
}

#endif
