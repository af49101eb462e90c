#include "cli/base64.h"

#include "cli/scope.h"
#include "testing/check.h"

static void any_bytes_come_back(void **state)
{
    uint8_t bytes[100];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 37 + 200);
    for (size_t len = 0; len <= sizeof bytes; len++) {
        LLS_AUTO(lls_buf) text = {0};
        LLS_AUTO(lls_buf) back = {0};

        cli_base64_encode((lls_bytes){bytes, len}, &text);
        assert_true(cli_base64_decode(lls_buf_cstr(&text), &back));
        assert_true(lls_bytes_eq(lls_buf_view(&back), (lls_bytes){bytes, len}));
    }
}

static void the_vectors_of_rfc_4648(void **state)
{
    static const char *const pairs[][2] = {
        {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"\xfb\xff\xbf", "+/+/"}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        LLS_AUTO(lls_buf) text = {0};

        cli_base64_encode(lls_bytes_of(lls_str_of(pairs[i][0])), &text);
        assert_string_equal(lls_buf_cstr(&text), pairs[i][1]);
    }
}

static void what_is_not_base64_is_refused_and_leaves_the_buffer(void **state)
{
    static const char *const wrong[] = {"Zg",   "Zg=",      "Z===", "====", "Zm9v*", "Zm9v!!!!",
                                        "Zh==", "Zg==Zg==", "Zg=v", "Zm9=", "Zm9v\n"};

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        LLS_AUTO(lls_buf) out = {0};

        lls_buf_add_text(&out, "before");
        assert_false(cli_base64_decode(wrong[i], &out));
        assert_bytes(lls_buf_view(&out), "before");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(the_vectors_of_rfc_4648),
        cmocka_unit_test(what_is_not_base64_is_refused_and_leaves_the_buffer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
