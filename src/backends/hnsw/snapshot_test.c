// Sections: written, attached, damaged, made anew.
#include "backends/hnsw/head.h"
#include "base/alloc.h"
#include "testing/point_cloud.h"

enum { COUNT = 3000, DIM = 72 };

static hnsw_params params_of(lls_vec_metric metric, hnsw_code code)
{
    return (hnsw_params){.dim = DIM,
                         .metric = metric,
                         .code = code,
                         .flat_max = 500,
                         .ef_construction = 80,
                         .seed = 11};
}

static hnsw_index *filled(const hnsw_params *params, const point_cloud *cloud)
{
    lls_error err = {0};
    hnsw_index *index;
    uint32_t slot;

    assert_ok(hnsw_index_new(params, &index, &err), err);
    for (uint32_t i = 0; i < cloud->count; i++)
        assert_ok(hnsw_index_add(index, cloud_at(cloud, i), &slot, &err), err);
    return index;
}

// What an attached index lies over: memory of the caller.
typedef struct ground {
    hnsw_params params;
    lls_bytes sections[HNSW_SECTION_COUNT];
    uint8_t *blocks[HNSW_SECTION_COUNT];
    float *originals;
    uint32_t count;
} ground;

static ground ground_of(hnsw_index *index, const hnsw_params *params)
{
    lls_error err = {0};
    hnsw_snapshot *snapshot;
    ground g = {.params = *params};

    assert_ok(hnsw_snapshot_new(index, &snapshot, &err), err);
    g.count = snapshot->count;
    g.originals = malloc((size_t)g.count * params->dim * sizeof(float) + 1);
    for (uint32_t i = 0; i < g.count; i++)
        memcpy(g.originals + (size_t)i * params->dim, hnsw_snapshot_original(snapshot, i),
               params->dim * sizeof(float));
    for (size_t s = 0; s < HNSW_SECTION_COUNT; s++) {
        size_t len = snapshot->sections[s].len;
        g.blocks[s] = aligned_alloc(64, (len + 64) / 64 * 64);
        if (len > 0)
            memcpy(g.blocks[s], snapshot->sections[s].data, len);
        g.sections[s] = (lls_bytes){g.blocks[s], len};
    }
    hnsw_snapshot_free(snapshot);
    return g;
}

static void ground_free(ground *g)
{
    for (size_t s = 0; s < HNSW_SECTION_COUNT; s++)
        free(g->blocks[s]);
    free(g->originals);
}

static hnsw_index *attached(const ground *g)
{
    lls_error err = {0};
    hnsw_index *index;

    assert_ok(hnsw_index_attach(&g->params, g->sections, g->originals, g->count, &index, &err),
              err);
    return index;
}

static double recall_of(hnsw_index *index)
{
    lls_error err = {0};
    double recall;

    assert_ok(hnsw_index_recall(index, 100, 10, 30, &recall, &err), err);
    return recall;
}

static void tend(hnsw_index *index)
{
    lls_error err = {0};
    lls_err e;

    while ((e = hnsw_index_tend(index, &err)) == LLS_OK)
        ;
    assert_code(e, LLS_END, err);
}

static void assert_sound(hnsw_index *index, uint64_t count)
{
    lls_error err = {0};
    hnsw_health health;

    assert_ok(hnsw_index_inspect(index, &health, &err), err);
    assert_int_equal(health.count, count);
    assert_int_equal(health.astray, 0);
    assert_int_equal(health.lost, 0);
    assert_true(health.reached >= count - count / 200);
}

static void an_attached_index_answers_as_the_one_before(void **state)
{
    static const lls_vec_metric metrics[] = {LLS_VEC_COSINE, LLS_VEC_L2, LLS_VEC_COSINE};
    static const hnsw_code codes[] = {HNSW_CODE_INT8, HNSW_CODE_INT8, HNSW_CODE_INT4};

    (void)state;
    for (size_t i = 0; i < 3; i++) {
        hnsw_params params = params_of(metrics[i], codes[i]);
        point_cloud cloud = cloud_new(DIM, COUNT, 30, 1);
        hnsw_index *before = filled(&params, &cloud);
        ground g = ground_of(before, &params);
        hnsw_index *after = attached(&g);
        hnsw_stats stats;
        assert_int_equal(g.count, COUNT);
        assert_true(hnsw_index_is_attached(after));
        hnsw_index_stats(after, &stats);
        assert_int_equal(stats.count, COUNT);
        assert_true(stats.graph);
        assert_sound(after, COUNT);
        assert_true(recall_of(after) > recall_of(before) - 0.02);
        tend(after);
        assert_false(hnsw_index_is_attached(after));
        assert_true(recall_of(after) > recall_of(before) - 0.02);
        hnsw_index_free(after);
        hnsw_index_free(before);
        ground_free(&g);
        cloud_free(&cloud);
    }
}

