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

/* LLS_END: another process made the collection since this one looked; meet it, and look again. */
static lls_err get_in(lmdb_env *env, lmdb_reader *reader, lls_kv_space space, lls_bytes key,
                      lls_buf *out, lls_kv_meta *meta, lls_error *err)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val stored;
    lls_bytes value;
    uint32_t id;

    LLS_TRY(lmdb_space_id(env, reader, space, &id, err));
    const lmdb_coll *coll = lmdb_coll_known(env, space.coll);
    if (!coll)
        return LLS_END;
    MDB_val full = lmdb_key_make(bytes, id, key);
    int rc = mdb_get(reader->raw, coll->dbi, &full, &stored);
    if (rc == MDB_NOTFOUND)
        return LLS_E_NOTFOUND;
    if (rc != 0)
        return lmdb_fail(rc, err, "read collection '" LLS_FMT "'", LLS_ARG(space.coll));
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
    lls_err e;

    for (;;) {
        lmdb_reader *reader;
        const lmdb_coll *met;
        LLS_TRY(lmdb_read_begin(env, LMDB_BRIEF, &reader, err));
        e = get_in(env, reader, space, key, out, meta, err);
        lmdb_read_end(env, reader, LMDB_BRIEF);
        if (e != LLS_END)
            break;
        LLS_TRY(lmdb_coll_find(env, space.coll, false, &met, err));
    }
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
    return lmdb_space_bury(txn, entry.id, space->coll, err);
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
    uint64_t pages;
} tally;

static int walk(MDB_cursor *cursor, uint32_t id, int64_t now_usec, tally *sum)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val key = lmdb_key_make(bytes, id, (lls_bytes){0});
    MDB_val val;
    lmdb_trail trail = {0};

    int rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
    while (rc == 0 && lmdb_key_is_of(&key, id)) {
        sum->all++;
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
    MDB_stat stats;
    uint32_t id;

    LLS_TRY(lmdb_space_id(env, reader, space, &id, err));
    const lmdb_coll *coll = lmdb_coll_known(env, space.coll);
    if (!coll)
        return LLS_END;
    int rc = mdb_cursor_open(reader->raw, coll->dbi, &cursor);
    if (rc == 0) {
        rc = walk(cursor, id, now_usec, sum);
        mdb_cursor_close(cursor);
    }
    if (rc == 0)
        rc = mdb_stat(reader->raw, coll->dbi, &stats);
    if (rc != 0)
        return lmdb_fail(rc, err, "count collection '" LLS_FMT "'", LLS_ARG(space.coll));
    sum->pages = stats.ms_branch_pages + stats.ms_leaf_pages + stats.ms_overflow_pages;
    return LLS_OK;
}

static lls_err tally_space(lmdb_env *env, lls_kv_space space, int64_t now_usec, tally *out,
                           lls_error *err)
{
    for (;;) {
        lmdb_reader *reader;
        const lmdb_coll *met;
        tally sum = {0};
        LLS_TRY(lmdb_read_begin(env, LMDB_SCAN, &reader, err));
        lls_err e = tally_in(env, reader, space, now_usec, &sum, err);
        lmdb_read_end(env, reader, LMDB_SCAN);
        if (e == LLS_END) {
            LLS_TRY(lmdb_coll_find(env, space.coll, false, &met, err));
            continue;
        }
        if (e != LLS_OK && e != LLS_E_NOTFOUND)
            return e;
        *out = sum;
        return LLS_OK;
    }
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
    *out = (lls_kv_stats){
        .count = sum.all, .bytes = sum.pages * env->page_size, .bytes_are_shared = true};
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
