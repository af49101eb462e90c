#include "components/document.h"

#include "base/scope.h"
#include "ports/batch.h"
#include "store/route.h"

enum { BATCH = 1000 };

// Through the route, not the port: a swap that is on its way must hear of it.
static lls_err flush(lls_store *store, lls_route *route, lls_batch *batch, uint64_t *removed,
                     lls_error *err)
{
    LLS_TRY(lls_route_apply(store, route, lls_batch_writes(batch), batch->count, err));
    *removed += batch->count;
    lls_batch_clear(batch);
    return LLS_OK;
}

lls_err lls_document_sweep(lls_store *store, const lls_document_kind *kind, uint64_t *removed,
                           lls_error *err)
{
    LLS_AUTO(lls_served_ref) served = NULL;
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_batch) batch = {0};
    lls_kv_range all = {{0}, {0}};
    lls_route *route = NULL;
    lls_kv_item item = {0};
    uint64_t count = 0;
    lls_err e = LLS_OK;

    LLS_TRY(lls_route_find(store, kind->component, &route, err));
    LLS_TRY(lls_route_hold(store, route, &served, err));
    lls_kv *kv = served->backend->kv;
    int64_t now_usec = lls_kv_now(kv);
    lls_kv_space space = lls_route_space(store, route);
    LLS_TRY(lls_kv_scan(kv, space, all, LLS_KV_ALL, &it, err));
    while ((e = lls_kv_iter_next(it, &item, err)) == LLS_OK) {
        if (!lls_kv_expired(&item.meta, now_usec))
            continue;
        lls_kv_write write = {.verb = LLS_KV_SWEEP, .coll = space.coll, .key = item.key};
        LLS_TRY(lls_batch_add(&batch, &write, err));
        if (batch.count == BATCH)
            LLS_TRY(flush(store, route, &batch, &count, err));
    }
    if (e != LLS_END)
        return e;
    LLS_TRY(flush(store, route, &batch, &count, err));
    if (removed)
        *removed = count;
    return LLS_OK;
}
