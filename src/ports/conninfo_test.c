#include "base/scope.h"
#include "ports/option.h"
#include "testing/check.h"

static const lls_option conninfo = {.name = "connection", .type = LLS_OPT_CONNINFO};

static void assert_shown(const char *text, const char *want)
{
    LLS_AUTO(lls_buf) out = {0};

    lls_buf_add_text(&out, "<");
    lls_option_show(&conninfo, lls_str_of(text), &out);
    lls_buf_add_text(&out, ">");
    assert_int_equal(out.len, strlen(want) + 2);
    assert_memory_equal(out.data + 1, want, strlen(want));
    assert_int_equal(lls_conninfo_has_password(lls_str_of(text)), strstr(want, "***") != NULL);
}

static void what_holds_no_secret_is_shown_as_it_is(void **state)
{
    (void)state;
    static const char *const open[] = {
        "",
        "host=localhost dbname=a",
        " host = 'local host' port=5432 ",
        "host=a passfile=/x/.pgpass",
        "password=",
        "postgresql://",
        "postgresql://host/db",
        "postgres://user@host:5432/db?sslmode=require&application_name=a",
        "postgresql://user:@host/db",
        "postgresql://[::1]:5432,b:5433/db",
        "postgresql:///db?host=/tmp",
    };

    for (size_t i = 0; i < LLS_COUNT(open); i++)
        assert_shown(open[i], open[i]);
}

static void passwords_of_pairs_vanish(void **state)
{
    (void)state;

    assert_shown("host=x password=secret user=y", "host=x password=*** user=y");
    assert_shown("host=x password='a b\\'c' user=y", "host=x password=*** user=y");
    assert_shown("password = \t secret", "password = \t ***");
    assert_shown("password=\vsecret\nhost=x", "password=\v***\nhost=x");
    assert_shown("PassWord=secret", "PassWord=***");
    assert_shown("password=a\\ secret host=x", "password=*** host=x");
    assert_shown("sslpassword=secret host=x", "sslpassword=*** host=x");
    assert_shown("password=a password=b", "password=*** password=***");
    assert_shown("dbname=postgresql://u:secret@h/d user=y", "dbname=*** user=y");
}

static void passwords_of_uris_vanish(void **state)
{
    (void)state;

    assert_shown("postgresql://u:secret@h/d", "postgresql://u:***@h/d");
    assert_shown("postgres://u:se%40cret@h:5432/d", "postgres://u:***@h:5432/d");
    assert_shown("postgresql://:secret@h", "postgresql://:***@h");
    assert_shown("postgresql://h/d?password=secret&host=x", "postgresql://h/d?password=***&host=x");
    assert_shown("postgresql://u:p@h/d?sslpassword=q", "postgresql://u:***@h/d?sslpassword=***");
    assert_shown("postgresql://h/d?pass%77ord=secret", "postgresql://h/d?pass%77ord=***");
    assert_shown("postgresql://h/d?%70assword=secret", "postgresql://h/d?%70assword=***");
}

/* libpq would refuse these, or read them otherwise than they were meant. */
static void of_malformed_strings_nothing_is_shown(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "password secret",
        "password secret host=x",
        "host=x password='secret",
        "host=x password='sec\\",
        "host=x password='it's secret'",
        "host=x password='a'secret=b",
        "host=x password=very secret",
        "password=sec ret=1",
        "=secret password",
        "postgresql://h/d?password=a&secret",
        "postgresql://h/d?password=a&secret=b",
        "postgresql://u:secret?x@h",
        "postgresql://u:sec/r?et@h/d",
        "postgresql://u:secret/rest@h",
        "postgresql://u:sec@ret@h/d",
        "postgresql://u:12?secret@h",
        "postgresql://u:secret",
        "mysql://u:secret@h",
        "POSTGRESQL://u:secret@h",
    };

    for (size_t i = 0; i < LLS_COUNT(texts); i++) {
        LLS_AUTO(lls_buf) out = {0};
        lls_option_show(&conninfo, lls_str_of(texts[i]), &out);
        const char *shown = lls_buf_cstr(&out);
        if (strstr(shown, "sec") || strstr(shown, "ret") || !strstr(shown, "***"))
            fail_msg("'%s' is shown as '%s'", texts[i], shown);
        assert_true(lls_conninfo_has_password(lls_str_of(texts[i])));
    }
}

static void other_options_are_shown(void **state)
{
    (void)state;
    static const lls_option text = {.name = "label", .type = LLS_OPT_TEXT};
    LLS_AUTO(lls_buf) out = {0};

    lls_option_show(&text, LLS_STR("password=x"), &out);
    assert_bytes(lls_buf_view(&out), "password=x");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_holds_no_secret_is_shown_as_it_is),
        cmocka_unit_test(passwords_of_pairs_vanish),
        cmocka_unit_test(passwords_of_uris_vanish),
        cmocka_unit_test(of_malformed_strings_nothing_is_shown),
        cmocka_unit_test(other_options_are_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
