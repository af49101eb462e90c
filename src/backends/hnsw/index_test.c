#include "base/alloc.h"
#include "testing/point_cloud.h"

// An index, and what is in it: the oracle that it is compared with.
typedef struct world {
    hnsw_params params;
    hnsw_index *index;
    point_cloud cloud;
    uint32_t *vector_of; // of each slot: the number in the cloud; HNSW_SLOT_NONE: none
    uint32_t slots;
} world;

static void put(world *w, uint32_t number)
{
    lls_error err = {0};
    uint32_t slot;

    assert_ok(hnsw_index_add(w->index, cloud_at(&w->cloud, number), &slot, &err), err);
    if (slot >= w->slots) {
        assert_int_equal(slot, w->slots);
        w->vector_of = realloc(w->vector_of, (++w->slots) * sizeof(uint32_t));
        w->vector_of[slot] = HNSW_SLOT_NONE;
    }
    assert_int_equal(w->vector_of[slot], HNSW_SLOT_NONE);
    w->vector_of[slot] = number;
}

static void take(world *w, uint32_t slot)
{
    lls_error err = {0};

    assert_ok(hnsw_index_remove(w->index, slot, &err), err);
    w->vector_of[slot] = HNSW_SLOT_NONE;
}

static world world_of(hnsw_params params, uint32_t vectors, uint32_t clusters)
{
    world w = {.params = params, .cloud = cloud_new(params.dim, vectors, clusters, 1)};
    lls_error err = {0};

    assert_ok(hnsw_index_new(&params, &w.index, &err), err);
    return w;
}

static void put_all(world *w, uint32_t from, uint32_t to)
{
    for (uint32_t i = from; i < to; i++)
        put(w, i);
}

static void world_free(world *w)
{
    hnsw_index_free(w->index);
    cloud_free(&w->cloud);
    free(w->vector_of);
}

static bool allowed(const uint64_t *bits, uint32_t slot)
{
    return !bits || (bits[slot / 64] >> slot % 64 & 1);
}

static int by_distance(const void *a, const void *b)
{
    const hnsw_hit *x = a;
    const hnsw_hit *y = b;

    if (x->distance != y->distance)
        return x->distance < y->distance ? -1 : 1;
    return x->slot < y->slot ? -1 : 1;
}

// All that may be found, in order, by the definition of the metric. The caller frees.
static hnsw_hit *truth(const world *w, const hnsw_query *query, size_t *count)
{
    hnsw_hit *all = malloc((w->slots + 1) * sizeof(*all));
    size_t n = 0;

    for (uint32_t slot = 0; slot < w->slots; slot++) {
        if (w->vector_of[slot] == HNSW_SLOT_NONE || !allowed(query->allowed, slot))
            continue;
        all[n++] = (hnsw_hit){slot, (float)lls_vec_distance(w->params.metric, query->vector,
                                                            cloud_at(&w->cloud, w->vector_of[slot]),
                                                            w->params.dim)};
    }
    qsort(all, n, sizeof(*all), by_distance);
    *count = n;
    return all;
}

// Search, check all that always holds, and give the part of the true hits that was found.
static double search(const world *w, const hnsw_query *query, bool *exact)
{
    lls_error err = {0};
    size_t true_count;
    hnsw_hit *want = truth(w, query, &true_count);
    size_t most = true_count < query->k ? true_count : query->k;
    hnsw_hit *hits = malloc((query->k + 1) * sizeof(*hits));
    size_t count;
    size_t found = 0;

    assert_ok(hnsw_index_search(w->index, query, hits, &count, exact, &err), err);
    assert_int_equal(count, most); // k whenever k match
    for (size_t i = 0; i < count; i++) {
        double d;
        assert_true(hits[i].slot < w->slots);
        assert_int_not_equal(w->vector_of[hits[i].slot], HNSW_SLOT_NONE);
        assert_true(allowed(query->allowed, hits[i].slot));
        assert_true(i == 0 || by_distance(&hits[i - 1], &hits[i]) < 0);
        d = lls_vec_distance(w->params.metric, query->vector,
                             cloud_at(&w->cloud, w->vector_of[hits[i].slot]), w->params.dim);
        assert_true(fabs((double)hits[i].distance - d) <= 1e-4 * (1 + fabs(d)));
        found += d <= (double)want[most - 1].distance + 1e-6 + 1e-5 * fabs(d);
    }
    free(want);
    free(hits);
    return most ? (double)found / (double)most : 1;
}

