#include "base/json.h"

#include "base/scope.h"
#include "testing/check.h"

#include <stdio.h>

static lls_err check(lls_str text, lls_error *err)
{
    // A copy of its exact size, so that the sanitizer sees a read behind the end.
    char *copy = malloc(text.len ? text.len : 1);
    lls_json_value value;

    assert_non_null(copy);
    if (text.len)
        memcpy(copy, text.data, text.len);
    lls_err e = lls_json_check((lls_str){copy, text.len}, &value, err);
    free(copy);
    return e;
}

static void json_is_accepted(void **state)
{
    (void)state;
    static const lls_str good[] = {
        LLS_STR_INIT("{}"),
        LLS_STR_INIT("[]"),
        LLS_STR_INIT("null"),
        LLS_STR_INIT("true"),
        LLS_STR_INIT("false"),
        LLS_STR_INIT("0"),
        LLS_STR_INIT("-0"),
        LLS_STR_INIT("-0.0e-0"),
        LLS_STR_INIT("1e999999999"),
        LLS_STR_INIT("123456789012345678901234567890.5E+7"),
        LLS_STR_INIT("\"\""),
        LLS_STR_INIT(" \t\r\n[ 1 , 2 ] \t\r\n"),
        LLS_STR_INIT("{\"a\" : {\"b\":[{},[],\"\"]} , \"a\":1}"),
        LLS_STR_INIT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\u0000\""),
        LLS_STR_INIT("\"\\ud83d\\uDE00\""),
        LLS_STR_INIT("\"\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\""),
        LLS_STR_INIT("\"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\""),
        LLS_STR_INIT("[[[[[[]]]],{\"x\":[[]]}]]"),
    };

    for (size_t i = 0; i < LLS_COUNT(good); i++) {
        lls_error err = {0};
        assert_ok(check(good[i], &err), err);
    }
}

#define BAD(at, literal)                                                                           \
    {                                                                                              \
        LLS_STR_INIT(literal), at                                                                  \
    }

static const struct bad {
    lls_str text;
    size_t at;
} bad_texts[] = {
    BAD(0, ""),
    BAD(3, "   "),
    BAD(1, "01"),
    BAD(2, "-01"),
    BAD(2, "1."),
    BAD(0, ".5"),
    BAD(0, "+1"),
    BAD(1, "-"),
    BAD(2, "1e"),
    BAD(3, "1e+"),
    BAD(2, "1.e5"),
    BAD(1, "-a"),
    BAD(1, "0x10"),
    BAD(1, "1_000"),
    BAD(0, "NaN"),
    BAD(0, "Infinity"),
    BAD(1, "-Infinity"),
    BAD(0, "nul"),
    BAD(4, "nullx"),
    BAD(0, "True"),
    BAD(5, "true false"),
    BAD(3, "[1,]"),
    BAD(1, "[,1]"),
    BAD(3, "[1 2]"),
    BAD(7, "{\"a\":1,}"),
    BAD(1, "{,}"),
    BAD(1, "{a:1}"),
    BAD(1, "{'a':1}"),
    BAD(4, "{\"a\"}"),
    BAD(5, "{\"a\" 1}"),
    BAD(5, "{\"a\":}"),
    BAD(1, "{1:2}"),
    BAD(0, "'a'"),
    BAD(1, "["),
    BAD(1, "{"),
    BAD(2, "[1"),
    BAD(2, "[1}"),
    BAD(6, "{\"a\":1]"),
    BAD(0, "]"),
    BAD(2, "[]]"),
    BAD(1, "\""),
    BAD(2, "\"a"),
    BAD(2, "\"a\\"),
    BAD(1, "\"\\x41\""),
    BAD(1, "\"\\u12g4\""),
    BAD(1, "\"\\u123\""),
    BAD(1, "\"\\u+123\""),
    BAD(1, "\"\\U0041\""),
    BAD(1, "\"\\'\""),
    BAD(1, "\"\\ud800\""),
    BAD(1, "\"\\udc00\""),
    BAD(1, "\"\\ud800\\ud800\""),
    BAD(1, "\"\\ud800\\u0041\""),
    BAD(1, "\"\\udc00\\ud800\""),
    BAD(1, "\"\n\""),
    BAD(1, "\"\t\""),
    BAD(2, "\"a\x1f\""),
    BAD(2, "\"a\0b\""),
    BAD(2, "{}\0"),
    BAD(0, "\0"),
    BAD(0, "\xef\xbb\xbf{}"),
    BAD(1, "\"\x80\""),
    BAD(1, "\"\xc0\x80\""),
    BAD(1, "\"\xc1\xbf\""),
    BAD(1, "\"\xe0\x9f\xbf\""),
    BAD(1, "\"\xed\xa0\x80\""),
    BAD(1, "\"\xed\xbf\xbf\""),
    BAD(1, "\"\xf0\x8f\xbf\xbf\""),
    BAD(1, "\"\xf4\x90\x80\x80\""),
    BAD(1, "\"\xf5\x80\x80\x80\""),
    BAD(1, "\"\xff\""),
    BAD(1, "\"\xc3\""),
    BAD(1, "\"\xe2\x82\""),
    BAD(1, "\"\xf0\x9f\x98"),
    BAD(9, "\"12345678\xff\""),
    BAD(12, "\"12345678901\n\""),
    BAD(1, "[\x0b]"),
    BAD(1, "[\xc2\xa0]"),
    BAD(2, "[]// x"),
    BAD(0, "/**/1"),
};

