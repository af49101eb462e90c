#include "testing/check.h"

#include <errno.h>

static void every_code_has_a_text_of_its_own(void **state)
{
    (void)state;
    static const lls_err codes[] = {LLS_OK, LLS_END,
#define CODE(name, value, text) LLS_E_##name,
                                    LLS_ERR_MAP(CODE)
#undef CODE
    };
    const size_t count = sizeof(codes) / sizeof(codes[0]);

    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < i; j++) {
            assert_int_not_equal(codes[i], codes[j]);
            assert_string_not_equal(lls_err_text(codes[i]), lls_err_text(codes[j]));
        }
    assert_string_equal(lls_err_text((lls_err)-999), "unknown error");
}

static void fail_records_code_and_message(void **state)
{
    (void)state;
    lls_error err = {.sys = EIO, .sqlstate = "28P01"};

    assert_int_equal(lls_fail(&err, LLS_E_FULL, "over %d bytes", 5), LLS_E_FULL);
    assert_int_equal(err.code, LLS_E_FULL);
    assert_int_equal(err.sys, 0);
    assert_string_equal(err.sqlstate, "");
    assert_string_equal(err.msg, "over 5 bytes");
}

static void without_an_error_the_code_alone_is_returned(void **state)
{
    (void)state;

    assert_int_equal(lls_fail(NULL, LLS_E_PARSE, "x"), LLS_E_PARSE);
    assert_int_equal(lls_fail_sys(NULL, ENOSPC, "x"), LLS_E_FULL);
    assert_int_equal(lls_wrap(NULL, LLS_E_IO, "x"), LLS_E_IO);
}

static void system_errors_become_codes(void **state)
{
    (void)state;
    static const struct {
        int sys;
        lls_err code;
    } cases[] = {
        {ENOENT, LLS_E_NOTFOUND}, {EEXIST, LLS_E_EXISTS}, {EACCES, LLS_E_DENIED},
        {EPERM, LLS_E_DENIED},    {EROFS, LLS_E_DENIED},  {ENOSPC, LLS_E_FULL},
        {EDQUOT, LLS_E_FULL},     {EFBIG, LLS_E_FULL},    {ENOMEM, LLS_E_NOMEM},
        {EIO, LLS_E_IO},          {EISDIR, LLS_E_IO},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        lls_error err = {0};
        assert_int_equal(lls_fail_sys(&err, cases[i].sys, "x"), cases[i].code);
        assert_int_equal(err.sys, cases[i].sys);
    }
    lls_error err = {0};
    assert_int_equal(lls_fail_sys(&err, ENOENT, "read '%s'", "a"), LLS_E_NOTFOUND);
    assert_string_equal(err.msg, "read 'a': No such file or directory");
}

static void wrap_puts_the_whole_before_the_part(void **state)
{
    (void)state;
    lls_error err = {0};

    (void)lls_fail_sys(&err, EIO, "sync");
    assert_int_equal(lls_wrap(&err, LLS_E_IO, "copy '%s'", "sessions"), LLS_E_IO);
    assert_string_equal(err.msg, "copy 'sessions': sync: Input/output error");
    assert_int_equal(err.sys, EIO);

    lls_error silent = {0};
    assert_int_equal(lls_wrap(&silent, LLS_E_NOTFOUND, "get"), LLS_E_NOTFOUND);
    assert_string_equal(silent.msg, "get: not found");
}

static void long_messages_are_cut_not_overrun(void **state)
{
    (void)state;
    lls_error err = {0};
    char longest[2 * LLS_ERROR_MSG_MAX];

    memset(longest, 'a', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    (void)lls_fail(&err, LLS_E_IO, "%s", longest);
    assert_int_equal(strlen(err.msg), LLS_ERROR_MSG_MAX - 1);
    (void)lls_wrap(&err, LLS_E_IO, "in");
    assert_int_equal(strlen(err.msg), LLS_ERROR_MSG_MAX - 1);
    assert_memory_equal(err.msg, "in: aaa", 7);
    (void)lls_wrap(&err, LLS_E_IO, "%s", longest);
    assert_int_equal(strlen(err.msg), LLS_ERROR_MSG_MAX - 1);
    (void)lls_fail_sys(&err, EIO, "%s", longest);
    assert_int_equal(strlen(err.msg), LLS_ERROR_MSG_MAX - 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_text_of_its_own),
        cmocka_unit_test(fail_records_code_and_message),
        cmocka_unit_test(without_an_error_the_code_alone_is_returned),
        cmocka_unit_test(system_errors_become_codes),
        cmocka_unit_test(wrap_puts_the_whole_before_the_part),
        cmocka_unit_test(long_messages_are_cut_not_overrun),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