static void removed_vectors_are_not_in_a_snapshot(void **state)
{
    hnsw_params params = params_of(LLS_VEC_COSINE, HNSW_CODE_INT8);
    point_cloud cloud = cloud_new(DIM, COUNT, 30, 1);
    hnsw_index *index = filled(&params, &cloud);
    hnsw_snapshot *snapshot;
    lls_error err = {0};
    ground g;

    (void)state;
    for (uint32_t slot = 0; slot < 1000; slot++)
        assert_ok(hnsw_index_remove(index, slot, &err), err);
    assert_ok(hnsw_snapshot_new(index, &snapshot, &err), err);
    assert_int_equal(snapshot->count, COUNT - 1000);
    for (uint32_t i = 0; i < snapshot->count; i++)
        assert_true(snapshot->order[i] >= 1000);
    for (uint32_t i = 0; i < 50; i++) { // while it lives, originals stay
        uint32_t slot;
        assert_ok(hnsw_index_add(index, cloud_at(&cloud, i), &slot, &err), err);
        assert_true(slot >= COUNT);
    }
    assert_memory_equal(hnsw_snapshot_original(snapshot, 5), cloud_at(&cloud, snapshot->order[5]),
                        DIM * sizeof(float));
    hnsw_snapshot_free(snapshot);
    g = ground_of(index, &params);
    hnsw_index_free(index);
    index = attached(&g);
    assert_sound(index, COUNT - 950);
    assert_true(recall_of(index) > 0.95);
    hnsw_index_free(index);
    ground_free(&g);
    cloud_free(&cloud);
}

static void an_attached_index_takes_writes(void **state)
{
    hnsw_params params = params_of(LLS_VEC_L2, HNSW_CODE_INT8);
    point_cloud cloud = cloud_new(DIM, COUNT + 1500, 30, 1);
    point_cloud first = {DIM, COUNT, cloud.vectors};
    hnsw_index *index = filled(&params, &first);
    ground g = ground_of(index, &params);
    lls_error err = {0};
    float vector[DIM];

    (void)state;
    hnsw_index_free(index);
    index = attached(&g);
    for (uint32_t i = 0; i < 1500; i++) {
        uint32_t slot;
        assert_ok(hnsw_index_remove(index, i, &err), err);
        assert_ok(hnsw_index_add(index, cloud_at(&cloud, COUNT + i), &slot, &err), err);
        assert_ok(hnsw_index_original(index, slot, vector, &err), err);
        assert_memory_equal(vector, cloud_at(&cloud, COUNT + i), sizeof(vector));
    }
    tend(index);
    assert_sound(index, COUNT);
    assert_true(recall_of(index) > 0.95);
    hnsw_index_free(index);
    ground_free(&g);
    cloud_free(&cloud);
}

static void a_lost_index_is_made_again_from_the_originals(void **state)
{
    hnsw_params params = params_of(LLS_VEC_COSINE, HNSW_CODE_INT8);
    point_cloud cloud = cloud_new(DIM, COUNT, 30, 1);
    lls_bytes none[HNSW_SECTION_COUNT] = {{0}};
    lls_error err = {0};
    hnsw_index *index;
    hnsw_stats stats;

    (void)state;
    assert_ok(hnsw_index_attach(&params, none, cloud.vectors, COUNT, &index, &err), err);
    assert_true(recall_of(index) == 1);
    tend(index);
    hnsw_index_stats(index, &stats);
    assert_true(stats.graph);
    assert_sound(index, COUNT);
    assert_true(recall_of(index) > 0.95);
    hnsw_index_free(index);
    cloud_free(&cloud);
}

static void a_head_that_does_not_fit_is_refused(void **state)
{
    hnsw_params params = params_of(LLS_VEC_L2, HNSW_CODE_INT8);
    point_cloud cloud = cloud_new(DIM, COUNT, 30, 1);
    hnsw_index *index = filled(&params, &cloud);
    ground g = ground_of(index, &params);
    hnsw_index *other = NULL;
    lls_error err = {0};

    (void)state;
    g.blocks[HNSW_SECTION_HEAD][0] = 2;
    assert_code(hnsw_index_attach(&params, g.sections, g.originals, COUNT, &other, &err),
                LLS_E_NEWER, err);
    g.blocks[HNSW_SECTION_HEAD][0] = 1;
    assert_code(hnsw_index_attach(&params, g.sections, g.originals, COUNT - 1, &other, &err),
                LLS_E_CORRUPT, err);
    params.dim++;
    assert_code(hnsw_index_attach(&params, g.sections, g.originals, COUNT, &other, &err),
                LLS_E_CORRUPT, err);
    params.dim--;
    for (size_t s = 0; s < HNSW_SECTION_UPPER; s++) {
        g.sections[s].len -= 4;
        assert_code(hnsw_index_attach(&params, g.sections, g.originals, COUNT, &other, &err),
                    LLS_E_CORRUPT, err);
        g.sections[s].len += 4;
    }
    assert_null(other);
    hnsw_index_free(index);
    ground_free(&g);
    cloud_free(&cloud);
}

