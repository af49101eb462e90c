/* Searches by nearness, beside the oracle. */
#include "base/alloc.h"
#include "testing/vec_model.h"
#include "testing/vec_space.h"
#include "testing/vec_suite.h"

#include <math.h>
#include <stdio.h>

static const lls_str models[] = {LLS_STR_INIT("m-cosine"), LLS_STR_INIT("m-l2"),
                                 LLS_STR_INIT("m-ip"), LLS_STR_INIT("m-l1")};
static const lls_vec_metric metrics[] = {LLS_VEC_COSINE, LLS_VEC_L2, LLS_VEC_IP, LLS_VEC_L1};

/* Write `count` random records to the collection and to the model. */
static void fill(lls_vec *vec, vec_model *m, lls_str model, lls_vec_metric metric, uint32_t dim,
                 uint32_t count, bool whole, uint64_t *random)
{
    float *vectors = lls_alloc((size_t)count * dim * sizeof(float));
    lls_vec_write *writes = lls_alloc(count * sizeof(*writes));
    char(*ids)[48] = lls_alloc(count * sizeof(*ids));
    lls_error err = {0};

    assert_true(vectors && writes && ids);
    for (uint32_t i = 0; i < count; i++) {
        float *at = vectors + (size_t)i * dim;
        if (whole)
            vec_random_whole(random, at, dim);
        else
            vec_random_fill(random, at, dim);
        (void)snprintf(ids[i], sizeof(ids[i]), "%.*s/%u/%06u", LLS_ARG(model), dim,
                       (i * 7919U) % count);
        writes[i].item = vec_item(lls_bytes_of(lls_str_of(ids[i])), model, metric, at, dim);
        if (m)
            vec_model_put(m, &writes[i].item);
    }
    assert_ok(lls_vec_apply(vec, coll, writes, count, &err), err);
    lls_free(vectors);
    lls_free(writes);
    lls_free(ids);
}

/* Search exactly, and as the backend likes it; both beside the oracle. */
static void expect_search(lls_vec *vec, const vec_model *m, lls_vec_metric metric,
                          lls_vec_query query, double least_recall)
{
    LLS_AUTO(vec_answer) want = vec_model_search(m, metric, &query, 0);
    LLS_AUTO(lls_vec_hits) exact = {0};
    LLS_AUTO(lls_vec_hits) quick = {0};
    lls_error err = {0};

    query.exact = true;
    assert_ok(lls_vec_search(vec, coll, &query, &exact, &err), err);
    assert_true(exact.exact);
    vec_answer_expect(&want, &exact, true);
    for (size_t i = 0; i < exact.count; i++)
        assert_true(exact.hits[i].score == lls_vec_score(metric, exact.hits[i].distance));

    query.exact = false;
    assert_ok(lls_vec_search(vec, coll, &query, &quick, &err), err);
    assert_int_equal(quick.count, want.count); // k whenever k match
    vec_hits_expect_order(&quick, true);
    if (quick.exact) // what says so is so
        vec_answer_expect(&want, &quick, true);
    else if (vec_answer_recall(&want, &quick) < least_recall)
        fail_msg("a recall of %.3f, wanted %.3f", vec_answer_recall(&want, &quick), least_recall);
}

void vec_search_equals_brute_force_in_every_metric(void **state)
{
    enum { DIM = 24, COUNT = 600 };
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    uint64_t random = 4;
    float query[DIM];

    for (size_t i = 0; i < LLS_COUNT(metrics); i++)
        fill(vec, &m, models[i], metrics[i], DIM, COUNT, false, &random);
    for (int round = 0; round < 12; round++) {
        vec_random_fill(&random, query, DIM);
        for (size_t i = 0; i < LLS_COUNT(metrics); i++)
            expect_search(
                vec, &m, metrics[i],
                (lls_vec_query){
                    .model = models[i], .vector = query, .dim = DIM, .k = round % 3 == 0 ? 1 : 10},
                0.5);
    }
    const lls_vec_query all = {.model = models[1], .vector = query, .dim = DIM, .k = COUNT + 50};
    expect_search(vec, &m, LLS_VEC_L2, all, 1);
}

