#include "cli/where.h"

#include "base/scope.h"
#include "testing/check.h"

static void conditions_are_read_as_people_write_them(void **state)
{
    (void)state;
    LLS_AUTO(cli_where) w = {0};
    lls_error err = {0};

    assert_ok(
        cli_where_parse("colour=red,n>=3,n<4.5,tags~new,/deep/flag,kind=a|\"b, c\"|3,z=", &w, &err),
        err);
    assert_int_equal(w.term_count, 7);
    assert_int_equal(w.terms[0].op, LLS_FILTER_EQ);
    assert_bytes(lls_bytes_of(w.terms[0].path), "colour");
    assert_bytes(lls_bytes_of(w.terms[0].values[0]), "\"red\"");
    assert_bytes(lls_bytes_of(w.terms[1].low), "3");
    assert_false(w.terms[1].low_open);
    assert_bytes(lls_bytes_of(w.terms[2].high), "4.5");
    assert_true(w.terms[2].high_open);
    assert_int_equal(w.terms[3].op, LLS_FILTER_CONTAINS);
    assert_int_equal(w.terms[4].op, LLS_FILTER_EXISTS);
    assert_bytes(lls_bytes_of(w.terms[4].path), "/deep/flag");
    assert_int_equal(w.terms[5].op, LLS_FILTER_IN);
    assert_int_equal(w.terms[5].value_count, 3);
    assert_bytes(lls_bytes_of(w.terms[5].values[1]), "\"b, c\"");
    assert_bytes(lls_bytes_of(w.terms[5].values[2]), "3");
    assert_bytes(lls_bytes_of(w.terms[6].values[0]), "\"\"");
}

static void nothing_is_no_condition(void **state)
{
    (void)state;
    LLS_AUTO(cli_where) w = {0};
    lls_error err = {0};

    assert_ok(cli_where_parse(NULL, &w, &err), err);
    assert_int_equal(w.term_count, 0);
}

static void mistakes_are_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "=3", "a=1,", "a=\"b\"c", "a=\xff"};

    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        LLS_AUTO(cli_where) w = {0};
        lls_error err = {0};
        assert_code(cli_where_parse(bad[i], &w, &err), LLS_E_INVALID, err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_read_as_people_write_them),
        cmocka_unit_test(nothing_is_no_condition),
        cmocka_unit_test(mistakes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
