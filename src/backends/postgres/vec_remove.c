/*
 * Removing what a filter lets through: one transaction that holds the lock of the collection, finds
 * the ids, and deletes them. The server decides alone what does not depend on metadata; for the
 * rest the ids come here and go back, some thousand at a time.
 */
#include "backends/postgres/vec_select.h"
#include "base/scope.h"

enum { TAG_COUNT, TAG_COMMIT, IDS_AT_ONCE = 4096 };

typedef struct removal {
    lls_kv_space coll;
    int64_t now_usec;
    const lls_filter *filter; /* NULL: everything */
    lls_buf ids;              /* each with a 32-bit length in front */
    size_t count;             /* of those */
    uint64_t removed;
    bool is_committed;
} removal;

static const char delete_sql[] =
    "WITH gone AS (DELETE FROM llmspell.vector_embeddings AS r WHERE r.tenant_id = $1::text"
    " AND r.collection = $2::text";
static const char clear_sql[] = "SELECT llmspell.vector_clear($1::text)";
static const char drop_sql[] = " RETURNING r.id) SELECT (SELECT count(*) FROM gone),"
                               " llmspell.vector_terms_drop($2::text, ARRAY(SELECT id FROM gone))";

static lls_err keep_spaces(void *user, int tag, const PGresult *result, lls_error *err)
{
    (void)tag;
    return lls_pg_spaces_keep(user, result, err);
}

/* The spaces are asked for, so that the rows of the SELECT that follows can be read. */
static lls_err begin(lls_kv_space coll, lls_pg_pool *pool, lls_pg_connection *connection,
                     lls_pg_vec_spaces *spaces, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    LLS_AUTO(lls_buf) locks = {0};
    lls_pg_params lock = {0};
    const int none = LLS_PG_NO_TAG;

    LLS_TRY(lls_pg_locks(coll.tenant, &coll.coll, 1, &locks, err));
    lls_pg_add_bytes(&lock, lls_buf_view(&locks));
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_BEGIN), NULL, none, err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, coll.tenant, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_LOCK_EXCLUSIVE), &lock,
                                none, err));
    LLS_TRY(lls_pg_spaces_ask(&pipeline, coll, 0, err));
    return lls_pg_pipeline_finish(&pipeline, keep_spaces, spaces, err);
}

static lls_err note_id(void *user, const lls_vec_item *item, const PGresult *row, lls_error *err)
{
    removal *r = user;
    uint32_t len = (uint32_t)item->id.len;
    (void)row;

    lls_buf_add(&r->ids, (lls_bytes){(const uint8_t *)&len, sizeof(len)});
    lls_buf_add(&r->ids, item->id);
    r->count++;
    return lls_buf_status(&r->ids, err);
}

static lls_err find_ids(removal *r, lls_pg_connection *connection, const lls_pg_vec_spaces *spaces,
                        lls_error *err)
{
    lls_pg_select select = {
        .coll = r->coll, .now_usec = r->now_usec, .filter = r->filter, .each = note_id, .user = r};

    r->ids.max = SIZE_MAX / 2; // as many as there are
    return lls_pg_select_on(&select, connection, spaces, err);
}

/* Delete the ids that were found, so many at a time. */
static lls_err send_ids(const removal *r, lls_pg_pipeline *pipeline, lls_error *err)
{
    LLS_AUTO(lls_buf) sql = {0};
    const uint8_t *at = r->ids.data;
    size_t some;

    lls_buf_printf(&sql, "%s AND r.id = ANY ($3::bytea[])%s", delete_sql, drop_sql);
    LLS_TRY(lls_buf_status(&sql, err));
    LLS_TRY(lls_pg_pipeline_parse(pipeline, lls_buf_cstr(&sql), err));
    for (size_t done = 0; done < r->count; done += some) {
        LLS_AUTO(lls_buf) ids = {0};
        lls_pg_params params = lls_pg_space_params(r->coll);

        some = r->count - done < IDS_AT_ONCE ? r->count - done : IDS_AT_ONCE;
        lls_pg_array(&ids, LLS_PG_BYTEA, some);
        for (size_t i = 0; i < some; i++) {
            uint32_t len;
            memcpy(&len, at, sizeof(len));
            lls_pg_field_bytes(&ids, (lls_bytes){at + sizeof(len), len});
            at += sizeof(len) + len;
        }
        LLS_TRY(lls_buf_status(&ids, err));
        lls_pg_add_bytes(&params, lls_buf_view(&ids));
        LLS_TRY(lls_pg_pipeline_bind(pipeline, &params, TAG_COUNT, err));
    }
    return LLS_OK;
}

