#include "backends/lmdb/kv.h"

#include "backends/lmdb/space.h"
#include "backends/lmdb/value.h"
#include "base/scope.h"

#include <assert.h>

lmdb_store *lmdb_store_of(lls_kv *kv)
{
    assert(kv->ops == &lmdb_kv_ops); // the ops pointer is the type tag
    return LLS_OUTER(kv, lmdb_store, kv);
}

lls_err lmdb_must_write(const lmdb_store *store, lls_error *err)
{
    if (store->writable)
        return LLS_OK;
    return lls_fail(err, LLS_E_DENIED, "the store '%s' is open for reading only", store->env->path);
}

static lls_err get_in(lmdb_env *env, lmdb_reader *reader, lls_kv_space space, lls_bytes key,
                      lls_buf *out, lls_kv_meta *meta, lls_error *err)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val stored;
    lls_bytes value;
    uint32_t id;

    LLS_TRY(lmdb_space_id(env, reader, space, &id, err));
    MDB_val full = lmdb_key_make(bytes, id, key);
    int rc = mdb_get(reader->raw, env->records, &full, &stored);
    if (rc == MDB_NOTFOUND)
        return LLS_E_NOTFOUND;
    if (rc != 0)
        return lmdb_fail(rc, err, "read collection '" LLS_FMT "'", LLS_ARG(space.coll));
    lmdb_fetch_record(lmdb_bytes(&stored));
    lls_err e = lmdb_value_decode(key, lmdb_bytes(&stored), meta, &value, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "collection '" LLS_FMT "'", LLS_ARG(space.coll));
    lls_buf_add(out, value);
    return LLS_OK;
}

static lls_err get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    lmdb_env *env = lmdb_store_of(kv)->env;
    lmdb_reader *reader;

    LLS_TRY(lmdb_read_begin(env, LMDB_BRIEF, &reader, err));
    lls_err e = get_in(env, reader, space, key, out, meta, err);
    lmdb_read_end(env, reader, LMDB_BRIEF);
    if (e == LLS_E_NOTFOUND)
        return lls_fail(err, e, "no such key");
    return e;
}

/* ---- clear ---- */

static lls_err clear_in(lmdb_txn *txn, void *user, lls_error *err)
{
    const lls_kv_space *space = user;
    lmdb_space entry;

    lls_err e = lmdb_space_find(txn->env, txn->raw, *space, &entry, err);
    if (e == LLS_E_NOTFOUND)
        return LLS_OK;
    LLS_TRY(e);
    LLS_TRY(lmdb_space_remove(txn, *space, err));
    return lmdb_space_bury(txn, entry.id, err);
}

/* All at once for everybody who reads; the records are collected after that. */
static lls_err clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    lmdb_store *store = lmdb_store_of(kv);

    LLS_TRY(lmdb_must_write(store, err));
    LLS_TRY(lmdb_write(store->env, LMDB_FREES, clear_in, &space, err));
    lmdb_collect(store->env, 0);
    return LLS_OK;
}

/* ---- counting ---- */

typedef struct tally {
    uint64_t all;
    uint64_t live;
    uint64_t bytes; /* of keys and values; what LMDB needs besides is not counted */
} tally;

static int walk(const lmdb_env *env, MDB_cursor *cursor, uint32_t id, int64_t now_usec, tally *sum)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val key = lmdb_key_make(bytes, id, (lls_bytes){0});
    MDB_val val;
    lmdb_trail trail = {0};
    uintptr_t page = 0;

    int rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
    while (rc == 0 && lmdb_key_is_of(&key, id)) {
        lmdb_fetch_page(env, key.mv_data, &page);
        sum->all++;
        sum->bytes += key.mv_size + val.mv_size;
        sum->live += !lmdb_value_expired(lmdb_bytes(&val), now_usec);
        lmdb_trail_note(&trail, key.mv_data, key.mv_size);
        lmdb_trail_note(&trail, val.mv_data, 1); // its header was read
        rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    lmdb_trail_drop(&trail);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static lls_err tally_in(lmdb_env *env, lmdb_reader *reader, lls_kv_space space, int64_t now_usec,
                        tally *sum, lls_error *err)
{
    MDB_cursor *cursor;
    uint32_t id;

    LLS_TRY(lmdb_space_id(env, reader, space, &id, err));
    int rc = mdb_cursor_open(reader->raw, env->records, &cursor);
    if (rc == 0) {
        rc = walk(env, cursor, id, now_usec, sum);
        mdb_cursor_close(cursor);
    }
    return rc ? lmdb_fail(rc, err, "count collection '" LLS_FMT "'", LLS_ARG(space.coll)) : LLS_OK;
}

static lls_err tally_space(lmdb_env *env, lls_kv_space space, int64_t now_usec, tally *out,
                           lls_error *err)
{
    lmdb_reader *reader;

    *out = (tally){0};
    LLS_TRY(lmdb_read_begin(env, LMDB_SCAN, &reader, err));
    lls_err e = tally_in(env, reader, space, now_usec, out, err);
    lmdb_read_end(env, reader, LMDB_SCAN);
    return e == LLS_E_NOTFOUND ? LLS_OK : e; // nothing was ever there
}

static lls_err count(lls_kv *kv, lls_kv_space space, int64_t now_usec, uint64_t *out,
                     lls_error *err)
{
    tally sum;

    LLS_TRY(tally_space(lmdb_store_of(kv)->env, space, now_usec, &sum, err));
    *out = sum.live;
    return LLS_OK;
}

static lls_err stats(lls_kv *kv, lls_kv_space space, lls_kv_stats *out, lls_error *err)
{
    lmdb_env *env = lmdb_store_of(kv)->env;
    tally sum;

    LLS_TRY(tally_space(env, space, 0, &sum, err));
    *out = (lls_kv_stats){.count = sum.all, .bytes = sum.bytes};
    return LLS_OK;
}

const lls_kv_ops lmdb_kv_ops = {
    .get = get,
    .apply = lmdb_kv_apply,
    .scan = lmdb_kv_scan,
    .clear = clear,
    .count = count,
    .stats = stats,
    .stage = lmdb_kv_stage,
    .stage_discard = lmdb_kv_stage_discard,
};
