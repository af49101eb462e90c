#include "backends/postgres/vec_search.h"

#include "backends/postgres/vec_select.h"
#include "base/scope.h"
#include "ports/vec_hits.h"

#include <inttypes.h>
#include <math.h>

enum {
    SPARE = 16,    /* more than asked for: single precision may rank neighbours otherwise */
    PILE = 1024,   /* hits that may pile up before the worst are dropped */
    RECHECKED = 8, /* rows asked of an index for each that is wanted, when some may not match */
    INDEX_K_MAX = 1000, /* what pgvector's hnsw.ef_search goes up to */
};

typedef enum search_way { BY_INDEX, BY_SERVER, BY_US } search_way;

typedef struct search {
    lls_kv_space coll;
    int64_t now_usec;
    const lls_vec_query *query;
    lls_vec_hits *out;
    const lls_pg_vec_space *space;
    search_way way;
    lls_buf vector; /* the query as a parameter */
    lls_pg_index_use use;
    bool is_complete; /* what came behind was farther than `within` */
    float worst;      /* of the best k, once there are so many; infinite until then */
} search;

static void search_auto(search *s)
{
    lls_buf_fini(&s->vector);
    lls_pg_index_use_fini(&s->use);
}

static bool is_zero(const lls_vec_query *query)
{
    for (uint32_t i = 0; i < query->dim; i++)
        if (query->vector[i] != 0)
            return false;
    return true;
}

static lls_err check_query(const lls_vec_query *query, const lls_vec_space *space, lls_error *err)
{
    if (query->dim != space->dim)
        return lls_fail(err, LLS_E_MISMATCH,
                        "a query of %u dimensions; the space '" LLS_FMT "' has %u", query->dim,
                        LLS_ARG(space->model), space->dim);
    if (space->metric == LLS_VEC_COSINE && is_zero(query))
        return lls_fail(err, LLS_E_INVALID, "the query has length 0, which has no cosine");
    return LLS_OK;
}

static lls_err bind_query(void *user, lls_pg_params *params, lls_error *err)
{
    search *s = user;
    (void)err;

    if (s->way != BY_US)
        lls_pg_add_bytes(params, lls_buf_view(&s->vector));
    return LLS_OK;
}

static lls_err end_query(void *user, bool all_match, lls_pg_params *params, lls_buf *sql,
                         lls_error *err)
{
    const search *s = user;
    uint64_t want = (uint64_t)s->query->k + SPARE;
    (void)params;
    (void)err;

    if (s->way == BY_US)
        return LLS_OK;
    lls_buf_add_text(sql, " ORDER BY ");
    if (s->way == BY_INDEX) {
        lls_buf_add_str(sql, lls_buf_str(&s->use.order));
    } else {
        lls_pg_index_distance(s->space, sql);
        lls_buf_add_text(sql, " + 0, r.id"); // as a sum it is no order of an index
    }
    if (all_match || s->way == BY_INDEX)
        lls_buf_printf(sql, " LIMIT %" PRIu64, all_match ? want : want * RECHECKED);
    return LLS_OK;
}

/* Farther than rounding could account for: what comes behind is not nearer. */
static bool is_beyond(const search *s, float distance)
{
    float within = s->query->within;

    return distance > within + 1e-4f * (1 + fabsf(within));
}

static void drop_worst(search *s)
{
    lls_vec_hits_rank(s->out, true, s->query->k);
    if (s->out->count == s->query->k)
        s->worst = s->out->hits[s->query->k - 1].distance;
}

static lls_err keep_near(void *user, const lls_vec_item *item, const PGresult *row, lls_error *err)
{
    search *s = user;
    const lls_vec_query *query = s->query;
    lls_vec_metric metric = s->space->space.metric;
    float distance = (float)lls_vec_distance(metric, query->vector, item->vector, query->dim);
    (void)row;

    if (query->has_within && distance > query->within) {
        s->is_complete = s->way != BY_US && is_beyond(s, distance);
        return s->is_complete ? LLS_END : LLS_OK;
    }
    if (distance > s->worst)
        return LLS_OK;
    LLS_TRY(lls_vec_hits_add(s->out, item, query->fields, distance, lls_vec_score(metric, distance),
                             err));
    if (s->way == BY_SERVER && s->out->count >= (size_t)query->k + SPARE)
        return LLS_END;
    if (s->out->count >= (size_t)query->k + PILE)
        drop_worst(s);
    return LLS_OK;
}

static lls_err go(search *s, search_way way, lls_pg_connection *connection,
                  const lls_pg_vec_spaces *spaces, lls_error *err)
{
    lls_pg_select select = {.coll = s->coll,
                            .now_usec = s->now_usec,
                            .filter = s->query->filter,
                            .fields = s->query->fields | LLS_VEC_VECTOR,
                            .in = s->space,
                            .bind = bind_query,
                            .end = end_query,
                            .each = keep_near,
                            .user = s};

    s->way = way;
    s->worst = INFINITY;
    s->is_complete = false;
    lls_vec_hits_clear(s->out);
    s->out->exact = way != BY_INDEX;
    LLS_TRY(lls_pg_select_on(&select, connection, spaces, err));
    lls_vec_hits_rank(s->out, true, s->query->k);
    return LLS_OK;
}

static lls_err set_up_index(search *s, lls_pg_pool *pool, lls_pg_connection *connection,
                            int vector_version, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    const lls_vec_query *query = s->query;

    lls_pg_index_use_fini(&s->use);
    LLS_TRY(
        lls_pg_index_ask(s->space, vector_version, query->k + SPARE, query->effort, &s->use, err));
    if (s->use.settings.len == 0)
        return LLS_OK;
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(
        lls_pg_pipeline_sql(&pipeline, lls_buf_cstr(&s->use.settings), NULL, LLS_PG_NO_TAG, err));
    return lls_pg_pipeline_finish(&pipeline, NULL, NULL, err);
}

static lls_err run(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_vec_spaces) spaces = {0};
    search *s = user;
    const lls_vec_query *query = s->query;

    lls_vec_hits_clear(s->out);
    s->out->exact = true;
    LLS_TRY(lls_pg_vec_begin_read(pool, connection, s->coll, &spaces, err));
    s->space = lls_pg_spaces_find(&spaces, query->model, query->dim);
    if (!s->space)
        return LLS_OK;
    LLS_TRY(check_query(query, &s->space->space, err));
    if (!s->space->is_vector || s->space->space.metric == LLS_VEC_L1)
        return go(s, BY_US, connection, &spaces, err);
    lls_pg_vector_write(true, query->vector, query->dim, &s->vector);
    LLS_TRY(lls_buf_status(&s->vector, err));
    if (s->space->indexed.len && !query->exact && query->k + SPARE <= INDEX_K_MAX) {
        LLS_TRY(set_up_index(s, pool, connection, spaces.version, err));
        LLS_TRY(go(s, BY_INDEX, connection, &spaces, err));
        if (s->is_complete || s->out->count == query->k)
            return LLS_OK;
    }
    return go(s, BY_SERVER, connection, &spaces, err);
}

lls_err lls_pg_vec_search(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                          const lls_vec_query *queries, size_t count, lls_vec_hits *out,
                          lls_error *err)
{
    lls_pg_pool *pool = lls_pg_vec_downcast(vec)->pool;

    for (size_t i = 0; i < count; i++) {
        LLS_AUTO(search)
        s = {.coll = coll, .now_usec = now_usec, .query = &queries[i], .out = &out[i]};
        lls_pg_work work = {.run = run, .user = &s};

        LLS_TRY(lls_pg_run(pool, &work, err));
    }
    return LLS_OK;
}
