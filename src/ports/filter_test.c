#include "ports/filter.h"

#include "testing/check.h"

static const char metadata[] =
    "{\"role\":\"user\", \"n\": 1.0, \"big\":9007199254740993, \"off\":null, \"yes\":true,"
    " \"tags\":[\"a\",\"\\u0062\",3], \"a/b\":{\"c~d\":[10,{\"e\":\"deep\"}]}, \"z\":\"x\\u0000y\","
    " \"dup\":1, \"dup\":2, \"s\":\"caf\\u00e9\"}";

static bool matches(lls_filter_term term)
{
    lls_filter filter = {.terms = &term, .term_count = 1};
    lls_filter_subject subject = {.scope = LLS_STR("global"), .metadata = lls_str_of(metadata)};
    lls_error err = {0};
    bool match;

    assert_ok(lls_filter_check(&filter, &err), err);
    assert_ok(lls_filter_match(&filter, &subject, 1, &match, &err), err);
    return match;
}

static bool one(lls_filter_op op, const char *path, const char *value)
{
    lls_str text = lls_str_of(value);

    return matches(
        (lls_filter_term){.op = op, .path = lls_str_of(path), .values = &text, .value_count = 1});
}

static bool range(const char *path, const char *low, bool low_open, const char *high,
                  bool high_open)
{
    return matches((lls_filter_term){.op = LLS_FILTER_RANGE,
                                     .path = lls_str_of(path),
                                     .low = lls_str_of(low),
                                     .high = lls_str_of(high),
                                     .low_open = low_open,
                                     .high_open = high_open});
}

static void equality_is_of_type_and_value(void **state)
{
    (void)state;
    assert_true(one(LLS_FILTER_EQ, "role", "\"user\""));
    assert_true(one(LLS_FILTER_EQ, "role", "\"\\u0075ser\""));
    assert_false(one(LLS_FILTER_EQ, "role", "\"User\""));
    assert_true(one(LLS_FILTER_EQ, "n", "1"));
    assert_true(one(LLS_FILTER_EQ, "n", "10e-1"));
    assert_false(one(LLS_FILTER_EQ, "n", "\"1\""));
    assert_true(one(LLS_FILTER_EQ, "big", "9007199254740992")); // the same double
    assert_true(one(LLS_FILTER_EQ, "off", "null"));
    assert_false(one(LLS_FILTER_EQ, "absent", "null"));
    assert_true(one(LLS_FILTER_EQ, "yes", "true"));
    assert_false(one(LLS_FILTER_EQ, "yes", "false"));
    assert_false(one(LLS_FILTER_EQ, "tags", "\"a\""));
    assert_true(one(LLS_FILTER_EQ, "z", "\"x\\u0000y\""));
    assert_false(one(LLS_FILTER_EQ, "dup", "1"));
    assert_true(one(LLS_FILTER_EQ, "dup", "2"));
    assert_true(one(LLS_FILTER_EQ, "s", "\"café\""));
}

static void pointers_reach_nested_members(void **state)
{
    (void)state;
    assert_true(one(LLS_FILTER_EQ, "/a~1b/c~0d/1/e", "\"deep\""));
    assert_true(one(LLS_FILTER_EQ, "/a~1b/c~0d/0", "10"));
    assert_false(one(LLS_FILTER_EQ, "/a~1b/c~0d/00", "10"));
    assert_false(one(LLS_FILTER_EXISTS, "/a~1b/c~0d/2", "1"));
    assert_false(one(LLS_FILTER_EXISTS, "/role/x", "1"));
    assert_true(one(LLS_FILTER_EXISTS, "/off", "1"));
    assert_true(one(LLS_FILTER_EXISTS, "a/b", "1"));
}

static void an_array_contains_its_elements(void **state)
{
    (void)state;
    assert_true(one(LLS_FILTER_CONTAINS, "tags", "\"b\""));
    assert_true(one(LLS_FILTER_CONTAINS, "tags", "3.0"));
    assert_false(one(LLS_FILTER_CONTAINS, "tags", "\"c\""));
    assert_false(one(LLS_FILTER_CONTAINS, "role", "\"user\""));
}

