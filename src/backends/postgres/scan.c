/*
 * Scans: one SELECT in key order, read row by row as it comes.
 *
 * The transaction is REPEATABLE READ, so the view is that of the opening. The socket's buffers are
 * all that runs ahead of the reader, whatever the table's size. The order comes from the primary
 * key; sorting is switched off, or a large table would be sorted into temporary files first.
 */
#include "backends/postgres/scan.h"

#include "base/alloc.h"
#include "base/scope.h"

#include <assert.h>

typedef struct pg_iter {
    lls_kv_iter base;
    const lls_pg_scan_kind *kind;
    void *state; /* of the kind; owned */
    lls_pg_pool *pool;
    lls_pg_connection *connection;
    lls_pg_rows rows; /* what the caller's views point into */
    bool *is_open;    /* of the stage whose connection this is; NULL: the connection is ours */
    bool has_row;     /* it was not given to the caller yet */
    lls_err end;      /* LLS_OK while there is more */
    lls_error why;    /* with a failure in `end` */
} pg_iter;

static const lls_kv_iter_ops iter_ops;

static pg_iter *downcast(lls_kv_iter *it)
{
    assert(it->ops == &iter_ops); // the ops pointer is the type tag
    return LLS_OUTER(it, pg_iter, base);
}

void lls_pg_upper_bound(lls_bytes prefix, lls_buf *out)
{
    size_t len = prefix.len;

    while (len > 0 && prefix.data[len - 1] == 0xff)
        len--;
    lls_buf_add(out, (lls_bytes){prefix.data, len});
    if (len > 0 && lls_buf_status(out, NULL) == LLS_OK)
        out->data[len - 1]++;
}

static lls_err send_kv(void *state, lls_pg_rows *rows, lls_pg_pool *pool,
                       lls_pg_connection *connection, lls_kv_space space, lls_kv_range range,
                       lls_error *err)
{
    LLS_AUTO(lls_buf) upper = {0};
    lls_pg_params params = lls_pg_space_params(space);
    (void)state;

    lls_pg_upper_bound(range.prefix, &upper);
    LLS_TRY(lls_buf_status(&upper, err));
    lls_pg_add_bytes(&params, range.prefix);
    lls_pg_add_bytes(&params, range.after);
    if (upper.len)
        lls_pg_add_bytes(&params, lls_buf_view(&upper));
    int statement = lls_pg_table_statement(space.coll, upper.len ? LLS_PG_SCAN_TO : LLS_PG_SCAN);
    return lls_pg_rows_send(rows, connection, pool->statements.all[statement].sql, &params, err);
}

static lls_err read_kv(void *state, const PGresult *row, lls_kv_item *item, lls_error *err)
{
    (void)state;
    return lls_pg_get_item(row, 0, item, err);
}

const lls_pg_scan_kind lls_pg_kv_scan = {.send = send_kv, .read = read_kv};

typedef struct opening {
    lls_kv_space space;
    lls_kv_range range;
    pg_iter *it;
} opening;

static lls_err begin_read(lls_pg_pool *pool, lls_pg_connection *connection, lls_str tenant,
                          lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    const int none = LLS_PG_NO_TAG;

    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_BEGIN_READ), NULL, none,
                                err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, tenant, err));
    LLS_TRY(
        lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_IN_ORDER), NULL, none, err));
    return lls_pg_pipeline_finish(&pipeline, NULL, NULL, err);
}

/* The first row is fetched here, so that a failure to begin can be repeated. */
static lls_err open_on(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    opening *o = user;

    LLS_TRY(begin_read(pool, connection, o->space.tenant, err));
    LLS_TRY(
        o->it->kind->send(o->it->state, &o->it->rows, pool, connection, o->space, o->range, err));
    o->it->connection = connection;
    lls_err e = lls_pg_rows_next(&o->it->rows, err);
    if (e != LLS_OK && e != LLS_END)
        return e;
    o->it->end = e;
    o->it->has_row = e == LLS_OK;
    return LLS_OK;
}

static void discard(pg_iter *it)
{
    lls_pg_rows_fini(&it->rows);
    if (it->state && it->kind->fini)
        it->kind->fini(it->state);
    lls_free(it->state);
    lls_free(it);
}

static pg_iter *make(const lls_pg_scan_kind *kind, lls_pg_pool *pool, lls_error *err)
{
    pg_iter *it = lls_alloc(sizeof(*it));

    if (it) {
        it->base.ops = &iter_ops;
        it->kind = kind;
        it->pool = pool;
        it->state = lls_alloc(kind->state_size + 1);
    }
    if (it && it->state)
        return it;
    lls_free(it);
    (void)lls_fail(err, LLS_E_NOMEM, "out of memory");
    return NULL;
}

lls_err lls_pg_scan_open(const lls_pg_scan_kind *kind, lls_pg_pool *pool, lls_kv_space space,
                         lls_kv_range range, lls_kv_iter **out, lls_error *err)
{
    pg_iter *it = make(kind, pool, err);
    if (!it)
        return LLS_E_NOMEM;

    opening o = {.space = space, .range = range, .it = it};
    lls_pg_work work = {.run = open_on, .user = &o, .keep = &it->connection};
    lls_err e = lls_pg_run(pool, &work, err);
    if (e != LLS_OK) {
        discard(it);
        return e;
    }
    *out = &it->base;
    return LLS_OK;
}

lls_err lls_pg_scan_inside(const lls_pg_scan_kind *kind, lls_pg_pool *pool,
                           lls_pg_connection *connection, lls_kv_space space, bool *is_open,
                           lls_kv_iter **out, lls_error *err)
{
    if (*is_open)
        return lls_fail(err, LLS_E_BUSY, "another scan of this stage is open");
    pg_iter *it = make(kind, pool, err);
    if (!it)
        return LLS_E_NOMEM;

    it->connection = connection;
    lls_err e = kind->send(it->state, &it->rows, pool, connection, space, (lls_kv_range){0}, err);
    if (e != LLS_OK) {
        discard(it);
        return e;
    }
    it->is_open = is_open;
    *is_open = true;
    *out = &it->base;
    return LLS_OK;
}

static lls_err pg_iter_next(lls_kv_iter *base, lls_kv_item *item, lls_error *err)
{
    pg_iter *it = downcast(base);

    if (it->end == LLS_OK && !it->has_row)
        it->end = lls_pg_rows_next(&it->rows, &it->why);
    it->has_row = false;
    if (it->end != LLS_OK) {
        if (it->end != LLS_END && err)
            *err = it->why;
        return it->end;
    }
    return it->kind->read(it->state, it->rows.row, item, err);
}

/* A stage's transaction has to live on: its scan is read to the end, not cancelled. */
static void pg_iter_close(lls_kv_iter *base)
{
    pg_iter *it = downcast(base);

    if (it->is_open) {
        if (it->end == LLS_OK)
            lls_pg_rows_finish(&it->rows);
        else
            (void)lls_pg_command(it->connection, "", NULL); // see lls_pg_rows_finish
        *it->is_open = false;
    } else {
        lls_pg_rows_fini(&it->rows);
        lls_pg_release(it->pool, it->connection);
    }
    discard(it);
}

static const lls_kv_iter_ops iter_ops = {.next = pg_iter_next, .close = pg_iter_close};
