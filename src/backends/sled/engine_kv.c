#include "backends/sled/engine_kv.h"

#include "backends/sled/layout.h"
#include "base/scope.h"

#include <assert.h>

sled_kv *sled_kv_of(lls_kv *kv)
{
    assert(kv->ops == &sled_kv_ops); // the ops pointer is the type tag
    return LLS_OUTER(kv, sled_kv, kv);
}

static lls_err get_stored(sled_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out,
                          lls_error *err)
{
    LLS_AUTO(lls_buf) full = {0};
    uint64_t number;

    LLS_TRY(sled_kv_number(kv, NULL, space, &number, err));
    sled_layout_key(number, key, &full);
    LLS_TRY(lls_buf_status(&full, err));
    return sled_kv_look(kv, NULL, lls_buf_view(&full), out, err);
}

static lls_err get(lls_kv *base, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    sled_kv *kv = sled_kv_of(base);
    LLS_AUTO(lls_buf) stored = {0};
    lls_bytes value;

    (void)pthread_rwlock_rdlock(&kv->spaces);
    lls_err e = get_stored(kv, space, key, &stored, err);
    (void)pthread_rwlock_unlock(&kv->spaces);
    LLS_TRY(e);
    LLS_TRY(sled_layout_decode(key, lls_buf_view(&stored), meta, &value, err));
    lls_buf_add(out, value);
    return LLS_OK;
}

/* Take the number away from the space. LLS_E_NOTFOUND when it has none. */
static lls_err clear_in(sled_kv *kv, lls_kv_space space, uint64_t *turn, lls_error *err)
{
    LLS_AUTO(sled_batch_ref) batch = NULL;
    LLS_AUTO(lls_buf) key = {0};
    uint64_t number;

    LLS_TRY(sled_kv_batch(kv, &batch, err));
    LLS_TRY(sled_kv_number(kv, NULL, space, &number, err));
    sled_layout_space(space, &key);
    LLS_TRY(sled_kv_unset(kv, batch, &key, err));
    LLS_TRY(sled_kv_bury(kv, batch, number, err));
    (void)pthread_rwlock_wrlock(&kv->spaces);
    lls_err e = sled_kv_commit(kv, batch, turn, err);
    (void)pthread_rwlock_unlock(&kv->spaces);
    if (e == LLS_OK)
        sled_kv_changed(kv, space);
    return e;
}

/* All at once for everybody who reads; the records are removed after that. */
static lls_err clear(lls_kv *base, lls_kv_space space, lls_error *err)
{
    sled_kv *kv = sled_kv_of(base);
    uint64_t turn;

    (void)pthread_mutex_lock(&kv->write);
    lls_err e = clear_in(kv, space, &turn, err);
    (void)pthread_mutex_unlock(&kv->write);
    if (e == LLS_E_NOTFOUND)
        return LLS_OK;
    LLS_TRY(e);
    LLS_TRY(sled_kv_sync(kv, turn, err));
    sled_kv_collect(kv, 0);
    return LLS_OK;
}

const lls_kv_ops sled_kv_ops = {
    .get = get,
    .apply = sled_kv_apply,
    .scan = sled_kv_scan,
    .clear = clear,
    .stage = sled_kv_stage_open,
    .stage_discard = sled_kv_stage_discard,
};
