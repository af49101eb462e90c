/* The backend of docs/backends.md, through the suite that every backend passes. */
#include "ports/backend.h"
#include "testing/check.h"
#include "testing/kv_suite.h"

extern const lls_backend_def lls_backend_shelf;

static lls_backend *backend;

static int open_shelf(void **state)
{
    lls_error err = {0};
    lls_backend_params params = {.access = LLS_READ_WRITE};

    assert_ok(lls_backend_shelf.open(NULL, &params, &backend, &err), err);
    backend->def = &lls_backend_shelf;
    *state = backend;
    return 0;
}

static int close_shelf(void **state)
{
    (void)state;
    lls_backend_close(backend);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {LLS_KV_SUITE};

    return cmocka_run_group_tests_name("shelf", tests, open_shelf, close_shelf);
}
