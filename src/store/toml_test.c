#include "store/toml.h"

#include "base/scope.h"
#include "testing/check.h"

#include <pthread.h>

static lls_err write_down(void *user, const lls_toml_entry *entry, lls_error *err)
{
    static const char types[] = {
        [LLS_TOML_STRING] = 's',
        [LLS_TOML_INTEGER] = 'i',
        [LLS_TOML_BOOL] = 'b',
        [LLS_TOML_OTHER] = 'o',
    };
    lls_buf *out = user;

    lls_buf_printf(out, LLS_FMT "=%c:" LLS_FMT "@%u:%u/%u:%u\n", LLS_ARG(entry->key),
                   types[entry->type], LLS_ARG(entry->value), entry->key_line, entry->key_column,
                   entry->line, entry->column);
    return lls_buf_status(out, err);
}

static lls_err read_text(const char *text, lls_error *err)
{
    LLS_AUTO(lls_buf) out = {0};

    return lls_toml_read(lls_str_of(text), write_down, &out, err);
}

static void every_entry_is_told_with_its_place(void **state)
{
    LLS_AUTO(lls_buf) out = {0};
    lls_error err = {0};
    const char *text = "top = 1\n[a]\nx = \"text\"\n[a.b]\ny = -42\n  z = true\n[c]\nf = 1.5\n"
                       "l = [1, 2]\nt = {u = 'v'}\n[[d]]\ne = 1\n[empty]\n";

    (void)state;
    assert_ok(lls_toml_read(lls_str_of(text), write_down, &out, &err), err);
    assert_string_equal(lls_buf_cstr(&out), "a.b.y=i:-42@5:1/5:5\n"
                                            "a.b.z=b:true@6:3/6:7\n"
                                            "a.x=s:text@3:1/3:5\n"
                                            "c.f=o:@8:1/8:5\n"
                                            "c.l=o:@9:1/9:5\n"
                                            "c.t.u=s:v@10:6/10:10\n"
                                            "d=o:@11:3/11:1\n"
                                            "top=i:1@1:1/1:7\n");
}

static void a_mistake_is_reported_with_line_and_column(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_code(read_text("[a]\nx = \n", &err), LLS_E_PARSE, err);
    assert_memory_equal(err.msg, "2:", 2);
    assert_code(read_text("a = 1\na = 2\n", &err), LLS_E_PARSE, err);
    assert_memory_equal(err.msg, "2:", 2);
}

static lls_err refuse(void *user, const lls_toml_entry *entry, lls_error *err)
{
    (void)user;
    (void)entry;
    return lls_fail(err, LLS_E_DENIED, "no more");
}

static void what_the_listener_returns_ends_the_reading(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_code(lls_toml_read(LLS_STR("a = 1\nb = 2\n"), refuse, NULL, &err), LLS_E_DENIED, err);
    assert_string_equal(err.msg, "no more");
}

static void text_over_the_limit_is_refused(void **state)
{
    LLS_AUTO(lls_buf) text = {0};
    lls_error err = {0};

    (void)state;
    for (size_t i = 0; i <= LLS_TOML_MAX / 8; i++)
        lls_buf_add_text(&text, "# 345678");
    assert_code(lls_toml_read(lls_buf_str(&text), write_down, NULL, &err), LLS_E_FULL, err);
}

/* `head`, then `part` so many times, then `tail`. */
static void repeat(const char *head, const char *part, size_t times, const char *tail, lls_buf *out)
{
    lls_buf_clear(out);
    lls_buf_add_text(out, head);
    for (size_t i = 0; i < times; i++)
        lls_buf_add_text(out, part);
    lls_buf_add_text(out, tail);
}

static void nesting_that_would_overflow_a_stack_is_refused(void **state)
{
    static const struct {
        const char *head;
        const char *part;
        const char *tail;
        const char *message;
    } deep[] = {
        {"[a", ".a", "]\n", "1:65: a key of more parts than 32"},
        {"[[a", ".a", "]]\n", "1:66: a key of more parts than 32"},
        {"x = 1\na", ".a", " = 1\n", "2:64: a key of more parts than 32"},
        {"a", ". \"b\"", " = 1\n", "1:157: a key of more parts than 32"},
        {"a", ".'\xc3\xa4'", " = 1\n", "1:126: a key of more parts than 32"},
        {"x = { a", ".a", " = 1 }\n", "1:70: a key of more parts than 32"},
        {"x = [1, {a", ".a", " = 1}]\n", NULL},
        {"x = ", "[", "", "1:21: arrays and tables nest deeper than 16"},
        {"x = ", "{a=", "", "1:53: arrays and tables nest deeper than 16"},
        {"x = '''a''''\ny", ".y", "", NULL},
        {"x = {z = \"\"\"a\\\"\"\"\"\", y", ".y", " = 1}", NULL},
        {"x = \"\\\"\" # '''\ny", ".y", "", NULL},
    };
    LLS_AUTO(lls_buf) text = {0};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(deep); i++) {
        lls_error err = {0};
        repeat(deep[i].head, deep[i].part, 100000, deep[i].tail, &text);
        assert_code(read_text(lls_buf_cstr(&text), &err), LLS_E_PARSE, err);
        if (deep[i].message)
            assert_string_equal(err.msg, deep[i].message);
        assert_non_null(strstr(err.msg, " than "));
    }
}

