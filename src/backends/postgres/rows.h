/**
 * rows.h - the rows of one SELECT, read one by one as they come: what runs ahead of the reader is
 * in the socket's buffers, whatever the table's size.
 */
#ifndef LLS_BACKENDS_POSTGRES_ROWS_H
#define LLS_BACKENDS_POSTGRES_ROWS_H

#include "backends/postgres/connection.h"
#include "backends/postgres/value.h"

/** Zero is closed. */
typedef struct lls_pg_rows {
    lls_pg_connection *connection; /* not owned */
    PGresult *row;                 /* what views point into; owned */
    bool is_done;
} lls_pg_rows;

/**
 * Send a SELECT on an idle connection. Not prepared: planned for these parameters, and a long
 * answer pays for it. Texts are the types of the first two parameters; the SQL casts the others.
 */
lls_err lls_pg_rows_send(lls_pg_rows *rows, lls_pg_connection *connection, const char *sql,
                         const lls_pg_params *params, lls_error *err) LLS_CHECKED;

/** The next row into `row`, where it stays until the next call; LLS_END after the last. */
lls_err lls_pg_rows_next(lls_pg_rows *rows, lls_error *err) LLS_CHECKED;

/** Read what is left, so that the connection can be used again in its transaction. */
void lls_pg_rows_finish(lls_pg_rows *rows);

/** Free the row at hand. The connection is in the middle of it, unless the rows were finished. */
void lls_pg_rows_fini(lls_pg_rows *rows);

static inline void lls_pg_rows_auto(lls_pg_rows *rows)
{
    lls_pg_rows_fini(rows);
}

#endif
