/* Many at once: readers see whole batches, writers lose nothing. */
#include "testing/vec_space.h"
#include "testing/vec_suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { WRITERS = 2, READERS = 2, ROUNDS = 60, PAIRS = 24, DIM = 4 };

static const lls_str model = LLS_STR_INIT("threads");

/* A thread must not assert: it tells. */
typedef struct worker {
    lls_vec *vec;
    int number;
    atomic_bool *stop;
    uint64_t rounds;
    lls_err failed;
    lls_error err;
} worker;

/* Two records that are always written together, with the same version and vector. */
static lls_err write_pair(worker *w, uint32_t pair, uint64_t *random)
{
    float vector[DIM];
    char ids[2][16];
    char text[32];
    lls_vec_write writes[2] = {{.verb = LLS_VEC_PUT}, {.verb = LLS_VEC_PUT}};

    vec_random_fill(random, vector, DIM);
    (void)snprintf(text, sizeof(text), "round%u", vec_random(random) % 50);
    for (int i = 0; i < 2; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "%c%u", "ab"[i], pair);
        writes[i].item = vec_item(lls_bytes_of(lls_str_of(ids[i])), model, LLS_VEC_L2, vector, DIM);
        writes[i].item.text = lls_str_of(text);
    }
    return lls_vec_apply(w->vec, coll, writes, 2, &w->err);
}

static void *write_on(void *user)
{
    worker *w = user;
    uint64_t random = (uint64_t)w->number;

    for (int i = 0; i < ROUNDS && w->failed == LLS_OK; i++)
        w->failed = write_pair(w, vec_random(&random) % PAIRS, &random);
    return NULL;
}

/* Both or none: what a pair looks like in one answer. */
static lls_err check_pair(const lls_vec_hits *hits, lls_error *err)
{
    if (hits->count != 2)
        return lls_fail(err, LLS_E_INTERNAL, "a pair of %zu", hits->count);
    const lls_vec_item *a = &hits->hits[0].item;
    const lls_vec_item *b = &hits->hits[1].item;
    if (a->meta.version != b->meta.version ||
        memcmp(a->vector, b->vector, DIM * sizeof(float)) != 0)
        return lls_fail(err, LLS_E_INTERNAL, "half of a batch was seen");
    return LLS_OK;
}

static lls_err read_pair(worker *w, uint32_t pair)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    char ids[2][16];
    lls_bytes keys[2];

    for (int i = 0; i < 2; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "%c%u", "ab"[i], pair);
        keys[i] = lls_bytes_of(lls_str_of(ids[i]));
    }
    LLS_TRY(lls_vec_get_many(w->vec, coll, keys, 2, LLS_VEC_VECTOR, &hits, &w->err));
    return check_pair(&hits, &w->err);
}

/* Searches must succeed, be in order, and give records that are there. */
static lls_err search_all(worker *w, uint64_t *random)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    LLS_AUTO(lls_vec_hits) found = {0};
    float vector[DIM];
    const lls_vec_query query = {
        .model = model, .vector = vector, .dim = DIM, .k = 2 * PAIRS, .exact = w->number % 2};
    const lls_vec_words words = {LLS_STR("round1 round2 round3"), 20, NULL, LLS_VEC_TEXT};

    vec_random_fill(random, vector, DIM);
    LLS_TRY(lls_vec_search(w->vec, coll, &query, &hits, &w->err));
    if (hits.count != 2 * PAIRS)
        return lls_fail(&w->err, LLS_E_INTERNAL, "%zu hits of %d", hits.count, 2 * PAIRS);
    for (size_t i = 1; i < hits.count; i++)
        if (hits.hits[i - 1].distance > hits.hits[i].distance)
            return lls_fail(&w->err, LLS_E_INTERNAL, "distances fall");
    return lls_vec_match(w->vec, coll, &words, &found, &w->err);
}

static void *read_on(void *user)
{
    worker *w = user;
    uint64_t random = (uint64_t)w->number;

    do {
        w->failed = read_pair(w, vec_random(&random) % PAIRS);
        if (w->failed == LLS_OK)
            w->failed = search_all(w, &random);
        w->rounds++;
    } while (w->failed == LLS_OK && !atomic_load(w->stop));
    return NULL;
}

void vec_readers_see_whole_batches(void **state)
{
    worker workers[WRITERS + READERS] = {{0}};
    pthread_t threads[WRITERS + READERS];
    atomic_bool stop = false;
    uint64_t random = 18;
    lls_error err = {0};

    for (int i = 0; i < WRITERS + READERS; i++)
        workers[i] = (worker){.vec = vec_of(state), .number = i, .stop = &stop};
    for (uint32_t pair = 0; pair < PAIRS; pair++)
        assert_ok(write_pair(&workers[0], pair, &random), workers[0].err);
    for (int i = 0; i < WRITERS + READERS; i++)
        assert_int_equal(
            pthread_create(&threads[i], NULL, i < WRITERS ? write_on : read_on, &workers[i]), 0);
    for (int i = 0; i < WRITERS; i++)
        (void)pthread_join(threads[i], NULL);
    assert_ok(lls_vec_tend(vec_of(state), coll, &err), err);
    atomic_store(&stop, true);
    for (int i = WRITERS; i < WRITERS + READERS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < WRITERS + READERS; i++) {
        assert_code(workers[i].failed, LLS_OK, workers[i].err);
        assert_true(i < WRITERS || workers[i].rounds > 0);
    }
    assert_int_equal(vec_count(vec_of(state), coll), 2 * PAIRS);
}

/* Patches of several threads on one record: each of them is in it at the end. */
static void *patch_on(void *user)
{
    worker *w = user;

    for (int i = 0; i < ROUNDS / 2 && w->failed == LLS_OK; i++) {
        char patch[64];
        (void)snprintf(patch, sizeof(patch), "{\"w%d-%d\":%d}", w->number, i, i);
        const lls_vec_write write = {LLS_VEC_PATCH,
                                     {.id = B("one"), .metadata = lls_str_of(patch)}};
        w->failed = lls_vec_apply(w->vec, coll, &write, 1, &w->err);
    }
    return NULL;
}

void vec_patches_of_threads_are_all_there(void **state)
{
    worker workers[WRITERS + READERS] = {{0}};
    pthread_t threads[WRITERS + READERS];
    lls_error err = {0};

    vec_put(vec_of(state), vec_note(B("one"), LLS_STR("text"), LLS_STR("{}")));
    for (int i = 0; i < WRITERS + READERS; i++) {
        workers[i] = (worker){.vec = vec_of(state), .number = i};
        assert_int_equal(pthread_create(&threads[i], NULL, patch_on, &workers[i]), 0);
    }
    for (int i = 0; i < WRITERS + READERS; i++)
        (void)pthread_join(threads[i], NULL);
    for (int i = 0; i < WRITERS + READERS; i++) {
        assert_code(workers[i].failed, LLS_OK, workers[i].err);
        for (int n = 0; n < ROUNDS / 2; n++) {
            char path[32];
            uint64_t count = 0;
            (void)snprintf(path, sizeof(path), "w%d-%d", i, n);
            const lls_filter_term term = {.op = LLS_FILTER_EXISTS, .path = lls_str_of(path)};
            assert_ok(lls_vec_count(vec_of(state), coll,
                                    &(lls_filter){.terms = &term, .term_count = 1}, &count, &err),
                      err);
            assert_int_equal(count, 1);
        }
    }
}
