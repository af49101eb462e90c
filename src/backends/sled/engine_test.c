/** engine_test.c - the port's suites on the real engine: plain, and compressed. */
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

int main(void)
{
    const struct CMUnitTest preset[] = {
        LLS_KV_SUITE,
        LLS_STAGE_SUITE,
        cmocka_unit_test(it_keeps_what_it_promises),
    };
    const struct CMUnitTest compressed[] = {LLS_KV_SUITE};

    int failed = cmocka_run_group_tests(preset, open_preset, close_it);
    failed += cmocka_run_group_tests(compressed, open_compressed, close_it);
    return failed;
}