static void ranges_have_open_and_closed_ends(void **state)
{
    (void)state;
    assert_true(range("n", "1", false, "1", false));
    assert_false(range("n", "1", true, "2", false));
    assert_false(range("n", "0", false, "1", true));
    assert_true(range("n", "", false, "5", false));
    assert_true(range("n", "0.5", false, "", false));
    assert_false(range("n", "\"a\"", false, "", false));
    assert_true(range("role", "\"u\"", false, "\"v\"", false));
    assert_false(range("role", "\"v\"", false, "", false));
    assert_false(range("off", "0", false, "", false));
    assert_false(range("absent", "0", false, "", false));
}

static void one_of_several_values_suffices(void **state)
{
    (void)state;
    lls_str values[] = {LLS_STR("7"), LLS_STR("\"user\""), LLS_STR("null")};
    lls_filter_term in = {.op = LLS_FILTER_IN, .values = values, .value_count = 3};

    in.path = LLS_STR("role");
    assert_true(matches(in));
    in.path = LLS_STR("off");
    assert_true(matches(in));
    in.path = LLS_STR("n");
    assert_false(matches(in));
}

static void bad_conditions_are_refused(void **state)
{
    (void)state;
    lls_str values[] = {LLS_STR("{}"), LLS_STR("user"), LLS_STR("1")};
    const lls_filter_term bad[] = {
        {.op = LLS_FILTER_EQ, .path = LLS_STR("a"), .values = values, .value_count = 1},
        {.op = LLS_FILTER_EQ, .path = LLS_STR("a"), .values = values + 1, .value_count = 1},
        {.op = LLS_FILTER_EQ, .path = LLS_STR("a"), .values = values + 2, .value_count = 0},
        {.op = LLS_FILTER_CONTAINS, .path = LLS_STR("a"), .values = values, .value_count = 2},
        {.op = LLS_FILTER_EQ, .path = LLS_STR("/~2"), .values = values + 2, .value_count = 1},
        {.op = LLS_FILTER_EQ, .path = LLS_STR("/~"), .values = values + 2, .value_count = 1},
        {.op = LLS_FILTER_EQ, .path = LLS_STR("\xff"), .values = values + 2, .value_count = 1},
        {.op = LLS_FILTER_RANGE, .path = LLS_STR("a")},
        {.op = LLS_FILTER_RANGE, .path = LLS_STR("a"), .low = LLS_STR("true")},
        {.op = LLS_FILTER_RANGE,
         .path = LLS_STR("a"),
         .low = LLS_STR("1"),
         .high = LLS_STR("\"\"")},
        {.op = (lls_filter_op)99, .path = LLS_STR("a")},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        lls_filter filter = {.terms = &bad[i], .term_count = 1};
        lls_error err = {0};
        assert_code(lls_filter_check(&filter, &err), LLS_E_INVALID, err);
        assert_true(err.msg[0] != '\0');
    }
}

static void scopes_times_and_expiry_are_looked_at(void **state)
{
    (void)state;
    lls_str scopes[] = {LLS_STR("user:1"), LLS_STR("session:2")};
    lls_filter_subject subject = {.scope = LLS_STR("session:2"),
                                  .event_usec = 100,
                                  .ingestion_usec = 200,
                                  .expires_usec = 300};
    const struct {
        lls_filter filter;
        int64_t now;
        bool match;
    } cases[] = {
        {{0}, 299, true},
        {{0}, 300, false},
        {{.include_expired = true}, 300, true},
        {{.scopes = scopes, .scope_count = 2}, 1, true},
        {{.scopes = scopes, .scope_count = 1}, 1, false},
        {{.event = {100, 100}}, 1, true},
        {{.event = {101, 0}}, 1, false},
        {{.event = {0, 99}}, 1, false},
        {{.ingestion = {200, 0}}, 1, true},
        {{.ingestion = {0, 199}}, 1, false},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        lls_error err = {0};
        bool match;
        assert_ok(lls_filter_match(&cases[i].filter, &subject, cases[i].now, &match, &err), err);
        assert_int_equal(match, cases[i].match);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equality_is_of_type_and_value),
        cmocka_unit_test(pointers_reach_nested_members),
        cmocka_unit_test(an_array_contains_its_elements),
        cmocka_unit_test(ranges_have_open_and_closed_ends),
        cmocka_unit_test(one_of_several_values_suffices),
        cmocka_unit_test(bad_conditions_are_refused),
        cmocka_unit_test(scopes_times_and_expiry_are_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
