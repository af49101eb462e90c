/**
 * vec_select.h - one SELECT over vector records, its rows read as they come, those left out that
 * the filter does not mean.
 */
#ifndef LLS_BACKENDS_POSTGRES_VEC_SELECT_H
#define LLS_BACKENDS_POSTGRES_VEC_SELECT_H

#include "backends/postgres/vec.h"

/** A SELECT. Zero asks for the ids of everything that has not expired, in no order. */
typedef struct lls_pg_select {
    lls_kv_space coll;
    int64_t now_usec;
    bool everything;            /* expired records too; `filter` is not looked at */
    const lls_filter *filter;   /* may be NULL */
    unsigned fields;            /* LLS_VEC_…, of the items that `each` is given */
    const lls_pg_vec_space *in; /* only the records of this space, with their embedding as `r` */
    const char *more;           /* further columns, with a comma in front; NULL: none */
    const char *join;           /* behind FROM … AS r; NULL: nothing */

    /** Add parameters from $3 on that `join` and `more` use. May be NULL. */
    lls_err (*bind)(void *user, lls_pg_params *params, lls_error *err);

    /**
     * Append further conditions, order and limit, and their parameters. May be NULL. `all_match`:
     * every row that comes back will be given to `each`, so that a limit can be the server's.
     */
    lls_err (*end)(void *user, bool all_match, lls_pg_params *params, lls_buf *sql, lls_error *err);

    /** Told each record that matches. LLS_END: enough. */
    lls_err (*each)(void *user, const lls_vec_item *item, const PGresult *row, lls_error *err);
    void *user;
} lls_pg_select;

/**
 * Run it on a connection that is in a transaction of lls_pg_vec_begin_read. When `each` said that
 * it is enough, the connection is in the middle of the answer: it can only be released.
 */
lls_err lls_pg_select_on(const lls_pg_select *select, lls_pg_connection *connection,
                         const lls_pg_vec_spaces *spaces, lls_error *err) LLS_CHECKED;

/** The same on a connection of the pool. `restart` forgets what `each` kept of a try before. */
lls_err lls_pg_select_run(const lls_pg_select *select, lls_pg_pool *pool,
                          void (*restart)(void *user), lls_error *err) LLS_CHECKED;

#endif
