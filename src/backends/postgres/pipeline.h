/**
 * pipeline.h - several statements in one round trip (libpq's pipeline mode).
 *
 * Statements are sent as they are added; their results are read by `finish`. After the first
 * failure the server skips the rest.
 */
#ifndef LLS_BACKENDS_POSTGRES_PIPELINE_H
#define LLS_BACKENDS_POSTGRES_PIPELINE_H

#include "backends/postgres/pool.h"
#include "backends/postgres/value.h"

enum { LLS_PG_NO_TAG = -1 };

typedef struct lls_pg_pipeline {
    lls_pg_pool *pool;
    lls_pg_connection *connection;
    lls_buf expected; /* an lls_pg_expected for each thing sent */
    size_t unsent;    /* bytes added since the last flush, about */
    int failed_tag;   /* after finish: of the statement that failed; LLS_PG_NO_TAG for none */
} lls_pg_pipeline;

/** Told the result of each statement that has a tag. */
typedef lls_err (*lls_pg_each_fn)(void *user, int tag, const PGresult *result, lls_error *err);

/** Enter pipeline mode on an idle connection. Ends with lls_pg_pipeline_fini, always. */
lls_err lls_pg_pipeline_begin(lls_pg_pipeline *pipeline, lls_pg_pool *pool,
                              lls_pg_connection *connection, lls_error *err) LLS_CHECKED;
void lls_pg_pipeline_fini(lls_pg_pipeline *pipeline);

/** Send a statement of table.h. `params` may be NULL; what it borrows is free again on return. */
lls_err lls_pg_pipeline_add(lls_pg_pipeline *pipeline, int statement, const lls_pg_params *params,
                            int tag, lls_error *err) LLS_CHECKED;

/**
 * Give the server a statement of its own text, then execute it, as often as wanted, with nothing
 * else between. Its parameters' types are what its casts say.
 */
lls_err lls_pg_pipeline_parse(lls_pg_pipeline *pipeline, const char *sql,
                              lls_error *err) LLS_CHECKED;
lls_err lls_pg_pipeline_bind(lls_pg_pipeline *pipeline, const lls_pg_params *params, int tag,
                             lls_error *err) LLS_CHECKED;

/** The same for once. */
lls_err lls_pg_pipeline_sql(lls_pg_pipeline *pipeline, const char *sql, const lls_pg_params *params,
                            int tag, lls_error *err) LLS_CHECKED;

/** Ask the server to answer what it has done so far, before the end. */
lls_err lls_pg_pipeline_ask(lls_pg_pipeline *pipeline, lls_error *err) LLS_CHECKED;

/** Send the rest, read all results and leave pipeline mode. `each` may be NULL. */
lls_err lls_pg_pipeline_finish(lls_pg_pipeline *pipeline, lls_pg_each_fn each, void *user,
                               lls_error *err) LLS_CHECKED;

/** Add the statement that sets tenant, role and limits for this transaction. */
lls_err lls_pg_pipeline_enter(lls_pg_pipeline *pipeline, lls_str tenant,
                              lls_error *err) LLS_CHECKED;

static inline void lls_pg_pipeline_auto(lls_pg_pipeline *pipeline)
{
    lls_pg_pipeline_fini(pipeline);
}

#endif