static void everything_else_is_refused_with_its_place(void **state)
{
    (void)state;

    for (size_t i = 0; i < LLS_COUNT(bad_texts); i++) {
        lls_error err = {0};
        char place[32];
        if (check(bad_texts[i].text, &err) != LLS_E_PARSE)
            fail_msg("accepted: %.*s", LLS_ARG(bad_texts[i].text));
        (void)snprintf(place, sizeof(place), "byte %zu: ", bad_texts[i].at);
        if (strncmp(err.msg, place, strlen(place)) != 0)
            fail_msg("'%.*s': want '%s…', got '%s'", LLS_ARG(bad_texts[i].text), place, err.msg);
    }
}

/* Every byte at every place of the eight that are looked at together. */
static void each_byte_in_a_string_is_judged_wherever_it_stands(void **state)
{
    (void)state;

    for (size_t place = 0; place < 20; place++)
        for (int byte = 0; byte < 256; byte++) {
            char text[24];
            lls_error err = {0};
            memset(text, 'a', sizeof(text));
            text[0] = '"';
            text[21] = '"';
            text[1 + place] = (char)byte;
            bool plain = byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
            lls_err e = check((lls_str){text, 22}, &err);
            if ((e == LLS_OK) != plain)
                fail_msg("byte 0x%02x at %zu: %s", byte, place, lls_err_text(e));
        }
}

static void nesting(lls_buf *out, size_t depth, const char *open, const char *close)
{
    for (size_t i = 0; i < depth; i++)
        lls_buf_add_text(out, open);
    lls_buf_add_text(out, "1");
    for (size_t i = 0; i < depth; i++)
        lls_buf_add_text(out, close);
}

static void depth_ends_at_its_limit(void **state)
{
    (void)state;
    static const char *const pairs[][2] = {{"[", "]"}, {"{\"a\":", "}"}, {"[{\"\":", "}]"}};

    for (size_t i = 0; i < LLS_COUNT(pairs); i++) {
        size_t most = i == 2 ? LLS_JSON_DEPTH_MAX / 2 : LLS_JSON_DEPTH_MAX;
        LLS_AUTO(lls_buf) text = {0};
        lls_error err = {0};
        nesting(&text, most, pairs[i][0], pairs[i][1]);
        assert_ok(check(lls_buf_str(&text), &err), err);
        lls_buf_clear(&text);
        nesting(&text, most + 1, pairs[i][0], pairs[i][1]);
        assert_code(check(lls_buf_str(&text), &err), LLS_E_PARSE, err);
        assert_non_null(strstr(err.msg, "nested too deeply"));
    }
}

static lls_json_value value_of(const char *text)
{
    lls_json_value value = {0};
    lls_error err = {0};

    assert_ok(lls_json_check(lls_str_of(text), &value, &err), err);
    return value;
}

static void the_value_has_no_white_space_around_it(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        lls_json_type type;
        const char *inner;
    } cases[] = {
        {" null ", LLS_JSON_NULL, "null"},        {"\ttrue\n", LLS_JSON_BOOL, "true"},
        {"false", LLS_JSON_BOOL, "false"},        {" -1.5e3", LLS_JSON_NUMBER, "-1.5e3"},
        {"\" x \" ", LLS_JSON_STRING, "\" x \""}, {" [ 1 ] ", LLS_JSON_ARRAY, "[ 1 ]"},
        {" { } ", LLS_JSON_OBJECT, "{ }"},
    };

    for (size_t i = 0; i < LLS_COUNT(cases); i++) {
        lls_json_value value = value_of(cases[i].text);
        assert_int_equal(value.type, cases[i].type);
        assert_true(lls_str_eq(value.text, lls_str_of(cases[i].inner)));
    }
}

static void a_failed_check_leaves_the_output(void **state)
{
    (void)state;
    lls_json_value value = {LLS_JSON_BOOL, LLS_STR_INIT("true")};
    lls_error err = {0};

    assert_code(lls_json_check(LLS_STR("[1"), &value, &err), LLS_E_PARSE, err);
    assert_int_equal(value.type, LLS_JSON_BOOL);
    assert_ok(lls_json_check(LLS_STR("1"), NULL, &err), err);
}

