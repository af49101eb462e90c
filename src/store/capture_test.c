#include "store/capture.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

static void keys_are_taken_out_once_and_in_order(void **state)
{
    LLS_AUTO(lls_buf) keys = {0};
    lls_capture *capture = lls_capture_new(100);

    (void)state;
    lls_capture_add(capture, B("ab"));
    lls_capture_add(capture, B("c"));
    assert_int_equal(lls_capture_size(capture), 7);
    assert_true(lls_capture_take(capture, &keys));
    assert_bytes(lls_buf_view(&keys), "\0\2ab\0\1c");
    assert_int_equal(lls_capture_size(capture), 0);
    lls_buf_clear(&keys);
    assert_true(lls_capture_take(capture, &keys));
    assert_int_equal(keys.len, 0);
    lls_capture_free(capture);
}

static void what_does_not_fit_is_said_once(void **state)
{
    LLS_AUTO(lls_buf) keys = {0};
    lls_capture *capture = lls_capture_new(8);

    (void)state;
    lls_capture_add(capture, B("abcdef"));
    lls_capture_add(capture, B("g"));
    assert_int_equal(lls_capture_size(capture), 8);
    lls_capture_add(capture, B("h")); // fits again, and changes nothing about what was forgotten
    assert_false(lls_capture_take(capture, &keys));
    lls_buf_clear(&keys);
    lls_capture_add(capture, B("i"));
    assert_true(lls_capture_take(capture, &keys));
    assert_bytes(lls_buf_view(&keys), "\0\1i");
    lls_capture_free(capture);
}

static void what_memory_has_no_room_for_counts_as_forgotten(void **state)
{
    LLS_AUTO(lls_buf) keys = {0};
    lls_capture *capture = lls_capture_new(100);

    (void)state;
    lls_alloc_fail_after(0);
    lls_capture_add(capture, B("a"));
    lls_alloc_fail_after(-1);
    assert_false(lls_capture_take(capture, &keys));
    assert_int_equal(keys.len, 0);
    lls_capture_free(capture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_taken_out_once_and_in_order),
        cmocka_unit_test(what_does_not_fit_is_said_once),
        cmocka_unit_test(what_memory_has_no_room_for_counts_as_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
