/* The conformance suite of the vector port, on files. */
#include "base/scope.h"
#include "ports/backend.h"
#include "testing/check.h"
#include "testing/vec_suite.h"

#include <stdio.h>
#include <stdlib.h>

static char folder[64];
static lls_backend *backend;

static int open_group(void **state)
{
    lls_setting path = {"path", folder, NULL};
    lls_error err = {0};

    (void)snprintf(folder, sizeof(folder), "/tmp/lls-hnsw-XXXXXX");
    assert_non_null(mkdtemp(folder));
    assert_ok(lls_backend_open(LLS_STR("hnsw"), &path, 1, NULL, &backend, &err), err);
    *state = backend;
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
    const struct CMUnitTest vectors[] = {LLS_VEC_SUITE};

    return cmocka_run_group_tests_name("hnsw vectors", vectors, open_group, close_group);
}
