#include "cli/units.h"

#include "cli/scope.h"
#include "testing/check.h"

static void durations_are_read_in_five_units(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
    } good[] = {{"90s", 90}, {"15m", 900}, {"12h", 43200}, {"30d", 2592000}, {"2w", 1209600}};

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int64_t usec = 0;

        assert_true(cli_parse_duration(good[i].text, &usec));
        assert_int_equal(usec, good[i].seconds * CLI_SECOND_USEC);
    }
}

static void what_is_no_duration_is_refused(void **state)
{
    static const char *const wrong[] = {"",
                                        "30",
                                        "d",
                                        "0s",
                                        "-1d",
                                        "30 d",
                                        "30dd",
                                        "1y",
                                        "soon",
                                        "99999999999999999999s",
                                        "99999999999w"};
    int64_t usec = 7;

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(cli_parse_duration(wrong[i], &usec));
    assert_int_equal(usec, 7);
}

static void numbers_are_whole_and_do_not_overflow(void **state)
{
    uint64_t number = 0;

    (void)state;
    assert_true(cli_parse_number("18446744073709551615", &number));
    assert_true(number == UINT64_MAX);
    assert_false(cli_parse_number("18446744073709551616", &number));
    assert_false(cli_parse_number("", &number));
    assert_false(cli_parse_number("-1", &number));
    assert_false(cli_parse_number("1.5", &number));
    assert_false(cli_parse_number(" 1", &number));
    assert_true(number == UINT64_MAX);
}

static void times_durations_and_sizes_read_well(void **state)
{
    LLS_AUTO(lls_buf) text = {0};

    (void)state;
    cli_add_time(&text, INT64_C(1736937000000042));
    lls_buf_add_text(&text, " ");
    cli_add_duration(&text, 350000);
    lls_buf_add_text(&text, " ");
    cli_add_duration(&text, 4200000);
    lls_buf_add_text(&text, " ");
    cli_add_duration(&text, 200 * CLI_SECOND_USEC);
    lls_buf_add_text(&text, " ");
    cli_add_duration(&text, 7260 * CLI_SECOND_USEC);
    lls_buf_add_text(&text, " ");
    cli_add_bytes(&text, 1023);
    lls_buf_add_text(&text, " ");
    cli_add_bytes(&text, 4096);
    lls_buf_add_text(&text, " ");
    cli_add_bytes(&text, UINT64_MAX);
    assert_string_equal(lls_buf_cstr(&text),
                        "2025-01-15T10:30:00.000042Z 350 ms 4.2 s 3 min 20 s 2 h 1 min 1023 B "
                        "4.0 KiB 16.0 EiB");
}

static void moments_are_dates_times_or_so_long_ago(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "yesterday",
                                      "2025-13-01",
                                      "2025-01-15T10:30",
                                      "2025-01-15T10:30:00Z ",
                                      "2025-01-15 10:30:00Z"};
    int64_t usec;

    assert_true(cli_parse_moment("2025-01-15", &usec));
    assert_true(usec == INT64_C(1736899200000000));
    assert_true(cli_parse_moment("2025-01-15T10:30:00Z", &usec));
    assert_true(usec == INT64_C(1736937000000000));
    int64_t before = cli_now_usec();
    assert_true(cli_parse_moment("1d", &usec));
    assert_true(usec >= before - 86400 * CLI_SECOND_USEC && usec < before);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(cli_parse_moment(bad[i], &usec));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations_are_read_in_five_units),
        cmocka_unit_test(what_is_no_duration_is_refused),
        cmocka_unit_test(numbers_are_whole_and_do_not_overflow),
        cmocka_unit_test(moments_are_dates_times_or_so_long_ago),
        cmocka_unit_test(times_durations_and_sizes_read_well),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