static void dots_in_texts_comments_and_numbers_are_no_nesting(void **state)
{
    LLS_AUTO(lls_buf) text = {0};
    lls_error err = {0};

    (void)state;
    repeat("x = \"", ".[{", 1000, "\"\n", &text);
    assert_ok(read_text(lls_buf_cstr(&text), &err), err);
    repeat("x = '''", ".[{\n", 1000, "'''\n", &text);
    assert_ok(read_text(lls_buf_cstr(&text), &err), err);
    repeat("x = 1 # ", ".[{", 1000, "\n", &text);
    assert_ok(read_text(lls_buf_cstr(&text), &err), err);
    repeat("x = [", "1.5, ", 1000, "]\n", &text);
    assert_ok(read_text(lls_buf_cstr(&text), &err), err);
    repeat("", "[[x]]\n", 1000, "", &text);
    assert_ok(read_text(lls_buf_cstr(&text), &err), err);
}

static void *read_deepest(void *user)
{
    lls_buf *text = user;
    lls_error err = {0};

    return read_text(lls_buf_cstr(text), &err) == LLS_OK ? text : NULL;
}

/* Inline tables of long dotted keys, as deep as the limits let them be. */
static void the_deepest_text_fits_a_thread_of_little_stack(void **state)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) text = {0};
    pthread_attr_t attr;
    pthread_t thread;
    void *result = NULL;

    (void)state;
    repeat("a", ".a", 31, " = ", &key);
    lls_buf_add_text(&text, lls_buf_cstr(&key));
    for (int i = 0; i < 16; i++)
        lls_buf_printf(&text, "{%s", lls_buf_cstr(&key));
    lls_buf_add_text(&text, "1");
    for (int i = 0; i < 16; i++)
        lls_buf_add_text(&text, "}");
    assert_int_equal(pthread_attr_init(&attr), 0);
    assert_int_equal(pthread_attr_setstacksize(&attr, (size_t)1 << 20), 0);
    assert_int_equal(pthread_create(&thread, &attr, read_deepest, &text), 0);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_non_null(result);
    (void)pthread_attr_destroy(&attr);
}

static void bare_keys_are_ascii(void **state)
{
    lls_error err = {0};

    (void)state;
    assert_code(read_text("[a]\n[stor\xc3\xa4ge]\nx = 1\n", &err), LLS_E_PARSE, err);
    assert_string_equal(err.msg, "2:6: a character outside ASCII may stand in quotes only");
    assert_code(read_text("x = \xc2\xa0 1\n", &err), LLS_E_PARSE, err);
    assert_code(read_text("x = 1\n[\x01\"s\xc3\xa4\"]\n", &err), LLS_E_PARSE, err);
    assert_string_equal(err.msg, "2:2: a control character (0x01)");
    assert_code(read_text("x = [20'\xc3\xa4']\n", &err), LLS_E_PARSE, err);
    assert_ok(read_text("", &err), err);
    assert_ok(read_text("a.\"\xc3\xa4\".'b' = ['\xc3\xa4', \"\xc3\xa4\", {c='\xc3\xa4'}]\n", &err),
              err);
    assert_ok(read_text("\xef\xbb\xbf# caf\xc3\xa9\n\"s\xc3\xa4\" = '\xc3\xa4'\n", &err), err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_entry_is_told_with_its_place),
        cmocka_unit_test(a_mistake_is_reported_with_line_and_column),
        cmocka_unit_test(what_the_listener_returns_ends_the_reading),
        cmocka_unit_test(text_over_the_limit_is_refused),
        cmocka_unit_test(nesting_that_would_overflow_a_stack_is_refused),
        cmocka_unit_test(dots_in_texts_comments_and_numbers_are_no_nesting),
        cmocka_unit_test(the_deepest_text_fits_a_thread_of_little_stack),
        cmocka_unit_test(bare_keys_are_ascii),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
