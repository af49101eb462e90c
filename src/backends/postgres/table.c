#include "backends/postgres/table.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/scope.h"

#include <assert.h>
#include <stdio.h>

/* The collections with a table of their own; the last one takes all others. */
static const char *const tables[] = {"agent_state", "agent_state_history", "workflow_state",
                                     "sessions", "kv_store"};

_Static_assert(LLS_COUNT(tables) == LLS_PG_TABLES, "one name a table");

enum { KV_STORE = LLS_PG_TABLES - 1 };

#define COLUMNS "key, value, value_raw, version, created_at, updated_at, expires_at"
#define IS_LIVE(now) "(expires_at IS NULL OR expires_at > " now ")"

/* What a PUT does to a row that is there: one that has expired counts as absent. */
#define RENEW                                                                                      \
    "value = excluded.value, value_raw = excluded.value_raw,"                                      \
    " version = CASE WHEN t.expires_at <= excluded.updated_at THEN 1 ELSE t.version + 1 END,"      \
    " created_at = CASE WHEN t.expires_at <= excluded.updated_at THEN excluded.created_at"         \
    " ELSE t.created_at END,"                                                                      \
    " updated_at = excluded.updated_at, expires_at = excluded.expires_at"

#define OVERWRITE                                                                                  \
    "value = excluded.value, value_raw = excluded.value_raw, version = excluded.version,"          \
    " created_at = excluded.created_at, updated_at = excluded.updated_at,"                         \
    " expires_at = excluded.expires_at"

#define INSERT "INSERT INTO {table} AS t ({columns}, " COLUMNS ") "

/*
 * {table}, {columns} and {values} are the table's; {space} is the condition on tenant and
 * collection. Single writes take $3 key, $4 value, $5 value_raw, $6 now, $7 expires_at,
 * $8 version, $9 created_at, as far as they need them.
 *
 * The bulk statements cast text to json row by row: a json[] would be parsed in one memory context.
 */
static const char *const verbs[LLS_PG_VERBS] = {
    [LLS_PG_GET] = "SELECT " COLUMNS " FROM {table} WHERE {space} AND key = $3",
    [LLS_PG_SCAN] = "SELECT " COLUMNS " FROM {table} WHERE {space} AND key >= $3 AND key > $4"
                    " ORDER BY key",
    [LLS_PG_SCAN_TO] = "SELECT " COLUMNS " FROM {table} WHERE {space} AND key >= $3 AND key > $4"
                       " AND key < $5 ORDER BY key",
    [LLS_PG_PUT] = INSERT "VALUES ({values}, $3, $4, $5, 1, $6, $6, $7)"
                          " ON CONFLICT ({columns}, key) DO UPDATE SET " RENEW,
    [LLS_PG_CREATE] = "WITH w AS (" INSERT "VALUES ({values}, $3, $4, $5, 1, $6, $6, $7)"
                      " ON CONFLICT ({columns}, key) DO UPDATE SET " RENEW
                      " WHERE t.expires_at <= excluded.updated_at RETURNING 1)"
                      " SELECT llmspell.require(EXISTS (SELECT FROM w), 'LS406')",
    [LLS_PG_REPLACE] = "WITH w AS (UPDATE {table} SET value = $4, value_raw = $5,"
                       " version = version + 1, updated_at = $6, expires_at = $7"
                       " WHERE {space} AND key = $3 AND version = $8 AND " IS_LIVE(
                           "$6") " RETURNING 1)"
                                 " SELECT llmspell.require(EXISTS (SELECT FROM w), 'LS409')",
    [LLS_PG_DELETE] = "DELETE FROM {table} WHERE {space} AND key = $3",
    [LLS_PG_DELETE_VERSION] = "WITH w AS (DELETE FROM {table} WHERE {space} AND key = $3"
                              " AND version = $4 AND " IS_LIVE(
                                  "$5") " RETURNING 1)"
                                        " SELECT llmspell.require(EXISTS (SELECT FROM w), 'LS409')",
    [LLS_PG_SWEEP] = "DELETE FROM {table} WHERE {space} AND key = $3 AND expires_at <= $4",
    [LLS_PG_RESTORE] = INSERT "VALUES ({values}, $3, $4, $5, $8, $9, $6, $7)"
                              " ON CONFLICT ({columns}, key) DO UPDATE SET " OVERWRITE,
    [LLS_PG_PUT_MANY] = INSERT "SELECT {values}, k, v::json, r, 1, $6::timestamptz,"
                               " $6::timestamptz, x FROM unnest($3::bytea[], $4::text[],"
                               " $5::bytea[], $7::timestamptz[]) AS u (k, v, r, x)"
                               " ON CONFLICT ({columns}, key) DO UPDATE SET " RENEW,
    [LLS_PG_RESTORE_MANY] = INSERT "SELECT {values}, k, v::json, r, n, c, w, x"
                                   " FROM unnest($3::bytea[], $4::text[], $5::bytea[],"
                                   " $6::timestamptz[], $7::timestamptz[], $8::bigint[],"
                                   " $9::timestamptz[]) AS u (k, v, r, w, x, n, c)"
                                   " ON CONFLICT ({columns}, key) DO UPDATE SET " OVERWRITE,
    [LLS_PG_COUNT] = "SELECT count(*) FROM {table} WHERE {space} AND " IS_LIVE("$3"),
    [LLS_PG_STATS] = "SELECT (SELECT count(*) FROM {table} WHERE {space}),"
                     " pg_total_relation_size('{table}'::regclass)",
    [LLS_PG_CLEAR] = "DELETE FROM {table} WHERE {space}",
    [LLS_PG_WROTE] = "SELECT FROM {table} WHERE {space} AND key = $3"
                     " AND xmin::text::bigint = $4::bigint % 4294967296",
};

