/**
 * audit.c - looking through derived parts that are too large to be read when a store is opened. A
 * damaged one gives poor answers and no wrong ones: it is removed, and made again.
 */
#include "backends/hnsw/derived.h"
#include "backends/hnsw/store.h"
#include "base/scope.h"

#include <errno.h>
#include <unistd.h>

/* `write` is held. */
static lls_err remove_derived(hnsw_tenant *tenant, const hnsw_coll *damaged, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    const hnsw_coll *now = hnsw_tenant_coll(tenant, lls_str_of(damaged->name));

    if (!now || now->derived != damaged->derived)
        return LLS_OK; // it was replaced meanwhile
    hnsw_path_derived(tenant, lls_str_of(damaged->name), damaged->base->head.number, &path);
    LLS_TRY(lls_buf_status(&path, err));
    if (unlink(lls_buf_cstr(&path)) != 0 && errno != ENOENT)
        return lls_fail_sys(err, errno, "remove '%s'", lls_buf_cstr(&path));
    hnsw_tenant_forget(tenant);
    return LLS_OK;
}

/* Remove it, and open what is left. */
static lls_err make_anew(hnsw_tenant *tenant, const hnsw_coll *damaged, lls_error *err)
{
    hnsw_tenant *same;

    LLS_TRY(hnsw_write_begin(tenant->store, lls_str_of(tenant->name), &same, err));
    lls_err e = remove_derived(tenant, damaged, err);
    hnsw_write_end(tenant);
    LLS_TRY(e);
    LLS_TRY(hnsw_enter(tenant->store, lls_str_of(tenant->name), &same, err));
    hnsw_leave(tenant);
    return LLS_OK;
}

lls_err hnsw_audit(hnsw_tenant *tenant, lls_str name, lls_error *err)
{
    lls_err e = LLS_OK;

    (void)pthread_rwlock_rdlock(&tenant->lock);
    hnsw_coll *coll = hnsw_tenant_coll(tenant, name);
    if (coll)
        (void)hnsw_coll_hold(coll);
    (void)pthread_rwlock_unlock(&tenant->lock);
    if (coll && coll->derived &&
        hnsw_derived_damage((lls_bytes){coll->derived, coll->derived_length}))
        e = make_anew(tenant, coll, err);
    hnsw_coll_drop(coll);
    return e;
}
