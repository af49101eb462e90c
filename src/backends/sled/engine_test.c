/** engine_test.c - the port's suites on the real engine: plain, and compressed. */
#include "base/alloc.h"
#include "base/file.h"
#include "testing/kv_suite.h"
#include "testing/sled_fixture.h"
#include "testing/stage_suite.h"

/* `*state` is the backend while tests run; the folder is found again by where it was opened. */
static char *folder;

static int open_with(void **state, const char *name, const char *value)
{
    void *path = NULL;
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_int_equal(fixture_setup(&path), 0);
    folder = path;
    const lls_setting settings[] = {{"path", folder, NULL}, {name, value, NULL}};
    assert_ok(lls_backend_open(LLS_STR("sled"), settings, 2, NULL, &backend, &err), err);
    *state = backend;
    return 0;
}

static int open_preset(void **state)
{
    return open_with(state, "cache", "128MiB");
}

static int open_compressed(void **state)
{
    return open_with(state, "compression", "true");
}

static int close_it(void **state)
{
    void *path = folder;

    lls_backend_close(*state);
    return fixture_teardown(&path);
}

static void it_keeps_what_it_promises(void **state)
{
    const lls_backend *backend = *state;
    const lls_characteristics *c = &backend->def->characteristics;

    assert_true(c->persistent && c->transactional && c->prefix_scan && c->atomic_ops);
    assert_false(c->multi_process);
}

static void an_allocation_that_fails_changes_nothing(void **state)
{
    lls_backend *backend = *state;
    lls_kv_write writes[] = {
        {.verb = LLS_KV_PUT, .coll = COLL, .key = B("first"), .value = B("1")},
        {.verb = LLS_KV_CREATE, .coll = LLS_STR("others"), .key = B("second"), .value = B("2")},
    };
    lls_error err = {0};
    lls_err e = LLS_E_NOMEM;

    for (long n = 0; e == LLS_E_NOMEM; n++) {
        assert_int_equal(fixture_count(backend), 0);
        lls_alloc_fail_after(n);
        e = lls_kv_apply(backend->kv, fixture_space.tenant, writes, LLS_COUNT(writes), &err);
        lls_alloc_fail_after(-1);
    }
    assert_ok(e, err);
    assert_int_equal(fixture_count(backend), 1);
    e = LLS_E_NOMEM;
    for (long n = 0; e == LLS_E_NOMEM; n++) {
        assert_int_equal(fixture_count(backend), 1);
        lls_alloc_fail_after(n);
        e = lls_kv_clear(backend->kv, fixture_space, &err);
        lls_alloc_fail_after(-1);
    }
    assert_ok(e, err);
    assert_int_equal(fixture_count(backend), 0);
}

static void an_opening_for_which_memory_runs_out_can_be_repeated(void **state)
{
    lls_backend *backend = NULL;
    lls_error err = {0};
    lls_err e = LLS_E_NOMEM;

    for (long n = 0; e == LLS_E_NOMEM; n++) {
        lls_alloc_fail_after(n);
        e = fixture_try(*state, LLS_READ_WRITE, &backend, &err);
        lls_alloc_fail_after(-1);
    }
    assert_ok(e, err);
    assert_int_equal(fixture_count(backend), 0);
    assert_ok(fixture_put(backend, 1, 1, 10, &err), err);
    lls_backend_close(backend);
}

static void this_process_is_told_that_it_has_it_open(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = fixture_open(*state);
    lls_backend *second = NULL;
    lls_error err = {0};

    assert_code(fixture_try(*state, LLS_READ_WRITE, &second, &err), LLS_E_BUSY, err);
    assert_code(fixture_try(*state, LLS_READ_ONLY, &second, &err), LLS_E_BUSY, err);
    assert_non_null(strstr(err.msg, "this process"));
    assert_ok(fixture_put(backend, 1, 1, 10, &err), err);
}

/* What was written is what the reader finds, with versions and times, as soon as it is closed. */
static void the_reader_finds_what_was_written(void **state)
{
    lls_backend *backend = fixture_open(*state);
    lls_error err = {0};

    for (unsigned i = 0; i < 200; i++)
        assert_ok(fixture_put(backend, i, 7, i * 20, &err), err);
    assert_ok(fixture_put(backend, 200, 7, 300000, &err), err); // a file of its own
    for (unsigned i = 0; i < 50; i++)
        assert_ok(fixture_put(backend, i * 3, 8, 100, &err), err);
    lls_backend_close(backend);
    assert_ok(fixture_try(*state, LLS_READ_ONLY, &backend, &err), err);
    assert_int_equal(fixture_count(backend), 201);
    for (unsigned i = 0; i < 201; i++)
        fixture_expect(backend, i, i % 3 == 0 && i < 150 ? 8 : 7,
                       i % 3 == 0 && i < 150 ? 100
                       : i == 200            ? 300000
                                             : i * 20);
    assert_int_equal(fixture_faults(backend), 0);
    assert_code(fixture_put(backend, 1, 1, 1, &err), LLS_E_DENIED, err);
    lls_backend_close(backend);
}

/* What a kill in the middle of an opening leaves, and the engine does not get over. */
static void a_snapshot_that_was_cut_off_is_swept(void **state)
{
    lls_backend *backend = fixture_open(*state);
    lls_error err = {0};
    LLS_AUTO(lls_buf) name = {0};

    assert_ok(fixture_put(backend, 1, 7, 20, &err), err);
    lls_backend_close(backend);
    lls_buf_printf(&name, "%s/snap.7000000000000000.generating", (const char *)*state);
    for (size_t len = 0; len < 40; len += 13) {
        lls_bytes cut = {(const uint8_t *)"The quick brown fox jumps over the lazy dog", len};
        assert_ok(lls_file_replace(lls_buf_cstr(&name), cut, 0600, &err), err);
        backend = fixture_open(*state);
        fixture_expect(backend, 1, 7, 20);
        lls_backend_close(backend);
        assert_int_equal(access(lls_buf_cstr(&name), F_OK), -1);
    }
}

int main(void)
{
    const struct CMUnitTest preset[] = {
        LLS_KV_SUITE,
        LLS_STAGE_SUITE,
        cmocka_unit_test(it_keeps_what_it_promises),
        LLS_KV_TEST(an_allocation_that_fails_changes_nothing),
    };
    const struct CMUnitTest alone[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
        T(an_opening_for_which_memory_runs_out_can_be_repeated),
        T(this_process_is_told_that_it_has_it_open),
        T(the_reader_finds_what_was_written),
        T(a_snapshot_that_was_cut_off_is_swept),
#undef T
    };
    const struct CMUnitTest compressed[] = {LLS_KV_SUITE};

    int failed = cmocka_run_group_tests(preset, open_preset, close_it);
    failed += cmocka_run_group_tests(compressed, open_compressed, close_it);
    failed += cmocka_run_group_tests(alone, NULL, NULL);
    return failed;
}
