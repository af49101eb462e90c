/* Reading vector records by id, page by page, and counting them. */
#include "backends/postgres/vec_select.h"
#include "base/scope.h"
#include "ports/vec_hits.h"

/* ---- by id */

typedef struct wanted {
    lls_buf ids;
    unsigned fields;
    lls_vec_hits found; /* in byte order of their ids */
} wanted;

static void wanted_auto(wanted *w)
{
    lls_buf_fini(&w->ids);
    lls_vec_hits_fini(&w->found);
}

static lls_err bind_ids(void *user, lls_pg_params *params, lls_error *err)
{
    wanted *w = user;
    (void)err;

    lls_pg_add_bytes(params, lls_buf_view(&w->ids));
    return LLS_OK;
}

static lls_err end_by_id(void *user, bool all_match, lls_pg_params *params, lls_buf *sql,
                         lls_error *err)
{
    (void)user;
    (void)all_match;
    (void)params;
    (void)err;

    lls_buf_add_text(sql, " AND r.id = ANY ($3::bytea[]) ORDER BY r.id");
    return LLS_OK;
}

static lls_err keep_found(void *user, const lls_vec_item *item, const PGresult *row, lls_error *err)
{
    wanted *w = user;
    (void)row;

    return lls_vec_hits_add(&w->found, item, w->fields, 0, 0, err);
}

static void forget_found(void *user)
{
    wanted *w = user;

    lls_vec_hits_clear(&w->found);
}