/* With whole numbers in few dimensions there are many equals: they come in byte order of ids. */
void vec_equals_come_in_order_of_their_ids(void **state)
{
    enum { DIM = 2, COUNT = 300 };
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    uint64_t random = 5;
    float query[DIM];

    for (size_t i = 1; i < LLS_COUNT(metrics); i++) // those whose sums are whole
        fill(vec, &m, models[i], metrics[i], DIM, COUNT, true, &random);
    for (int round = 0; round < 10; round++) {
        vec_random_whole(&random, query, DIM);
        for (size_t i = 1; i < LLS_COUNT(metrics); i++) {
            LLS_AUTO(lls_vec_hits) hits = {0};
            lls_error err = {0};
            const lls_vec_query q = {
                .model = models[i], .vector = query, .dim = DIM, .k = 40, .exact = true};
            LLS_AUTO(vec_answer) want = vec_model_search(&m, metrics[i], &q, 0);
            assert_ok(lls_vec_search(vec, coll, &q, &hits, &err), err);
            assert_int_equal(hits.count, want.count);
            for (size_t n = 0; n < hits.count; n++)
                assert_true(lls_bytes_eq(hits.hits[n].item.id, want.hits[n].item->id));
        }
    }
}

void vec_within_limits_the_distance(void **state)
{
    enum { DIM = 3, COUNT = 400 };
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    uint64_t random = 6;
    float query[DIM];

    for (size_t i = 1; i < LLS_COUNT(metrics); i++)
        fill(vec, &m, models[i], metrics[i], DIM, COUNT, true, &random);
    for (int round = 0; round < 20; round++) {
        vec_random_whole(&random, query, DIM);
        for (size_t i = 1; i < LLS_COUNT(metrics); i++) {
            float within = (float)(round % 7) - (metrics[i] == LLS_VEC_IP ? 3 : 0);
            expect_search(vec, &m, metrics[i],
                          (lls_vec_query){.model = models[i],
                                          .vector = query,
                                          .dim = DIM,
                                          .k = 1000,
                                          .has_within = true,
                                          .within = within},
                          1);
        }
    }
}

void vec_dimensions_stand_side_by_side(void **state)
{
    static const uint32_t dims[] = {1, 2, 3, 100, 384, 768, 1024, 1536, LLS_VEC_DIM_MAX};
    static float query[LLS_VEC_DIM_MAX];
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    uint64_t random = 7;

    for (size_t i = 0; i < LLS_COUNT(dims); i++)
        fill(vec, &m, LLS_STR(""), LLS_VEC_COSINE, dims[i], 20, false, &random);
    fill(vec, &m, LLS_STR("another"), LLS_VEC_COSINE, 384, 20, false, &random);
    assert_int_equal(vec_count(vec, coll), 20 * (LLS_COUNT(dims) + 1));
    for (size_t i = 0; i < LLS_COUNT(dims); i++) {
        vec_random_fill(&random, query, dims[i]);
        expect_search(vec, &m, LLS_VEC_COSINE,
                      (lls_vec_query){.vector = query, .dim = dims[i], .k = 50}, 1);
    }
    expect_search(
        vec, &m, LLS_VEC_COSINE,
        (lls_vec_query){.model = LLS_STR("another"), .vector = query, .dim = 384, .k = 50}, 1);
}