static const char *const commons[LLS_PG_COMMONS] = {
    [LLS_PG_BEGIN] = "BEGIN",
    [LLS_PG_BEGIN_READ] = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
    [LLS_PG_COMMIT] = "COMMIT",
    [LLS_PG_ENTER] = "", // these two are written for the options, below
    [LLS_PG_BECOME] = "",
    [LLS_PG_IN_ORDER] = "SELECT set_config('enable_sort', 'off', true),"
                        " set_config('jit', 'off', true)",
    [LLS_PG_LOCK_SHARED] = "SELECT pg_current_xact_id()::text::bigint,"
                           " count(pg_advisory_xact_lock_shared(k)) FROM unnest($1::bigint[]) AS k",
    [LLS_PG_LOCK_EXCLUSIVE] = "SELECT pg_current_xact_id()::text::bigint,"
                              " count(pg_advisory_xact_lock(k)) FROM unnest($1::bigint[]) AS k",
    [LLS_PG_XACT_STATUS] = "SELECT pg_xact_status($1::bigint::text::xid8)",
    [LLS_PG_STAGE_OPEN] = "SELECT llmspell_stage.discard($1, true), llmspell_stage.open($1, $2)",
    [LLS_PG_STAGE_LAST] = "SELECT count, key FROM llmspell_stage.last($1, $2)",
    [LLS_PG_STAGE_FILL] = "SELECT llmspell_stage.fill($1, $2, $3::bigint <> 0)",
    [LLS_PG_STAGE_PUBLISH] = "SELECT llmspell_stage.publish($1)",
    [LLS_PG_STAGE_DISCARD] = "SELECT llmspell_stage.discard($1)",
    [LLS_PG_STAGE_IS_PUBLISHED] = "SELECT llmspell_stage.is_published($1)",
    [LLS_PG_VEC_WROTE] = "SELECT FROM llmspell.vector_embeddings WHERE tenant_id = $1"
                         " AND collection = $2 AND id = $3"
                         " AND xmin::text::bigint = $4::bigint % 4294967296",
    [LLS_PG_VEC_SPACES] =
        "SELECT s.id, s.model, s.dim::bigint, s.metric::bigint, s.normalised::integer::bigint,"
        " coalesce(s.indexed, ''), format('%I.%I', n.nspname, t.typname), quote_ident(n.nspname),"
        " (t.typname = 'vector')::integer::bigint, coalesce((SELECT e.extversion FROM"
        " pg_catalog.pg_extension AS e WHERE e.extname = 'vector'), '0')"
        " FROM llmspell.vector_spaces AS s"
        " JOIN pg_catalog.pg_attribute AS a ON a.attname = 'embedding'"
        " AND a.attrelid = to_regclass('llmspell.vector_embeddings_' || s.dim)"
        " JOIN pg_catalog.pg_type AS t ON t.oid = a.atttypid"
        " JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace"
        " WHERE s.tenant_id = $1::text AND s.collection = $2::text ORDER BY s.model, s.dim",
    [LLS_PG_VEC_ROWS] =
        "SELECT r.id, r.version, r.created_at, r.updated_at, r.expires_at,"
        " CASE WHEN r.id = ANY ($4::bytea[]) THEN r.metadata END"
        " FROM llmspell.vector_embeddings AS r"
        " WHERE r.tenant_id = $1::text AND r.collection = $2::text AND r.id = ANY ($3::bytea[])",
    [LLS_PG_VEC_DELETE] = "DELETE FROM llmspell.vector_embeddings WHERE tenant_id = $1::text AND "
                          "collection = $2::text"
                          " AND id = ANY ($3::bytea[])",
    [LLS_PG_VEC_DROP_TERMS] = "SELECT llmspell.vector_terms_drop($1::text, $2::bytea[])",
    [LLS_PG_VEC_TIDY] = "SELECT llmspell.vector_spaces_tidy($1::text)",
    [LLS_PG_VEC_DECLARE] =
        "SELECT llmspell.vector_space($1::text, $2::text, $3::bigint::integer, $4::bigint::integer,"
        " $5::bigint <> 0)",
    [LLS_PG_VEC_PATCH] =
        "WITH w AS (UPDATE llmspell.vector_embeddings SET metadata = $4::json, facets = "
        "$5::bigint[],"
        " ordered = $6::text::jsonb, version = $7::bigint, updated_at = $8::timestamptz"
        " WHERE tenant_id = $1::text AND collection = $2::text AND id = $3::bytea)"
        " SELECT llmspell.vector_terms_refacet($2::text, $3::bytea, $5::bigint[])",
    [LLS_PG_VEC_STAGE_OPEN] = "SELECT llmspell_stage.vector_discard($1, true),"
                              " llmspell_stage.vector_open($1, $2)",
    [LLS_PG_VEC_STAGE_LAST] = "SELECT count, key FROM llmspell_stage.vector_last($1, $2)",
    [LLS_PG_VEC_STAGE_FILL] = "SELECT llmspell_stage.vector_fill($1, $2, $3::bigint <> 0)",
    [LLS_PG_VEC_STAGE_PUBLISH] = "SELECT llmspell_stage.vector_publish($1)",
    [LLS_PG_VEC_STAGE_DISCARD] = "SELECT llmspell_stage.vector_discard($1)",
    [LLS_PG_VEC_STAGE_IS_PUBLISHED] = "SELECT llmspell_stage.vector_is_published($1)",
};

