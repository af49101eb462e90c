/** process_test.c - eight processes, and eight threads, at once on one store. */
#include "testing/lmdb_fixture.h"

#include <pthread.h>

enum { WORKERS = 8, TURNS = 40 };

/* One more on a counter that all share, by compare and set. */
static lls_err increment(lls_backend *backend, lls_error *err)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_kv_meta meta = {0};
    uint32_t n = 0;

    for (;;) {
        lls_buf_clear(&value);
        lls_err e = lls_kv_get(backend->kv, fixture_space, B("counter"), &value, &meta, err);
        if (e == LLS_OK)
            memcpy(&n, value.data, sizeof(n));
        else if (e != LLS_E_NOTFOUND)
            return e;
        n = e == LLS_OK ? n + 1 : 1;
        lls_kv_write write = {.verb = e == LLS_OK ? LLS_KV_REPLACE : LLS_KV_CREATE,
                              .coll = fixture_space.coll,
                              .key = B("counter"),
                              .value = {(const uint8_t *)&n, sizeof(n)},
                              .meta = {.version = meta.version}};
        e = lls_kv_apply(backend->kv, fixture_space.tenant, &write, 1, err);
        if (e != LLS_E_CONFLICT && e != LLS_E_EXISTS)
            return e;
    }
}

static lls_err work(lls_backend *backend, unsigned worker, lls_error *err)
{
    for (unsigned i = 0; i < TURNS; i++) {
        uint8_t value[5000];
        char key[16];
        unsigned number = worker * TURNS + i;
        fixture_value(number, worker, value, sizeof(value));
        LLS_TRY(increment(backend, err));
        LLS_TRY(lls_kv_put(backend->kv, fixture_space, fixture_key(number, key),
                           (lls_bytes){value, sizeof(value)}, err));
    }
    return LLS_OK;
}

static int work_in_child(const char *path, unsigned worker)
{
    lls_backend *backend = NULL;
    lls_error err = {0};
    lls_err e = fixture_try(path, "1MiB", LLS_READ_WRITE, &backend, &err);

    if (e == LLS_OK)
        e = work(backend, worker, &err);
    if (e != LLS_OK)
        (void)fprintf(stderr, "worker %u: %s\n", worker, err.msg);
    lls_backend_close(backend);
    return e == LLS_OK ? 0 : 1;
}

static void expect_all(lls_backend *backend)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_error err = {0};
    uint32_t n = 0;

    assert_ok(lls_kv_get(backend->kv, fixture_space, B("counter"), &value, NULL, &err), err);
    memcpy(&n, value.data, sizeof(n));
    assert_int_equal(n, WORKERS * TURNS);
    assert_int_equal(fixture_count(backend), WORKERS * TURNS + 1);
    for (unsigned i = 0; i < WORKERS * TURNS; i++)
        fixture_expect(backend, i, i / TURNS, 5000);
    assert_int_equal(fixture_faults(backend), 0);
}

static void eight_processes_lose_nothing(void **state)
{
    pid_t pids[WORKERS];

    for (unsigned w = 0; w < WORKERS; w++) {
        pids[w] = fork();
        if (pids[w] == 0)
            _exit(work_in_child(*state, w)); // also who sets the store up is decided there
    }
    for (unsigned w = 0; w < WORKERS; w++)
        assert_int_equal(fixture_wait(pids[w]), 0);
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    expect_all(backend);
}

typedef struct job {
    lls_backend *backend;
    unsigned worker;
    lls_err result;
    lls_error err;
} job;

static void *work_in_thread(void *user)
{
    job *j = user;

    j->result = work(j->backend, j->worker, &j->err);
    return NULL;
}

static void eight_threads_lose_nothing(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    pthread_t threads[WORKERS];
    job jobs[WORKERS] = {0};

    for (unsigned w = 0; w < WORKERS; w++) {
        jobs[w] = (job){.backend = backend, .worker = w};
        assert_int_equal(pthread_create(&threads[w], NULL, work_in_thread, &jobs[w]), 0);
    }
    for (unsigned w = 0; w < WORKERS; w++) {
        assert_int_equal(pthread_join(threads[w], NULL), 0);
        assert_ok(jobs[w].result, jobs[w].err);
    }
    expect_all(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(eight_processes_lose_nothing),
        T(eight_threads_lose_nothing),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
