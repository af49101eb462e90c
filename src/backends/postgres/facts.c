/* What `info`, `validate` and a migration's preflight want to know about the server. */
#include "backends/postgres/error.h"
#include "backends/postgres/schema.h"
#include "backends/postgres/vec.h"
#include "base/scope.h"

#include <stdlib.h>

static lls_pg_pool *pool_of(lls_backend *backend)
{
    return &LLS_OUTER(backend, lls_pg_backend, base)->kv.pool;
}

/* All that the server can say about itself; a column's name is the fact's. */
static const char facts_sql[] =
    "SELECT split_part(current_setting('server_version'), ' ', 1) AS \"server version\","
    " current_database() AS \"database\","
    " session_user AS \"login\","
    " coalesce((SELECT version || ', ' || cipher FROM pg_catalog.pg_stat_ssl"
    " WHERE pid = pg_backend_pid() AND ssl), 'off') AS \"tls\","
    " pg_size_pretty(pg_database_size(current_database())) AS \"database size\"";

/* Per table of ours that is there: does row-level security bind everybody, the owner too? */
static const char tables_sql[] =
    "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (SELECT FROM"
    " pg_catalog.pg_policy AS p WHERE p.polrelid = c.oid)"
    " FROM pg_catalog.pg_class AS c WHERE c.relnamespace = to_regnamespace('llmspell')"
    " AND c.relname = $1 AND c.relkind IN ('r', 'p')";

/* The tables of vectors: one a dimension. vector_terms has no policy at all: the owner alone. */
static const char vector_tables_sql[] =
    "SELECT c.relname FROM pg_catalog.pg_class AS c"
    " WHERE c.relnamespace = to_regnamespace('llmspell') AND c.relkind = 'r'"
    " AND c.relname ~ '^vector_' AND NOT (c.relrowsecurity AND (c.relname = 'vector_terms'"
    " OR (c.relforcerowsecurity AND EXISTS (SELECT FROM pg_catalog.pg_policy AS p"
    " WHERE p.polrelid = c.oid)))) ORDER BY 1";

/* What nearness is searched with, and what could be had. */
static const char vectors_sql[] =
    "SELECT CASE WHEN c.extversion IS NOT NULL THEN 'VectorChord ' || c.extversion || ', '"
    " ELSE '' END || CASE WHEN v.extversion IS NOT NULL THEN 'pgvector ' || v.extversion"
    " WHEN EXISTS (SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'vector')"
    " THEN 'float4[], compared one by one; pgvector is installed:"
    " CREATE EXTENSION vector, then apply the schema again'"
    " ELSE 'float4[], compared one by one; pgvector is not installed' END"
    " FROM (SELECT 1) AS one"
    " LEFT JOIN pg_catalog.pg_extension AS v ON v.extname = 'vector'"
    " LEFT JOIN pg_catalog.pg_extension AS c ON c.extname = 'vchord'";

static lls_err check_vector_tables(lls_pg_connection *connection, lls_fact_fn each, void *user,
                                   int *wrong, lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) rows = NULL;

    LLS_TRY(lls_pg_query(connection, vector_tables_sql, 0, NULL, &rows, err));
    *wrong += PQntuples(rows);
    for (int i = 0; each && i < PQntuples(rows); i++) {
        LLS_AUTO(lls_buf) text = {0};
        lls_buf_printf(&text, "llmspell.%s does not bind every login", PQgetvalue(rows, i, 0));
        each(user, "row-level security", lls_buf_cstr(&text));
    }
    return LLS_OK;
}