// The mean over queries that are not in the index; `exactly`: all must say that they are exact.
static double recall(const world *w, hnsw_query query, uint32_t queries, bool exactly)
{
    point_cloud others = cloud_new(w->params.dim, queries, 50, 2);
    double sum = 0;

    for (uint32_t q = 0; q < queries; q++) {
        bool exact;
        query.vector = cloud_at(&others, q);
        sum += search(w, &query, &exact);
        assert_int_equal(exact, exactly);
    }
    cloud_free(&others);
    return sum / queries;
}

static const lls_vec_metric metrics[] = {LLS_VEC_COSINE, LLS_VEC_L2, LLS_VEC_IP, LLS_VEC_L1};

static void a_small_index_finds_exactly_the_nearest_under_every_metric(void **state)
{
    static const uint32_t dims[] = {1, 2, 3, 63, 64, 65, 100, 384, 1000};

    (void)state;
    for (size_t m = 0; m < 4; m++) {
        for (size_t d = 0; d < sizeof(dims) / sizeof(*dims); d++) {
            world w = world_of((hnsw_params){.dim = dims[d], .metric = metrics[m]}, 600, 50);
            put_all(&w, 0, 600);
            assert_true(recall(&w, (hnsw_query){.k = 10}, 10, true) == 1);
            assert_true(recall(&w, (hnsw_query){.k = 700, .exact = true}, 2, true) == 1);
            world_free(&w);
        }
    }
}

static void the_largest_dimension_works(void **state)
{
    world w = world_of((hnsw_params){.dim = LLS_VEC_DIM_MAX, .flat_max = 32}, 100, 5);

    (void)state;
    put_all(&w, 0, 100);
    assert_true(recall(&w, (hnsw_query){.k = 5, .exact = true}, 3, true) == 1);
    world_free(&w);
}

static void four_bits_find_nearly_all_below_the_threshold(void **state)
{
    (void)state;
    for (size_t m = 0; m < 3; m++) {
        world w = world_of((hnsw_params){.dim = 96, .metric = metrics[m], .code = HNSW_CODE_INT4},
                           2000, 50);
        hnsw_query query = {.k = 10};
        point_cloud others = cloud_new(96, 20, 50, 3);
        double sum = 0;
        put_all(&w, 0, 2000);
        for (uint32_t q = 0; q < 20; q++) {
            bool exact;
            query.vector = cloud_at(&others, q);
            sum += search(&w, &query, &exact);
        }
        if (sum / 20 < 0.97)
            fail_msg("metric %zu: recall %.3f", m, sum / 20);
        cloud_free(&others);
        world_free(&w);
    }
}

static hnsw_params graph_params(uint32_t dim, lls_vec_metric metric, hnsw_code code)
{
    return (hnsw_params){
        .dim = dim, .metric = metric, .code = code, .flat_max = 500, .ef_construction = 100};
}

static void assert_sound(const world *w)
{
    lls_error err = {0};
    hnsw_health health;

    assert_ok(hnsw_index_inspect(w->index, &health, &err), err);
    assert_int_equal(health.astray, 0);
    assert_int_equal(health.lost, 0);
    assert_true(health.reached >= health.count - health.count / 200);
}

static void a_graph_reaches_its_recall_under_every_metric(void **state)
{
    static const double floors[] = {0.97, 0.97, 0.85}; // inner products make no metric space

    (void)state;
    for (size_t m = 0; m < 3; m++) {
        for (hnsw_code code = HNSW_CODE_INT8; code <= HNSW_CODE_INT4; code++) {
            world w = world_of(graph_params(96, metrics[m], code), 5000, 50);
            double found;
            put_all(&w, 0, 5000);
            if (metrics[m] != LLS_VEC_IP) // under which short vectors are near to nothing
                assert_sound(&w);
            found = recall(&w, (hnsw_query){.k = 10, .ef = 50}, 50, false);
            if (found < floors[m])
                fail_msg("metric %zu, code %d: recall %.3f", m, (int)code, found);
            world_free(&w);
        }
    }
}

static void one_seed_makes_one_graph(void **state)
{
    hnsw_hit hits[2][20];
    size_t count[2];
    bool exact;
    lls_error err = {0};

    (void)state;
    for (size_t run = 0; run < 2; run++) {
        world w = world_of(graph_params(48, LLS_VEC_COSINE, HNSW_CODE_INT8), 2000, 50);
        hnsw_query query = {.vector = cloud_at(&w.cloud, 7), .k = 20, .ef = 20};
        put_all(&w, 0, 2000);
        assert_ok(hnsw_index_search(w.index, &query, hits[run], &count[run], &exact, &err), err);
        world_free(&w);
    }
    assert_int_equal(count[0], count[1]);
    assert_memory_equal(hits[0], hits[1], count[0] * sizeof(hnsw_hit));
}

