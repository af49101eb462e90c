/**
 * copy.h - COPY … FROM STDIN in binary, kept open while rows are added: one transaction from
 * begin to finish.
 */
#ifndef LLS_BACKENDS_POSTGRES_COPY_H
#define LLS_BACKENDS_POSTGRES_COPY_H

#include "backends/postgres/pool.h"
#include "ports/kv.h"

/** What is copied, and where to. */
typedef struct lls_pg_copy_kind {
    const char *table;   /* of llmspell_stage, without the number of the stage */
    const char *columns; /* "key, value, …" */

    /** Append the fields of a row, with their number in front. */
    lls_err (*add_row)(void *state, lls_kv_space space, const lls_kv_item *item, lls_buf *out,
                       lls_error *err);
} lls_pg_copy_kind;

extern const lls_pg_copy_kind lls_pg_kv_copy;  /* copy.c */
extern const lls_pg_copy_kind lls_pg_vec_copy; /* vec_copy.c */

/** Zero is closed. */
typedef struct lls_pg_copy {
    const lls_pg_copy_kind *kind;
    void *state;                   /* of the kind; not owned */
    lls_kv_space space;            /* that the rows belong to; views */
    lls_pg_connection *connection; /* NULL: no COPY is open */
    lls_buf rows;                  /* rows that libpq does not have yet; owned */
    size_t queued;                 /* bytes that libpq may not have sent yet */
    size_t bytes;                  /* since the begin, as is the next */
    size_t count;
} lls_pg_copy;

/** Begin a COPY into the staging table `id`: kind, state and space are set. */
lls_err lls_pg_copy_begin(lls_pg_copy *copy, lls_pg_pool *pool, int64_t id,
                          lls_error *err) LLS_CHECKED;

/** Add rows. After a failure the COPY is closed, and what it brought is gone. */
lls_err lls_pg_copy_add(lls_pg_copy *copy, lls_pg_pool *pool, const lls_kv_item *items,
                        size_t count, lls_error *err) LLS_CHECKED;

/** Whether it has taken enough that a crash should not cost it. */
bool lls_pg_copy_is_full(const lls_pg_copy *copy);

/** Commit. Nothing open is fine. */
lls_err lls_pg_copy_finish(lls_pg_copy *copy, lls_pg_pool *pool, lls_error *err) LLS_CHECKED;

/** Roll back. Nothing open is fine. */
void lls_pg_copy_abandon(lls_pg_copy *copy, lls_pg_pool *pool);

#endif
