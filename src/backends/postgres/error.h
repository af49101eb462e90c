/**
 * error.h - what an SQLSTATE means to a caller of this library.
 *
 * Only the primary message of the server is kept: details can hold the values of a row.
 */
#ifndef LLS_BACKENDS_POSTGRES_ERROR_H
#define LLS_BACKENDS_POSTGRES_ERROR_H

#include <llmspell/bytes.h>

#include <libpq-fe.h>

/* Ours, raised by llmspell.require, llmspell_stage.fill and llmspell.vector_space. */
#define LLS_PG_EXISTS "LS406"
#define LLS_PG_CONFLICT "LS409"
#define LLS_PG_NO_STAGE "LS404"
#define LLS_PG_MISMATCH "LS412"

/** The code for a five-letter SQLSTATE; LLS_E_INTERNAL for one that nobody foresaw. */
lls_err lls_pg_code(const char *sqlstate);

/** Record the failure that `result` holds. */
lls_err lls_pg_fail(const PGresult *result, lls_error *err);

/** Record why `pg` is not or no longer connected. */
lls_err lls_pg_fail_connection(const PGconn *pg, lls_error *err);

/** Whether `err` carries this SQLSTATE. */
bool lls_pg_is(const lls_error *err, const char *sqlstate);

/** Whether it says that tables, functions or the role of the schema are not there. */
bool lls_pg_schema_is_missing(const lls_error *err);

/** LLS_E_UNSUPPORTED for a server older than 14; `version` is as PQserverVersion gives it. */
lls_err lls_pg_check_version(int version, lls_error *err) LLS_CHECKED;

#endif
