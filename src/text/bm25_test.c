#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"
#include "text/bm25.h"

#include <math.h>
#include <stdio.h>

static void assert_near(double got, double want)
{
    if (fabs(got - want) > 1e-12)
        fail_msg("got %.15g, want %.15g", got, want);
}

/* Worked out by hand (with bc) from the formula. */
static void figures_are_those_of_the_formula(void **state)
{
    (void)state;
    assert_near(lls_bm25_idf(10, 1), 1.9924301646902063);    // ln(1 + 9.5 / 1.5)
    assert_near(lls_bm25_idf(10, 10), 0.046520015634892907); // ln(1 + 0.5 / 10.5): never below 0
    assert_near(lls_bm25_weight(1, 8, 8.0), 1);
    assert_near(lls_bm25_weight(3, 12, 8.0), 6.6 / 4.65);
}

static void query_has_distinct_words_in_byte_order(void **state)
{
    LLS_AUTO(lls_text_query) query = {0};
    const char *const want[] = {"a", "ab", "b", "é"};
    lls_error err = {0};

    (void)state;
    assert_ok(lls_text_query_init(&query, LLS_STR("b É a B, ab é!"), &err), err);
    assert_int_equal(query.count, LLS_COUNT(want));
    for (size_t i = 0; i < query.count; i++)
        assert_true(lls_str_eq(query.words[i], lls_str_of(want[i])));
}

static void the_first_words_of_a_long_query_count(void **state)
{
    LLS_AUTO(lls_text_query) query = {0};
    LLS_AUTO(lls_buf) text = {0};
    lls_error err = {0};

    (void)state;
    for (int i = 2000; i > 1000; i--)
        lls_buf_printf(&text, "w%d w%d ", i, i);
    assert_ok(lls_text_query_init(&query, lls_buf_str(&text), &err), err);
    assert_int_equal(query.count, LLS_TEXT_QUERY_MAX);
    assert_true(lls_str_eq(query.words[0], LLS_STR("w1745")));
    assert_true(lls_str_eq(query.words[LLS_TEXT_QUERY_MAX - 1], LLS_STR("w2000")));
}

static void query_without_memory_is_refused(void **state)
{
    LLS_AUTO(lls_text_query) query = {0};
    lls_error err = {0};

    (void)state;
    lls_alloc_fail_after(0);
    lls_err e = lls_text_query_init(&query, LLS_STR("a"), &err);
    lls_alloc_fail_after(-1);
    assert_int_equal(e, LLS_E_NOMEM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_those_of_the_formula),
        cmocka_unit_test(query_has_distinct_words_in_byte_order),
        cmocka_unit_test(the_first_words_of_a_long_query_count),
        cmocka_unit_test(query_without_memory_is_refused),
    };

    return cmocka_run_group_tests_name("bm25", tests, NULL, NULL);
}
