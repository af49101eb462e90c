/*
 * Stages: COPY into an unlogged table that readers do not see, then one transaction that brings
 * the rows into their table.
 *
 * COPY FROM is refused on a table with row-level security, so the way in is a staging table of the
 * run; what the application's role may not do there, functions of the schema do for it
 * (sql/V5__staging.sql). From `prepare` to `publish` one connection holds the transaction and the
 * exclusive lock of each collection; a writer waits, as it shares that lock.
 */
#include "backends/postgres/stage.h"

#include "backends/postgres/error.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <assert.h>
#include <stdio.h>

typedef struct staged_coll {
    lls_str name; /* in the stage's `names` */
    int64_t id;   /* its table has this number */
} staged_coll;

typedef struct pg_stage {
    lls_kv_stage base;
    const lls_pg_stage_kind *kind;
    lls_pg_pool *pool;
    lls_buf names; /* tenant, run and the collections' names, one after the other */
    lls_str tenant;
    lls_str run;
    lls_stage_mode mode;
    staged_coll *colls;
    size_t count;
    size_t copying; /* index of the collection that `copy` goes to */
    lls_pg_copy copy;
    lls_pg_connection *held; /* from prepare to publish */
    bool scan_is_open;
} pg_stage;

static const lls_kv_stage_ops stage_ops;

static pg_stage *downcast(lls_kv_stage *stage)
{
    assert(stage->ops == &stage_ops); // the ops pointer is the type tag
    return LLS_OUTER(stage, pg_stage, base);
}

static lls_pg_params run_params(const pg_stage *stage)
{
    lls_pg_params params = {0};

    lls_pg_add_text(&params, stage->run);
    return params;
}