static uint64_t *bits_of(uint32_t slots, uint32_t one_in, uint32_t *count)
{
    uint64_t *bits = calloc(slots / 64 + 1, sizeof(*bits));

    *count = 0;
    for (uint32_t slot = 0; slot < slots; slot++) {
        if (slot * 2654435761u % one_in != 0)
            continue;
        bits[slot / 64] |= (uint64_t)1 << slot % 64;
        (*count)++;
    }
    return bits;
}

// The mean recall of 30 searches that let one in so many through.
static double filtered_recall(const world *w, const point_cloud *others, uint32_t one_in,
                              uint32_t ef)
{
    hnsw_query query = {.k = 10, .ef = ef, .allowed_slots = w->slots};
    uint64_t *bits = bits_of(w->slots, one_in, &query.allowed_count);
    double sum = 0;
    bool exact;

    query.allowed = bits;
    for (uint32_t q = 0; q < 30; q++) {
        query.vector = cloud_at(others, q);
        sum += search(w, &query, &exact);
    }
    free(bits);
    return sum / 30;
}

// A narrow walk is worth while for fewer than a broad one: both plans are met.
static void a_filtered_search_gives_k_whenever_k_match(void **state)
{
    static const uint32_t one_in[] = {1, 2, 5, 10, 30, 100, 1000};
    world w = world_of(graph_params(64, LLS_VEC_COSINE, HNSW_CODE_INT8), 8000, 50);
    point_cloud others = cloud_new(64, 30, 50, 5);

    (void)state;
    put_all(&w, 0, 8000);
    for (size_t i = 0; i < sizeof(one_in) / sizeof(*one_in); i++) {
        double broad = filtered_recall(&w, &others, one_in[i], 60);
        double narrow = filtered_recall(&w, &others, one_in[i], 10);
        if (broad < 0.95 || narrow < 0.8)
            fail_msg("one in %u: recall %.3f and %.3f", one_in[i], broad, narrow);
    }
    cloud_free(&others);
    world_free(&w);
}

// Only what is far from the query may be found, and the plan is misled about how much that is.
static void a_filter_far_from_the_query_gives_k_as_well(void **state)
{
    world w = world_of(graph_params(64, LLS_VEC_L2, HNSW_CODE_INT8), 6000, 50);
    hnsw_query query = {.vector = cloud_at(&w.cloud, 0), .k = 10, .ef = 12};
    uint64_t *bits;
    hnsw_hit *all;
    size_t count;
    bool exact;

    (void)state;
    put_all(&w, 0, 6000);
    bits = calloc(w.slots / 64 + 1, sizeof(*bits));
    all = truth(&w, &query, &count);
    for (size_t i = count - 300; i < count; i++)
        bits[all[i].slot / 64] |= (uint64_t)1 << all[i].slot % 64;
    query.allowed = bits;
    query.allowed_slots = w.slots;
    for (uint32_t estimate = 0; estimate <= 6000; estimate += 1000) {
        query.allowed_count = estimate;
        assert_true(search(&w, &query, &exact) >= 0.5);
    }
    free(all);
    free(bits);
    world_free(&w);
}

static void a_threshold_ends_the_hits(void **state)
{
    world w = world_of((hnsw_params){.dim = 32}, 500, 10);
    hnsw_query query = {.vector = cloud_at(&w.cloud, 3), .k = 500, .has_within = true};
    hnsw_hit hits[500];
    size_t count;
    size_t all;
    size_t inside = 0;
    bool exact;
    lls_error err = {0};
    hnsw_hit *want;

    (void)state;
    put_all(&w, 0, 500);
    want = truth(&w, &query, &all);
    query.within = (want[40].distance + want[41].distance) / 2;
    assert_ok(hnsw_index_search(w.index, &query, hits, &count, &exact, &err), err);
    while (inside < all && want[inside].distance <= query.within)
        inside++;
    assert_int_equal(count, inside);
    assert_true(exact);
    free(want);
    world_free(&w);
}

static uint32_t any_slot(const world *w, uint64_t *seed)
{
    uint32_t slot;

    do
        slot = (uint32_t)(hnsw_random(seed) % w->slots);
    while (w->vector_of[slot] == HNSW_SLOT_NONE);
    return slot;
}

