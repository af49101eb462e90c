/** kv.c - the records as keys and canonical values. */
#include "backends/hnsw/store.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "ports/record.h"
#include "ports/vec_record.h"

#include <assert.h>

static hnsw_store *downcast(lls_kv *kv)
{
    assert(kv->ops == &hnsw_kv_ops); // the ops pointer is the type tag
    return LLS_OUTER(kv, hnsw_store, kv);
}

static lls_err get_from(const hnsw_coll *coll, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                        lls_error *err)
{
    uint32_t doc = coll ? hnsw_coll_find(coll, key) : HNSW_NONE;
    hnsw_record record;

    if (doc == HNSW_NONE)
        return lls_fail(err, LLS_E_NOTFOUND, "no such record");
    hnsw_coll_record(coll, doc, &record);
    LLS_TRY(hnsw_coll_value(coll, &record, out, err));
    *meta = record.meta;
    return LLS_OK;
}

static lls_err get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_enter(downcast(kv), space.tenant, &tenant, err));
    lls_err e = get_from(hnsw_tenant_coll(tenant, space.coll), key, out, meta, err);
    hnsw_leave(tenant);
    return e;
}

static const lls_vec_verb verbs[] = {
    [LLS_KV_PUT] = LLS_VEC_PUT,         [LLS_KV_CREATE] = LLS_VEC_CREATE,
    [LLS_KV_REPLACE] = LLS_VEC_REPLACE, [LLS_KV_DELETE] = LLS_VEC_DELETE,
    [LLS_KV_SWEEP] = LLS_VEC_DELETE,    [LLS_KV_RESTORE] = LLS_VEC_RESTORE,
};

/* A value that is not canonical is refused as what it is here: an argument. */
static lls_err take_write(const lls_kv_write *given, lls_buf *floats, hnsw_write *out,
                          lls_error *err)
{
    *out = (hnsw_write){.coll = given->coll,
                        .verb = verbs[given->verb],
                        .sweep = given->verb == LLS_KV_SWEEP,
                        .item = {.id = given->key, .meta = given->meta}};
    if (out->verb == LLS_VEC_DELETE)
        return LLS_OK;
    lls_kv_item item = {given->key, given->value, given->meta};
    lls_vec_item unused;
    lls_error why = {0};
    lls_err e = lls_vec_record_decode(&item, floats, &unused, &why);
    if (e != LLS_OK)
        return lls_fail(err, e == LLS_E_CORRUPT ? LLS_E_INVALID : e, "%s", why.msg);
    out->value = given->value;
    return LLS_OK;
}

static lls_err apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err)
{
    hnsw_store *store = downcast(kv);
    LLS_AUTO(lls_buf) floats = {0};
    lls_err e = LLS_OK;

    hnsw_write *taken = lls_alloc(count * sizeof(*taken));
    if (!taken)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (size_t i = 0; e == LLS_OK && i < count; i++)
        e = take_write(&writes[i], &floats, &taken[i], err);
    if (e == LLS_OK)
        e = hnsw_apply(store, tenant, now_usec, taken, count, err);
    lls_free(taken);
    return e;
}

static lls_err scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_enter(downcast(kv), space.tenant, &tenant, err));
    lls_err e = hnsw_scan_coll(hnsw_tenant_coll(tenant, space.coll), range, out, err);
    hnsw_leave(tenant);
    return e;
}

static lls_err clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    return hnsw_clear(downcast(kv), space, err);
}

static lls_err count(lls_kv *kv, lls_kv_space space, int64_t now_usec, uint64_t *out,
                     lls_error *err)
{
    return hnsw_vec_ops.count(&downcast(kv)->vec, space, now_usec, NULL, out, err);
}

static lls_err stats(lls_kv *kv, lls_kv_space space, lls_kv_stats *out, lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_enter(downcast(kv), space.tenant, &tenant, err));
    const hnsw_coll *coll = hnsw_tenant_coll(tenant, space.coll);
    *out = (lls_kv_stats){0};
    if (coll) {
        out->count = coll->count;
        out->bytes = (coll->base ? coll->base->length : 0) + coll->derived_length;
        for (uint32_t i = 0; i < coll->tail_count; i++)
            out->bytes += (*hnsw_coll_tail(coll, i))->value_len;
    }
    hnsw_leave(tenant);
    return LLS_OK;
}

const lls_kv_ops hnsw_kv_ops = {
    .get = get,
    .apply = apply,
    .scan = scan,
    .clear = clear,
    .count = count,
    .stats = stats,
    .stage = hnsw_stage_open,
    .stage_discard = hnsw_stage_discard,
};
