/** peer.h - one contestant of the key/value benchmark: a store in a folder of its own. */
#ifndef BENCH_PEER_H
#define BENCH_PEER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct bench_pair {
    const char *key;
    size_t key_len;
    const char *value;
    size_t value_len;
} bench_pair;

/** What a scan's caller does with a value. */
typedef void (*bench_take)(const void *value, size_t len);

/** Every function exits with a message when it fails: a benchmark has nothing to rescue. */
typedef struct bench_peer {
    const char *name;
    void *(*open)(const char *folder);
    void (*put)(void *peer, const bench_pair *pairs, size_t count); /**< One durable transaction. */
    size_t (*get)(void *peer, const char *key, size_t key_len);     /**< The value's length. */
    /** How many there were. Each value goes to `take`, unless that is NULL. */
    size_t (*scan)(void *peer, const char *prefix, size_t prefix_len, bench_take take);
    void (*close)(void *peer);
} bench_peer;

extern const bench_peer bench_port;
extern const bench_peer bench_lmdb;
extern const bench_peer bench_lmdb_checked;
extern const bench_peer bench_sqlite;
extern const bench_peer bench_rocksdb;

/** Print "what: why" and exit. */
void bench_die(const char *what, const char *why);

#endif
