#include "backends/lmdb/space.h"

#include "backends/lmdb/value.h"
#include "base/hash.h"
#include "base/scope.h"

/*
 *   0  format, 1          8  id
 *   1  zero, zero, zero  12  watchers
 *   4  checksum          16  changes
 */
enum { FORMAT = 1, ENTRY_SIZE = 24 };

static MDB_val entry_key(uint8_t out[LMDB_SPACE_KEY_MAX], lls_kv_space space)
{
    memcpy(out, space.tenant.data, space.tenant.len);
    out[space.tenant.len] = '\0';
    memcpy(out + space.tenant.len + 1, space.coll.data, space.coll.len);
    return (MDB_val){space.tenant.len + 1 + space.coll.len, out};
}

static uint32_t checksum(const MDB_val *key, const uint8_t *entry)
{
    lls_bytes parts[] = {lmdb_bytes(key), {entry, 4}, {entry + 8, ENTRY_SIZE - 8}};

    return lls_checksum(parts, LLS_COUNT(parts));
}

static lls_err find(lmdb_env *env, MDB_txn *txn, MDB_val *key, lmdb_space *out, lls_error *err)
{
    MDB_val val;
    int rc = mdb_get(txn, env->spaces, key, &val);

    if (rc == MDB_NOTFOUND)
        return LLS_E_NOTFOUND;
    if (rc != 0)
        return lmdb_fail(rc, err, "read the table of spaces");
    const uint8_t *at = val.mv_data;
    if (val.mv_size != ENTRY_SIZE || lls_little_get_u32(at + 4) != checksum(key, at) ||
        at[0] != FORMAT)
        return lls_fail(err, LLS_E_CORRUPT, "an entry of the table of spaces is damaged");
    *out = (lmdb_space){lls_little_get_u32(at + 8), lls_little_get_u32(at + 12),
                        lls_little_get_u64(at + 16)};
    return LLS_OK;
}

lls_err lmdb_space_find(lmdb_env *env, MDB_txn *txn, lls_kv_space space, lmdb_space *out,
                        lls_error *err)
{
    uint8_t bytes[LMDB_SPACE_KEY_MAX];
    MDB_val key = entry_key(bytes, space);

    return find(env, txn, &key, out, err);
}

static bool is_cached(const lmdb_reader *reader, size_t txn, lls_kv_space space)
{
    size_t tenant = space.tenant.len;
    const uint8_t *key = reader->cached_key;

    return reader->cached_txn == txn && reader->cached_len == tenant + 1 + space.coll.len &&
           memcmp(key, space.tenant.data, tenant) == 0 && key[tenant] == '\0' &&
           memcmp(key + tenant + 1, space.coll.data, space.coll.len) == 0;
}

lls_err lmdb_space_id(lmdb_env *env, lmdb_reader *reader, lls_kv_space space, uint32_t *out,
                      lls_error *err)
{
    size_t txn = mdb_txn_id(reader->raw);
    lmdb_space entry;

    if (!is_cached(reader, txn, space)) {
        reader->cached_txn = 0;
        MDB_val key = entry_key(reader->cached_key, space);
        LLS_TRY(find(env, reader->raw, &key, &entry, err));
        reader->cached_len = key.mv_size;
        reader->cached_id = entry.id;
        reader->cached_txn = txn;
    }
    *out = reader->cached_id;
    return LLS_OK;
}

lls_err lmdb_space_store(lmdb_txn *txn, lls_kv_space space, const lmdb_space *entry, lls_error *err)
{
    uint8_t bytes[LMDB_SPACE_KEY_MAX];
    uint8_t stored[ENTRY_SIZE] = {FORMAT};
    MDB_val key = entry_key(bytes, space);
    MDB_val val = {sizeof(stored), stored};

    lls_little_set_u32(stored + 8, entry->id);
    lls_little_set_u32(stored + 12, entry->watchers);
    lls_little_set_u64(stored + 16, entry->changes);
    lls_little_set_u32(stored + 4, checksum(&key, stored));
    int rc = mdb_put(txn->raw, txn->env->spaces, &key, &val, 0);
    return rc ? lmdb_txn_fail(txn, rc, err, "write the table of spaces") : LLS_OK;
}

lls_err lmdb_space_remove(lmdb_txn *txn, lls_kv_space space, lls_error *err)
{
    uint8_t bytes[LMDB_SPACE_KEY_MAX];
    MDB_val key = entry_key(bytes, space);
    int rc = mdb_del(txn->raw, txn->env->spaces, &key, NULL);

    return rc && rc != MDB_NOTFOUND ? lmdb_txn_fail(txn, rc, err, "write the table of spaces")
                                    : LLS_OK;
}

int lmdb_meta_set(lmdb_env *env, MDB_txn *txn, const char *name, uint32_t number, unsigned flags)
{
    uint8_t bytes[4];
    MDB_val key = lmdb_text(name, strlen(name));
    MDB_val val = {sizeof(bytes), bytes};

    lls_little_set_u32(bytes, number);
    return mdb_put(txn, env->meta, &key, &val, flags);
}

lls_err lmdb_space_new_id(lmdb_txn *txn, uint32_t *out, lls_error *err)
{
    MDB_val key = lmdb_text(LMDB_META_NEXT, sizeof(LMDB_META_NEXT) - 1);
    MDB_val val;

    int rc = mdb_get(txn->raw, txn->env->meta, &key, &val);
    if (rc != 0 || val.mv_size != 4)
        return lmdb_txn_fail(txn, rc ? rc : MDB_CORRUPTED, err, "read the next number of a space");
    uint32_t id = lls_little_get_u32(val.mv_data);
    if (id == 0 || id >= LMDB_RECORD - 1)
        return lls_fail(err, LLS_E_FULL, "all numbers of spaces were given out");
    rc = lmdb_meta_set(txn->env, txn->raw, LMDB_META_NEXT, id + 1, 0);
    if (rc != 0)
        return lmdb_txn_fail(txn, rc, err, "write the next number of a space");
    *out = id;
    return LLS_OK;
}

lls_err lmdb_space_bury(lmdb_txn *txn, uint32_t id, lls_error *err)
{
    uint8_t bytes[LMDB_META_DEAD_LEN + 4] = LMDB_META_DEAD;
    MDB_val key = {sizeof(bytes), bytes};
    MDB_val val = {0, NULL};

    if (id == 0)
        return LLS_OK;
    lls_big_set_u32(bytes + LMDB_META_DEAD_LEN, id);
    int rc = mdb_put(txn->raw, txn->env->meta, &key, &val, 0);
    return rc ? lmdb_txn_fail(txn, rc, err, "write the list of dead spaces") : LLS_OK;
}