static void recall_lasts_when_vectors_come_and_go(void **state)
{
    world w = world_of(graph_params(96, LLS_VEC_COSINE, HNSW_CODE_INT8), 8000, 500);
    hnsw_query query = {.k = 10, .ef = 16};
    uint64_t seed = 4;
    double before;
    double after;

    (void)state;
    put_all(&w, 0, 4000);
    before = recall(&w, query, 500, false);
    for (uint32_t round = 0; round < 4; round++) {
        for (uint32_t i = 0; i < 1000; i++)
            take(&w, any_slot(&w, &seed));
        assert_sound(&w);
        (void)recall(&w, query, 10, false);
        put_all(&w, 4000 + round * 1000, 5000 + round * 1000);
        assert_sound(&w);
    }
    after = recall(&w, query, 500, false);
    if (after < before - 0.008)
        fail_msg("recall fell from %.4f to %.4f", before, after);
    assert_true(w.slots < 4000 + 2000); // slots are used again
    world_free(&w);
}

static void an_update_replaces_and_the_same_vector_stays(void **state)
{
    world w = world_of(graph_params(32, LLS_VEC_COSINE, HNSW_CODE_INT8), 1500, 20);
    lls_error err = {0};
    uint32_t slot = 17;
    float vector[32];

    (void)state;
    put_all(&w, 0, 1400);
    assert_ok(hnsw_index_update(w.index, &slot, cloud_at(&w.cloud, 17), &err), err);
    assert_int_equal(slot, 17);
    assert_ok(hnsw_index_update(w.index, &slot, cloud_at(&w.cloud, 1450), &err), err);
    assert_int_not_equal(slot, 17);
    assert_ok(hnsw_index_original(w.index, slot, vector, &err), err);
    assert_memory_equal(vector, cloud_at(&w.cloud, 1450), sizeof(vector));
    assert_code(hnsw_index_original(w.index, 17, vector, &err), LLS_E_NOTFOUND, err);
    slot = 17;
    assert_code(hnsw_index_update(w.index, &slot, vector, &err), LLS_E_NOTFOUND, err);
    assert_code(hnsw_index_remove(w.index, 17, &err), LLS_E_NOTFOUND, err);
    assert_code(hnsw_index_remove(w.index, 5000, &err), LLS_E_NOTFOUND, err);
    world_free(&w);
}

static void an_index_can_be_emptied_and_filled_again(void **state)
{
    world w = world_of(graph_params(32, LLS_VEC_L2, HNSW_CODE_INT8), 2000, 20);

    (void)state;
    for (int round = 0; round < 3; round++) {
        put_all(&w, 0, 2000);
        assert_true(recall(&w, (hnsw_query){.k = 10, .ef = 20}, 20, false) > 0.8);
        for (uint32_t slot = 0; slot < w.slots; slot++) {
            if (w.vector_of[slot] != HNSW_SLOT_NONE)
                take(&w, slot);
        }
        assert_true(recall(&w, (hnsw_query){.k = 10}, 2, true) == 1);
    }
    world_free(&w);
}

static void tending_leaves_nothing_dead(void **state)
{
    world w = world_of(graph_params(32, LLS_VEC_COSINE, HNSW_CODE_INT8), 2000, 20);
    lls_error err = {0};
    hnsw_stats stats;
    lls_err e;

    (void)state;
    put_all(&w, 0, 2000);
    for (uint32_t slot = 0; slot < 50; slot++)
        take(&w, slot);
    hnsw_index_stats(w.index, &stats);
    assert_int_equal(stats.dead, 50);
    while ((e = hnsw_index_tend(w.index, &err)) == LLS_OK)
        ;
    assert_code(e, LLS_END, err);
    hnsw_index_stats(w.index, &stats);
    assert_int_equal(stats.dead, 0);
    assert_int_equal(stats.count, 1950);
    assert_true(stats.graph);
    assert_sound(&w);
    world_free(&w);
}

static void numbers_beyond_the_codes_are_found_exactly(void **state)
{
    world w = world_of(graph_params(8, LLS_VEC_L2, HNSW_CODE_INT8), 1000, 20);

    (void)state;
    for (uint32_t i = 0; i < 8; i++)
        cloud_at(&w.cloud, 900)[i] = 1e17f;
    put_all(&w, 0, 1000);
    assert_true(recall(&w, (hnsw_query){.k = 10}, 5, true) == 1);
    take(&w, 900);
    put_all(&w, 0, 10);
    assert_true(recall(&w, (hnsw_query){.k = 10}, 5, true) == 1);
    world_free(&w);
}

