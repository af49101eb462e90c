/**
 * connection.h - one libpq connection that never blocks for longer than it was told.
 *
 * Everything is sent and received without blocking, with poll between: while a long batch goes
 * out, answers come in, so that the server never waits for us to read while we wait for it.
 */
#ifndef LLS_BACKENDS_POSTGRES_CONNECTION_H
#define LLS_BACKENDS_POSTGRES_CONNECTION_H

#include "backends/postgres/conf.h"

#include <llmspell/bytes.h>

#include <libpq-fe.h>

enum { LLS_PG_STATEMENTS_MAX = 128 };

typedef struct lls_pg_connection {
    PGconn *pg;
    uint64_t prepared[LLS_PG_STATEMENTS_MAX / 64]; /* a bit per statement of the pool's list */
    int64_t used_usec;                             /* monotonic, when it was last released */
} lls_pg_connection;

/**
 * Connect, within `conf->connect_timeout`; a server that is just starting is waited for.
 *
 * Errors: LLS_E_UNAVAILABLE, LLS_E_DENIED, LLS_E_UNSUPPORTED for an old server or another encoding
 * than UTF-8.
 */
lls_err lls_pg_connect(const lls_pg_conf *conf, lls_pg_connection **out,
                       lls_error *err) LLS_CHECKED;
void lls_pg_disconnect(lls_pg_connection *connection); /**< NULL is fine. */

/** Whether an idle connection is still there: nothing came in that would be its end. */
bool lls_pg_is_alive(lls_pg_connection *connection);

/** Whether libpq gave the connection up. */
bool lls_pg_is_lost(const lls_pg_connection *connection);

/**
 * Whether `err`, from using the connection, is the end of it: libpq gave it up, or the server said
 * farewell and has only not hung up yet.
 */
bool lls_pg_has_ended(const lls_pg_connection *connection, const lls_error *err);

/** Send everything that is queued, taking in answers meanwhile. */
lls_err lls_pg_flush(lls_pg_connection *connection, lls_error *err) LLS_CHECKED;

/** Wait for the next result; `*out` is NULL where PQgetResult gives NULL. The caller clears it. */
lls_err lls_pg_result(lls_pg_connection *connection, PGresult **out, lls_error *err) LLS_CHECKED;

/** Read results to the end and check that none is a failure. */
lls_err lls_pg_drain(lls_pg_connection *connection, lls_error *err) LLS_CHECKED;

/** Run `sql`, one or more statements without parameters, and drop what they give. */
lls_err lls_pg_command(lls_pg_connection *connection, const char *sql, lls_error *err);

/**
 * Run one statement with text parameters; `*out` holds its rows, as text.
 * For what is not on the hot path. The caller clears `*out`.
 */
lls_err lls_pg_query(lls_pg_connection *connection, const char *sql, int count,
                     const char *const *values, PGresult **out, lls_error *err) LLS_CHECKED;

/** Bring the connection out of whatever it is in: cancel, read to the end, roll back. */
lls_err lls_pg_reset(lls_pg_connection *connection, lls_error *err);

typedef PGresult *lls_pg_result_ref;
static inline void lls_pg_result_ref_auto(lls_pg_result_ref *result)
{
    PQclear(*result);
}

#endif
