#include "base/json.h"

#include "base/scope.h"
#include "testing/check.h"

#include <locale.h>

static void merged(lls_str target, lls_str patch, lls_str want)
{
    LLS_AUTO(lls_buf) out = {0};
    lls_json_value t = {0};
    lls_json_value p;
    lls_error err = {0};

    if (target.len)
        assert_ok(lls_json_check(target, &t, &err), err);
    assert_ok(lls_json_check(patch, &p, &err), err);
    assert_ok(lls_json_merge(t, p, &out, &err), err);
    if (!lls_str_eq(lls_buf_str(&out), want))
        fail_msg("'%s' into '%.*s' gave '%s'", patch.data, LLS_ARG(target), lls_buf_cstr(&out));
}
#define MERGED(t, p, w) merged(LLS_STR(t), LLS_STR(p), LLS_STR(w))

// The examples of RFC 7396, appendix A, whose patch is an object.
static void a_patch_is_merged_as_the_rfc_says(void **state)
{
    (void)state;
    MERGED("{\"a\":\"b\"}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
    MERGED("{\"a\":\"b\"}", "{\"b\":\"c\"}", "{\"a\":\"b\",\"b\":\"c\"}");
    MERGED("{\"a\":\"b\"}", "{\"a\":null}", "{}");
    MERGED("{\"a\":\"b\",\"b\":\"c\"}", "{\"a\":null}", "{\"b\":\"c\"}");
    MERGED("{\"a\":[\"b\"]}", "{\"a\":\"c\"}", "{\"a\":\"c\"}");
    MERGED("{\"a\":\"c\"}", "{\"a\":[\"b\"]}", "{\"a\":[\"b\"]}");
    MERGED("{\"a\":{\"b\":\"c\"}}", "{\"a\":{\"b\":\"d\",\"c\":null}}", "{\"a\":{\"b\":\"d\"}}");
    MERGED("{\"a\":[{\"b\":\"c\"}]}", "{\"a\":[1]}", "{\"a\":[1]}");
    MERGED("[1,2]", "{\"a\":\"b\",\"c\":null}", "{\"a\":\"b\"}");
    MERGED("{}", "{\"a\":{\"bb\":{\"ccc\":null}}}", "{\"a\":{\"bb\":{}}}");
    MERGED("{\"e\":null}", "{\"a\":1}", "{\"e\":null,\"a\":1}");
    MERGED("", "{\"a\":1}", "{\"a\":1}");
}

static void what_the_patch_does_not_name_keeps_its_text(void **state)
{
    (void)state;
    MERGED("{ \"n\" : 1.00e0 , \"s\":\"\\u0041\\/\", \"o\" : { \"x\" :  1 } }", "{\"m\":2}",
           "{\"n\":1.00e0,\"s\":\"\\u0041\\/\",\"o\":{ \"x\" :  1 },\"m\":2}");
}

static void names_are_compared_without_their_escapes(void **state)
{
    (void)state;
    MERGED("{\"caf\\u00e9\":1,\"\\u0000\":2}", "{\"café\":3}", "{\"caf\\u00e9\":3,\"\\u0000\":2}");
    MERGED("{\"a/b\":1}", "{\"a\\/b\":null}", "{}");
}

static void of_doubled_members_the_last_one_counts(void **state)
{
    (void)state;
    MERGED("{\"a\":1,\"a\":{\"b\":2}}", "{\"a\":{\"c\":3}}", "{\"a\":{\"b\":2,\"c\":3}}");
    MERGED("{\"a\":1}", "{\"a\":2,\"a\":3}", "{\"a\":3}");
    MERGED("{}", "{\"a\":2,\"a\":null}", "{}");
}

static void a_patch_of_many_members_is_refused(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) patch = {0};
    LLS_AUTO(lls_buf) out = {0};
    lls_json_value p;
    lls_error err = {0};

    for (int i = 0; i < 257; i++)
        lls_buf_printf(&patch, "%s\"m%d\":1", i ? "," : "{", i);
    lls_buf_add_text(&patch, "}");
    assert_ok(lls_json_check(lls_buf_str(&patch), &p, &err), err);
    assert_code(lls_json_merge((lls_json_value){0}, p, &out, &err), LLS_E_INVALID, err);
    assert_int_equal(out.len, 0);
}

static void nesting_to_the_limit_is_merged(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) deep = {0};
    LLS_AUTO(lls_buf) out = {0};
    lls_json_value value;
    lls_error err = {0};

    for (int i = 0; i < LLS_JSON_DEPTH_MAX; i++)
        lls_buf_add_text(&deep, i + 1 < LLS_JSON_DEPTH_MAX ? "{\"a\":" : "{");
    for (int i = 0; i < LLS_JSON_DEPTH_MAX; i++)
        lls_buf_add_text(&deep, "}");
    assert_ok(lls_json_check(lls_buf_str(&deep), &value, &err), err);
    assert_ok(lls_json_merge(value, value, &out, &err), err);
    assert_true(lls_str_eq(lls_buf_str(&out), lls_buf_str(&deep)));
}

static void a_number_is_read_in_any_locale(void **state)
{
    (void)state;
    lls_error err = {0};
    double number;

    setlocale(LC_ALL, "de_DE.UTF-8"); // where it is installed
    assert_ok(lls_json_number(LLS_STR("-1.5e3"), &number, &err), err);
    setlocale(LC_ALL, "C");
    assert_true(number == -1500.0);

    LLS_AUTO(lls_buf) digits = {0};
    for (int i = 0; i < 400; i++)
        lls_buf_add_text(&digits, "9");
    lls_buf_add_text(&digits, "e-399");
    assert_ok(lls_json_number(lls_buf_str(&digits), &number, &err), err);
    assert_true(number == 10.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patch_is_merged_as_the_rfc_says),
        cmocka_unit_test(what_the_patch_does_not_name_keeps_its_text),
        cmocka_unit_test(names_are_compared_without_their_escapes),
        cmocka_unit_test(of_doubled_members_the_last_one_counts),
        cmocka_unit_test(a_patch_of_many_members_is_refused),
        cmocka_unit_test(nesting_to_the_limit_is_merged),
        cmocka_unit_test(a_number_is_read_in_any_locale),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
