/*
 * LMDB as its manual says: one cached read transaction, durable commits, a copy of each value. Once
 * plainly, and once with what our records promise: a checksum of key and value before each value,
 * and no value believed that it does not fit.
 */
#include "peer.h"

#include "base/hash.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

typedef struct raw {
    MDB_env *env;
    MDB_dbi dbi;
    MDB_txn *reader;
    bool checked;
    char value[1 << 16];
} raw;

enum { CHECKSUM = sizeof(uint64_t) };

static void must(int code, const char *what)
{
    if (code != 0)
        bench_die(what, mdb_strerror(code));
}

static uint64_t checksum(MDB_val key, const char *value, size_t len)
{
    return lls_hash((lls_bytes){(const uint8_t *)value, len}, 0) ^
           lls_hash((lls_bytes){key.mv_data, key.mv_size}, 0);
}

/* The value that is stored, without the checksum. */
static MDB_val opened(const raw *r, MDB_val key, MDB_val stored)
{
    uint64_t sum;

    if (!r->checked)
        return stored;
    memcpy(&sum, stored.mv_data, CHECKSUM);
    MDB_val value = {stored.mv_size - CHECKSUM, (char *)stored.mv_data + CHECKSUM};
    if (sum != checksum(key, value.mv_data, value.mv_size))
        bench_die("lmdb", "a wrong checksum");
    return value;
}

static void *raw_open(const char *folder)
{
    raw *r = calloc(1, sizeof(*r));
    MDB_txn *txn;

    if (!r)
        bench_die("lmdb", "out of memory");
    must(mdb_env_create(&r->env), "lmdb");
    must(mdb_env_set_mapsize(r->env, (size_t)64 << 30), "lmdb map");
    must(mdb_env_open(r->env, folder, MDB_NOTLS, 0600), "lmdb open");
    must(mdb_txn_begin(r->env, NULL, 0, &txn), "lmdb begin");
    must(mdb_dbi_open(txn, NULL, 0, &r->dbi), "lmdb dbi");
    must(mdb_txn_commit(txn), "lmdb commit");
    must(mdb_txn_begin(r->env, NULL, MDB_RDONLY, &r->reader), "lmdb reader");
    mdb_txn_reset(r->reader);
    return r;
}

static void *checked_open(const char *folder)
{
    raw *r = raw_open(folder);

    r->checked = true;
    return r;
}

static int put(raw *r, MDB_txn *txn, MDB_val key, MDB_val value)
{
    MDB_val stored = {value.mv_size + CHECKSUM, NULL};
    uint64_t sum;

    if (!r->checked)
        return mdb_put(txn, r->dbi, &key, &value, 0);
    int rc = mdb_put(txn, r->dbi, &key, &stored, MDB_RESERVE);
    if (rc == 0) {
        sum = checksum(key, value.mv_data, value.mv_size);
        memcpy(stored.mv_data, &sum, CHECKSUM);
        memcpy((char *)stored.mv_data + CHECKSUM, value.mv_data, value.mv_size);
    }
    return rc;
}

static void raw_put(void *peer, const bench_pair *pairs, size_t count)
{
    raw *r = peer;
    MDB_txn *txn;

    must(mdb_txn_begin(r->env, NULL, 0, &txn), "lmdb begin");
    for (size_t i = 0; i < count; i++) {
        MDB_val key = {pairs[i].key_len, (void *)(size_t)pairs[i].key};
        MDB_val value = {pairs[i].value_len, (void *)(size_t)pairs[i].value};
        must(put(r, txn, key, value), "lmdb put");
    }
    must(mdb_txn_commit(txn), "lmdb commit");
}

static size_t raw_get(void *peer, const char *key, size_t key_len)
{
    raw *r = peer;
    MDB_val k = {key_len, (void *)(size_t)key};
    MDB_val value;

    must(mdb_txn_renew(r->reader), "lmdb renew");
    must(mdb_get(r->reader, r->dbi, &k, &value), "lmdb get");
    value = opened(r, k, value);
    memcpy(r->value, value.mv_data, value.mv_size); // it must outlive the transaction
    mdb_txn_reset(r->reader);
    return value.mv_size;
}

static size_t raw_scan(void *peer, const char *prefix, size_t prefix_len, bench_take take)
{
    raw *r = peer;
    MDB_cursor *cursor;
    MDB_val key = {prefix_len, (void *)(size_t)prefix};
    MDB_val value;
    size_t n = 0;

    must(mdb_txn_renew(r->reader), "lmdb renew");
    must(mdb_cursor_open(r->reader, r->dbi, &cursor), "lmdb cursor");
    int code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
    while (code == 0 && key.mv_size >= prefix_len && memcmp(key.mv_data, prefix, prefix_len) == 0) {
        value = opened(r, key, value);
        if (take)
            take(value.mv_data, value.mv_size);
        n++;
        code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
    }
    mdb_cursor_close(cursor);
    mdb_txn_reset(r->reader);
    return n;
}

static void raw_close(void *peer)
{
    raw *r = peer;

    mdb_txn_abort(r->reader);
    mdb_env_close(r->env);
    free(r);
}

const bench_peer bench_lmdb = {"raw LMDB", raw_open, raw_put, raw_get, raw_scan, raw_close};
const bench_peer bench_lmdb_checked = {"LMDB, checksums", checked_open, raw_put,
                                       raw_get,           raw_scan,     raw_close};