static const lls_vec_item *find(const lls_vec_hits *hits, lls_bytes id)
{
    size_t low = 0;
    size_t high = hits->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = lls_bytes_cmp(hits->hits[middle].item.id, id);
        if (order == 0)
            return &hits->hits[middle].item;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

lls_err lls_pg_vec_get(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_bytes *ids,
                       size_t count, unsigned fields, lls_vec_hits *out, lls_error *err)
{
    LLS_AUTO(wanted) w = {.fields = fields};
    lls_pg_select select = {.coll = coll,
                            .now_usec = now_usec,
                            .fields = fields,
                            .bind = bind_ids,
                            .end = end_by_id,
                            .each = keep_found,
                            .user = &w};

    lls_pg_array(&w.ids, LLS_PG_BYTEA, count);
    for (size_t i = 0; i < count; i++)
        lls_pg_field_bytes(&w.ids, ids[i]);
    LLS_TRY(lls_buf_status(&w.ids, err));
    LLS_TRY(lls_pg_select_run(&select, lls_pg_vec_downcast(vec)->pool, forget_found, err));
    for (size_t i = 0; i < count; i++) {
        const lls_vec_item *item = find(&w.found, ids[i]);
        if (item)
            LLS_TRY(lls_vec_hits_add(out, item, fields, 0, 0, err));
    }
    return LLS_OK;
}

/* ---- pages */

typedef struct page {
    const lls_vec_list *list;
    lls_vec_hits *out;
} page;

static void begin_behind(const lls_vec_list *list, lls_pg_params *params, lls_buf *sql)
{
    const char *order = list->newest_first ? "<" : ">";

    if (list->order == LLS_VEC_BY_EVENT) {
        lls_pg_add_time(params, list->after->event_usec);
        lls_pg_add_bytes(params, list->after->id);
        lls_buf_printf(sql, " AND (r.event_at, r.id) %s ($%d::timestamptz, $%d::bytea)", order,
                       params->count - 1, params->count);
    } else {
        lls_pg_add_bytes(params, list->after->id);
        lls_buf_printf(sql, " AND r.id %s $%d::bytea", order, params->count);
    }
}

static lls_err end_page(void *user, bool all_match, lls_pg_params *params, lls_buf *sql,
                        lls_error *err)
{
    const lls_vec_list *list = ((const page *)user)->list;
    const char *way = list->newest_first ? " DESC" : "";
    (void)err;

    if (list->after)
        begin_behind(list, params, sql);
    lls_buf_add_text(sql, " ORDER BY ");
    if (list->order == LLS_VEC_BY_EVENT)
        lls_buf_printf(sql, "r.event_at%s, ", way);
    lls_buf_printf(sql, "r.id%s", way);
    if (all_match)
        lls_buf_printf(sql, " LIMIT %u", list->limit);
    return LLS_OK;
}

static lls_err keep_listed(void *user, const lls_vec_item *item, const PGresult *row,
                           lls_error *err)
{
    page *p = user;
    (void)row;

    if (p->out->count == p->list->limit)
        return LLS_END;
    return lls_vec_hits_add(p->out, item, p->list->fields, 0, 0, err);
}

static void forget_listed(void *user)
{
    lls_vec_hits_clear(((page *)user)->out);
}

lls_err lls_pg_vec_list(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_list *list,
                        lls_vec_hits *out, lls_error *err)
{
    page p = {list, out};
    lls_pg_select select = {.coll = coll,
                            .now_usec = now_usec,
                            .filter = list->filter,
                            .fields = list->fields,
                            .end = end_page,
                            .each = keep_listed,
                            .user = &p};

    return lls_pg_select_run(&select, lls_pg_vec_downcast(vec)->pool, forget_listed, err);
}

/* ---- counting */

static lls_err count_row(void *user, const lls_vec_item *item, const PGresult *row, lls_error *err)
{
    uint64_t *count = user;
    (void)item;
    (void)row;
    (void)err;

    ++*count;
    return LLS_OK;
}

static void forget_count(void *user)
{
    *(uint64_t *)user = 0;
}

typedef struct counting {
    lls_kv_space coll;
    int64_t now_usec;
    const lls_filter *filter;
    uint64_t count;
} counting;

static lls_err keep_count(void *user, int tag, const PGresult *result, lls_error *err)
{
    counting *c = user;
    (void)tag;
    (void)err;

    c->count = (uint64_t)lls_pg_get_int8(result, 0, 0);
    return LLS_OK;
}

/* Without conditions on metadata the server counts alone. */
static lls_err count_there(lls_pg_pool *pool, lls_pg_connection *connection, void *user,
                           lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    LLS_AUTO(lls_pg_where) where = {0};
    LLS_AUTO(lls_buf) sql = {0};
    counting *c = user;
    lls_pg_params params = lls_pg_space_params(c->coll);

    LLS_TRY(lls_pg_where_make(&where, c->coll, c->filter, c->now_usec, &params, err));
    lls_buf_add_text(&sql, "SELECT count(*) FROM llmspell.vector_embeddings AS r"
                           " WHERE r.tenant_id = $1::text AND r.collection = $2::text");
    lls_buf_add_str(&sql, lls_buf_str(&where.sql));
    LLS_TRY(lls_buf_status(&sql, err));
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, c->coll.tenant, err));
    LLS_TRY(lls_pg_pipeline_sql(&pipeline, lls_buf_cstr(&sql), &params, 0, err));
    return lls_pg_pipeline_finish(&pipeline, keep_count, c, err);
}

lls_err lls_pg_vec_count(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                         const lls_filter *filter, uint64_t *out, lls_error *err)
{
    lls_pg_pool *pool = lls_pg_vec_downcast(vec)->pool;
    counting c = {.coll = coll, .now_usec = now_usec, .filter = filter};
    lls_pg_work work = {.run = count_there, .user = &c};

    if (filter && filter->term_count) {
        lls_pg_select select = {.coll = coll,
                                .now_usec = now_usec,
                                .filter = filter,
                                .each = count_row,
                                .user = &c.count};
        LLS_TRY(lls_pg_select_run(&select, pool, forget_count, err));
    } else {
        LLS_TRY(lls_pg_run(pool, &work, err));
    }
    *out = c.count;
    return LLS_OK;
}
