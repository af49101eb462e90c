/* LMDB as its manual says: one cached read transaction, durable commits, a copy of each value. */
#include "peer.h"

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

typedef struct raw {
    MDB_env *env;
    MDB_dbi dbi;
    MDB_txn *reader;
    char value[1 << 16];
} raw;

static void must(int code, const char *what)
{
    if (code != 0)
        bench_die(what, mdb_strerror(code));
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

static void raw_put(void *peer, const bench_pair *pairs, size_t count)
{
    raw *r = peer;
    MDB_txn *txn;

    must(mdb_txn_begin(r->env, NULL, 0, &txn), "lmdb begin");
    for (size_t i = 0; i < count; i++) {
        MDB_val key = {pairs[i].key_len, (void *)(size_t)pairs[i].key};
        MDB_val value = {pairs[i].value_len, (void *)(size_t)pairs[i].value};
        must(mdb_put(txn, r->dbi, &key, &value, 0), "lmdb put");
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
    memcpy(r->value, value.mv_data, value.mv_size); // it must outlive the transaction
    mdb_txn_reset(r->reader);
    return value.mv_size;
}

static size_t raw_scan(void *peer, const char *prefix, size_t prefix_len)
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
