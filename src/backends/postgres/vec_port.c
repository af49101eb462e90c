/* The vector port, and the same records as keys and values: what is in no file of its own. */
#include "backends/postgres/stage.h"
#include "backends/postgres/vec_search.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_hits.h"

#include <assert.h>

static const lls_vec_ops vec_ops;
static const lls_kv_ops records_ops;

lls_pg_vec *lls_pg_vec_downcast(lls_vec *vec)
{
    assert(vec->ops == &vec_ops); // the ops pointer is the type tag
    return LLS_OUTER(vec, lls_pg_vec, base);
}

lls_pg_vec *lls_pg_records_downcast(lls_kv *kv)
{
    assert(kv->ops == &records_ops);
    return LLS_OUTER(kv, lls_pg_vec, records);
}

void lls_pg_vec_init(lls_pg_vec *vec, lls_pg_pool *pool)
{
    vec->base.ops = &vec_ops;
    vec->base.records = &vec->records;
    vec->records.ops = &records_ops;
    vec->records.port = LLS_PORT_VEC;
    vec->pool = pool;
}

static lls_err apply(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_write *writes,
                     size_t count, lls_error *err)
{
    lls_pg_change *changes = lls_alloc(count * sizeof(*changes));

    if (!changes)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu writes", count);
    for (size_t i = 0; i < count; i++)
        changes[i].vec = &writes[i];
    lls_err e =
        lls_pg_vec_change(lls_pg_vec_downcast(vec)->pool, coll, now_usec, changes, count, err);
    lls_free(changes);
    return e;
}

static lls_err records_apply(lls_kv *kv, lls_str tenant, int64_t now_usec,
                             const lls_kv_write *writes, size_t count, lls_error *err)
{
    lls_pg_change *changes = lls_alloc(count * sizeof(*changes));

    if (!changes)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu writes", count);
    for (size_t i = 0; i < count; i++)
        changes[i].kv = &writes[i];
    lls_err e = lls_pg_vec_change(lls_pg_records_downcast(kv)->pool, (lls_kv_space){tenant, {0}},
                                  now_usec, changes, count, err);
    lls_free(changes);
    return e;
}

static lls_err records_get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out,
                           lls_kv_meta *meta, lls_error *err)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_vec *vec = &lls_pg_records_downcast(kv)->base;

    // at the beginning of time nothing has expired: kv.c looks at the expiry itself
    LLS_TRY(lls_pg_vec_get(vec, space, LLS_TIME_MIN_USEC, &key, 1, LLS_VEC_WHOLE, &hits, err));
    if (hits.count == 0)
        return LLS_E_NOTFOUND;
    size_t before = out->len;
    lls_vec_record_encode(&hits.hits[0].item, out);
    lls_err e = lls_buf_status(out, err);
    if (e == LLS_OK)
        *meta = hits.hits[0].item.meta;
    else
        out->len = before;
    return e;
}

static lls_err records_clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    uint64_t removed;

    return lls_pg_vec_remove(&lls_pg_records_downcast(kv)->base, space, 0, NULL, &removed, err);
}

static lls_err records_count(lls_kv *kv, lls_kv_space space, int64_t now_usec, uint64_t *out,
                             lls_error *err)
{
    return lls_pg_vec_count(&lls_pg_records_downcast(kv)->base, space, now_usec, NULL, out, err);
}

static void add_stats(void *user, const lls_vec_stats *stats)
{
    lls_kv_stats *sum = user;

    sum->count += stats->count;
    sum->bytes += stats->bytes;
}

static lls_err records_stats(lls_kv *kv, lls_kv_space space, lls_kv_stats *out, lls_error *err)
{
    lls_kv_stats sum = {0};

    LLS_TRY(lls_pg_vec_stats(&lls_pg_records_downcast(kv)->base, space, add_stats, &sum, err));
    *out = sum;
    return LLS_OK;
}

static lls_err records_scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                            lls_error *err)
{
    return lls_pg_scan_open(&lls_pg_vec_scan, lls_pg_records_downcast(kv)->pool, space, range, out,
                            err);
}

static lls_err records_stage(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                             lls_error *err)
{
    return lls_pg_stage_open(&lls_pg_vec_stage, lls_pg_records_downcast(kv)->pool, spec, out, err);
}

static lls_err records_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err)
{
    return lls_pg_stage_discard(&lls_pg_vec_stage, lls_pg_records_downcast(kv)->pool, tenant, run,
                                err);
}

static const lls_vec_ops vec_ops = {
    .apply = apply,
    .get = lls_pg_vec_get,
    .search = lls_pg_vec_search,
    .words = lls_pg_vec_words,
    .list = lls_pg_vec_list,
    .count = lls_pg_vec_count,
    .remove = lls_pg_vec_remove,
    .stats = lls_pg_vec_stats,
    .tend = lls_pg_vec_tend,
};

static const lls_kv_ops records_ops = {
    .get = records_get,
    .apply = records_apply,
    .scan = records_scan,
    .clear = records_clear,
    .count = records_count,
    .stats = records_stats,
    .stage = records_stage,
    .stage_discard = records_stage_discard,
};
