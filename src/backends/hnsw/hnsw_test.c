/* The conformance suites of the vector port, on files. */
#include "base/scope.h"
#include "ports/backend.h"
#include "testing/check.h"
#include "testing/vec_suite.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[64];
static lls_backend *backend;
static lls_records_view view;

/* Up to `flat_max` vectors there is no graph. */
static int open_store(void **state, const char *flat_max)
{
    const lls_setting settings[] = {{"path", folder, NULL}, {"flat_max", flat_max, NULL}};
    lls_error err = {0};

    (void)snprintf(folder, sizeof(folder), "/tmp/lls-hnsw-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_ok(
        lls_backend_open(LLS_STR("hnsw"), settings, LLS_COUNT(settings), NULL, &backend, &err),
        err);
    *state = backend;
    return 0;
}

static int open_group(void **state)
{
    return open_store(state, "8192");
}

/* Their vectors are made up: to link them is no part of what is tested. */
static int open_records(void **state)
{
    (void)open_store(state, "65536");
    lls_records_view_init(&view, backend->vec);
    *state = &view.backend;
    return 0;
}

static int close_group(void **state)
{
    char command[100];

    (void)state;
    lls_backend_close(backend);
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
    return 0;
}

int main(void)
{
    const struct CMUnitTest vectors[] = {LLS_VEC_SUITE, LLS_VEC_STAGE_SUITE, LLS_VEC_EXACT_SUITE};
    const struct CMUnitTest records[] = {LLS_VEC_RECORDS_SUITE};

    int failed = cmocka_run_group_tests_name("hnsw vectors", vectors, open_group, close_group);
    return failed + cmocka_run_group_tests_name("hnsw records", records, open_records, close_group);
}
