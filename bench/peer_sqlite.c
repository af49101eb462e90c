/* SQLite in WAL mode with synchronous=FULL: durable on return, as ours is. */
#include "peer.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct lite {
    sqlite3 *db;
    sqlite3_stmt *put;
    sqlite3_stmt *get;
    sqlite3_stmt *scan;
    char value[1 << 16];
} lite;

static void must(lite *l, int code, int want, const char *what)
{
    if (code != want)
        bench_die(what, sqlite3_errmsg(l->db));
}

static void run(lite *l, const char *sql)
{
    must(l, sqlite3_exec(l->db, sql, NULL, NULL, NULL), SQLITE_OK, sql);
}

static void *lite_open(const char *folder)
{
    lite *l = calloc(1, sizeof(*l));
    char path[512];

    if (!l)
        bench_die("sqlite", "out of memory");
    (void)snprintf(path, sizeof(path), "%s/data.sqlite", folder);
    must(l, sqlite3_open(path, &l->db), SQLITE_OK, "sqlite open");
    run(l, "PRAGMA journal_mode=WAL");
    run(l, "PRAGMA synchronous=FULL");
    run(l, "PRAGMA cache_size=-65536");
    run(l, "PRAGMA mmap_size=1073741824");
    run(l, "CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB) WITHOUT ROWID");
    must(l, sqlite3_prepare_v2(l->db, "INSERT OR REPLACE INTO kv VALUES (?1, ?2)", -1, &l->put, 0),
         SQLITE_OK, "sqlite prepare");
    must(l, sqlite3_prepare_v2(l->db, "SELECT v FROM kv WHERE k = ?1", -1, &l->get, 0), SQLITE_OK,
         "sqlite prepare");
    must(l,
         sqlite3_prepare_v2(l->db, "SELECT k, v FROM kv WHERE k >= ?1 AND k < ?2 ORDER BY k", -1,
                            &l->scan, 0),
         SQLITE_OK, "sqlite prepare");
    return l;
}

static void lite_put(void *peer, const bench_pair *pairs, size_t count)
{
    lite *l = peer;

    run(l, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < count; i++) {
        (void)sqlite3_bind_blob(l->put, 1, pairs[i].key, (int)pairs[i].key_len, SQLITE_STATIC);
        (void)sqlite3_bind_blob(l->put, 2, pairs[i].value, (int)pairs[i].value_len, SQLITE_STATIC);
        must(l, sqlite3_step(l->put), SQLITE_DONE, "sqlite put");
        (void)sqlite3_reset(l->put);
    }
    run(l, "COMMIT");
}

static size_t lite_get(void *peer, const char *key, size_t key_len)
{
    lite *l = peer;

    (void)sqlite3_bind_blob(l->get, 1, key, (int)key_len, SQLITE_STATIC);
    must(l, sqlite3_step(l->get), SQLITE_ROW, "sqlite get");
    size_t len = (size_t)sqlite3_column_bytes(l->get, 0);
    memcpy(l->value, sqlite3_column_blob(l->get, 0), len);
    (void)sqlite3_reset(l->get);
    return len;
}

static size_t lite_scan(void *peer, const char *prefix, size_t prefix_len, bench_take take)
{
    lite *l = peer;
    char end[64];
    size_t n = 0;

    memcpy(end, prefix, prefix_len);
    end[prefix_len - 1]++; // our prefixes end in a digit or letter
    (void)sqlite3_bind_blob(l->scan, 1, prefix, (int)prefix_len, SQLITE_STATIC);
    (void)sqlite3_bind_blob(l->scan, 2, end, (int)prefix_len, SQLITE_TRANSIENT);
    while (sqlite3_step(l->scan) == SQLITE_ROW) {
        if (take)
            take(sqlite3_column_blob(l->scan, 1), (size_t)sqlite3_column_bytes(l->scan, 1));
        n++;
    }
    (void)sqlite3_reset(l->scan);
    return n;
}

static void lite_close(void *peer)
{
    lite *l = peer;

    (void)sqlite3_finalize(l->put);
    (void)sqlite3_finalize(l->get);
    (void)sqlite3_finalize(l->scan);
    (void)sqlite3_close(l->db);
    free(l);
}

const bench_peer bench_sqlite = {"SQLite (WAL)", lite_open, lite_put,
                                 lite_get,       lite_scan, lite_close};