const char *lls_pg_table_name(int index)
{
    assert(index >= 0 && index < LLS_PG_TABLES);
    return tables[index];
}

static int table_of(lls_str coll)
{
    int i = 0;

    while (i < KV_STORE && !lls_str_eq(coll, lls_str_of(tables[i])))
        i++;
    return i;
}

int lls_pg_table_statement(lls_str coll, lls_pg_verb verb)
{
    return table_of(coll) * LLS_PG_VERBS + (int)verb;
}

int lls_pg_common_statement(lls_pg_common common)
{
    return LLS_PG_TABLES * LLS_PG_VERBS + (int)common;
}

/* What a {word} stands for in `table`. */
static void expand_word(lls_buf *out, lls_str word, int table)
{
    bool shared = table == KV_STORE;

    if (lls_str_eq(word, LLS_STR("table")))
        lls_buf_printf(out, "llmspell.%s", tables[table]);
    else if (lls_str_eq(word, LLS_STR("columns")))
        lls_buf_add_text(out, shared ? "tenant_id, collection" : "tenant_id");
    else if (lls_str_eq(word, LLS_STR("values")))
        lls_buf_add_text(out, shared ? "$1, $2" : "$1");
    else
        lls_buf_add_text(out, shared ? "tenant_id = $1 AND collection = $2" : "tenant_id = $1");
}

