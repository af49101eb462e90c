/*
 * The spaces of a collection: what there is of each, and the index that it gets once it is worth
 * one. Making it holds the lock of the collection: its writers wait, its readers do not.
 */
#include "backends/postgres/vec_search.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <stdio.h>

enum { TAG_COUNTS, TAG_EXTENSIONS };

/* The space NULL is that of records without a vector. */
static const char counts_sql[] =
    "SELECT coalesce(r.space_id, 0), count(*), sum(pg_catalog.pg_column_size(r.*))::bigint"
    " FROM llmspell.vector_embeddings AS r WHERE r.tenant_id = $1::text"
    " AND r.collection = $2::text GROUP BY 1";
static const char extensions_sql[] =
    "SELECT count(*) FROM pg_catalog.pg_extension WHERE extname = 'vchord'";
static const char settings_sql[] = "SELECT set_config('statement_timeout', '0', true)";
static const char index_sql[] =
    "SELECT llmspell.vector_index($1::bigint, $2::text, $3::bigint::integer)";
static const char tidy_sql[] = "SELECT llmspell.vector_tidy()";

/* What is known of a collection. */
typedef struct survey {
    lls_kv_space coll;
    lls_pg_vec_spaces spaces;
    PGresult *counts;
    bool has_vchord;
} survey;

static void survey_auto(survey *s)
{
    lls_pg_spaces_fini(&s->spaces);
    PQclear(s->counts);
}

static lls_err keep(void *user, int tag, const PGresult *result, lls_error *err)
{
    survey *s = user;

    if (tag == TAG_EXTENSIONS) {
        s->has_vchord = lls_pg_get_int8(result, 0, 0) > 0;
        return LLS_OK;
    }
    PQclear(s->counts);
    s->counts = PQcopyResult(result, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    return s->counts ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "out of memory");
}

static lls_err look(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    survey *s = user;
    lls_pg_params params = lls_pg_space_params(s->coll);

    LLS_TRY(lls_pg_vec_begin_read(pool, connection, s->coll, &s->spaces, err));
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_sql(&pipeline, counts_sql, &params, TAG_COUNTS, err));
    LLS_TRY(lls_pg_pipeline_sql(&pipeline, extensions_sql, NULL, TAG_EXTENSIONS, err));
    return lls_pg_pipeline_finish(&pipeline, keep, s, err);
}

static lls_err survey_coll(lls_pg_pool *pool, survey *s, lls_error *err)
{
    lls_pg_work work = {.run = look, .user = s};

    return lls_pg_run(pool, &work, err);
}

/* The row of a space; false when it has no records. */
static bool find_counts(const survey *s, int64_t space_id, uint64_t *count, uint64_t *bytes)
{
    for (int row = 0; row < PQntuples(s->counts); row++) {
        if (lls_pg_get_int8(s->counts, row, 0) != space_id)
            continue;
        *count = (uint64_t)lls_pg_get_int8(s->counts, row, 1);
        *bytes = (uint64_t)lls_pg_get_int8(s->counts, row, 2);
        return true;
    }
    return false;
}

/* ---- telling */

static void name_index(const lls_pg_vec_space *space, int version, char out[64])
{
    if (space->indexed.len && space->indexed.data[0] == 'v')
        (void)snprintf(out, 64, "VectorChord " LLS_FMT, LLS_ARG(space->indexed));
    else if (space->indexed.len)
        (void)snprintf(out, 64, "pgvector " LLS_FMT, LLS_ARG(space->indexed));
    else if (space->is_vector)
        (void)snprintf(out, 64, "none (pgvector %d.%d.%d)", version / 10000, version / 100 % 100,
                       version % 100);
    else
        (void)snprintf(out, 64, "none (float4[])");
}

lls_err lls_pg_vec_stats(lls_vec *vec, lls_kv_space coll, lls_vec_stats_fn each, void *user,
                         lls_error *err)
{
    LLS_AUTO(survey) s = {.coll = coll};
    lls_vec_stats stats = {.exact = true, .index = "none"};

    LLS_TRY(survey_coll(lls_pg_vec_downcast(vec)->pool, &s, err));
    if (find_counts(&s, 0, &stats.count, &stats.bytes))
        each(user, &stats);
    for (size_t i = 0; i < s.spaces.count; i++) {
        const lls_pg_vec_space *space = &s.spaces.all[i];

        if (!find_counts(&s, space->id, &stats.count, &stats.bytes))
            continue;
        stats.space = space->space;
        stats.bytes += stats.count * space->space.dim * sizeof(float);
        stats.exact = space->indexed.len == 0;
        name_index(space, s.spaces.version, stats.index);
        each(user, &stats);
    }
    return LLS_OK;
}

/* ---- making indexes */

typedef struct making {
    lls_kv_space coll;
    int64_t space_id;
    const char *kind; /* NULL: only forget those that nobody needs */
    int64_t lists;
} making;

static lls_err make(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    LLS_AUTO(lls_buf) locks = {0};
    const making *m = user;
    const int none = LLS_PG_NO_TAG;
    lls_pg_params lock = {0};
    lls_pg_params params = {0};

    LLS_TRY(lls_pg_locks(m->coll.tenant, &m->coll.coll, 1, &locks, err));
    lls_pg_add_bytes(&lock, lls_buf_view(&locks));
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_BEGIN), NULL, none, err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, m->coll.tenant, err));
    LLS_TRY(lls_pg_pipeline_sql(&pipeline, settings_sql, NULL, none, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_LOCK_EXCLUSIVE), &lock,
                                none, err));
    if (m->kind) {
        lls_pg_add_int8(&params, m->space_id);
        lls_pg_add_text(&params, lls_str_of(m->kind));
        lls_pg_add_int8(&params, m->lists);
        LLS_TRY(lls_pg_pipeline_sql(&pipeline, index_sql, &params, none, err));
    } else {
        LLS_TRY(lls_pg_pipeline_sql(&pipeline, tidy_sql, NULL, none, err));
    }
    LLS_TRY(
        lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_COMMIT), NULL, none, err));
    return lls_pg_pipeline_finish(&pipeline, NULL, NULL, err);
}

lls_err lls_pg_vec_tend(lls_vec *vec, lls_kv_space coll, lls_error *err)
{
    lls_pg_pool *pool = lls_pg_vec_downcast(vec)->pool;
    LLS_AUTO(survey) s = {.coll = coll};
    making m = {.coll = coll};
    lls_pg_work work = {.run = make, .user = &m};

    if (pool->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    LLS_TRY(survey_coll(pool, &s, err));
    for (size_t i = 0; i < s.spaces.count; i++) {
        const lls_pg_vec_space *space = &s.spaces.all[i];
        lls_pg_extensions extensions = {space->is_vector ? s.spaces.version : 0, s.has_vchord};
        uint64_t count = 0;
        uint64_t bytes;

        m.space_id = space->id;
        if (space->indexed.len || !find_counts(&s, space->id, &count, &bytes))
            continue;
        m.kind = lls_pg_index_choose(&space->space, count, extensions, &m.lists);
        if (m.kind)
            LLS_TRY(lls_pg_run(pool, &work, err));
    }
    m.kind = NULL;
    return lls_pg_run(pool, &work, err);
}
