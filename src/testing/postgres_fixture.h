/**
 * postgres_fixture.h - for tests of the postgres backend: a private server, backends open on it,
 * and SQL that goes around the backend. Header only, so that nothing else needs libpq.
 */
#ifndef LLS_TESTING_POSTGRES_FIXTURE_H
#define LLS_TESTING_POSTGRES_FIXTURE_H

#include "base/scope.h"
#include "ports/backend.h"
#include "ports/stage.h"
#include "testing/check.h"
#include "testing/private_postgres.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>

/** Open a backend with a connection string and one more option (or NULLs). */
static inline lls_err fixture_try_open(const char *connection, const char *name, const char *value,
                                       lls_backend **out, lls_error *err)
{
    lls_setting settings[] = {{"connection", connection, "test"}, {name, value, "test"}};

    return lls_backend_open(LLS_STR("postgres"), settings, name ? 2 : 1, NULL, out, err);
}

static inline lls_backend *fixture_open(const char *connection, const char *name, const char *value)
{
    lls_error err = {0};
    lls_backend *backend = NULL;

    assert_ok(fixture_try_open(connection, name, value, &backend, &err), err);
    return backend;
}

static inline void fixture_apply_schema(const char *connection)
{
    lls_error err = {0};
    lls_backend *backend = fixture_open(connection, NULL, NULL);

    assert_ok(backend->def->schema->apply(backend, NULL, NULL, &err), err);
    lls_backend_close(backend);
}

/** Start a server, which has the schema. `options` may be NULL. */
static inline void fixture_start_server(lls_private_postgres *server,
                                        const lls_private_postgres_options *options)
{
    lls_error err = {0};

    assert_ok(lls_private_postgres_start(server, options, &err), err);
    fixture_apply_schema(server->connection);
}

/** The server's connection string with other words behind it, which win. */
static inline const char *fixture_connection(const lls_private_postgres *server, const char *more)
{
    static char text[512];

    (void)snprintf(text, sizeof(text), "%s %s", server->connection, more);
    return text;
}

/**
 * Run statements; the first field of the last one's first row, or "ERROR <sqlstate>", or "".
 * The text is good until the next call.
 */
static inline const char *fixture_sql(const char *connection, const char *sql)
{
    static char text[512];
    PGconn *pg = PQconnectdb(connection);
    PGresult *result = PQexec(pg, sql);

    if (PQresultStatus(result) == PGRES_TUPLES_OK && PQntuples(result) > 0)
        (void)snprintf(text, sizeof(text), "%s", PQgetvalue(result, 0, 0));
    else if (PQresultStatus(result) == PGRES_FATAL_ERROR)
        (void)snprintf(text, sizeof(text), "ERROR %s",
                       PQresultErrorField(result, PG_DIAG_SQLSTATE)
                           ? PQresultErrorField(result, PG_DIAG_SQLSTATE)
                           : PQerrorMessage(pg));
    else
        text[0] = '\0';
    PQclear(result);
    PQfinish(pg);
    return text;
}

static inline lls_err fixture_put(lls_kv *kv, const char *tenant, const char *coll, const char *key,
                                  const char *value, lls_error *err)
{
    lls_kv_space space = {lls_str_of(tenant), lls_str_of(coll)};

    return lls_kv_put(kv, space, lls_bytes_of(lls_str_of(key)), lls_bytes_of(lls_str_of(value)),
                      err);
}

/** A test program without a server is skipped. */
static inline void fixture_need_server(void)
{
    if (!lls_private_postgres_is_possible()) {
        (void)puts("no PostgreSQL server is installed: skipped");
        exit(77);
    }
}

#endif