static void expand(lls_buf *out, const char *text, int table)
{
    for (const char *open; (open = strchr(text, '{')); text = strchr(open, '}') + 1) {
        const char *word = open + 1;

        lls_buf_add(out, (lls_bytes){(const uint8_t *)text, (size_t)(open - text)});
        expand_word(out, (lls_str){word, strcspn(word, "}")}, table);
    }
    lls_buf_add_text(out, text);
}

/* A text in SQL. Only for the role's name, which the administrator wrote into the options. */
static void quote(lls_buf *out, const char *text)
{
    lls_buf_add_text(out, " E'");
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            lls_buf_add(out, (lls_bytes){(const uint8_t *)"\\", 1});
        lls_buf_add(out, (lls_bytes){(const uint8_t *)text, 1});
    }
    lls_buf_add_text(out, "'");
}

/* Nothing may be left to the session: behind a pooler, the next statement can be in another. */
static void write_enter(lls_buf *out, const lls_pg_conf *conf)
{
    lls_buf_add_text(out, "SELECT set_config('llmspell.current_tenant', $1, true)");
    if (conf->role[0] != '\0') {
        lls_buf_add_text(out, ", set_config('role',");
        quote(out, conf->role);
        lls_buf_add_text(out, ", true)");
    }
    if (conf->statement_timeout)
        lls_buf_printf(out, ", set_config('statement_timeout', '%llu', true)",
                       (unsigned long long)conf->statement_timeout);
    lls_buf_printf(out, ", set_config('lock_timeout', '%llu', true)",
                   (unsigned long long)conf->lock_timeout);
}

/* An identifier has doubled quotes where a text has backslashes. */
static void write_become(lls_buf *out, const lls_pg_conf *conf)
{
    if (conf->role[0] == '\0')
        return;
    lls_buf_add_text(out, "SET LOCAL ROLE \"");
    for (const char *at = conf->role; *at; at++)
        lls_buf_add(out,
                    (lls_bytes){(const uint8_t *)(*at == '"' ? "\"\"" : at), *at == '"' ? 2 : 1});
    lls_buf_add_text(out, "\"; ");
}

static lls_err finish(lls_pg_statement *statement, lls_buf *text, lls_error *err)
{
    lls_bytes view = lls_buf_view(text);
    char digest[LLS_DIGEST_TEXT];

    LLS_TRY(lls_buf_status(text, err));
    statement->sql = lls_alloc(view.len + 1);
    if (!statement->sql)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (view.len)
        memcpy(statement->sql, view.data, view.len);
    lls_digest_format(lls_digest_of(&view, 1), digest);
    (void)snprintf(statement->name, sizeof(statement->name), "lls_%.16s", digest);
    return LLS_OK;
}

lls_err lls_pg_statements_init(lls_pg_statements *statements, const lls_pg_conf *conf,
                               lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    for (int i = 0; i < LLS_PG_STATEMENTS; i++) {
        int common = i - LLS_PG_TABLES * LLS_PG_VERBS;

        lls_buf_clear(&text);
        if (common < 0)
            expand(&text, verbs[i % LLS_PG_VERBS], i / LLS_PG_VERBS);
        else if (common == LLS_PG_ENTER)
            write_enter(&text, conf);
        else if (common == LLS_PG_BECOME)
            write_become(&text, conf);
        else
            lls_buf_add_text(&text, commons[common]);
        LLS_TRY(finish(&statements->all[i], &text, err));
    }
    return LLS_OK;
}

void lls_pg_statements_fini(lls_pg_statements *statements)
{
    for (int i = 0; i < LLS_PG_STATEMENTS; i++) {
        lls_free(statements->all[i].sql);
        statements->all[i].sql = NULL;
    }
}
