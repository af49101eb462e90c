#include "base/scope.h"
#include "ports/backend.h"
#include "testing/check.h"
#include "testing/vec_suite.h"

static lls_backend *backend;
static lls_records_view view;

static int open_group(void **state)
{
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("memory"), NULL, 0, NULL, &backend, &err), err);
    *state = backend;
    return 0;
}

static int open_records(void **state)
{
    (void)open_group(state);
    lls_records_view_init(&view, backend->vec);
    *state = &view.backend;
    return 0;
}

static int close_group(void **state)
{
    (void)state;
    lls_backend_close(backend);
    return 0;
}

int main(void)
{
    const struct CMUnitTest vectors[] = {LLS_VEC_SUITE};
    const struct CMUnitTest records[] = {LLS_VEC_RECORDS_SUITE};

    int failed = cmocka_run_group_tests_name("memory vectors", vectors, open_group, close_group);
    return failed +
           cmocka_run_group_tests_name("memory records", records, open_records, close_group);
}
