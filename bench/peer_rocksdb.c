/* RocksDB through its C interface, writes synced. */
#include "peer.h"

#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>

typedef struct rocks {
    rocksdb_t *db;
    rocksdb_options_t *options;
    rocksdb_readoptions_t *reading;
    rocksdb_writeoptions_t *writing;
} rocks;

static void must(char *message, const char *what)
{
    if (message)
        bench_die(what, message);
}

static void *rocks_open(const char *folder)
{
    rocks *r = calloc(1, sizeof(*r));
    char *message = NULL;

    if (!r)
        bench_die("rocksdb", "out of memory");
    r->options = rocksdb_options_create();
    rocksdb_options_set_create_if_missing(r->options, 1);
    rocksdb_options_set_compression(r->options, rocksdb_no_compression);
    r->reading = rocksdb_readoptions_create();
    r->writing = rocksdb_writeoptions_create();
    rocksdb_writeoptions_set_sync(r->writing, 1);
    r->db = rocksdb_open(r->options, folder, &message);
    must(message, "rocksdb open");
    return r;
}

static void rocks_put(void *peer, const bench_pair *pairs, size_t count)
{
    rocks *r = peer;
    rocksdb_writebatch_t *batch = rocksdb_writebatch_create();
    char *message = NULL;

    for (size_t i = 0; i < count; i++)
        rocksdb_writebatch_put(batch, pairs[i].key, pairs[i].key_len, pairs[i].value,
                               pairs[i].value_len);
    rocksdb_write(r->db, r->writing, batch, &message);
    must(message, "rocksdb put");
    rocksdb_writebatch_destroy(batch);
}

static size_t rocks_get(void *peer, const char *key, size_t key_len)
{
    rocks *r = peer;
    char *message = NULL;
    size_t len = 0;
    char *value = rocksdb_get(r->db, r->reading, key, key_len, &len, &message);

    must(message, "rocksdb get");
    if (!value)
        bench_die("rocksdb get", "not found");
    rocksdb_free(value);
    return len;
}

static size_t rocks_scan(void *peer, const char *prefix, size_t prefix_len, bench_take take)
{
    rocks *r = peer;
    rocksdb_iterator_t *it = rocksdb_create_iterator(r->db, r->reading);
    size_t n = 0;

    for (rocksdb_iter_seek(it, prefix, prefix_len); rocksdb_iter_valid(it); rocksdb_iter_next(it)) {
        size_t len;
        const char *key = rocksdb_iter_key(it, &len);
        if (len < prefix_len || memcmp(key, prefix, prefix_len) != 0)
            break;
        const char *value = rocksdb_iter_value(it, &len);
        if (take)
            take(value, len);
        n++;
    }
    rocksdb_iter_destroy(it);
    return n;
}

static void rocks_close(void *peer)
{
    rocks *r = peer;

    rocksdb_close(r->db);
    rocksdb_readoptions_destroy(r->reading);
    rocksdb_writeoptions_destroy(r->writing);
    rocksdb_options_destroy(r->options);
    free(r);
}

const bench_peer bench_rocksdb = {"RocksDB", rocks_open, rocks_put,
                                  rocks_get, rocks_scan, rocks_close};