static void a_limit_of_memory_is_kept(void **state)
{
    hnsw_params params = {.dim = 64, .memory_max = 1 << 20};
    world w = world_of(params, 4000, 20);
    lls_error err = {0};
    hnsw_stats stats;
    uint32_t slot;
    lls_err e = LLS_OK;

    (void)state;
    for (uint32_t i = 0; i < 4000 && e == LLS_OK; i++)
        e = hnsw_index_add(w.index, cloud_at(&w.cloud, i), &slot, &err);
    assert_code(e, LLS_E_FULL, err);
    hnsw_index_stats(w.index, &stats);
    assert_true(stats.memory_bytes <= params.memory_max);
    assert_true(stats.count > 1000);
    world_free(&w);
}

static void an_add_that_finds_no_memory_changes_nothing(void **state)
{
    hnsw_params params = graph_params(24, LLS_VEC_COSINE, HNSW_CODE_INT8);
    world w = world_of(params, 800, 20);
    uint32_t failures = 0;

    (void)state;
    for (uint32_t i = 0; i < 800; i++) {
        for (long n = 0; n < 40; n++) {
            lls_error err = {0};
            uint32_t slot;
            lls_err e;
            lls_alloc_fail_after(n);
            e = hnsw_index_add(w.index, cloud_at(&w.cloud, i), &slot, &err);
            lls_alloc_fail_after(-1);
            if (e == LLS_OK) {
                assert_int_equal(slot, w.slots);
                w.vector_of = realloc(w.vector_of, (++w.slots) * sizeof(uint32_t));
                w.vector_of[slot] = i;
                break;
            }
            assert_code(e, LLS_E_NOMEM, err);
            failures++;
        }
    }
    assert_int_equal(w.slots, 800);
    assert_true(failures > 10);
    assert_sound(&w);
    assert_true(recall(&w, (hnsw_query){.k = 10, .ef = 10}, 20, false) > 0.7);
    world_free(&w);
}

static void a_search_that_finds_no_memory_says_so(void **state)
{
    world w = world_of((hnsw_params){.dim = 16}, 100, 5);
    hnsw_query query = {.vector = cloud_at(&w.cloud, 0), .k = 5};
    hnsw_hit hits[5];
    size_t count;
    bool exact;
    lls_error err = {0};

    (void)state;
    put_all(&w, 0, 100);
    for (long n = 0; n < 5; n++) {
        lls_err e;
        lls_alloc_fail_after(n);
        e = hnsw_index_search(w.index, &query, hits, &count, &exact, &err);
        lls_alloc_fail_after(-1);
        if (e == LLS_OK)
            break;
        assert_code(e, LLS_E_NOMEM, err);
    }
    assert_ok(hnsw_index_search(w.index, &query, hits, &count, &exact, &err), err);
    lls_alloc_fail_after(0); // scratch is pooled: the next needs none
    assert_ok(hnsw_index_search(w.index, &query, hits, &count, &exact, &err), err);
    lls_alloc_fail_after(-1);
    world_free(&w);
}

static void params_out_of_range_are_refused(void **state)
{
    static const hnsw_params bad[] = {
        {.dim = 0},          {.dim = LLS_VEC_DIM_MAX + 1},        {.dim = 8, .m = 3},
        {.dim = 8, .m = 65}, {.dim = 8, .ef_construction = 5000},
    };
    hnsw_index *index = NULL;
    lls_error err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_code(hnsw_index_new(&bad[i], &index, &err), LLS_E_INVALID, err);
    assert_null(index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_index_finds_exactly_the_nearest_under_every_metric),
        cmocka_unit_test(the_largest_dimension_works),
        cmocka_unit_test(four_bits_find_nearly_all_below_the_threshold),
        cmocka_unit_test(a_graph_reaches_its_recall_under_every_metric),
        cmocka_unit_test(one_seed_makes_one_graph),
        cmocka_unit_test(a_filtered_search_gives_k_whenever_k_match),
        cmocka_unit_test(a_filter_far_from_the_query_gives_k_as_well),
        cmocka_unit_test(a_threshold_ends_the_hits),
        cmocka_unit_test(recall_lasts_when_vectors_come_and_go),
        cmocka_unit_test(an_update_replaces_and_the_same_vector_stays),
        cmocka_unit_test(an_index_can_be_emptied_and_filled_again),
        cmocka_unit_test(tending_leaves_nothing_dead),
        cmocka_unit_test(numbers_beyond_the_codes_are_found_exactly),
        cmocka_unit_test(a_limit_of_memory_is_kept),
        cmocka_unit_test(an_add_that_finds_no_memory_changes_nothing),
        cmocka_unit_test(a_search_that_finds_no_memory_says_so),
        cmocka_unit_test(params_out_of_range_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
