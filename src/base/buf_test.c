#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

static void appends_in_order(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) buf = {0};

    lls_buf_add(&buf, B("a\0b"));
    lls_buf_add_str(&buf, LLS_STR("-"));
    lls_buf_add_text(&buf, "text");
    lls_buf_printf(&buf, " %d %s", 42, "x");
    assert_bytes(lls_buf_view(&buf), "a\0b-text 42 x");
    assert_string_equal(lls_buf_cstr(&buf) + 4, "text 42 x");
    assert_int_equal(buf.len, 13);
}

static void empty_views_without_data_are_fine(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) buf = {0};
    lls_error err = {0};

    lls_buf_add(&buf, (lls_bytes){0});
    lls_buf_add_text(&buf, NULL);
    lls_buf_reserve(&buf, 0);
    assert_null(buf.data);
    assert_ok(lls_buf_status(&buf, &err), err);
    assert_string_equal(lls_buf_cstr(&buf), "");
}

static void grows_to_its_ceiling_and_not_beyond(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) buf = {.max = 100};
    lls_error err = {0};

    for (int i = 0; i < 100; i++)
        lls_buf_add_text(&buf, "x");
    assert_ok(lls_buf_status(&buf, &err), err);
    lls_buf_add_text(&buf, "y");
    assert_code(lls_buf_status(&buf, &err), LLS_E_FULL, err);
    assert_int_equal(buf.len, 100);
    assert_int_equal(buf.data[99], 'x');
}

static void the_first_failure_sticks_until_cleared(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) buf = {.max = 8};
    lls_error err = {0};

    lls_buf_add_text(&buf, "12345");
    lls_buf_add_text(&buf, "67890");
    lls_buf_add_text(&buf, "6");
    assert_bytes(lls_buf_view(&buf), "12345");
    assert_code(lls_buf_status(&buf, &err), LLS_E_FULL, err);
    lls_buf_clear(&buf);
    lls_buf_add_text(&buf, "6");
    assert_ok(lls_buf_status(&buf, &err), err);
    assert_bytes(lls_buf_view(&buf), "6");
}

static void a_failed_allocation_keeps_the_contents(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) buf = {0};
    lls_error err = {0};

    lls_buf_add_text(&buf, "before");
    lls_alloc_fail_after(0);
    lls_buf_reserve(&buf, 100000);
    lls_alloc_fail_after(-1);
    assert_code(lls_buf_status(&buf, &err), LLS_E_NOMEM, err);
    assert_bytes(lls_buf_view(&buf), "before");
}

static void impossible_sizes_are_refused(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) buf = {0};
    lls_error err = {0};

    lls_buf_add_text(&buf, "x");
    lls_buf_reserve(&buf, SIZE_MAX);
    assert_code(lls_buf_status(&buf, &err), LLS_E_FULL, err);
    lls_buf_clear(&buf);
    lls_buf_reserve(&buf, LLS_BUF_MAX + 1);
    assert_code(lls_buf_status(&buf, &err), LLS_E_FULL, err);
}

static void fini_leaves_an_empty_buffer_with_its_ceiling(void **state)
{
    (void)state;
    lls_buf buf = {.max = 9};

    lls_buf_add_text(&buf, "x");
    lls_buf_fini(&buf);
    assert_null(buf.data);
    assert_int_equal(buf.len, 0);
    assert_int_equal(buf.cap, 0);
    assert_int_equal(buf.max, 9);
    lls_buf_fini(&buf);
}

static void views_compare_by_unsigned_bytes(void **state)
{
    (void)state;

    assert_true(lls_bytes_cmp(B("a"), B("\xff")) < 0);
    assert_true(lls_bytes_cmp(B("ab"), B("a")) > 0);
    assert_true(lls_bytes_cmp(B(""), B("")) == 0);
    assert_true(lls_bytes_eq((lls_bytes){0}, B("")));
    assert_true(lls_bytes_has_prefix(B("abc"), B("ab")));
    assert_false(lls_bytes_has_prefix(B("a"), B("ab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_in_order),
        cmocka_unit_test(empty_views_without_data_are_fine),
        cmocka_unit_test(grows_to_its_ceiling_and_not_beyond),
        cmocka_unit_test(the_first_failure_sticks_until_cleared),
        cmocka_unit_test(a_failed_allocation_keeps_the_contents),
        cmocka_unit_test(impossible_sizes_are_refused),
        cmocka_unit_test(fini_leaves_an_empty_buffer_with_its_ceiling),
        cmocka_unit_test(views_compare_by_unsigned_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