static lls_err begin(lls_pg_pipeline *pipeline, lls_pg_pool *pool, lls_pg_connection *connection,
                     lls_str tenant, lls_error *err)
{
    LLS_TRY(lls_pg_pipeline_begin(pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_add(pipeline, lls_pg_common_statement(LLS_PG_BEGIN), NULL,
                                LLS_PG_NO_TAG, err));
    return lls_pg_pipeline_enter(pipeline, tenant, err);
}

static lls_err add(lls_pg_pipeline *pipeline, lls_pg_common common, const lls_pg_params *params,
                   int tag, lls_error *err)
{
    return lls_pg_pipeline_add(pipeline, lls_pg_common_statement(common), params, tag, err);
}

/* Wait for every other transaction that writes to the collections, and keep new ones waiting. */
static lls_err add_exclusive_locks(lls_pg_pipeline *pipeline, const pg_stage *stage, lls_error *err)
{
    LLS_AUTO(lls_buf) locks = {0};
    lls_pg_params params = {0};
    lls_str *names = lls_alloc(stage->count * sizeof(*names));
    if (!names)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");

    for (size_t i = 0; i < stage->count; i++)
        names[i] = stage->colls[i].name;
    lls_err e = lls_pg_locks(stage->tenant, names, stage->count, &locks, err);
    lls_free(names);
    LLS_TRY(e);
    lls_pg_add_bytes(&params, lls_buf_view(&locks));
    return add(pipeline, LLS_PG_LOCK_EXCLUSIVE, &params, LLS_PG_NO_TAG, err);
}

static lls_err keep_id(void *user, int tag, const PGresult *result, lls_error *err)
{
    pg_stage *stage = user;
    (void)err;

    stage->colls[tag].id = lls_pg_get_int8(result, 0, 1);
    return LLS_OK;
}

static lls_err open_tables(lls_pg_pool *pool, lls_pg_connection *connection, void *user,
                           lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    pg_stage *stage = user;

    LLS_TRY(begin(&pipeline, pool, connection, stage->tenant, err));
    for (size_t i = 0; i < stage->count; i++) {
        lls_pg_params params = run_params(stage);
        lls_pg_add_text(&params, stage->colls[i].name);
        LLS_TRY(add(&pipeline, stage->kind->open, &params, (int)i, err));
    }
    LLS_TRY(add(&pipeline, LLS_PG_COMMIT, NULL, LLS_PG_NO_TAG, err));
    return lls_pg_pipeline_finish(&pipeline, keep_id, stage, err);
}

static lls_str keep_name(pg_stage *stage, lls_str name)
{
    size_t at = stage->names.len;

    lls_buf_add_str(&stage->names, name); // does not move: room for all was reserved
    return (lls_str){(const char *)stage->names.data + at, name.len};
}

static lls_err copy_spec(pg_stage *stage, const lls_stage_spec *spec, lls_error *err)
{
    size_t bytes = spec->tenant.len + spec->run.len;

    for (size_t i = 0; i < spec->coll_count; i++)
        bytes += spec->colls[i].len;
    lls_buf_reserve(&stage->names, bytes);
    stage->colls = lls_alloc(spec->coll_count * sizeof(*stage->colls));
    if (!stage->colls)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    LLS_TRY(lls_buf_status(&stage->names, err));
    stage->mode = spec->mode;
    stage->count = spec->coll_count;
    stage->tenant = keep_name(stage, spec->tenant);
    stage->run = keep_name(stage, spec->run);
    for (size_t i = 0; i < spec->coll_count; i++)
        stage->colls[i].name = keep_name(stage, spec->colls[i]);
    return LLS_OK;
}

/* Let go of connections: what was not committed is rolled back. */
static void let_go(pg_stage *stage)
{
    lls_pg_copy_abandon(&stage->copy, stage->pool);
    if (stage->held)
        lls_pg_release(stage->pool, stage->held);
    stage->held = NULL;
}

static void stage_close(lls_kv_stage *base)
{
    pg_stage *stage = downcast(base);

    let_go(stage);
    if (stage->copy.state && stage->kind->state_fini)
        stage->kind->state_fini(stage->copy.state);
    lls_free(stage->copy.state);
    lls_buf_fini(&stage->copy.rows);
    lls_buf_fini(&stage->names);
    lls_free(stage->colls);
    lls_free(stage);
}

lls_err lls_pg_stage_open(const lls_pg_stage_kind *kind, lls_pg_pool *pool,
                          const lls_stage_spec *spec, lls_kv_stage **out, lls_error *err)
{
    if (pool->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    pg_stage *stage = lls_alloc(sizeof(*stage));
    if (!stage)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    stage->base.ops = &stage_ops;
    stage->kind = kind;
    stage->pool = pool;
    stage->copy.kind = kind->copy;
    stage->copy.state = lls_alloc(kind->state_size + 1);

    lls_pg_work work = {.run = open_tables, .user = stage};
    lls_err e = stage->copy.state ? copy_spec(stage, spec, err)
                                  : lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (e == LLS_OK)
        e = lls_pg_run(pool, &work, err);
    if (e != LLS_OK) {
        stage_close(&stage->base);
        return e;
    }
    *out = &stage->base;
    return LLS_OK;
}

static lls_err find_coll(const pg_stage *stage, lls_str name, size_t *out, lls_error *err)
{
    for (size_t i = 0; i < stage->count; i++) {
        if (lls_str_eq(stage->colls[i].name, name)) {
            *out = i;
            return LLS_OK;
        }
    }
    return lls_fail(err, LLS_E_INVALID, "collection '" LLS_FMT "' is not in this stage",
                    LLS_ARG(name));
}

static lls_err stage_flush(lls_kv_stage *base, lls_error *err)
{
    pg_stage *stage = downcast(base);

    return lls_pg_copy_finish(&stage->copy, stage->pool, err);
}

static lls_err stage_add(lls_kv_stage *base, lls_str coll, const lls_kv_item *items, size_t count,
                         lls_error *err)
{
    pg_stage *stage = downcast(base);
    size_t index;

    LLS_TRY(find_coll(stage, coll, &index, err));
    if (stage->held)
        return lls_fail(err, LLS_E_INVALID, "the stage is prepared: nothing can be added");
    if (stage->copy.connection && (stage->copying != index || lls_pg_copy_is_full(&stage->copy)))
        LLS_TRY(stage_flush(base, err));
    stage->copy.space = (lls_kv_space){stage->tenant, stage->colls[index].name};
    if (!stage->copy.connection)
        LLS_TRY(lls_pg_copy_begin(&stage->copy, stage->pool, stage->colls[index].id, err));
    stage->copying = index;
    return lls_pg_copy_add(&stage->copy, stage->pool, items, count, err);
}

typedef struct last_row {
    const pg_stage *stage;
    lls_str coll;
    lls_buf key;
    uint64_t count;
} last_row;

static lls_err keep_last(void *user, int tag, const PGresult *result, lls_error *err)
{
    last_row *last = user;
    (void)tag;

    last->count = (uint64_t)lls_pg_get_int8(result, 0, 0);
    lls_buf_clear(&last->key);
    lls_buf_add(&last->key, (lls_bytes){(const uint8_t *)PQgetvalue(result, 0, 1),
                                        (size_t)PQgetlength(result, 0, 1)});
    return lls_buf_status(&last->key, err);
}

static lls_err ask_last(lls_pg_pool *pool, lls_pg_connection *connection, void *user,
                        lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    last_row *last = user;
    lls_pg_params params = run_params(last->stage);

    lls_pg_add_text(&params, last->coll);
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, last->stage->tenant, err));
    LLS_TRY(add(&pipeline, last->stage->kind->last, &params, 0, err));
    return lls_pg_pipeline_finish(&pipeline, keep_last, last, err);
}