/* Tell which tables lack what; with `each` NULL only count them. */
static lls_err check_tables(lls_pg_connection *connection, lls_fact_fn each, void *user, int *wrong,
                            lls_error *err)
{
    for (int i = 0; i < LLS_PG_TABLES; i++) {
        LLS_AUTO(lls_pg_result_ref) rows = NULL;
        LLS_AUTO(lls_buf) text = {0};
        const char *name = lls_pg_table_name(i);

        LLS_TRY(lls_pg_query(connection, tables_sql, 1, &name, &rows, err));
        if (PQntuples(rows) == 1 && PQgetvalue(rows, 0, 1)[0] == 't')
            continue;
        *wrong += 1;
        if (!each)
            continue;
        lls_buf_printf(&text, "llmspell.%s %s", name,
                       PQntuples(rows) == 0 ? "is missing" : "does not bind every login");
        each(user, PQntuples(rows) == 0 ? "table" : "row-level security", lls_buf_cstr(&text));
    }
    return check_vector_tables(connection, each, user, wrong, err);
}

static lls_err tell_facts(lls_pg_pool *pool, lls_pg_connection *connection, lls_fact_fn each,
                          void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) rows = NULL;
    LLS_AUTO(lls_pg_result_ref) vectors = NULL;
    LLS_AUTO(lls_buf) schema = {0};
    LLS_AUTO(lls_buf) connections = {0};
    int wrong = 0;

    LLS_TRY(lls_pg_query(connection, facts_sql, 0, NULL, &rows, err));
    for (int i = 0; i < PQnfields(rows); i++)
        each(user, PQfname(rows, i), PQgetvalue(rows, 0, i));
    each(user, "role", pool->conf.role[0] ? pool->conf.role : "that of the login");
    lls_buf_printf(&schema, "V%u of V%u", lls_pg_schema_version(connection),
                   lls_pg_schema_newest());
    each(user, "schema", lls_buf_cstr(&schema));
    LLS_TRY(check_tables(connection, NULL, NULL, &wrong, err));
    each(user, "row-level security", wrong ? "not on every table" : "forced on every table");
    LLS_TRY(lls_pg_query(connection, vectors_sql, 0, NULL, &vectors, err));
    each(user, "vectors", PQgetvalue(vectors, 0, 0));
    lls_buf_printf(&connections, "at most %llu", (unsigned long long)pool->conf.pool_size);
    each(user, "connections", lls_buf_cstr(&connections));
    each(user, "prepared statements", atomic_load(&pool->unnamed) ? "no" : "yes");
    return LLS_OK;
}

lls_err lls_pg_facts(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err)
{
    lls_pg_pool *pool = pool_of(backend);
    lls_pg_connection *connection = NULL;

    LLS_TRY(lls_pg_acquire(pool, &connection, err));
    lls_err e = tell_facts(pool, connection, each, user, err);
    lls_pg_release(pool, connection);
    return e;
}

/* Tells each step of the schema that is not as it should be. */
typedef struct listener {
    lls_fact_fn each;
    void *user;
} listener;

static lls_err tell_bad_step(void *user, const lls_schema_step *step, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};
    const listener *l = user;
    (void)err;

    if (strcmp(step->state, "applied") == 0)
        return LLS_OK;
    lls_buf_printf(&text, "step V%u '%s' is %s", step->number, step->name, step->state);
    l->each(l->user, "schema", lls_buf_cstr(&text));
    return LLS_OK;
}

/* The role that every transaction works as must be one that row-level security binds. */
static lls_err check_role(lls_pg_pool *pool, lls_pg_connection *connection, lls_fact_fn each,
                          void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) rows = NULL;
    LLS_AUTO(lls_buf) text = {0};
    const char *role = pool->conf.role[0] ? pool->conf.role : NULL;

    LLS_TRY(lls_pg_query(connection,
                         "SELECT rolname, rolsuper OR rolbypassrls FROM pg_catalog.pg_roles"
                         " WHERE rolname = coalesce($1, session_user)",
                         1, &role, &rows, err));
    if (PQntuples(rows) == 1 && PQgetvalue(rows, 0, 1)[0] == 'f')
        return LLS_OK;
    if (PQntuples(rows) == 0)
        lls_buf_printf(&text, "role '%s' does not exist", role ? role : "");
    else
        lls_buf_printf(&text, "role '%s' is not bound by row-level security",
                       PQgetvalue(rows, 0, 0));
    each(user, "role", lls_buf_cstr(&text));
    return LLS_OK;
}

