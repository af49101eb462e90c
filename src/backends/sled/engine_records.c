/** engine_records.c - reading and writing by key, what the directory holds, and commits. */
#include "backends/sled/engine_kv.h"

#include "backends/sled/layout.h"
#include "base/little.h"
#include "base/scope.h"

#include <errno.h>

lls_err sled_kv_fail(const sled_kv *kv, int code, const sled_engine_error *said, const char *doing,
                     lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    lls_err e = code == SLED_ENGINE_CORRUPT       ? LLS_E_CORRUPT
                : code == SLED_ENGINE_UNSUPPORTED ? LLS_E_UNSUPPORTED
                : code == SLED_ENGINE_BROKEN      ? LLS_E_INTERNAL
                : code == SLED_ENGINE_NONE        ? LLS_E_NOTFOUND
                                                  : LLS_E_IO;

    if (e == LLS_E_NOTFOUND)
        return lls_fail(err, e, "no such key");
    if (e == LLS_E_IO && (said->sys == ENOSPC || said->sys == EDQUOT))
        e = LLS_E_FULL;
    lls_buf_add(&path, lls_buf_view(&kv->disk.path));
    return lls_fail(err, e, "%s '%s': the engine says: %s", doing, lls_buf_cstr(&path), said->text);
}

static void take(void *user, lls_bytes value)
{
    lls_buf_add(user, value);
}

lls_err sled_kv_look(const sled_kv *kv, const sled_engine_batch *batch, lls_bytes key, lls_buf *out,
                     lls_error *err)
{
    sled_engine_error said = {0};
    int rc = batch ? sled_engine_batch_get(batch, key, take, out, &said)
                   : sled_engine_get(kv->records, key, take, out, &said);

    return rc == SLED_ENGINE_OK ? lls_buf_status(out, err)
                                : sled_kv_fail(kv, rc, &said, "read", err);
}

static lls_err look_number(const sled_kv *kv, const sled_engine_batch *batch, const lls_buf *key,
                           uint64_t *out, lls_error *err)
{
    LLS_AUTO(lls_buf) value = {0};

    LLS_TRY(lls_buf_status(key, err));
    LLS_TRY(sled_kv_look(kv, batch, lls_buf_view(key), &value, err));
    return sled_layout_number(lls_buf_view(&value), out, err);
}

lls_err sled_kv_number(const sled_kv *kv, const sled_engine_batch *batch, lls_kv_space space,
                       uint64_t *out, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    sled_layout_space(space, &key);
    return look_number(kv, batch, &key, out, err);
}

lls_err sled_kv_batch(const sled_kv *kv, sled_batch_ref *out, lls_error *err)
{
    sled_engine_error said = {0};
    int rc = sled_engine_batch_open(kv->records, out, &said);

    return rc == SLED_ENGINE_OK ? LLS_OK : sled_kv_fail(kv, rc, &said, "write to", err);
}

lls_err sled_kv_set(const sled_kv *kv, sled_engine_batch *batch, lls_bytes key, lls_bytes value,
                    lls_error *err)
{
    sled_engine_error said = {0};
    int rc = sled_engine_batch_put(batch, key, value, &said);

    return rc == SLED_ENGINE_OK ? LLS_OK : sled_kv_fail(kv, rc, &said, "write to", err);
}

lls_err sled_kv_unset(const sled_kv *kv, sled_engine_batch *batch, const lls_buf *key,
                      lls_error *err)
{
    sled_engine_error said = {0};

    LLS_TRY(lls_buf_status(key, err));
    int rc = sled_engine_batch_delete(batch, lls_buf_view(key), &said);
    return rc == SLED_ENGINE_OK ? LLS_OK : sled_kv_fail(kv, rc, &said, "write to", err);
}

static lls_err set_number(const sled_kv *kv, sled_engine_batch *batch, const lls_buf *key,
                          uint64_t number, lls_error *err)
{
    uint8_t value[SLED_NUMBER];

    LLS_TRY(lls_buf_status(key, err));
    lls_little_set(value, number, sizeof(value));
    return sled_kv_set(kv, batch, lls_buf_view(key), (lls_bytes){value, sizeof(value)}, err);
}

lls_err sled_kv_new_number(const sled_kv *kv, sled_engine_batch *batch, uint64_t *out,
                           lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    uint64_t greatest = 0;

    sled_layout_greatest(&key);
    lls_err e = look_number(kv, batch, &key, &greatest, err);
    if (e != LLS_E_NOTFOUND)
        LLS_TRY(e);
    LLS_TRY(set_number(kv, batch, &key, greatest + 1, err));
    *out = greatest + 1;
    return LLS_OK;
}

lls_err sled_kv_set_number(const sled_kv *kv, sled_engine_batch *batch, lls_kv_space space,
                           uint64_t number, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    sled_layout_space(space, &key);
    return set_number(kv, batch, &key, number, err);
}

lls_err sled_kv_bury(const sled_kv *kv, sled_engine_batch *batch, uint64_t number, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    sled_layout_dead(number, &key);
    LLS_TRY(lls_buf_status(&key, err));
    return sled_kv_set(kv, batch, lls_buf_view(&key), (lls_bytes){0}, err);
}

lls_err sled_kv_unbury(const sled_kv *kv, sled_engine_batch *batch, uint64_t number, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    sled_layout_dead(number, &key);
    return sled_kv_unset(kv, batch, &key, err);
}

lls_err sled_kv_commit(sled_kv *kv, sled_engine_batch *batch, uint64_t *turn, lls_error *err)
{
    sled_engine_error said = {0};
    int rc = sled_engine_batch_commit(batch, &said);

    if (rc != SLED_ENGINE_OK)
        return sled_kv_fail(kv, rc, &said, "write to", err);
    *turn = __atomic_add_fetch(&kv->disk.committed, 1, __ATOMIC_ACQ_REL);
    return LLS_OK;
}

static lls_err sync_now(sled_kv *kv, lls_error *err)
{
    uint64_t reached = __atomic_load_n(&kv->disk.committed, __ATOMIC_ACQUIRE);
    sled_engine_error said = {0};

    int rc = sled_engine_flush(kv->engine, &said);
    if (rc != SLED_ENGINE_OK)
        return sled_kv_fail(kv, rc, &said, "flush", err);
    LLS_TRY(sled_disk_sync(&kv->disk, err));
    kv->disk.synced = reached;
    return LLS_OK;
}

/* Those who wait here together are served by one sync. */
lls_err sled_kv_sync(sled_kv *kv, uint64_t turn, lls_error *err)
{
    lls_err e = LLS_OK;

    (void)pthread_mutex_lock(&kv->disk.lock);
    if (kv->disk.synced < turn)
        e = sync_now(kv, err);
    (void)pthread_mutex_unlock(&kv->disk.lock);
    return e;
}