static lls_err stage_last(lls_kv_stage *base, lls_str coll, lls_buf *key, uint64_t *count,
                          lls_error *err)
{
    pg_stage *stage = downcast(base);
    last_row last = {.stage = stage, .coll = coll};
    lls_pg_work work = {.run = ask_last, .user = &last};
    size_t index;

    LLS_TRY(find_coll(stage, coll, &index, err));
    LLS_TRY(stage_flush(base, err));
    lls_err e = lls_pg_run(stage->pool, &work, err);
    if (e == LLS_OK) {
        lls_buf_clear(key);
        lls_buf_add(key, lls_buf_view(&last.key));
        e = lls_buf_status(key, err);
    }
    if (e == LLS_OK)
        *count = last.count;
    lls_buf_fini(&last.key);
    return e;
}

static lls_err fill_tables(lls_pg_pool *pool, lls_pg_connection *connection, void *user,
                           lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    pg_stage *stage = user;

    LLS_TRY(begin(&pipeline, pool, connection, stage->tenant, err));
    LLS_TRY(add(&pipeline, LLS_PG_IN_ORDER, NULL, LLS_PG_NO_TAG, err));
    LLS_TRY(add_exclusive_locks(&pipeline, stage, err));
    for (size_t i = 0; i < stage->count; i++) {
        lls_pg_params params = run_params(stage);
        lls_pg_add_text(&params, stage->colls[i].name);
        lls_pg_add_int8(&params, stage->mode == LLS_STAGE_REPLACE);
        LLS_TRY(add(&pipeline, stage->kind->fill, &params, LLS_PG_NO_TAG, err));
    }
    return lls_pg_pipeline_finish(&pipeline, NULL, NULL, err);
}

static lls_err stage_prepare(lls_kv_stage *base, lls_error *err)
{
    pg_stage *stage = downcast(base);
    lls_pg_work work = {.run = fill_tables, .user = stage, .keep = &stage->held};

    if (stage->held)
        return lls_fail(err, LLS_E_INVALID, "the stage is prepared already");
    LLS_TRY(stage_flush(base, err));
    return lls_pg_run(stage->pool, &work, err);
}

static lls_err stage_scan(lls_kv_stage *base, lls_str coll, lls_kv_iter **out, lls_error *err)
{
    pg_stage *stage = downcast(base);
    size_t index;

    LLS_TRY(find_coll(stage, coll, &index, err));
    if (!stage->held)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    return lls_pg_scan_inside(stage->kind->scan, stage->pool, stage->held,
                              (lls_kv_space){stage->tenant, coll}, &stage->scan_is_open, out, err);
}

typedef struct verdict {
    const pg_stage *stage;
    bool is_published;
} verdict;

static lls_err keep_verdict(void *user, int tag, const PGresult *result, lls_error *err)
{
    verdict *v = user;
    (void)tag;
    (void)err;

    v->is_published = PQgetvalue(result, 0, 0)[0] != 0; // a bool is one byte
    return LLS_OK;
}

