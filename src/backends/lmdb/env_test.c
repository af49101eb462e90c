#include "backends/lmdb/kv.h"
#include "testing/lmdb_fixture.h"

#include <lmdb.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

static lmdb_env *env_of(lls_backend *backend)
{
    return LLS_OUTER(backend, lmdb_store, base)->env;
}

/* ---- growth ---- */

static void a_full_map_grows(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_error err = {0};

    assert_int_equal(lmdb_env_map_size(env_of(backend)), 1 << 20);
    for (unsigned i = 0; i < 100; i++)
        assert_ok(fixture_put(backend, i, 1, 100000, &err), err);
    assert_true(lmdb_env_map_size(env_of(backend)) >= 10 << 20);
    for (unsigned i = 0; i < 100; i++)
        fixture_expect(backend, i, 1, 100000);
}

static void growth_waits_for_scans_and_says_so(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_kv_iter *it = NULL;
    lls_kv_item item;
    lls_error err = {0};
    lls_err e = LLS_OK;
    unsigned i = 0;

    assert_ok(fixture_put(backend, 0, 1, 10, &err), err);
    assert_ok(lls_kv_scan(backend->kv, fixture_space, (lls_kv_range){0}, LLS_KV_LIVE, &it, &err),
              err);
    while (e == LLS_OK)
        e = fixture_put(backend, ++i, 1, 50000, &err);
    assert_int_equal(e, LLS_E_FULL);
    assert_non_null(strstr(err.msg, "while 1 scans"));
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_bytes(item.key, "k000000");
    fixture_expect(backend, i - 1, 1, 50000);
    lls_kv_iter_close(it);
    assert_ok(fixture_put(backend, i, 1, 50000, &err), err);
    assert_int_equal(fixture_count(backend), i + 1);
}

static void *close_soon(void *user)
{
    (void)usleep(50000);
    lls_kv_iter_close(user);
    return NULL;
}

static void growth_goes_on_when_the_scan_is_closed(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_kv_iter *it = NULL;
    lls_error err = {0};
    pthread_t closer;

    assert_ok(fixture_put(backend, 0, 1, 10, &err), err);
    assert_ok(lls_kv_scan(backend->kv, fixture_space, (lls_kv_range){0}, LLS_KV_LIVE, &it, &err),
              err);
    assert_int_equal(pthread_create(&closer, NULL, close_soon, it), 0);
    assert_ok(fixture_put(backend, 1, 1, 1 << 20, &err), err);
    assert_int_equal(pthread_join(closer, NULL), 0);
    fixture_expect(backend, 1, 1, 1 << 20);
}

static void growth_stops_at_map_max(void **state)
{
    const lls_setting settings[] = {
        {"path", *state, NULL}, {"map_size", "1MiB", NULL}, {"map_max", "3MiB", NULL}};
    LLS_AUTO(lls_backend_ref) backend = NULL;
    lls_error err = {0};
    lls_err e = LLS_OK;
    unsigned i = 0;

    assert_ok(lls_backend_open(LLS_STR("lmdb"), settings, 3, NULL, &backend, &err), err);
    while (e == LLS_OK && i < 1000)
        e = fixture_put(backend, i++, 1, 50000, &err);
    assert_int_equal(e, LLS_E_FULL);
    assert_non_null(strstr(err.msg, "map_max"));
    assert_int_equal(fixture_count(backend), i - 1);
    assert_ok(lls_kv_clear(backend->kv, fixture_space, &err), err);
    assert_ok(fixture_put(backend, 0, 2, 50000, &err), err);
}

static int fill_elsewhere(const char *path, unsigned from, unsigned count)
{
    lls_error err = {0};
    lls_backend *backend = NULL;
    lls_err e = fixture_try(path, "1MiB", LLS_READ_WRITE, &backend, &err);

    for (unsigned i = from; i < from + count && e == LLS_OK; i++)
        e = fixture_put(backend, i, 3, 100000, &err);
    lls_backend_close(backend);
    return e == LLS_OK ? 0 : 1;
}

