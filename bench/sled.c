/*
 * bench-sled make PATH RECORDS BYTES   a database by the engine: values of BYTES bytes
 * bench-sled read PATH                 opened and walked through by the reader
 *
 * `read` prints seconds, entries, bytes and the greatest memory in KiB. bench/sled runs both.
 */
#include "backends/sled/engine.h"
#include "backends/sled/reader.h"
#include "base/scope.h"

#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <time.h>

enum { BATCH = 1000 };

static int check(int rc, const char *said)
{
    if (rc == SLED_ENGINE_OK)
        return 0;
    (void)fprintf(stderr, "bench-sled: %s\n", said);
    exit(1);
}

static void fill(uint8_t *value, size_t size, uint64_t *state)
{
    for (size_t i = 0; i < size; i++) {
        *state = *state * 6364136223846793005U + 1442695040888963407U;
        value[i] = (uint8_t)(*state >> 56);
    }
}

static void make_batch(sled_engine_tree *tree, uint64_t from, uint64_t to, lls_bytes value,
                       uint8_t *bytes, uint64_t *state)
{
    sled_engine_batch *batch = NULL;
    sled_engine_error said = {0};
    char key[40];

    (void)check(sled_engine_batch_open(tree, &batch, &said), said.text);
    for (uint64_t i = from; i < to; i++) {
        fill(bytes, value.len, state);
        (void)snprintf(key, sizeof(key), "session:%016" PRIx64, i * 0x9E3779B97F4A7C15U);
        (void)check(sled_engine_batch_put(batch, lls_bytes_of(lls_str_of(key)), value, &said),
                    said.text);
    }
    (void)check(sled_engine_batch_commit(batch, &said), said.text);
    sled_engine_batch_close(batch);
}

static int make(const char *path, uint64_t records, size_t size)
{
    sled_engine_options options = {.path = lls_bytes_of(lls_str_of(path)),
                                   .segment_bytes = 512 * 1024,
                                   .cache_bytes = (uint64_t)256 << 20};
    uint8_t *bytes = calloc(1, size + 1);
    sled_engine *engine = NULL;
    sled_engine_tree *tree = NULL;
    sled_engine_error said = {0};
    uint64_t state = 1;

    if (!bytes)
        return 1;
    (void)check(sled_engine_open(&options, &engine, &said), said.text);
    (void)check(sled_engine_tree_open(engine, lls_bytes_of(LLS_STR("bench")), &tree, &said),
                said.text);
    for (uint64_t i = 0; i < records; i += BATCH)
        make_batch(tree, i, i + BATCH < records ? i + BATCH : records, (lls_bytes){bytes, size},
                   bytes, &state);
    (void)check(sled_engine_flush(engine, &said), said.text);
    sled_engine_tree_close(tree);
    sled_engine_close(engine);
    free(bytes);
    return 0;
}

static lls_err walk(const char *path, uint64_t *entries, uint64_t *bytes, lls_error *err)
{
    LLS_AUTO(sled_db_ref) db = NULL;
    lls_bytes tree;
    lls_err e = LLS_END;

    LLS_TRY(sled_open(path, SLED_TAIL_REFUSE, &db, err));
    for (size_t i = 0; e == LLS_END && sled_tree_at(db, i, &tree) == LLS_OK; i++) {
        LLS_AUTO(sled_cursor_ref) cursor = NULL;
        lls_bytes key;
        lls_bytes value;
        LLS_TRY(sled_cursor_open(db, tree, (lls_bytes){0}, &cursor, err));
        while ((e = sled_cursor_next(cursor, &key, &value, err)) == LLS_OK) {
            ++*entries;
            *bytes += key.len + value.len;
        }
    }
    return e == LLS_END ? LLS_OK : e;
}

static int read_all(const char *path)
{
    struct timespec begun;
    struct timespec ended;
    struct rusage used;
    uint64_t entries = 0;
    uint64_t bytes = 0;
    lls_error err = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &begun);
    if (walk(path, &entries, &bytes, &err) != LLS_OK)
        return check(1, err.msg);
    (void)clock_gettime(CLOCK_MONOTONIC, &ended);
    (void)getrusage(RUSAGE_SELF, &used);
    double seconds =
        (double)(ended.tv_sec - begun.tv_sec) + (double)(ended.tv_nsec - begun.tv_nsec) / 1e9;
    return printf("%.3f %" PRIu64 " %" PRIu64 " %ld\n", seconds, entries, bytes, used.ru_maxrss) <
           0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return make(argv[2], strtoull(argv[3], NULL, 10), (size_t)strtoull(argv[4], NULL, 10));
    if (argc == 3 && strcmp(argv[1], "read") == 0)
        return read_all(argv[2]);
    (void)fputs("usage: bench-sled make PATH RECORDS BYTES | read PATH\n", stderr);
    return 2;
}
