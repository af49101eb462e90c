/*
 * The backend for PostgreSQL 14 or newer: options, open and close. Nothing depends on the session:
 * every transaction says who it is, so a pooler between us and the server does no harm.
 */
#include "backends/postgres/schema.h"
#include "backends/postgres/vec.h"
#include "base/alloc.h"
#include "base/scope.h"

extern const lls_backend_def lls_backend_postgres;

#define DAY_MS 86400000

static const lls_option options[] = {
    LLS_OPTION(lls_pg_conf, connection, LLS_OPT_CONNINFO, "",
               "connection URI or string of libpq; empty: its environment variables", ),
    LLS_OPTION(lls_pg_conf, role, LLS_OPT_TEXT, "llmspell_app",
               "role that every transaction works as; empty: the login's own", ),
    LLS_OPTION(lls_pg_conf, pool_size, LLS_OPT_COUNT, "8", "most connections at once", .min = 1,
               .max = 100),
    LLS_OPTION(lls_pg_conf, connect_timeout, LLS_OPT_DURATION, "5s",
               "longest wait for a connection, new or free", .min = 100, .max = DAY_MS),
    LLS_OPTION(lls_pg_conf, statement_timeout, LLS_OPT_DURATION, "0",
               "longest time of one statement; 0: what the server says", .max = DAY_MS),
    LLS_OPTION(lls_pg_conf, lock_timeout, LLS_OPT_DURATION, "30s",
               "longest wait for another transaction; 0: for ever", .max = DAY_MS),
    LLS_OPTION(lls_pg_conf, idle_timeout, LLS_OPT_DURATION, "5m",
               "connections that idled for longer are replaced; 0: never", .max = DAY_MS),
    LLS_OPTION(lls_pg_conf, prepared_statements, LLS_OPT_BOOL, "true",
               "prepare statements by name, as long as that works", ),
    {0},
};

static lls_pg_backend *downcast(lls_backend *backend)
{
    return LLS_OUTER(backend, lls_pg_backend, base);
}

static void pg_close(lls_backend *backend)
{
    lls_pg_backend *pg = downcast(backend);

    lls_pg_pool_fini(&pg->kv.pool);
    lls_free(pg);
}

/* One connection at once: what is wrong with address, login or server is best said here. */
static lls_err connect_once(lls_pg_pool *pool, lls_error *err)
{
    lls_pg_connection *connection = NULL;

    LLS_TRY(lls_pg_acquire(pool, &connection, err));
    lls_pg_release(pool, connection);
    return LLS_OK;
}

static lls_err pg_open(const void *conf, const lls_backend_params *params, lls_backend **out,
                       lls_error *err)
{
    lls_pg_backend *pg = lls_alloc(sizeof(*pg));
    if (!pg)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");

    lls_err e = lls_pg_pool_init(&pg->kv.pool, conf, err);
    if (e != LLS_OK) {
        lls_free(pg);
        return e;
    }
    pg->kv.base.ops = &lls_pg_kv_ops;
    pg->kv.pool.read_only = params->access == LLS_READ_ONLY;
    pg->base.kv = &pg->kv.base;
    lls_pg_vec_init(&pg->vec, &pg->kv.pool);
    pg->base.vec = &pg->vec.base;
    e = connect_once(&pg->kv.pool, err);
    if (e != LLS_OK) {
        pg_close(&pg->base);
        return e;
    }
    *out = &pg->base;
    return LLS_OK;
}

/* The schema's owner works as itself, so these take a connection and set no role. */
static lls_err pg_schema_status(lls_backend *backend, lls_schema_fn each, void *user,
                                lls_error *err)
{
    lls_pg_pool *pool = &downcast(backend)->kv.pool;
    lls_pg_connection *connection = NULL;

    LLS_TRY(lls_pg_acquire(pool, &connection, err));
    lls_err e = lls_pg_schema_status(connection, each, user, err);
    lls_pg_release(pool, connection);
    return e;
}

static lls_err pg_schema_apply(lls_backend *backend, lls_schema_fn each, void *user, lls_error *err)
{
    lls_pg_pool *pool = &downcast(backend)->kv.pool;
    lls_pg_connection *connection = NULL;

    if (pool->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    LLS_TRY(lls_pg_acquire(pool, &connection, err));
    lls_err e = lls_pg_schema_apply(connection, each, user, err);
    lls_pg_release(pool, connection);
    return e;
}

static const lls_schema_ops schema_ops = {.status = pg_schema_status, .apply = pg_schema_apply};

const lls_backend_def lls_backend_postgres = {
    .name = "postgres",
    .summary = "PostgreSQL 14 or newer: many processes and hosts, row-level security per tenant",
    .options = options,
    .conf_size = sizeof(lls_pg_conf),
    .ports = LLS_HAS(LLS_PORT_KV) | LLS_HAS(LLS_PORT_VEC),
    .characteristics = {.persistent = true,
                        .transactional = true,
                        .prefix_scan = true,
                        .atomic_ops = true,
                        .multi_process = true,
                        .read_usec = 100,
                        .write_usec = 500},
    .open = pg_open,
    .close = pg_close,
    .facts = lls_pg_facts,
    .check = lls_pg_check,
    .ready = lls_pg_ready,
    .schema = &schema_ops,
};
