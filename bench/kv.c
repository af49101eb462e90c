/*
 * The key/value benchmark: the same work on each peer, in rounds; the best counts. Peers of one
 * group are open together and read in short turns, so that what the machine does besides meets them
 * alike.
 */
#include "document.h"
#include "peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORDS = 200000, BYTES = 512, BATCH = 1000, SINGLES = 1000, GETS = 100000, SCANS = 1000 };
enum { ROUNDS = 3, TURNS = 8 };

static const bench_peer *const peers[] = {&bench_port, &bench_lmdb, &bench_lmdb_checked,
                                          &bench_sqlite, &bench_rocksdb};
enum { PEERS = sizeof(peers) / sizeof(peers[0]) };
static const int groups[] = {3, 1, 1}; // the last two have work of their own to do meanwhile

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

typedef struct player {
    const bench_peer *peer;
    void *store;
    char folder[32];
    double best[WORKS];
} player;

static void keep(player *p, enum work work, double rate)
{
    if (rate > p->best[work])
        p->best[work] = rate;
}

static void begin(player *p, const data *d)
{
    (void)strcpy(p->folder, "/tmp/llmspell-bench-XXXXXX");
    if (!mkdtemp(p->folder))
        bench_die("mkdtemp", p->folder);
    p->store = p->peer->open(p->folder);
    keep(p, LOAD, load(p->peer, p->store, d));
    keep(p, SINGLE, single(p->peer, p->store, d));
}

static void read_all(player *p, const data *d)
{
    keep(p, GET, get(p->peer, p->store, d));
    keep(p, SCAN, scan(p->peer, p->store, d, copy));
    keep(p, COUNT, scan(p->peer, p->store, d, NULL));
}

static void end(player *p)
{
    char clean_up[64];

    p->peer->close(p->store);
    (void)snprintf(clean_up, sizeof(clean_up), "rm -rf %s", p->folder);
    if (system(clean_up) != 0)
        bench_die("remove", p->folder);
}

static void play_round(const data *d, player *group, int count)
{
    for (int p = 0; p < count; p++)
        begin(&group[p], d);
    for (int turn = 0; turn < TURNS; turn++)
        for (int p = 0; p < count; p++)
            read_all(&group[p], d);
    for (int p = 0; p < count; p++)
        end(&group[p]);
}

static void print(const player *players)
{
    (void)printf("%d records of about %d bytes; operations a second, and (times raw LMDB)\n\n",
                 RECORDS, BYTES);
    (void)printf("%-28s", "");
    for (int p = 0; p < PEERS; p++)
        (void)printf("%22s", players[p].peer->name);
    (void)printf("\n");
    for (int w = 0; w < WORKS; w++) {
        (void)printf("%-28s", titles[w]);
        for (int p = 0; p < PEERS; p++)
            (void)printf("%14.0f (%5.2f)", players[p].best[w],
                         players[p].best[w] / players[1].best[w]);
        (void)printf("\n");
    }
}

int main(void)
{
    player players[PEERS] = {0};
    data *d = make_data();

    for (int p = 0; p < PEERS; p++)
        players[p].peer = peers[p];
    for (int round = 0; round < ROUNDS; round++) {
        player *group = players;
        for (size_t g = 0; g < sizeof(groups) / sizeof(groups[0]); group += groups[g++])
            play_round(d, group, groups[g]);
    }
    print(players);
    free(d->values);
    free(d);
    return 0;
}
