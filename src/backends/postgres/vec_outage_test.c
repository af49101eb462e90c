/*
 * Servers that stop and connections that are cut while vectors are loaded and searched: a batch is
 * there as a whole or not at all, what was acknowledged stays, and a search is right or fails.
 */
#include "ports/vec.h"
#include "testing/postgres_fixture.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { DIM = 16, BATCH = 40, BATCHES_MAX = 100000 };

static lls_private_postgres server;
static const lls_kv_space coll = {LLS_STR_INIT("acme"), LLS_STR_INIT("episodic_memory")};

static int start(void **state)
{
    (void)state;
    fixture_start_server(&server, NULL);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    lls_private_postgres_stop(&server);
    return 0;
}

/* One who uses the store while the server goes up and down. */
typedef struct user {
    lls_backend *backend;
    atomic_bool *stop;
    size_t done;   /* calls that succeeded; a loader's batches */
    size_t failed; /* calls that said LLS_E_UNAVAILABLE */
} user;

static lls_err load_batch(lls_backend *backend, size_t batch, lls_error *err)
{
    char ids[BATCH][32];
    float vectors[BATCH][DIM];
    lls_vec_write writes[BATCH];

    for (size_t i = 0; i < BATCH; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "%06zu/%02zu", batch, i);
        for (size_t k = 0; k < DIM; k++)
            vectors[i][k] = (float)((batch * 31 + i * 17 + k * k * 7) % 97 + 1) / 97;
        writes[i] = (lls_vec_write){.item = {.id = lls_bytes_of(lls_str_of(ids[i])),
                                             .space = {LLS_STR("m"), DIM, LLS_VEC_L2, false},
                                             .vector = vectors[i],
                                             .text = LLS_STR("loaded in bulk")}};
    }
    return lls_vec_apply(backend->vec, coll, writes, BATCH, err);
}

/* A batch that failed is loaded again: it may have been done, and may be done twice. */
static void *load(void *context)
{
    user *u = context;

    while (!atomic_load(u->stop) && u->done < BATCHES_MAX) {
        lls_error err = {0};
        lls_err e = load_batch(u->backend, u->done, &err);
        if (e == LLS_OK)
            u->done++;
        else if (e == LLS_E_UNAVAILABLE && err.msg[0])
            u->failed++;
        else
            return strdup(err.msg);
    }
    return NULL;
}

static lls_err look(lls_backend *backend, const char **complaint, lls_error *err)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    float vector[DIM] = {0.5F, 0.25F};
    const lls_vec_query query = {.model = LLS_STR("m"),
                                 .vector = vector,
                                 .dim = DIM,
                                 .k = 10,
                                 .exact = true,
                                 .fields = LLS_VEC_WHOLE};
    uint64_t count = 0;

    LLS_TRY(lls_vec_count(backend->vec, coll, NULL, &count, err));
    if (count % BATCH != 0)
        *complaint = "half a batch was seen";
    LLS_TRY(lls_vec_search(backend->vec, coll, &query, &hits, err));
    if (count > 0 && hits.count != 10)
        *complaint = "a search found less than there is";
    for (size_t i = 1; i < hits.count; i++)
        if (hits.hits[i].distance < hits.hits[i - 1].distance)
            *complaint = "hits are out of order";
    return LLS_OK;
}

static void *search(void *context)
{
    user *u = context;

    while (!atomic_load(u->stop)) {
        const char *complaint = NULL;
        lls_error err = {0};
        lls_err e = look(u->backend, &complaint, &err);
        if (complaint)
            return strdup(complaint);
        if (e != LLS_OK && (e != LLS_E_UNAVAILABLE || !err.msg[0]))
            return strdup(err.msg);
        u->done += e == LLS_OK;
        u->failed += e != LLS_OK;
    }
    return NULL;
}

static void cut_connections(void)
{
    int cut = 0;

    for (int i = 0; i < 8; i++) {
        (void)usleep(40000);
        const char *count = fixture_sql(
            server.connection, "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
                               " WHERE application_name = 'llmspell'");
        cut += (int)strtol(count, NULL, 10);
    }
    assert_true(cut > 0);
}

static void restart_server(void)
{
    lls_error err = {0};

    for (int i = 0; i < 2; i++) {
        (void)usleep(250000);
        assert_ok(lls_private_postgres_halt(&server, "immediate", &err), err);
        assert_ok(lls_private_postgres_again(&server, &err), err);
    }
}

/* All that was acknowledged is there, and at most the batch behind it, whole. */
static void expect_loaded(lls_backend *backend, const user *loader)
{
    const char *complaint = NULL;
    uint64_t count = 0;
    lls_error err = {0};

    assert_ok(lls_vec_count(backend->vec, coll, NULL, &count, &err), err);
    assert_int_equal(count % BATCH, 0);
    assert_true(count / BATCH == loader->done || count / BATCH == loader->done + 1);
    assert_ok(load_batch(backend, loader->done, &err), err);
    assert_ok(lls_vec_count(backend->vec, coll, NULL, &count, &err), err);
    assert_int_equal(count, (loader->done + 1) * BATCH);
    assert_ok(look(backend, &complaint, &err), err);
    assert_null(complaint);
}

static void live_through(void (*trouble)(void))
{
    void *(*const works[])(void *) = {load, search};
    user users[LLS_COUNT(works)] = {0};
    pthread_t threads[LLS_COUNT(works)];
    atomic_bool end = false;
    lls_error err = {0};
    lls_backend *backend = fixture_open(server.connection, "connect_timeout", "20s");

    assert_ok(lls_kv_clear(backend->vec->records, coll, &err), err);
    for (size_t i = 0; i < LLS_COUNT(works); i++) {
        users[i] = (user){.backend = backend, .stop = &end};
        assert_int_equal(pthread_create(&threads[i], NULL, works[i], &users[i]), 0);
    }
    trouble();
    (void)usleep(100000);
    atomic_store(&end, true);
    for (size_t i = 0; i < LLS_COUNT(works); i++) {
        void *complaint;
        (void)pthread_join(threads[i], &complaint);
        if (complaint)
            fail_msg("user %zu: %s", i, (char *)complaint);
        assert_true(users[i].done > 0);
    }
    expect_loaded(backend, &users[0]);
    lls_backend_close(backend);
}

static void loads_and_searches_survive_cut_connections(void **state)
{
    (void)state;
    live_through(cut_connections);
}

static void loads_and_searches_survive_crashes_of_the_server(void **state)
{
    (void)state;
    live_through(restart_server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_and_searches_survive_cut_connections),
        cmocka_unit_test(loads_and_searches_survive_crashes_of_the_server),
    };

    fixture_need_server();
    return cmocka_run_group_tests_name("postgres outages of vectors", tests, start, stop);
}
