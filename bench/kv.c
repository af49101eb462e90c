/* The key/value benchmark: the same work on each peer, in interleaved rounds; the best counts. */
#include "document.h"
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 200000, BYTES = 512, BATCH = 1000, SINGLES = 1000, GETS = 400000, SCANS = 4000 };
enum { ROUNDS = 3 };

static const bench_peer *const peers[] = {&bench_port, &bench_lmdb, &bench_lmdb_checked,
                                          &bench_sqlite, &bench_rocksdb};
enum { PEERS = sizeof(peers) / sizeof(peers[0]) };

enum work { LOAD, SINGLE, GET, SCAN, COUNT, WORKS };
static const char *const titles[WORKS] = {
    "load, 1,000 a transaction", "durable single writes",   "random reads",
    "scans by prefix",           "the same, values unread",
};

typedef struct data {
    char keys[RECORDS][64];
    size_t key_lens[RECORDS];
    char *values; /* RECORDS × 2·BYTES */
    size_t value_lens[RECORDS];
} data;

void bench_die(const char *what, const char *why)
{
    (void)fprintf(stderr, "%s: %s\n", what, why);
    exit(1);
}

static double now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static data *make_data(void)
{
    data *d = malloc(sizeof(*d));
    char *values = malloc((size_t)RECORDS * 2 * BYTES);

    if (!d || !values)
        bench_die("data", "out of memory");
    d->values = values;
    for (size_t i = 0; i < RECORDS; i++) {
        d->key_lens[i] = bench_key(i, d->keys[i], sizeof(d->keys[i]));
        d->value_lens[i] = bench_document(i, BYTES, values + i * 2 * BYTES, (size_t)2 * BYTES);
    }
    return d;
}

static bench_pair pair_of(const data *d, size_t i)
{
    return (bench_pair){d->keys[i], d->key_lens[i], d->values + i * 2 * BYTES, d->value_lens[i]};
}

static double load(const bench_peer *peer, void *store, const data *d)
{
    bench_pair batch[BATCH];
    double began = now();

    for (size_t i = 0; i < RECORDS; i += BATCH) {
        for (size_t j = 0; j < BATCH; j++)
            batch[j] = pair_of(d, i + j);
        peer->put(store, batch, BATCH);
    }
    return RECORDS / (now() - began);
}

static double single(const bench_peer *peer, void *store, const data *d)
{
    uint64_t random = 99;
    double began = now();

    for (size_t i = 0; i < SINGLES; i++) {
        bench_pair one = pair_of(d, bench_random(&random) % RECORDS);
        peer->put(store, &one, 1);
    }
    return SINGLES / (now() - began);
}

static double get(const bench_peer *peer, void *store, const data *d)
{
    uint64_t random = 7;
    double began = now();

    for (size_t i = 0; i < GETS; i++) {
        size_t n = bench_random(&random) % RECORDS;
        if (peer->get(store, d->keys[n], d->key_lens[n]) != d->value_lens[n])
            bench_die(peer->name, "a value of the wrong length");
    }
    return GETS / (now() - began);
}

/* As a get does: it must outlive the transaction. */
static void copy(const void *value, size_t len)
{
    static char copied[1 << 16];

    memcpy(copied, value, len);
}

static double scan(const bench_peer *peer, void *store, const data *d, bench_take take)
{
    uint64_t random = 5;
    size_t seen = 0;
    double began = now();

    for (size_t i = 0; i < SCANS; i++) // "agent:worker:" and three digits: about 49 records
        seen += peer->scan(store, d->keys[bench_random(&random) % RECORDS], 16, take);
    if (seen < SCANS)
        bench_die(peer->name, "a scan that found nothing");
    return SCANS / (now() - began);
}

static void play_round(const data *d, double best[WORKS][PEERS])
{
    for (int p = 0; p < PEERS; p++) {
        char folder[] = "/tmp/llmspell-bench-XXXXXX";
        char clean_up[64];
        if (!mkdtemp(folder))
            bench_die("mkdtemp", folder);
        void *store = peers[p]->open(folder);
        double rate[WORKS];
        rate[LOAD] = load(peers[p], store, d);
        rate[SINGLE] = single(peers[p], store, d);
        rate[GET] = get(peers[p], store, d);
        rate[SCAN] = scan(peers[p], store, d, copy);
        rate[COUNT] = scan(peers[p], store, d, NULL);
        peers[p]->close(store);
        for (int w = 0; w < WORKS; w++)
            if (rate[w] > best[w][p])
                best[w][p] = rate[w];
        (void)snprintf(clean_up, sizeof(clean_up), "rm -rf %s", folder);
        if (system(clean_up) != 0)
            bench_die("remove", folder);
    }
}

int main(void)
{
    double best[WORKS][PEERS] = {0};
    data *d = make_data();

    for (int round = 0; round < ROUNDS; round++)
        play_round(d, best);

    (void)printf("%d records of about %d bytes; operations a second, and (times raw LMDB)\n\n",
                 RECORDS, BYTES);
    (void)printf("%-28s", "");
    for (int p = 0; p < PEERS; p++)
        (void)printf("%22s", peers[p]->name);
    (void)printf("\n");
    for (int w = 0; w < WORKS; w++) {
        (void)printf("%-28s", titles[w]);
        for (int p = 0; p < PEERS; p++)
            (void)printf("%14.0f (%5.2f)", best[w][p], best[w][p] / best[w][1]);
        (void)printf("\n");
    }
    free(d->values);
    free(d);
    return 0;
}
