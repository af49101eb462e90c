#include "base/time.h"

#include "base/scope.h"
#include "testing/check.h"

#include <stdio.h>
#include <time.h>

static int64_t parse(const char *text)
{
    lls_error err = {0};
    int64_t usec = 1;

    assert_ok(lls_time_parse(lls_str_of(text), &usec, &err), err);
    return usec;
}

static void formats_with_a_fraction_only_when_there_is_one(void **state)
{
    (void)state;
    static const struct {
        int64_t usec;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(1736937000123456), "2025-01-15T10:30:00.123456Z"},
        {INT64_C(951782400000000), "2000-02-29T00:00:00Z"},
        {LLS_TIME_MIN_USEC, "0001-01-01T00:00:00Z"},
        {LLS_TIME_MAX_USEC, "9999-12-31T23:59:59.999999Z"},
    };

    for (size_t i = 0; i < LLS_COUNT(cases); i++) {
        char text[LLS_TIME_TEXT];
        lls_time_format(cases[i].usec, text);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(parse(text), cases[i].usec);
    }
}

static void shows_moments_that_nobody_stores(void **state)
{
    (void)state;
    char text[LLS_TIME_TEXT];

    lls_time_format(INT64_MAX, text);
    assert_string_equal(text, "294247-01-10T04:00:54.775807Z");
    lls_time_format(INT64_MIN, text);
    assert_string_equal(text, "-290308-12-21T19:59:05.224192Z");
}

static void round_trips_over_the_whole_range(void **state)
{
    (void)state;
    const int64_t step = INT64_C(86400) * 1000000 * 13 + INT64_C(3607) * 1000000 + 123457;
    char text[LLS_TIME_TEXT];

    for (int64_t t = LLS_TIME_MIN_USEC; t <= LLS_TIME_MAX_USEC - step; t += step) {
        lls_time_format(t, text);
        assert_int_equal(parse(text), t);
        assert_int_equal(text[strlen(text) - 1], 'Z');
    }
}

/* An independent calendar: the C library's. */
static void agrees_with_the_c_library(void **state)
{
    (void)state;
    const int64_t step = INT64_C(86400) * 29 + 4321;

    for (int64_t sec = LLS_TIME_MIN_USEC / 1000000; sec < LLS_TIME_MAX_USEC / 1000000;
         sec += step) {
        time_t t = (time_t)sec;
        struct tm tm;
        char want[64];
        char got[LLS_TIME_TEXT];
        assert_non_null(gmtime_r(&t, &tm));
        (void)snprintf(want, sizeof(want), "%04d-%02d-%02dT%02d:%02d:%02dZ", tm.tm_year + 1900,
                       tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec);
        lls_time_format(sec * 1000000, got);
        assert_string_equal(got, want);
    }
}

static void reads_what_rfc_3339_allows(void **state)
{
    (void)state;
    const int64_t noon = INT64_C(1736942400000000);

    assert_int_equal(parse("2025-01-15T12:00:00Z"), noon);
    assert_int_equal(parse("2025-01-15t12:00:00z"), noon);
    assert_int_equal(parse("2025-01-15 12:00:00Z"), noon);
    assert_int_equal(parse("2025-01-15T13:30:00+01:30"), noon);
    assert_int_equal(parse("2025-01-14T12:01:00-23:59"), noon);
    assert_int_equal(parse("2025-01-15T12:00:00-00:00"), noon);
    assert_int_equal(parse("2025-01-15T12:00:00.5Z"), noon + 500000);
    assert_int_equal(parse("2025-01-15T12:00:00.123456789Z"), noon + 123456);
    assert_int_equal(parse("0001-01-01T00:00:00-01:00"), LLS_TIME_MIN_USEC + INT64_C(3600000000));
}

static void refuses_everything_else(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "2025",
        "2025-01-15",
        "2025-01-15T12:00:00",
        "2025-01-15T12:00Z",
        "2025-1-15T12:00:00Z",
        "2025-13-15T12:00:00Z",
        "2025-00-15T12:00:00Z",
        "2025-02-29T12:00:00Z",
        "1900-02-29T12:00:00Z",
        "2025-04-31T12:00:00Z",
        "2025-01-00T12:00:00Z",
        "2025-01-15T24:00:00Z",
        "2025-01-15T12:60:00Z",
        "2025-01-15T12:00:60Z",
        "2025-01-15T12:00:00.Z",
        "2025-01-15T12:00:00.1234567890Z",
        "2025-01-15T12:00:00,5Z",
        "2025-01-15T12:00:00+1:00",
        "2025-01-15T12:00:00+0100",
        "2025-01-15T12:00:00+24:00",
        "2025-01-15T12:00:00+01:60",
        "2025-01-15T12:00:00Zx",
        " 2025-01-15T12:00:00Z",
        "2025-01-15T12:00:00Z ",
        "0000-12-31T23:00:00Z",
        "+2025-01-15T12:00:00Z",
        "-001-01-15T12:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2025-01-15_12:00:00Z",
    };

    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        int64_t usec = 77;
        lls_error err = {0};
        assert_code(lls_time_parse(lls_str_of(bad[i]), &usec, &err), LLS_E_PARSE, err);
        assert_int_equal(usec, 77);
    }
}

static void a_nul_byte_is_no_separator(void **state)
{
    (void)state;
    int64_t usec = 0;
    lls_error err = {0};

    assert_code(lls_time_parse(LLS_STR("2025-01-15\0"
                                       "12:00:00Z"),
                               &usec, &err),
                LLS_E_PARSE, err);
    assert_code(lls_time_parse((lls_str){0}, &usec, &err), LLS_E_PARSE, err);
}

static int64_t fixed(void *user)
{
    return *(const int64_t *)user;
}

static void asks_the_clock_that_it_is_given(void **state)
{
    (void)state;
    int64_t now = 4711;
    lls_clock clock = {fixed, &now};
    int64_t before = (int64_t)time(NULL);

    assert_int_equal(lls_clock_now(&clock), 4711);
    assert_true(lls_clock_now(NULL) / 1000000 >= before);
    int64_t first = lls_monotonic_usec();
    assert_true(lls_monotonic_usec() >= first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_with_a_fraction_only_when_there_is_one),
        cmocka_unit_test(shows_moments_that_nobody_stores),
        cmocka_unit_test(round_trips_over_the_whole_range),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(reads_what_rfc_3339_allows),
        cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(a_nul_byte_is_no_separator),
        cmocka_unit_test(asks_the_clock_that_it_is_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