void vec_search_of_unknown_spaces(void **state)
{
    static const float v[] = {1, 2, 3, 4};
    static const float zero[] = {0, 0, 0, 0};
    static const float nan[] = {0, NAN, 0, 0};
    lls_vec *vec = vec_of(state);
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};
    lls_vec_query q = {.model = LLS_STR("m"), .vector = v, .dim = 4, .k = 3};

    assert_ok(lls_vec_search(vec, coll, &q, &hits, &err), err);
    assert_int_equal(hits.count, 0); // an empty collection
    vec_put(vec, vec_item(B("a"), LLS_STR("m"), LLS_VEC_COSINE, v, 4));
    vec_put(vec, vec_note(B("b"), LLS_STR("no vector"), LLS_STR("{}")));
    q.model = LLS_STR("n");
    assert_ok(lls_vec_search(vec, coll, &q, &hits, &err), err);
    assert_int_equal(hits.count, 0);
    q.model = LLS_STR("");
    assert_ok(lls_vec_search(vec, coll, &q, &hits, &err), err);
    assert_int_equal(hits.count, 0);
    q.model = LLS_STR("m");
    q.dim = 3;
    assert_code(lls_vec_search(vec, coll, &q, &hits, &err), LLS_E_MISMATCH, err);
    q.dim = 4;
    q.vector = nan;
    assert_code(lls_vec_search(vec, coll, &q, &hits, &err), LLS_E_INVALID, err);
    q.vector = zero; // has no cosine
    assert_code(lls_vec_search(vec, coll, &q, &hits, &err), LLS_E_INVALID, err);
    q.vector = v;
    q.k = 0;
    assert_code(lls_vec_search(vec, coll, &q, &hits, &err), LLS_E_INVALID, err);
    q.k = LLS_VEC_K_MAX;
    assert_ok(lls_vec_search(vec, coll, &q, &hits, &err), err);
    assert_ids(hits, "a,");
}

void vec_many_searches_at_once(void **state)
{
    enum { DIM = 16, COUNT = 300, QUERIES = 40 };
    static float vectors[QUERIES][DIM];
    lls_vec_query queries[QUERIES] = {{.k = 1}};
    lls_vec_hits hits[QUERIES] = {{0}};
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    uint64_t random = 8;

    fill(vec, &m, models[0], LLS_VEC_COSINE, DIM, COUNT, false, &random);
    fill(vec, &m, models[1], LLS_VEC_L2, DIM, COUNT, false, &random);
    for (uint32_t i = 0; i < QUERIES; i++) {
        vec_random_fill(&random, vectors[i], DIM);
        queries[i] = (lls_vec_query){
            .model = models[i % 2], .vector = vectors[i], .dim = DIM, .k = 1 + i, .exact = true};
    }
    assert_ok(lls_vec_search_many(vec, coll, queries, QUERIES, hits, &err), err);
    for (size_t i = 0; i < QUERIES; i++) {
        LLS_AUTO(vec_answer) want = vec_model_search(&m, metrics[i % 2], &queries[i], 0);
        vec_answer_expect(&want, &hits[i], true);
        lls_vec_hits_fini(&hits[i]);
    }
    queries[QUERIES - 1].dim = 3; // one that fails: all are empty
    assert_code(lls_vec_search_many(vec, coll, queries, QUERIES, hits, &err), LLS_E_MISMATCH, err);
    for (size_t i = 0; i < QUERIES; i++)
        assert_int_equal(hits[i].count, 0);
    assert_ok(lls_vec_search_many(vec, coll, NULL, 0, NULL, &err), err);
}

