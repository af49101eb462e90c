#include "backends/postgres/error.h"

#include "testing/check.h"

static void states_and_their_classes_have_meanings(void **state)
{
    (void)state;
    assert_int_equal(lls_pg_code("LS406"), LLS_E_EXISTS);
    assert_int_equal(lls_pg_code("LS409"), LLS_E_CONFLICT);
    assert_int_equal(lls_pg_code("28P01"), LLS_E_DENIED);
    assert_int_equal(lls_pg_code("28000"), LLS_E_DENIED);
    assert_int_equal(lls_pg_code("42501"), LLS_E_DENIED);
    assert_int_equal(lls_pg_code("53100"), LLS_E_FULL);
    assert_int_equal(lls_pg_code("53300"), LLS_E_UNAVAILABLE);
    assert_int_equal(lls_pg_code("08006"), LLS_E_UNAVAILABLE);
    assert_int_equal(lls_pg_code("57P01"), LLS_E_UNAVAILABLE);
    assert_int_equal(lls_pg_code("57014"), LLS_E_CANCELLED);
    assert_int_equal(lls_pg_code("40P01"), LLS_E_CONFLICT);
    assert_int_equal(lls_pg_code("55P03"), LLS_E_BUSY);
    assert_int_equal(lls_pg_code("XX001"), LLS_E_CORRUPT);
    assert_int_equal(lls_pg_code("99999"), LLS_E_INTERNAL);
}

static void servers_older_than_14_are_refused(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_code(lls_pg_check_version(130014, &err), LLS_E_UNSUPPORTED, err);
    assert_string_equal(err.msg, "the server is PostgreSQL 13; version 14 is needed");
    assert_code(lls_pg_check_version(90624, &err), LLS_E_UNSUPPORTED, err);
    assert_ok(lls_pg_check_version(140000, &err), err);
    assert_ok(lls_pg_check_version(180001, &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(states_and_their_classes_have_meanings),
        cmocka_unit_test(servers_older_than_14_are_refused),
    };

    return cmocka_run_group_tests_name("postgres errors", tests, NULL, NULL);
}
