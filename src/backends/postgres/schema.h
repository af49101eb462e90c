/**
 * schema.h - the schema's steps: SQL files that are built in, applied in the order of their
 * numbers, each in a transaction with its row in llmspell.schema_history.
 */
#ifndef LLS_BACKENDS_POSTGRES_SCHEMA_H
#define LLS_BACKENDS_POSTGRES_SCHEMA_H

#include "backends/postgres/connection.h"
#include "ports/backend.h"

/** As lls_schema_ops.status and .apply. */
lls_err lls_pg_schema_status(lls_pg_connection *connection, lls_schema_fn each, void *user,
                             lls_error *err) LLS_CHECKED;
lls_err lls_pg_schema_apply(lls_pg_connection *connection, lls_schema_fn each, void *user,
                            lls_error *err) LLS_CHECKED;

/** The step up to which all were applied; 0 when there is none that this login can see. */
uint32_t lls_pg_schema_version(lls_pg_connection *connection);

/** The highest step that this build has. */
uint32_t lls_pg_schema_newest(void);

/** Replace `why`, which says that something of the schema is missing, by what to do about it. */
lls_err lls_pg_schema_explain(lls_pg_connection *connection, lls_error *why);

#endif
