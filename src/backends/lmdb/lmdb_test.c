/** lmdb_test.c - the port's suites: as it is preset, relaxed, and with a map that must grow. */
#include "testing/kv_suite.h"
#include "testing/lmdb_fixture.h"
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
    assert_ok(lls_backend_open(LLS_STR("lmdb"), settings, 2, NULL, &backend, &err), err);
    *state = backend;
    return 0;
}

static int open_preset(void **state)
{
    return open_with(state, "map_size", "64GiB");
}

static int open_relaxed(void **state)
{
    return open_with(state, "durability", "relaxed");
}

static int open_tiny(void **state)
{
    return open_with(state, "map_size", "1MiB");
}

static int close_it(void **state)
{
    void *path = folder;
    lls_backend *backend = *state;

    assert_int_equal(fixture_faults(backend), 0);
    lls_backend_close(backend);
    return fixture_teardown(&path);
}

static void it_keeps_what_it_promises(void **state)
{
    const lls_backend *backend = *state;
    const lls_characteristics *c = &backend->def->characteristics;

    assert_true(c->persistent && c->transactional && c->prefix_scan && c->atomic_ops &&
                c->multi_process);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LLS_KV_SUITE,
        LLS_STAGE_SUITE,
        cmocka_unit_test(it_keeps_what_it_promises),
    };

    int failed = cmocka_run_group_tests_name("preset", tests, open_preset, close_it);
    failed += cmocka_run_group_tests_name("relaxed", tests, open_relaxed, close_it);
    failed += cmocka_run_group_tests_name("tiny map", tests, open_tiny, close_it);
    return failed;
}
