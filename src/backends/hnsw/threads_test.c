// Searches beside a writer: what a thread sanitizer looks at.
#include "testing/point_cloud.h"

#include <pthread.h>
#include <stdatomic.h>

enum { DIM = 40, START = 1200, WRITES = 1500, READERS = 3 };

typedef struct battle {
    hnsw_index *index;
    point_cloud cloud;
    atomic_bool done;
    atomic_uint searches;
} battle;

static void *read_on(void *user)
{
    battle *arena = user;
    uint64_t seed = (uint64_t)(uintptr_t)&seed;
    uint64_t bits[(START + WRITES) / 64 + 1];
    hnsw_stats stats;

    memset(bits, 0x55, sizeof(bits));
    while (!atomic_load(&arena->done) || atomic_load(&arena->searches) < 300) {
        hnsw_hit hits[10];
        size_t count = 0;
        bool exact;
        hnsw_query query = {.vector =
                                cloud_at(&arena->cloud, (uint32_t)(hnsw_random(&seed) % START)),
                            .k = 10,
                            .ef = 16};
        if (hnsw_random(&seed) % 2) {
            query.allowed = bits;
            query.allowed_slots = START + WRITES;
            query.allowed_count = (START + WRITES) / 2;
        }
        query.exact = hnsw_random(&seed) % 8 == 0;
        if (hnsw_index_search(arena->index, &query, hits, &count, &exact, NULL) != LLS_OK ||
            count != 10)
            return arena; // assertions are not for other threads
        for (size_t i = 1; i < count; i++) {
            if (hits[i].distance < hits[i - 1].distance)
                return arena;
        }
        hnsw_index_stats(arena->index, &stats);
        if (stats.count < START - 1)
            return arena;
        atomic_fetch_add(&arena->searches, 1);
    }
    return NULL;
}

static void write_on(battle *arena, uint32_t *slots)
{
    lls_error err = {0};
    uint64_t seed = 5;

    for (uint32_t i = 0; i < WRITES; i++) {
        uint32_t at = (uint32_t)((uint32_t)(hnsw_random(&seed) % START));
        lls_err e;
        if (i % 3 == 0) {
            assert_ok(hnsw_index_update(arena->index, &slots[at],
                                        cloud_at(&arena->cloud, START + i), &err),
                      err);
        } else {
            assert_ok(hnsw_index_remove(arena->index, slots[at], &err), err);
            assert_ok(
                hnsw_index_add(arena->index, cloud_at(&arena->cloud, START + i), &slots[at], &err),
                err);
        }
        if (i % 50 != 0)
            continue;
        e = hnsw_index_tend(arena->index, &err);
        assert_true(e == LLS_OK || e == LLS_END);
    }
}

static void fight(hnsw_params params)
{
    static battle arena;
    uint32_t slots[START];
    pthread_t readers[READERS];
    lls_error err = {0};
    hnsw_snapshot *snapshot;

    atomic_store(&arena.done, false);
    atomic_store(&arena.searches, 0);
    arena.cloud = cloud_new(DIM, START + WRITES, 20, 1);
    assert_ok(hnsw_index_new(&params, &arena.index, &err), err);
    for (uint32_t i = 0; i < START; i++)
        assert_ok(hnsw_index_add(arena.index, cloud_at(&arena.cloud, i), &slots[i], &err), err);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, &arena), 0);
    write_on(&arena, slots);
    assert_ok(hnsw_snapshot_new(arena.index, &snapshot, &err), err);
    assert_int_equal(snapshot->count, START);
    hnsw_snapshot_free(snapshot);
    atomic_store(&arena.done, true);
    for (int i = 0; i < READERS; i++) {
        void *failed;
        pthread_join(readers[i], &failed);
        assert_null(failed);
    }
    hnsw_index_free(arena.index);
    cloud_free(&arena.cloud);
}

static void searches_and_writes_go_on_beside_each_other(void **state)
{
    (void)state;
    fight((hnsw_params){.dim = DIM, .flat_max = 300, .ef_construction = 40});
}

static void they_do_so_while_the_graph_begins(void **state)
{
    (void)state;
    fight((hnsw_params){
        .dim = DIM, .metric = LLS_VEC_L2, .flat_max = START - 1, .ef_construction = 40});
}

static void they_do_so_without_a_graph(void **state)
{
    (void)state;
    fight((hnsw_params){.dim = DIM, .code = HNSW_CODE_INT4});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_and_writes_go_on_beside_each_other),
        cmocka_unit_test(they_do_so_while_the_graph_begins),
        cmocka_unit_test(they_do_so_without_a_graph),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