static void damaged_sections_cost_recall_and_nothing_else(void **state)
{
    hnsw_params params = params_of(LLS_VEC_COSINE, HNSW_CODE_INT8);
    point_cloud cloud = cloud_new(DIM, COUNT, 30, 1);
    hnsw_index *index = filled(&params, &cloud);
    uint64_t seed = 3;

    (void)state;
    for (int round = 0; round < 20; round++) {
        ground g = ground_of(index, &params);
        hnsw_index *damaged;
        lls_error err = {0};
        for (size_t s = HNSW_SECTION_CODES; s < HNSW_SECTION_COUNT; s++) {
            for (int i = 0; i < (round < 10 ? 200 : 20000) && g.sections[s].len > 0; i++)
                g.blocks[s][hnsw_random(&seed) % g.sections[s].len] = (uint8_t)hnsw_random(&seed);
        }
        damaged = attached(&g);
        for (uint32_t q = 0; q < 50; q++) {
            hnsw_query query = {.vector = cloud_at(&cloud, q), .k = 10, .ef = 20};
            hnsw_hit hits[10];
            size_t count;
            bool exact;
            assert_ok(hnsw_index_search(damaged, &query, hits, &count, &exact, &err), err);
            assert_int_equal(count, 10);
        }
        for (uint32_t i = 0; i < 100; i++) {
            uint32_t slot;
            assert_ok(hnsw_index_add(damaged, cloud_at(&cloud, i), &slot, &err), err);
            assert_ok(hnsw_index_remove(damaged, i, &err), err);
        }
        tend(damaged);
        hnsw_index_free(damaged);
        ground_free(&g);
    }
    hnsw_index_free(index);
    cloud_free(&cloud);
}

static void originals_can_be_adopted(void **state)
{
    hnsw_params params = params_of(LLS_VEC_COSINE, HNSW_CODE_INT8);
    point_cloud cloud = cloud_new(DIM, COUNT, 30, 1);
    hnsw_index *index = filled(&params, &cloud);
    lls_error err = {0};
    float vector[DIM];
    uint32_t slot;

    (void)state;
    assert_ok(hnsw_index_adopt(index, cloud.vectors, COUNT - 100, &err), err);
    assert_true(recall_of(index) > 0.95);
    assert_ok(hnsw_index_add(index, cloud_at(&cloud, 0), &slot, &err), err);
    for (uint32_t i = 0; i < COUNT; i += 7) {
        assert_ok(hnsw_index_original(index, i, vector, &err), err);
        assert_memory_equal(vector, cloud_at(&cloud, i), sizeof(vector));
    }
    hnsw_index_free(index);
    cloud_free(&cloud);
}

static void a_snapshot_that_finds_no_memory_changes_nothing(void **state)
{
    hnsw_params params = params_of(LLS_VEC_COSINE, HNSW_CODE_INT8);
    point_cloud cloud = cloud_new(DIM, 1000, 30, 1);
    hnsw_index *index = filled(&params, &cloud);
    hnsw_snapshot *snapshot = NULL;
    lls_err e = LLS_E_NOMEM;
    lls_error err = {0};

    (void)state;
    for (long n = 0; e != LLS_OK; n++) {
        lls_alloc_fail_after(n);
        e = hnsw_snapshot_new(index, &snapshot, &err);
        lls_alloc_fail_after(-1);
        if (e != LLS_OK)
            assert_code(e, LLS_E_NOMEM, err);
    }
    assert_int_equal(snapshot->count, 1000);
    hnsw_snapshot_free(snapshot);
    assert_sound(index, 1000);
    hnsw_index_free(index);
    cloud_free(&cloud);
}

static void an_empty_index_has_a_snapshot(void **state)
{
    hnsw_params params = params_of(LLS_VEC_L1, HNSW_CODE_INT8);
    point_cloud cloud = cloud_new(DIM, 0, 30, 1);
    hnsw_index *index = filled(&params, &cloud);
    ground g = ground_of(index, &params);
    hnsw_index *after = attached(&g);
    float vector[DIM] = {1};
    hnsw_query query = {.vector = vector, .k = 3};
    hnsw_hit hits[3];
    size_t count;
    bool exact;
    lls_error err = {0};
    uint32_t slot;

    (void)state;
    assert_ok(hnsw_index_search(after, &query, hits, &count, &exact, &err), err);
    assert_int_equal(count, 0);
    assert_true(exact);
    assert_ok(hnsw_index_add(after, vector, &slot, &err), err);
    assert_ok(hnsw_index_search(after, &query, hits, &count, &exact, &err), err);
    assert_int_equal(count, 1);
    hnsw_index_free(after);
    hnsw_index_free(index);
    ground_free(&g);
    cloud_free(&cloud);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attached_index_answers_as_the_one_before),
        cmocka_unit_test(removed_vectors_are_not_in_a_snapshot),
        cmocka_unit_test(an_attached_index_takes_writes),
        cmocka_unit_test(a_lost_index_is_made_again_from_the_originals),
        cmocka_unit_test(a_head_that_does_not_fit_is_refused),
        cmocka_unit_test(damaged_sections_cost_recall_and_nothing_else),
        cmocka_unit_test(originals_can_be_adopted),
        cmocka_unit_test(a_snapshot_that_finds_no_memory_changes_nothing),
        cmocka_unit_test(an_empty_index_has_a_snapshot),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
