#include "backends/postgres/stage.h"

#include "base/hash.h"
#include "base/scope.h"

#include <assert.h>
#include <stdlib.h>

lls_pg_kv *lls_pg_downcast(lls_kv *kv)
{
    assert(kv->ops == &lls_pg_kv_ops); // the ops pointer is the type tag
    return LLS_OUTER(kv, lls_pg_kv, base);
}

lls_pg_params lls_pg_space_params(lls_kv_space space)
{
    lls_pg_params params = {0};

    lls_pg_add_text(&params, space.tenant);
    lls_pg_add_text(&params, space.coll);
    return params;
}

int64_t lls_pg_space_lock(lls_kv_space space)
{
    lls_bytes parts[] = {
        lls_bytes_of(LLS_STR("llmspell.space")),
        lls_bytes_of(space.tenant),
        lls_bytes_of(space.coll),
    };

    return (int64_t)lls_digest_of(parts, LLS_COUNT(parts)).low;
}

static int compare_locks(const void *a, const void *b)
{
    const int64_t *left = a;
    const int64_t *right = b;

    return (*left > *right) - (*left < *right);
}

lls_err lls_pg_locks(lls_str tenant, const lls_str *colls, size_t count, lls_buf *out,
                     lls_error *err)
{
    LLS_AUTO(lls_buf) sorted = {0};

    for (size_t i = 0; i < count; i++) {
        int64_t lock = lls_pg_space_lock((lls_kv_space){tenant, colls[i]});
        lls_buf_add(&sorted, (lls_bytes){(const uint8_t *)&lock, sizeof(lock)});
    }
    LLS_TRY(lls_buf_status(&sorted, err));
    qsort(sorted.data, count, sizeof(int64_t), compare_locks);
    lls_pg_array(out, LLS_PG_INT8, count);
    for (size_t i = 0; i < count; i++) {
        int64_t lock;
        memcpy(&lock, sorted.data + i * sizeof(lock), sizeof(lock));
        lls_pg_field_int8(out, lock);
    }
    return lls_buf_status(out, err);
}

/* One statement about one space, and what becomes of its answer. */
typedef struct question {
    lls_kv_space space;
    lls_pg_verb verb;
    lls_pg_params params;
    bool writes;
    lls_pg_each_fn each;
    void *user;
} question;

/*
 * Statements between two syncs are one transaction without a BEGIN. A writer says BEGIN and COMMIT
 * all the same: the answer to COMMIT is what proves that it is done.
 */
static lls_err ask(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    LLS_AUTO(lls_buf) locks = {0};
    const question *q = user;
    int none = LLS_PG_NO_TAG;

    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    if (q->writes)
        LLS_TRY(
            lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_BEGIN), NULL, none, err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, q->space.tenant, err));
    if (q->writes) {
        lls_pg_params lock = {0};
        LLS_TRY(lls_pg_locks(q->space.tenant, &q->space.coll, 1, &locks, err));
        lls_pg_add_bytes(&lock, lls_buf_view(&locks));
        LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_LOCK_SHARED), &lock,
                                    none, err));
    }
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_table_statement(q->space.coll, q->verb),
                                &q->params, 0, err));
    if (q->writes)
        LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_COMMIT), NULL, none,
                                    err));
    return lls_pg_pipeline_finish(&pipeline, q->each, q->user, err);
}

/* All questions can be repeated: they read, or they empty a space. */
static lls_err run_question(lls_kv *kv, question *q, lls_error *err)
{
    lls_pg_work work = {.run = ask, .user = q};

    if (q->writes && lls_pg_downcast(kv)->pool.read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    return lls_pg_run(&lls_pg_downcast(kv)->pool, &work, err);
}

typedef struct found {
    lls_buf *out;
    size_t before;
    lls_kv_meta *meta;
} found;

static lls_err keep_value(void *user, int tag, const PGresult *result, lls_error *err)
{
    found *f = user;
    lls_kv_item item;
    (void)tag;

    if (PQntuples(result) == 0)
        return LLS_E_NOTFOUND;
    LLS_TRY(lls_pg_get_item(result, 0, &item, err));
    f->out->len = f->before; // a try before this one may have put something there
    lls_buf_add(f->out, item.value);
    *f->meta = item.meta;
    return lls_buf_status(f->out, err);
}

static lls_err pg_get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out,
                      lls_kv_meta *meta, lls_error *err)
{
    found f = {out, out->len, meta};
    question q = {.space = space, .verb = LLS_PG_GET, .each = keep_value, .user = &f};

    q.params = lls_pg_space_params(space);
    lls_pg_add_bytes(&q.params, key);
    return run_question(kv, &q, err);
}

static lls_err pg_clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    question q = {.space = space, .verb = LLS_PG_CLEAR, .writes = true};

    q.params = lls_pg_space_params(space);
    return run_question(kv, &q, err);
}

static lls_err keep_count(void *user, int tag, const PGresult *result, lls_error *err)
{
    uint64_t *out = user;
    (void)tag;
    (void)err;

    *out = (uint64_t)lls_pg_get_int8(result, 0, 0);
    return LLS_OK;
}

static lls_err pg_count(lls_kv *kv, lls_kv_space space, int64_t now_usec, uint64_t *out,
                        lls_error *err)
{
    uint64_t count = 0;
    question q = {.space = space, .verb = LLS_PG_COUNT, .each = keep_count, .user = &count};

    q.params = lls_pg_space_params(space);
    lls_pg_add_time(&q.params, now_usec);
    LLS_TRY(run_question(kv, &q, err));
    *out = count;
    return LLS_OK;
}

static lls_err keep_stats(void *user, int tag, const PGresult *result, lls_error *err)
{
    lls_kv_stats *out = user;
    (void)tag;
    (void)err;

    out->count = (uint64_t)lls_pg_get_int8(result, 0, 0);
    out->bytes = (uint64_t)lls_pg_get_int8(result, 0, 1);
    out->bytes_are_shared = true;
    return LLS_OK;
}

static lls_err pg_stats(lls_kv *kv, lls_kv_space space, lls_kv_stats *out, lls_error *err)
{
    lls_kv_stats stats = {0};
    question q = {.space = space, .verb = LLS_PG_STATS, .each = keep_stats, .user = &stats};

    q.params = lls_pg_space_params(space);
    LLS_TRY(run_question(kv, &q, err));
    *out = stats;
    return LLS_OK;
}

static lls_err pg_scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                       lls_error *err)
{
    return lls_pg_scan_open(&lls_pg_kv_scan, &lls_pg_downcast(kv)->pool, space, range, out, err);
}

static lls_err pg_stage(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out, lls_error *err)
{
    return lls_pg_stage_open(&lls_pg_kv_stage, &lls_pg_downcast(kv)->pool, spec, out, err);
}

static lls_err pg_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err)
{
    return lls_pg_stage_discard(&lls_pg_kv_stage, &lls_pg_downcast(kv)->pool, tenant, run, err);
}

const lls_kv_ops lls_pg_kv_ops = {
    .get = pg_get,
    .apply = lls_pg_apply,
    .scan = pg_scan,
    .clear = pg_clear,
    .count = pg_count,
    .stats = pg_stats,
    .stage = pg_stage,
    .stage_discard = pg_stage_discard,
};