void vec_hits_have_the_fields_asked_for(void **state)
{
    static const float v[] = {3, 4};
    static const unsigned fields[] = {LLS_VEC_IDS, LLS_VEC_METADATA, LLS_VEC_TEXT, LLS_VEC_VECTOR,
                                      LLS_VEC_WHOLE};
    lls_vec *vec = vec_of(state);
    lls_vec_item item = vec_item(B("a"), models[1], LLS_VEC_L2, v, 2);
    lls_error err = {0};

    item.text = LLS_STR("words");
    item.metadata = LLS_STR("{\"a\": 1}");
    item.scope = LLS_STR("session:1");
    item.event_usec = 99;
    vec_put(vec, item);
    for (size_t i = 0; i < LLS_COUNT(fields); i++) {
        LLS_AUTO(lls_vec_hits) hits = {0};
        const lls_vec_query q = {
            .model = models[1], .vector = v, .dim = 2, .k = 1, .fields = fields[i]};
        assert_ok(lls_vec_search(vec, coll, &q, &hits, &err), err);
        assert_int_equal(hits.count, 1);
        const lls_vec_item *got = &hits.hits[0].item;
        assert_true(hits.hits[0].distance == 0 && hits.hits[0].score == 1);
        assert_true(lls_str_eq(got->scope, item.scope));
        assert_int_equal(got->event_usec, 99);
        assert_int_equal(got->meta.version, 1);
        assert_true(lls_str_eq(got->text, fields[i] & LLS_VEC_TEXT ? item.text : (lls_str){0}));
        assert_true(
            lls_str_eq(got->metadata, fields[i] & LLS_VEC_METADATA ? item.metadata : (lls_str){0}));
        assert_int_equal(got->vector != NULL, (fields[i] & LLS_VEC_VECTOR) != 0);
        if (got->vector)
            assert_memory_equal(got->vector, v, sizeof(v));
    }
}

/* Records come, go and change, also by many; searches follow at once, before and after tending. */
void vec_searches_follow_every_write(void **state)
{
    enum { DIM = 12, IDS = 400, ROUNDS = 60, BATCH = 30 };
    static float vectors[BATCH][DIM];
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    uint64_t random = 9;
    float query[DIM];

    fill(vec, &m, models[1], LLS_VEC_L2, DIM, 200, false, &random);
    for (int round = 0; round < ROUNDS; round++) {
        lls_vec_write writes[BATCH] = {{0}};
        char ids[BATCH][16];
        for (size_t i = 0; i < BATCH; i++) {
            (void)snprintf(ids[i], sizeof(ids[i]), "id%u", vec_random(&random) % IDS);
            vec_random_fill(&random, vectors[i], DIM);
            writes[i].item =
                vec_item(lls_bytes_of(lls_str_of(ids[i])), models[1], LLS_VEC_L2, vectors[i], DIM);
            writes[i].verb = vec_random(&random) % 3 ? LLS_VEC_PUT : LLS_VEC_DELETE;
            if (writes[i].verb == LLS_VEC_PUT)
                vec_model_put(&m, &writes[i].item);
            else
                vec_model_remove(&m, writes[i].item.id);
        }
        assert_ok(lls_vec_apply(vec, coll, writes, BATCH, &err), err);
        if (round % 20 == 19)
            assert_ok(lls_vec_tend(vec, coll, &err), err);
        vec_random_fill(&random, query, DIM);
        expect_search(vec, &m, LLS_VEC_L2,
                      (lls_vec_query){.model = models[1], .vector = query, .dim = DIM, .k = 10},
                      0.7);
    }
}

/* Large enough for a backend to leave the exact path if it has another one. */
void vec_recall_of_a_large_collection(void **state)
{
    enum { DIM = 32, COUNT = 6000, QUERIES = 20 };
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    uint64_t random = 10;
    float query[DIM];
    double recall = 0;

    fill(vec, &m, models[0], LLS_VEC_COSINE, DIM, COUNT, false, &random);
    assert_ok(lls_vec_tend(vec, coll, &err), err);
    for (int i = 0; i < QUERIES; i++) {
        LLS_AUTO(lls_vec_hits) hits = {0};
        vec_random_fill(&random, query, DIM);
        const lls_vec_query q = {
            .model = models[0], .vector = query, .dim = DIM, .k = 10, .effort = 200};
        LLS_AUTO(vec_answer) want = vec_model_search(&m, LLS_VEC_COSINE, &q, 0);
        assert_ok(lls_vec_search(vec, coll, &q, &hits, &err), err);
        assert_int_equal(hits.count, 10);
        vec_hits_expect_order(&hits, true);
        if (hits.exact)
            vec_answer_expect(&want, &hits, true);
        recall += vec_answer_recall(&want, &hits) / QUERIES;
    }
    if (recall < 0.9)
        fail_msg("a recall of %.3f, wanted 0.9", recall);
}
