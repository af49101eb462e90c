#include "backends/lmdb/stage.h"

#include "backends/lmdb/value.h"
#include "base/hash.h"
#include "base/scope.h"

/*
 *   0  format, 1           8  staged         20  zero
 *   1  flags              12  merged         24  changes of live
 *   2  zero, zero         16  live           32  count
 *   4  checksum
 */
enum { FORMAT = 1, FLAG_WATCHING = 1, ENTRY_SIZE = 40 };
enum { KEY_MAX = LMDB_META_STAGE_LEN + LLS_RUN_MAX + 1 + LMDB_SPACE_KEY_MAX };

/* "stage" NUL run NUL tenant NUL [coll] */
static MDB_val make_key(uint8_t out[KEY_MAX], lls_str run, lls_kv_space space)
{
    uint8_t *at = out;

    memcpy(at, LMDB_META_STAGE, LMDB_META_STAGE_LEN);
    at += LMDB_META_STAGE_LEN;
    memcpy(at, run.data, run.len);
    at += run.len;
    *at++ = '\0';
    memcpy(at, space.tenant.data, space.tenant.len);
    at += space.tenant.len;
    *at++ = '\0';
    if (space.coll.len)
        memcpy(at, space.coll.data, space.coll.len);
    at += space.coll.len;
    return (MDB_val){(size_t)(at - out), out};
}

static uint32_t checksum(const MDB_val *key, const uint8_t *entry)
{
    lls_bytes parts[] = {lmdb_bytes(key), {entry, 4}, {entry + 8, ENTRY_SIZE - 8}};

    return lls_checksum(parts, LLS_COUNT(parts));
}

lls_err lmdb_staged_decode(const MDB_val *key, const MDB_val *val, lmdb_staged *out, lls_error *err)
{
    const uint8_t *at = val->mv_data;

    if (val->mv_size != ENTRY_SIZE || lls_little_get_u32(at + 4) != checksum(key, at) ||
        at[0] != FORMAT)
        return lls_fail(err, LLS_E_CORRUPT, "the entry of a stage is damaged");
    *out = (lmdb_staged){
        .watching = at[1] & FLAG_WATCHING,
        .staged = lls_little_get_u32(at + 8),
        .merged = lls_little_get_u32(at + 12),
        .live = lls_little_get_u32(at + 16),
        .live_changes = lls_little_get_u64(at + 24),
        .count = lls_little_get_u64(at + 32),
    };
    return LLS_OK;
}

lls_err lmdb_staged_find(lmdb_env *env, MDB_txn *txn, lls_str run, lls_kv_space space,
                         lmdb_staged *out, lls_error *err)
{
    uint8_t bytes[KEY_MAX];
    MDB_val key = make_key(bytes, run, space);
    MDB_val val;

    int rc = mdb_get(txn, env->meta, &key, &val);
    if (rc == MDB_NOTFOUND)
        return lls_fail(err, LLS_E_NOTFOUND, "the run '" LLS_FMT "' has no stage", LLS_ARG(run));
    if (rc != 0)
        return lmdb_fail(rc, err, "read the entry of a stage");
    return lmdb_staged_decode(&key, &val, out, err);
}

lls_err lmdb_staged_store(lmdb_txn *txn, lls_str run, lls_kv_space space, const lmdb_staged *entry,
                          lls_error *err)
{
    uint8_t bytes[KEY_MAX];
    uint8_t stored[ENTRY_SIZE] = {FORMAT};
    MDB_val key = make_key(bytes, run, space);
    MDB_val val = {sizeof(stored), stored};

    stored[1] = entry->watching ? FLAG_WATCHING : 0;
    lls_little_set_u32(stored + 8, entry->staged);
    lls_little_set_u32(stored + 12, entry->merged);
    lls_little_set_u32(stored + 16, entry->live);
    lls_little_set_u64(stored + 24, entry->live_changes);
    lls_little_set_u64(stored + 32, entry->count);
    lls_little_set_u32(stored + 4, checksum(&key, stored));
    int rc = mdb_put(txn->raw, txn->env->meta, &key, &val, 0);
    return rc ? lmdb_txn_fail(txn, rc, err, "write the entry of a stage") : LLS_OK;
}

lls_err lmdb_staged_remove(lmdb_txn *txn, lls_str run, lls_kv_space space, lls_error *err)
{
    uint8_t bytes[KEY_MAX];
    MDB_val key = make_key(bytes, run, space);
    int rc = mdb_del(txn->raw, txn->env->meta, &key, NULL);

    return rc && rc != MDB_NOTFOUND ? lmdb_txn_fail(txn, rc, err, "remove the entry of a stage")
                                    : LLS_OK;
}

lls_err lmdb_staged_unwatch(lmdb_txn *txn, lls_kv_space space, lmdb_staged *entry, lls_error *err)
{
    lmdb_space live;

    LLS_TRY(lmdb_space_bury(txn, entry->merged, err));
    entry->merged = 0;
    if (!entry->watching)
        return LLS_OK;
    entry->watching = false;
    lls_err e = lmdb_space_find(txn->env, txn->raw, space, &live, err);
    if (e == LLS_E_NOTFOUND || (e == LLS_OK && live.id != entry->live))
        return LLS_OK; // what was watched is no more
    LLS_TRY(e);
    live.watchers -= live.watchers > 0;
    return lmdb_space_store(txn, space, &live, err);
}

lls_err lmdb_staged_first(lmdb_txn *txn, lls_str run, lls_str tenant, char coll[LLS_COLL_MAX + 1],
                          lmdb_staged *out, lls_error *err)
{
    uint8_t bytes[KEY_MAX];
    MDB_val prefix = make_key(bytes, run, (lls_kv_space){.tenant = tenant});
    MDB_val key = prefix;
    MDB_val val;
    MDB_cursor *cursor;

    int rc = mdb_cursor_open(txn->raw, txn->env->meta, &cursor);
    if (rc == 0) {
        rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
        mdb_cursor_close(cursor);
    }
    if (rc == MDB_NOTFOUND)
        return LLS_END;
    if (rc != 0)
        return lmdb_txn_fail(txn, rc, err, "look for a stage");
    if (!lls_bytes_has_prefix(lmdb_bytes(&key), lmdb_bytes(&prefix)))
        return LLS_END;
    size_t len = key.mv_size - prefix.mv_size;
    if (len > LLS_COLL_MAX)
        return lls_fail(err, LLS_E_CORRUPT, "the entry of a stage is damaged");
    memcpy(coll, (const char *)key.mv_data + prefix.mv_size, len);
    coll[len] = '\0';
    return lmdb_staged_decode(&key, &val, out, err);
}
