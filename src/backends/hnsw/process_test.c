/* Several processes on one store: one writes, the others read and follow; a second writer is told.
 */
#include "testing/hnsw_fixture.h"

#include <signal.h>

enum { READERS = 7, WRITES = 400, FOLD_EVERY = 50 };

static int close_and(lls_backend *backend, int status)
{
    lls_backend_close(backend);
    return status;
}

/* ---- one writer ---- */

static void a_second_writer_is_told_who_writes(void **state)
{
    lls_backend *backend = fixture_open(*state);
    lls_error err = {0};
    char who[40];

    assert_ok(fixture_put(backend, 1, 1, &err), err);
    LLS_AUTO(lls_backend_ref) other = fixture_open(*state);
    assert_code(fixture_put(other, 2, 2, &err), LLS_E_BUSY, err);
    (void)snprintf(who, sizeof(who), "process %ld", (long)getpid());
    assert_non_null(strstr(err.msg, who));
    assert_non_null(strstr(err.msg, *state));
    LLS_AUTO(lls_vec_hits) hits = {0}; // but he may read
    assert_ok(lls_vec_get(other->vec, fixture_space, B("r00001"), LLS_VEC_WHOLE, &hits, &err), err);
    lls_backend_close(backend);
    assert_ok(fixture_put(other, 2, 2, &err), err); // and write once the first has gone
}

static int write_and_wait(const char *path, int ready)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    if (fixture_try(path, LLS_READ_WRITE, &backend, &err) != LLS_OK)
        return 2;
    for (unsigned i = 0; i < 20; i++)
        if (fixture_put(backend, i, 5, &err) != LLS_OK)
            return 3;
    if (write(ready, "", 1) != 1)
        return 4;
    for (;;)
        (void)pause();
}

static void another_takes_over_when_the_writer_dies(void **state)
{
    int ready[2];
    char byte;
    lls_error err = {0};

    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0)
        _exit(write_and_wait(*state, ready[1]));
    assert_int_equal(read(ready[0], &byte, 1), 1);
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    assert_code(fixture_put(backend, 3, 9, &err), LLS_E_BUSY, err);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(fixture_wait(pid), 1000 + SIGKILL);
    assert_ok(fixture_put(backend, 3, 9, &err), err);
    for (unsigned i = 0; i < 20; i++) {
        fixture_record record;
        LLS_AUTO(lls_vec_hits) hits = {0};
        assert_ok(lls_vec_get(backend->vec, fixture_space, fixture_make(i, 0, &record)->id,
                              LLS_VEC_WHOLE, &hits, &err),
                  err);
        assert_true(fixture_is(&hits.hits[0].item, i, i == 3 ? 9 : 5));
    }
    (void)close(ready[0]);
    (void)close(ready[1]);
}

/* ---- many readers ---- */

/* Record 0 counts the writes. A reader sees it go up, and all that was written before. */
static lls_err see(lls_backend *backend, unsigned *count, lls_error *err)
{
    LLS_AUTO(lls_vec_hits) counter = {0};
    LLS_AUTO(lls_vec_hits) last = {0};
    fixture_record record;

    LLS_TRY(lls_vec_get(backend->vec, fixture_space, B("r00000"), LLS_VEC_WHOLE, &counter, err));
    unsigned now = fixture_salt(&counter.hits[0].item);
    if (now < *count || !fixture_is(&counter.hits[0].item, 0, now))
        return lls_fail(err, LLS_E_INTERNAL, "%u after %u", now, *count);
    *count = now;
    if (now < 2)
        return LLS_OK;
    unsigned before = now - 1;
    LLS_TRY(lls_vec_get(backend->vec, fixture_space, fixture_make(before, 0, &record)->id,
                        LLS_VEC_WHOLE, &last, err));
    return fixture_is(&last.hits[0].item, before, before)
               ? LLS_OK
               : lls_fail(err, LLS_E_INTERNAL, "write %u is not whole", before);
}

static int read_to_the_end(const char *path)
{
    lls_backend *backend = NULL;
    lls_error err = {0};
    unsigned count = 0;

    if (fixture_try(path, LLS_READ_ONLY, &backend, &err) != LLS_OK)
        return 2;
    while (count < WRITES) {
        if (see(backend, &count, &err) == LLS_OK)
            continue;
        (void)fprintf(stderr, "reader: %s\n", err.msg);
        return close_and(backend, 3);
    }
    return close_and(backend, 0);
}

static void readers_follow_a_writer_through_many_foldings(void **state)
{
    pid_t readers[READERS];
    lls_error err = {0};
    lls_backend *backend = fixture_open(*state);

    assert_ok(fixture_put(backend, 0, 1, &err), err);
    lls_backend_close(backend); // before the children come
    for (unsigned i = 0; i < READERS; i++)
        if ((readers[i] = fork()) == 0)
            _exit(read_to_the_end(*state));
    backend = fixture_open(*state);
    for (unsigned i = 1; i <= WRITES; i++) {
        fixture_record records[2];
        const lls_vec_write writes[] = {{.item = *fixture_make(i, i, &records[0])},
                                        {.item = *fixture_make(0, i, &records[1])}};
        assert_ok(lls_vec_apply(backend->vec, fixture_space, writes, LLS_COUNT(writes), &err), err);
        if (i % FOLD_EVERY == 0)
            assert_ok(lls_vec_tend(backend->vec, fixture_space, &err), err);
    }
    for (unsigned i = 0; i < READERS; i++)
        assert_int_equal(fixture_wait(readers[i]), 0);
    lls_backend_close(backend);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(a_second_writer_is_told_who_writes),
        T(another_takes_over_when_the_writer_dies),
        T(readers_follow_a_writer_through_many_foldings),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