lls_err lls_pg_check(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err)
{
    lls_pg_pool *pool = pool_of(backend);
    lls_pg_connection *connection = NULL;
    listener l = {each, user};
    int wrong = 0;

    LLS_TRY(lls_pg_acquire(pool, &connection, err));
    lls_err e = lls_pg_schema_status(connection, tell_bad_step, &l, err);
    if (e == LLS_OK)
        e = check_tables(connection, each, user, &wrong, err);
    if (e == LLS_OK)
        e = check_role(pool, connection, each, user, err);
    lls_pg_release(pool, connection);
    return e;
}

/* Preflight stops at the first step that is not applied as this build has it. */
static lls_err refuse_bad_step(void *user, const lls_schema_step *step, lls_error *err)
{
    lls_pg_connection *connection = user;

    if (strcmp(step->state, "applied") == 0)
        return LLS_OK;
    if (strcmp(step->state, "pending") == 0) {
        lls_err e = lls_fail(err, LLS_E_UNAVAILABLE,
                             "the schema is at V%u, this build needs V%u: run"
                             " 'llmspell storage schema apply'",
                             lls_pg_schema_version(connection), lls_pg_schema_newest());
        if (err) // what a statement would be told: 3F000, there is no such schema
            memcpy(err->sqlstate, "3F000", sizeof(err->sqlstate));
        return e;
    }
    return lls_fail(err, strcmp(step->state, "unknown") == 0 ? LLS_E_NEWER : LLS_E_MISMATCH,
                    "schema step V%u '%s' is %s", step->number, step->name, step->state);
}

/* May we become the role, and may the role do what is needed? */
static lls_err check_privileges(lls_pg_pool *pool, lls_pg_connection *connection, lls_error *err)
{
    LLS_AUTO(lls_buf) sql = {0};
    LLS_AUTO(lls_pg_result_ref) rows = NULL;
    const char *become = pool->statements.all[lls_pg_common_statement(LLS_PG_BECOME)].sql;

    lls_buf_printf(&sql, "BEGIN; %s", become);
    LLS_TRY(lls_buf_status(&sql, err));
    LLS_TRY(lls_pg_command(connection, lls_buf_cstr(&sql), err));
    const char *wanted = pool->read_only ? "SELECT" : "SELECT,INSERT,UPDATE,DELETE";
    // Three tables of the vectors are written to by functions of the schema alone.
    LLS_TRY(lls_pg_query(
        connection,
        "SELECT c.relname, p FROM pg_catalog.pg_class AS c, unnest(string_to_array($1, ',')) AS p"
        " WHERE c.relnamespace = to_regnamespace('llmspell') AND c.relrowsecurity"
        " AND c.relname NOT IN ('vector_embeddings', 'vector_spaces', 'vector_terms')"
        " AND NOT has_table_privilege(c.oid, p) LIMIT 1",
        1, &wanted, &rows, err));
    if (PQntuples(rows) > 0)
        return lls_fail(err, LLS_E_DENIED, "role '%s' may not %s llmspell.%s",
                        pool->conf.role[0] ? pool->conf.role : PQuser(connection->pg),
                        PQgetvalue(rows, 0, 1), PQgetvalue(rows, 0, 0));
    return LLS_OK;
}

/* How much room a server has cannot be asked in SQL: a full disk shows in the copy, as 53100. */
lls_err lls_pg_ready(lls_backend *backend, uint64_t bytes_to_come, lls_error *err)
{
    lls_pg_pool *pool = pool_of(backend);
    lls_pg_connection *connection = NULL;
    (void)bytes_to_come;

    LLS_TRY(lls_pg_acquire(pool, &connection, err));
    lls_err e = lls_pg_schema_status(connection, refuse_bad_step, connection, err);
    if (e == LLS_OK)
        e = check_privileges(pool, connection, err);
    lls_pg_release(pool, connection);
    return e;
}