static lls_err send_filter(const removal *r, lls_pg_pipeline *pipeline, lls_error *err)
{
    LLS_AUTO(lls_pg_where) where = {0};
    LLS_AUTO(lls_buf) sql = {0};
    lls_pg_params params = lls_pg_space_params(r->coll);

    LLS_TRY(lls_pg_where_make(&where, r->coll, r->filter, r->now_usec, &params, err));
    lls_buf_printf(&sql, "%s%s%s", delete_sql, lls_buf_cstr(&where.sql), drop_sql);
    LLS_TRY(lls_buf_status(&sql, err));
    return lls_pg_pipeline_sql(pipeline, lls_buf_cstr(&sql), &params, TAG_COUNT, err);
}

static lls_err send_clear(const removal *r, lls_pg_pipeline *pipeline, lls_error *err)
{
    lls_pg_params coll = {0};

    lls_pg_add_text(&coll, r->coll.coll);
    return lls_pg_pipeline_sql(pipeline, clear_sql, &coll, LLS_PG_NO_TAG, err);
}

static lls_err send_removal(const removal *r, lls_pg_pipeline *pipeline, lls_error *err)
{
    lls_pg_params coll = {0};

    if (!r->filter)
        return send_clear(r, pipeline, err);
    LLS_TRY(r->filter->term_count ? send_ids(r, pipeline, err) : send_filter(r, pipeline, err));
    lls_pg_add_text(&coll, r->coll.coll);
    return lls_pg_pipeline_add(pipeline, lls_pg_common_statement(LLS_PG_VEC_TIDY), &coll,
                               LLS_PG_NO_TAG, err);
}

static lls_err keep_count(void *user, int tag, const PGresult *result, lls_error *err)
{
    removal *r = user;
    (void)err;

    if (tag == TAG_COUNT)
        r->removed += (uint64_t)lls_pg_get_int8(result, 0, 0);
    else
        r->is_committed = true;
    return LLS_OK;
}

/* May be repeated: what was removed by a try whose COMMIT got lost is then not counted. */
static lls_err run(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    LLS_AUTO(lls_pg_vec_spaces) spaces = {0};
    removal *r = user;

    lls_buf_clear(&r->ids);
    r->count = 0;
    r->removed = 0;
    LLS_TRY(begin(r->coll, pool, connection, &spaces, err));
    if (r->filter && r->filter->term_count)
        LLS_TRY(find_ids(r, connection, &spaces, err));
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(send_removal(r, &pipeline, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_COMMIT), NULL, TAG_COMMIT,
                                err));
    lls_err e = lls_pg_pipeline_finish(&pipeline, keep_count, r, err);
    return r->is_committed ? LLS_OK : e;
}

lls_err lls_pg_vec_remove(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                          const lls_filter *filter, uint64_t *removed, lls_error *err)
{
    lls_pg_pool *pool = lls_pg_vec_downcast(vec)->pool;
    removal r = {.coll = coll, .now_usec = now_usec, .filter = filter};
    lls_pg_work work = {.run = run, .user = &r};

    if (pool->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    lls_err e = lls_pg_run(pool, &work, err);
    lls_buf_fini(&r.ids);
    if (e == LLS_OK)
        *removed = r.removed;
    return e;
}