static void growth_in_another_process_is_adopted(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    LLS_AUTO(lls_backend_ref) reader = NULL;
    lls_error err = {0};

    assert_ok(fixture_put(backend, 0, 1, 100, &err), err);
    assert_ok(fixture_try(*state, "1MiB", LLS_READ_ONLY, &reader, &err), err);
    pid_t pid = fork();
    if (pid == 0)
        _exit(fill_elsewhere(*state, 100, 50));
    assert_int_equal(fixture_wait(pid), 0);
    fixture_expect(reader, 149, 3, 100000); // by reading
    pid = fork();
    if (pid == 0)
        _exit(fill_elsewhere(*state, 200, 200));
    assert_int_equal(fixture_wait(pid), 0);
    assert_ok(fixture_put(backend, 1, 1, 100, &err), err); // by writing
    assert_int_equal(fixture_count(backend), 252);
}

/* gcc says it with a macro, clang with a feature. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HAS_SANITIZER 1
#elif defined(__has_feature)
#define HAS_SANITIZER (__has_feature(address_sanitizer) || __has_feature(thread_sanitizer))
#else
#define HAS_SANITIZER 0
#endif

static void a_small_address_space_is_made_do(void **state)
{
    pid_t pid = fork();

    if (pid == 0) {
        struct rlimit limit = {(rlim_t)4 << 30, (rlim_t)4 << 30};
        lls_backend *backend = NULL;
        lls_error err = {0};
        if (setrlimit(RLIMIT_AS, &limit) != 0 ||
            fixture_try(*state, "64GiB", LLS_READ_WRITE, &backend, &err) != LLS_OK ||
            fixture_put(backend, 1, 1, 1000, &err) != LLS_OK)
            _exit(1);
        size_t size = lmdb_env_map_size(env_of(backend));
        lls_backend_close(backend);
        _exit(size < (size_t)4 << 30 ? 0 : 2);
    }
    int status = fixture_wait(pid);
#if !HAS_SANITIZER // whose own memory does not fit
    assert_int_equal(status, 0);
#else
    (void)status;
#endif
}

/* ---- the same folder twice, and fork ---- */

static void two_openings_share_one_environment(void **state)
{
    lls_backend *first = fixture_open(*state);
    LLS_AUTO(lls_backend_ref) second = fixture_open(*state);
    lls_error err = {0};

    assert_ptr_equal(env_of(first), env_of(second));
    assert_ok(fixture_put(first, 1, 1, 100, &err), err);
    fixture_expect(second, 1, 1, 100);
    lls_backend_close(first);
    assert_ok(fixture_put(second, 2, 1, 100, &err), err);
    assert_int_equal(fixture_count(second), 2);
}

static void reading_first_and_writing_then_works(void **state)
{
    lls_backend *writer = fixture_open(*state);
    lls_backend *reader = NULL;
    lls_error err = {0};

    assert_ok(fixture_put(writer, 1, 1, 100, &err), err);
    lls_backend_close(writer);
    assert_ok(fixture_try(*state, "1MiB", LLS_READ_ONLY, &reader, &err), err);
    fixture_expect(reader, 1, 1, 100);
    writer = fixture_open(*state);
    assert_ok(fixture_put(writer, 2, 1, 100, &err), err);
    fixture_expect(reader, 2, 1, 100);
    assert_code(fixture_put(reader, 3, 1, 100, &err), LLS_E_DENIED, err);
    lls_backend_close(writer);
    fixture_expect(reader, 2, 1, 100);
    lls_backend_close(reader);
}

static void writing_waits_for_scans_of_a_reading_opening(void **state)
{
    lls_backend *writer = fixture_open(*state);
    LLS_AUTO(lls_backend_ref) reader = NULL;
    lls_kv_iter *it = NULL;
    lls_error err = {0};

    lls_backend_close(writer);
    assert_ok(fixture_try(*state, "1MiB", LLS_READ_ONLY, &reader, &err), err);
    assert_ok(lls_kv_scan(reader->kv, fixture_space, (lls_kv_range){0}, LLS_KV_LIVE, &it, &err),
              err);
    writer = NULL;
    assert_code(fixture_try(*state, "1MiB", LLS_READ_WRITE, &writer, &err), LLS_E_BUSY, err);
    assert_null(writer);
    lls_kv_iter_close(it);
    assert_ok(fixture_try(*state, "1MiB", LLS_READ_WRITE, &writer, &err), err);
    lls_backend_close(writer);
}

