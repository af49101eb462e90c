/** absent_test.c - a build without the engine: what it says to a write, and that it changes
 * nothing. */
#include "base/file.h"
#include "testing/sled_fixture.h"

static void a_write_says_what_to_do(void **state)
{
    lls_backend *backend = NULL;
    lls_error err = {0};

    assert_code(fixture_try(*state, LLS_READ_WRITE, &backend, &err), LLS_E_UNSUPPORTED, err);
    assert_non_null(strstr(err.msg, "this build reads Sled only"));
    assert_non_null(strstr(err.msg, "storage migrate plan --from sled"));
    assert_non_null(strstr(err.msg, "LLS_SLED_ENGINE=ON"));
    assert_false(lls_file_exists(*state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_write_says_what_to_do, fixture_setup, fixture_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
