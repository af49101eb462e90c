#include "ports/kv.h"

#include "base/scope.h"
#include "ports/batch.h"
#include "ports/space.h"

#include <assert.h>

/* Writes that a sweep puts into one batch. */
enum { STEP = 512 };

int64_t lls_kv_now(const lls_kv *kv)
{
    return lls_clock_now(kv->clock);
}

lls_err lls_kv_get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    assert(kv && out);

    size_t before = out->len;
    lls_kv_meta found = {0};

    __builtin_prefetch(key.data); // on its way while the names are checked
    LLS_TRY(lls_space_check(space, err));
    LLS_TRY(lls_key_check(key, kv->port, err));
    lls_err e = kv->ops->get(kv, space, key, out, &found, err);
    if (e == LLS_OK)
        e = lls_buf_status(out, err);
    if (e == LLS_OK && found.expires_usec != 0 && lls_kv_expired(&found, lls_kv_now(kv)))
        e = LLS_E_NOTFOUND;
    if (e != LLS_OK)
        out->len = before;
    else if (meta)
        *meta = found;
    return e;
}

lls_err lls_kv_meta_check(const lls_kv_meta *meta, bool is_whole, lls_error *err)
{
    if (!lls_time_is_good(meta->expires_usec))
        return lls_fail(err, LLS_E_INVALID, "expiry outside the years 1 to 9999");
    if (is_whole &&
        (!lls_time_is_good(meta->created_usec) || !lls_time_is_good(meta->updated_usec) ||
         meta->version == 0 || meta->version > INT64_MAX))
        return lls_fail(err, LLS_E_INVALID, "record with an impossible version or time");
    return LLS_OK;
}

static lls_err check_write(const lls_kv *kv, lls_str tenant, const lls_kv_write *w, lls_error *err)
{
    LLS_TRY(lls_space_check((lls_kv_space){tenant, w->coll}, err));
    LLS_TRY(lls_key_check(w->key, kv->port, err));
    if (w->verb == LLS_KV_DELETE || w->verb == LLS_KV_SWEEP)
        return LLS_OK;
    if (w->value.len > LLS_VALUE_MAX)
        return lls_fail(err, LLS_E_INVALID, "value of %zu bytes is over the limit of %zu",
                        w->value.len, LLS_VALUE_MAX);
    return lls_kv_meta_check(&w->meta, w->verb == LLS_KV_RESTORE, err);
}

lls_err lls_kv_apply(lls_kv *kv, lls_str tenant, const lls_kv_write *writes, size_t count,
                     lls_error *err)
{
    assert(kv);

    if (count == 0)
        return LLS_OK;
    for (size_t i = 0; i < count; i++)
        LLS_TRY(check_write(kv, tenant, &writes[i], err));
    return kv->ops->apply(kv, tenant, lls_kv_now(kv), writes, count, err);
}

lls_err lls_kv_put(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_bytes value, lls_error *err)
{
    lls_kv_write write = {.verb = LLS_KV_PUT, .coll = space.coll, .key = key, .value = value};

    return lls_kv_apply(kv, space.tenant, &write, 1, err);
}

lls_err lls_kv_delete(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_error *err)
{
    lls_kv_write write = {.verb = LLS_KV_DELETE, .coll = space.coll, .key = key};

    return lls_kv_apply(kv, space.tenant, &write, 1, err);
}

static lls_err count_by_scan(lls_kv *kv, lls_kv_space space, lls_kv_scan_mode mode,
                             lls_kv_stats *out, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_stats sum = {0};
    lls_kv_item item;
    lls_err e;

    LLS_TRY(lls_kv_scan(kv, space, (lls_kv_range){0}, mode, &it, err));
    while ((e = lls_kv_iter_next(it, &item, err)) == LLS_OK) {
        sum.count++;
        sum.bytes += item.key.len + item.value.len;
    }
    if (e != LLS_END)
        return e;
    *out = sum;
    return LLS_OK;
}

lls_err lls_kv_count(lls_kv *kv, lls_kv_space space, uint64_t *out, lls_error *err)
{
    assert(kv && out);

    LLS_TRY(lls_space_check(space, err));
    if (kv->ops->count)
        return kv->ops->count(kv, space, lls_kv_now(kv), out, err);
    lls_kv_stats stats;
    LLS_TRY(count_by_scan(kv, space, LLS_KV_LIVE, &stats, err));
    *out = stats.count;
    return LLS_OK;
}

lls_err lls_kv_stats_of(lls_kv *kv, lls_kv_space space, lls_kv_stats *out, lls_error *err)
{
    assert(kv && out);

    LLS_TRY(lls_space_check(space, err));
    if (kv->ops->stats)
        return kv->ops->stats(kv, space, out, err);
    return count_by_scan(kv, space, LLS_KV_ALL, out, err);
}

static lls_err remove_batch(lls_kv *kv, lls_str tenant, lls_batch *batch, lls_error *err)
{
    lls_err e = lls_kv_apply(kv, tenant, lls_batch_writes(batch), batch->count, err);

    lls_batch_clear(batch);
    return e;
}

lls_err lls_kv_sweep(lls_kv *kv, lls_kv_space space, uint64_t *removed, lls_error *err)
{
    assert(kv);

    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_batch) batch = {0};
    int64_t now = lls_kv_now(kv);
    lls_kv_item item;
    uint64_t n = 0;
    lls_err e;

    LLS_TRY(lls_kv_scan(kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, err));
    while ((e = lls_kv_iter_next(it, &item, err)) == LLS_OK) {
        if (!lls_kv_expired(&item.meta, now))
            continue;
        lls_kv_write write = {.verb = LLS_KV_SWEEP, .coll = space.coll, .key = item.key};
        LLS_TRY(lls_batch_add(&batch, &write, err));
        n++;
        if (batch.count == STEP)
            LLS_TRY(remove_batch(kv, space.tenant, &batch, err));
    }
    if (e != LLS_END)
        return e;
    LLS_TRY(remove_batch(kv, space.tenant, &batch, err));
    if (removed)
        *removed = n;
    return LLS_OK;
}

lls_err lls_kv_clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    assert(kv);

    LLS_TRY(lls_space_check(space, err));
    return kv->ops->clear(kv, space, err);
}

lls_err lls_kv_scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_scan_mode mode,
                    lls_kv_iter **out, lls_error *err)
{
    assert(kv && out);

    lls_kv_iter *it;

    LLS_TRY(lls_space_check(space, err));
    LLS_TRY(kv->ops->scan(kv, space, range, &it, err));
    it->now_usec = mode == LLS_KV_LIVE ? lls_kv_now(kv) : 0;
    *out = it;
    return LLS_OK;
}

lls_err lls_kv_iter_next(lls_kv_iter *it, lls_kv_item *item, lls_error *err)
{
    assert(it && item);

    lls_err e;

    do
        e = it->ops->next(it, item, err);
    while (e == LLS_OK && it->now_usec != 0 && lls_kv_expired(&item->meta, it->now_usec));
    return e;
}

void lls_kv_iter_close(lls_kv_iter *it)
{
    if (it)
        it->ops->close(it);
}