static int use_in_child(lls_backend *backend, const char *path)
{
    LLS_AUTO(lls_buf) found = {0};
    lls_backend *own = NULL;
    lls_error err = {0};
    char key[16];

    if (fixture_put(backend, 5, 1, 10, &err) != LLS_E_INVALID || !strstr(err.msg, "fork"))
        return 1;
    if (lls_kv_get(backend->kv, fixture_space, fixture_key(1, key), &found, NULL, &err) !=
        LLS_E_INVALID)
        return 2;
    lls_backend_close(backend);
    if (fixture_try(path, "1MiB", LLS_READ_WRITE, &own, &err) != LLS_OK)
        return 3;
    if (fixture_put(own, 2, 1, 100, &err) != LLS_OK)
        return 4;
    lls_backend_close(own);
    return 0;
}

static void a_child_of_fork_must_open_it_itself(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_error err = {0};

    assert_ok(fixture_put(backend, 1, 1, 100, &err), err);
    pid_t pid = fork();
    if (pid == 0)
        _exit(use_in_child(backend, *state));
    assert_int_equal(fixture_wait(pid), 0);
    fixture_expect(backend, 2, 1, 100);
    assert_ok(fixture_put(backend, 3, 1, 100, &err), err);
}

/* ---- readers ---- */

static void a_killed_reader_is_cleaned_up(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_error err = {0};
    int dead = 0;
    int ready[2];
    char byte;

    assert_ok(fixture_put(backend, 1, 1, 100, &err), err);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        lls_backend *own = NULL;
        lls_kv_iter *it = NULL;
        if (fixture_try(*state, "1MiB", LLS_READ_ONLY, &own, &err) == LLS_OK &&
            lls_kv_scan(own->kv, fixture_space, (lls_kv_range){0}, LLS_KV_LIVE, &it, &err) ==
                LLS_OK &&
            write(ready[1], "x", 1) == 1)
            (void)pause();
        _exit(1);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(kill(pid, SIGKILL), 0);
    assert_int_equal(fixture_wait(pid), 1000 + SIGKILL);
    env_of(backend)->commits = 999; // the thousandth commit looks
    assert_ok(fixture_put(backend, 2, 1, 100, &err), err);
    assert_int_equal(mdb_reader_check(env_of(backend)->raw, &dead), 0);
    assert_int_equal(dead, 0); // there was nothing left to clean
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void too_many_readers_are_refused_by_name(void **state)
{
    const lls_setting settings[] = {{"path", *state, NULL}, {"maxreaders", "8", NULL}};
    LLS_AUTO(lls_backend_ref) backend = NULL;
    lls_kv_iter *its[20] = {0};
    lls_error err = {0};
    lls_err e = LLS_OK;
    size_t open = 0;

    assert_ok(lls_backend_open(LLS_STR("lmdb"), settings, 2, NULL, &backend, &err), err);
    assert_ok(fixture_put(backend, 1, 1, 100, &err), err);
    while (e == LLS_OK && open < 20)
        e = lls_kv_scan(backend->kv, fixture_space, (lls_kv_range){0}, LLS_KV_LIVE, &its[open++],
                        &err);
    assert_int_equal(e, LLS_E_BUSY);
    assert_true(open - 1 >= 7);
    for (size_t i = 0; i < open - 1; i++)
        lls_kv_iter_close(its[i]);
    fixture_expect(backend, 1, 1, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(a_full_map_grows),
        T(growth_waits_for_scans_and_says_so),
        T(growth_goes_on_when_the_scan_is_closed),
        T(growth_stops_at_map_max),
        T(growth_in_another_process_is_adopted),
        T(a_small_address_space_is_made_do),
        T(two_openings_share_one_environment),
        T(reading_first_and_writing_then_works),
        T(writing_waits_for_scans_of_a_reading_opening),
        T(a_child_of_fork_must_open_it_itself),
        T(a_killed_reader_is_cleaned_up),
        T(too_many_readers_are_refused_by_name),
#undef T
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