/* The lock is free once the old transaction has ended, one way or the other. */
static lls_err ask_published(lls_pg_pool *pool, lls_pg_connection *connection, void *user,
                             lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    verdict *v = user;
    lls_pg_params params = run_params(v->stage);

    LLS_TRY(begin(&pipeline, pool, connection, v->stage->tenant, err));
    LLS_TRY(add_exclusive_locks(&pipeline, v->stage, err));
    LLS_TRY(add(&pipeline, v->stage->kind->is_published, &params, 0, err));
    LLS_TRY(add(&pipeline, LLS_PG_COMMIT, NULL, LLS_PG_NO_TAG, err));
    return lls_pg_pipeline_finish(&pipeline, keep_verdict, v, err);
}

/* The connection died before COMMIT was answered: find out what became of it. */
static lls_err learn_truth(pg_stage *stage, lls_error *err)
{
    verdict v = {.stage = stage};
    lls_pg_work work = {.run = ask_published, .user = &v};
    lls_error why = {0};

    lls_err e = lls_pg_run(stage->pool, &work, &why);
    if (e != LLS_OK)
        return lls_wrap(err, LLS_E_UNAVAILABLE, "the outcome of publishing is not known");
    if (!v.is_published)
        return lls_wrap(err, LLS_E_UNAVAILABLE, "nothing was published");
    return LLS_OK;
}

static lls_err keep_commit(void *user, int tag, const PGresult *result, lls_error *err)
{
    bool *committed = user;
    (void)tag;
    (void)result;
    (void)err;

    *committed = true;
    return LLS_OK;
}

/* Once COMMIT was answered, nothing that happens to the connection matters. */
static lls_err commit(pg_stage *stage, lls_error *err)
{
    bool committed = false;
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    lls_pg_params params = run_params(stage);

    LLS_TRY(lls_pg_pipeline_begin(&pipeline, stage->pool, stage->held, err));
    LLS_TRY(add(&pipeline, stage->kind->publish, &params, LLS_PG_NO_TAG, err));
    LLS_TRY(add(&pipeline, LLS_PG_COMMIT, NULL, 0, err));
    lls_err e = lls_pg_pipeline_finish(&pipeline, keep_commit, &committed, err);
    return committed ? LLS_OK : e;
}

static lls_err stage_publish(lls_kv_stage *base, lls_error *err)
{
    pg_stage *stage = downcast(base);

    if (!stage->held)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    if (stage->scan_is_open)
        return lls_fail(err, LLS_E_BUSY, "a scan of this stage is open");
    lls_error why = {0};
    lls_err e = commit(stage, &why);
    bool lost = e != LLS_OK && lls_pg_has_ended(stage->held, &why);
    let_go(stage);
    if (e != LLS_OK && err)
        *err = why;
    return lost ? learn_truth(stage, err) : e;
}

static const lls_kv_stage_ops stage_ops = {
    .last = stage_last,
    .add = stage_add,
    .flush = stage_flush,
    .prepare = stage_prepare,
    .scan = stage_scan,
    .publish = stage_publish,
    .close = stage_close,
};

typedef struct leftover {
    const lls_pg_stage_kind *kind;
    lls_str tenant;
    lls_str run;
} leftover;

static lls_err discard(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    const leftover *l = user;
    lls_pg_params params = {0};

    lls_pg_add_text(&params, l->run);
    LLS_TRY(begin(&pipeline, pool, connection, l->tenant, err));
    LLS_TRY(add(&pipeline, l->kind->discard, &params, LLS_PG_NO_TAG, err));
    LLS_TRY(add(&pipeline, LLS_PG_COMMIT, NULL, LLS_PG_NO_TAG, err));
    return lls_pg_pipeline_finish(&pipeline, NULL, NULL, err);
}

lls_err lls_pg_stage_discard(const lls_pg_stage_kind *kind, lls_pg_pool *pool, lls_str tenant,
                             lls_str run, lls_error *err)
{
    leftover l = {kind, tenant, run};
    lls_pg_work work = {.run = discard, .user = &l};

    if (pool->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    return lls_pg_run(pool, &work, err);
}

const lls_pg_stage_kind lls_pg_kv_stage = {
    .open = LLS_PG_STAGE_OPEN,
    .last = LLS_PG_STAGE_LAST,
    .fill = LLS_PG_STAGE_FILL,
    .publish = LLS_PG_STAGE_PUBLISH,
    .discard = LLS_PG_STAGE_DISCARD,
    .is_published = LLS_PG_STAGE_IS_PUBLISHED,
    .copy = &lls_pg_kv_copy,
    .scan = &lls_pg_kv_scan,
};
