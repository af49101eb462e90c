#include "cli/escape.h"

#include "cli/scope.h"
#include "testing/check.h"

typedef struct pair {
    lls_str given;
    const char *want;
} pair;

static void check(void (*escape)(lls_bytes bytes, lls_buf *out), const pair *pairs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        LLS_AUTO(lls_buf) out = {0};

        escape(lls_bytes_of(pairs[i].given), &out);
        assert_string_equal(lls_buf_cstr(&out), pairs[i].want);
    }
}

static void nothing_that_a_terminal_would_obey_gets_through(void **state)
{
    static const pair pairs[] = {
        {LLS_STR_INIT("plain ü → 😀"), "plain ü → 😀"},
        {LLS_STR_INIT("\x1b[2J\n\x7f"), "\\x1b[2J\\x0a\\x7f"},
        {LLS_STR_INIT("a\0b"), "a\\x00b"},
        {LLS_STR_INIT("back\\slash"), "back\\\\slash"},
        {LLS_STR_INIT("\xc2\x9b"), "\\xc2\\x9b"},                   // C1: the other ESC [
        {LLS_STR_INIT("\xe2\x80\xae"), "\\xe2\\x80\\xae"},          // turns the direction
        {LLS_STR_INIT("\xff\xc0\x80"), "\\xff\\xc0\\x80"},          // no UTF-8, overlong
        {LLS_STR_INIT("\xed\xa0\x80"), "\\xed\\xa0\\x80"},          // a surrogate
        {LLS_STR_INIT("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80"}, // above U+10FFFF
        {LLS_STR_INIT("cut \xe2\x82"), "cut \\xe2\\x82"},
    };

    (void)state;
    check(cli_escape, pairs, sizeof pairs / sizeof pairs[0]);
}

static void a_cell_keeps_what_the_table_escapes_itself(void **state)
{
    static const pair pairs[] = {
        {LLS_STR_INIT("a\0b\x1b"), "a\\0b\x1b"},
        {LLS_STR_INIT("x\xe2\x80\xaey"), "x\xef\xbf\xbdy"},
        {LLS_STR_INIT("\xffü\\"), "\xffü\\"},
    };

    (void)state;
    check(cli_escape_cell, pairs, sizeof pairs / sizeof pairs[0]);
}

static void words_are_quoted_only_where_a_shell_would_mind(void **state)
{
    static const char *const pairs[][2] = {{"plan.yaml", "plan.yaml"},
                                           {"", "''"},
                                           {"my plan", "'my plan'"},
                                           {"it's", "'it'\\''s'"},
                                           {"$HOME", "'$HOME'"}};

    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
        LLS_AUTO(lls_buf) out = {0};

        cli_shell_quote(pairs[i][0], &out);
        assert_string_equal(lls_buf_cstr(&out), pairs[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_a_terminal_would_obey_gets_through),
        cmocka_unit_test(a_cell_keeps_what_the_table_escapes_itself),
        cmocka_unit_test(words_are_quoted_only_where_a_shell_would_mind),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
