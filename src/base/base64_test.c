#include "base/base64.h"

#include "base/scope.h"
#include "testing/check.h"

static void the_vectors_of_rfc_4648(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff\xbf", "+/+/"},
    };

    for (size_t i = 0; i < LLS_COUNT(pairs); i++) {
        LLS_AUTO(lls_buf) text = {0};
        LLS_AUTO(lls_buf) back = {0};
        lls_error err = {0};
        lls_base64_encode(lls_bytes_of(lls_str_of(pairs[i][0])), &text);
        assert_string_equal(lls_buf_cstr(&text), pairs[i][1]);
        assert_ok(lls_base64_decode(lls_buf_str(&text), &back, &err), err);
        assert_string_equal(lls_buf_cstr(&back), pairs[i][0]);
    }
}

static void any_bytes_round_trip_behind_what_was_there(void **state)
{
    (void)state;
    uint8_t bytes[300];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 37 + 11);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        LLS_AUTO(lls_buf) text = {0};
        LLS_AUTO(lls_buf) back = {0};
        lls_error err = {0};
        lls_buf_add_text(&back, "before");
        lls_base64_encode((lls_bytes){bytes, len}, &text);
        assert_ok(lls_base64_decode(lls_buf_str(&text), &back, &err), err);
        assert_int_equal(back.len, 6 + len);
        assert_memory_equal(back.data, "before", 6);
        assert_memory_equal(back.data + 6, bytes, len);
    }
}

static void malformed_text_is_refused_and_adds_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",      "Zg",   "Zg=",  "Zg===", "====", "=g==", "Z===", "Zg==Zg==", "Zm8=Zg==",
        "Zm9v\n", "Zm 9", "Zm9-", "Zm9_",  "Zh==", "Zm9=", "Zg=A", "Zm9vZ===",
    };

    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        LLS_AUTO(lls_buf) out = {0};
        lls_error err = {0};
        lls_buf_add_text(&out, "x");
        assert_code(lls_base64_decode(lls_str_of(bad[i]), &out, &err), LLS_E_PARSE, err);
        assert_bytes(lls_buf_view(&out), "x");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_vectors_of_rfc_4648),
        cmocka_unit_test(any_bytes_round_trip_behind_what_was_there),
        cmocka_unit_test(malformed_text_is_refused_and_adds_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