static void a_walk_gives_members_in_order(void **state)
{
    (void)state;
    static const char *const want[][2] = {
        {"\"a\"", "1"},
        {"\"b}\\\"\"", "[{\"x\":\"]}\"}, 2]"},
        {"\"\"", "\"\\\\\""},
        {"\"a\"", "null"},
    };
    lls_json_walk walk = lls_json_walk_begin(
        value_of("{ \"a\" : 1 ,\"b}\\\"\":[{\"x\":\"]}\"}, 2],\"\":\"\\\\\" , \"a\": null\n}"));
    lls_json_value value;
    lls_str name;

    for (size_t i = 0; i < LLS_COUNT(want); i++) {
        assert_true(lls_json_walk_next(&walk, &name, &value));
        assert_true(lls_str_eq(name, lls_str_of(want[i][0])));
        assert_true(lls_str_eq(value.text, lls_str_of(want[i][1])));
    }
    assert_false(lls_json_walk_next(&walk, &name, &value));
    assert_false(lls_json_walk_next(&walk, &name, &value));
}

static void a_walk_gives_elements_without_names(void **state)
{
    (void)state;
    lls_json_walk walk = lls_json_walk_begin(value_of("[1,[],{} ,\"a,b\", true]"));
    lls_json_value value;
    lls_str name;
    LLS_AUTO(lls_buf) seen = {0};

    while (lls_json_walk_next(&walk, &name, &value)) {
        assert_int_equal(name.len, 0);
        lls_buf_printf(&seen, "%d<" LLS_FMT ">", (int)value.type, LLS_ARG(value.text));
    }
    assert_string_equal(lls_buf_cstr(&seen), "2<1>4<[]>5<{}>3<\"a,b\">1<true>");

    walk = lls_json_walk_begin(value_of("[ ]"));
    assert_false(lls_json_walk_next(&walk, &name, &value));
}

static void a_member_is_found_by_its_plain_name(void **state)
{
    (void)state;
    lls_json_value object = value_of("{\"a\":1,\"k\\u0065y\":2,\"in\":{\"x\":3},\"a\":4}");
    lls_json_value value = {0};

    assert_true(
        lls_json_member(object, LLS_STR("a"), &value)); // the last counts, as in most readers
    assert_true(lls_str_eq(value.text, LLS_STR("4")));
    assert_true(lls_json_member(object, LLS_STR("key"), &value));
    assert_true(lls_str_eq(value.text, LLS_STR("2")));
    assert_false(lls_json_member(object, LLS_STR("x"), &value));
    assert_false(lls_json_member(value_of("[\"a\"]"), LLS_STR("a"), &value));
    assert_false(lls_json_member(value_of("1"), LLS_STR("a"), &value));
    assert_true(lls_str_eq(value.text, LLS_STR("2")));
}

static void escapes_become_utf8(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) out = {0};

    lls_json_unescape(
        LLS_STR("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0000\\u00e9\\u20AC\\ud83d\\ude00z\""), &out);
    assert_bytes(lls_buf_view(&out), "a\"\\/\b\f\n\r\t\0\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80z");
}

/* Every character: quoted, accepted, and back. */
static void quoting_and_unescaping_are_inverse(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) all = {0};
    LLS_AUTO(lls_buf) quoted = {0};
    LLS_AUTO(lls_buf) back = {0};
    lls_error err = {0};

    for (unsigned c = 0; c < 0x80; c++)
        lls_buf_add(&all, (lls_bytes){(const uint8_t[]){(uint8_t)c}, 1});
    lls_buf_add_text(&all, "é€😀");
    lls_json_quote(lls_buf_str(&all), &quoted);
    assert_ok(check(lls_buf_str(&quoted), &err), err);
    lls_json_unescape(lls_buf_str(&quoted), &back);
    assert_true(lls_bytes_eq(lls_buf_view(&all), lls_buf_view(&back)));

    lls_buf_clear(&quoted);
    lls_json_quote((lls_str){0}, &quoted);
    assert_bytes(lls_buf_view(&quoted), "\"\"");
}

static void utf8_is_told_from_other_bytes(void **state)
{
    (void)state;

    assert_true(lls_utf8_check((lls_bytes){0}));
    assert_true(lls_utf8_check(B("a\0b é € 😀")));
    assert_false(lls_utf8_check(B("a\x80")));
    assert_false(lls_utf8_check(B("\xed\xa0\x80")));
    assert_false(lls_utf8_check(B("\xc3")));
    assert_false(lls_utf8_check(B("\xf8\x88\x80\x80\x80")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(json_is_accepted),
        cmocka_unit_test(everything_else_is_refused_with_its_place),
        cmocka_unit_test(each_byte_in_a_string_is_judged_wherever_it_stands),
        cmocka_unit_test(depth_ends_at_its_limit),
        cmocka_unit_test(the_value_has_no_white_space_around_it),
        cmocka_unit_test(a_failed_check_leaves_the_output),
        cmocka_unit_test(a_walk_gives_members_in_order),
        cmocka_unit_test(a_walk_gives_elements_without_names),
        cmocka_unit_test(a_member_is_found_by_its_plain_name),
        cmocka_unit_test(escapes_become_utf8),
        cmocka_unit_test(quoting_and_unescaping_are_inverse),
        cmocka_unit_test(utf8_is_told_from_other_bytes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
