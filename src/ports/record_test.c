#include "ports/record.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

static const lls_kv_meta meta = {
    .version = 3,
    .created_usec = INT64_C(1736937000123456),
    .updated_usec = INT64_C(1736937000000000),
    .expires_usec = INT64_C(1736937001000000),
};

static void assert_line(lls_kv_item item, lls_line_form form, const char *want)
{
    LLS_AUTO(lls_buf) line = {0};
    LLS_AUTO(lls_buf) scratch = {0};
    lls_kv_item back = {.key = {0}};
    lls_error err = {0};

    lls_record_to_line(&item, form, &line);
    assert_string_equal(lls_buf_cstr(&line), want);
    assert_ok(lls_record_from_line(lls_buf_str(&line), &scratch, &back, &err), err);
    assert_true(lls_bytes_eq(back.key, item.key));
    assert_true(lls_bytes_eq(back.value, item.value));
}

static void lines_look_as_documented(void **state)
{
    (void)state;
    lls_kv_item item = {.key = B("session:1"), .value = B("{\"a\": [1,2]}"), .meta = meta};

    assert_line(item, LLS_LINE_PLAIN, "{\"key\": \"session:1\", \"value\": {\"a\": [1,2]}}\n");
    assert_line(item, LLS_LINE_FULL,
                "{\"key\": \"session:1\", \"value\": {\"a\": [1,2]}, \"version\": 3, "
                "\"created\": \"2025-01-15T10:30:00.123456Z\", "
                "\"updated\": \"2025-01-15T10:30:00Z\", \"expires\": \"2025-01-15T10:30:01Z\"}\n");
    item.meta.expires_usec = 0;
    assert_line(item, LLS_LINE_FULL,
                "{\"key\": \"session:1\", \"value\": {\"a\": [1,2]}, \"version\": 3, "
                "\"created\": \"2025-01-15T10:30:00.123456Z\", "
                "\"updated\": \"2025-01-15T10:30:00Z\"}\n");
}

static void what_is_not_json_on_one_line_goes_as_base64(void **state)
{
    (void)state;
    static const struct {
        lls_str value;
        const char *line;
    } cases[] = {
        {LLS_STR_INIT(""), "{\"key\": \"k\", \"value_base64\": \"\"}\n"},
        {LLS_STR_INIT("abc"), "{\"key\": \"k\", \"value_base64\": \"YWJj\"}\n"},
        {LLS_STR_INIT("{\n}"), "{\"key\": \"k\", \"value_base64\": \"ewp9\"}\n"},
        {LLS_STR_INIT("{\r}"), "{\"key\": \"k\", \"value_base64\": \"ew19\"}\n"},
        {LLS_STR_INIT(" 1"), "{\"key\": \"k\", \"value_base64\": \"IDE=\"}\n"},
        {LLS_STR_INIT("1\t"), "{\"key\": \"k\", \"value_base64\": \"MQk=\"}\n"},
        {LLS_STR_INIT("{ \t}"), "{\"key\": \"k\", \"value\": { \t}}\n"},
        {LLS_STR_INIT("\"\\n\""), "{\"key\": \"k\", \"value\": \"\\n\"}\n"},
        {LLS_STR_INIT("null"), "{\"key\": \"k\", \"value\": null}\n"},
    };

    for (size_t i = 0; i < LLS_COUNT(cases); i++) {
        lls_kv_item item = {.key = B("k"), .value = lls_bytes_of(cases[i].value)};
        assert_line(item, LLS_LINE_PLAIN, cases[i].line);
    }
    lls_kv_item item = {.key = B("\xff\x00"), .value = B("1")};
    assert_line(item, LLS_LINE_PLAIN, "{\"key_base64\": \"/wA=\", \"value\": 1}\n");
    item.key = B("a\"\\\n\0é");
    assert_line(item, LLS_LINE_PLAIN, "{\"key\": \"a\\\"\\\\\\n\\u0000é\", \"value\": 1}\n");
}

static lls_err read_line(const char *line, lls_buf *scratch, lls_kv_item *item, lls_error *err)
{
    return lls_record_from_line(lls_str_of(line), scratch, item, err);
}

static void members_come_in_any_order_and_spacing(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) scratch = {0};
    lls_kv_item item = {.key = {0}};
    lls_error err = {0};

    assert_ok(
        read_line(" {\"expires\":\"2025-01-15T11:30:01+01:00\",\t\"version\":3,\"value\" :  { "
                  "\"b\" : 1 }  ,\"updated\":\"2025-01-15T10:30:00Z\",\"key\":\"\\u006b\","
                  "\"created\":\"2025-01-15T10:30:00.123456Z\"}\r\n",
                  &scratch, &item, &err),
        err);
    assert_bytes(item.key, "k");
    assert_bytes(item.value, "{ \"b\" : 1 }");
    assert_memory_equal(&item.meta, &meta, sizeof(meta));

    assert_ok(read_line("{\"value_base64\":\"\\/w==\",\"key_base64\":\"\\/\\/\\/\\/\"}", &scratch,
                        &item, &err),
              err);
    assert_bytes(item.key, "\xff\xff\xff");
    assert_bytes(item.value, "\xff");
    assert_int_equal(item.meta.version, 0);
    assert_int_equal(item.meta.created_usec, 0);
    assert_int_equal(item.meta.updated_usec, 0);
    assert_int_equal(item.meta.expires_usec, 0);
}

static void other_lines_are_refused_and_leave_the_item(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "[]",
        "1",
        "{}",
        "{\"key\":\"k\"}",
        "{\"value\":1}",
        "{\"key\":\"k\",\"value\":1",
        "{\"key\":\"k\",\"value\":1}}",
        "{\"key\":\"k\",\"value\":1,\"more\":1}",
        "{\"key\":\"k\",\"value\":1,\"KEY\":\"k\"}",
        "{\"key\":\"k\",\"value\":1,\"value\":1}",
        "{\"key\":\"k\",\"key\":\"k\",\"value\":1}",
        "{\"key\":\"k\",\"key_base64\":\"aw==\",\"value\":1}",
        "{\"key\":\"k\",\"value\":1,\"value_base64\":\"aw==\"}",
        "{\"key\":1,\"value\":1}",
        "{\"key\":\"\",\"value\":1}",
        "{\"key_base64\":\"\",\"value\":1}",
        "{\"key_base64\":\"a\",\"value\":1}",
        "{\"key_base64\":null,\"value\":1}",
        "{\"key\":\"k\",\"value_base64\":\"a===\"}",
        "{\"key\":\"k\",\"value_base64\":1}",
        "{\"key\":\"k\",\"value\":1,\"version\":0}",
        "{\"key\":\"k\",\"value\":1,\"version\":-1}",
        "{\"key\":\"k\",\"value\":1,\"version\":1.0}",
        "{\"key\":\"k\",\"value\":1,\"version\":1e3}",
        "{\"key\":\"k\",\"value\":1,\"version\":\"1\"}",
        "{\"key\":\"k\",\"value\":1,\"version\":9223372036854775808}",
        "{\"key\":\"k\",\"value\":1,\"version\":99999999999999999999}",
        "{\"key\":\"k\",\"value\":1,\"created\":1}",
        "{\"key\":\"k\",\"value\":1,\"created\":\"\"}",
        "{\"key\":\"k\",\"value\":1,\"updated\":\"yesterday\"}",
        "{\"key\":\"k\",\"value\":1,\"expires\":null}",
        "{\"key\":\"k\",\"value\":1,\"expires\":\"1970-01-01T00:00:00Z\"}",
        "{\"key\":\"k\",\"value\":\"\xff\"}",
    };
    LLS_AUTO(lls_buf) scratch = {0};

    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        lls_kv_item item = {.key = B("kept"), .meta.version = 9};
        lls_error err = {0};
        lls_err e = read_line(bad[i], &scratch, &item, &err);
        if (e != LLS_E_PARSE && e != LLS_E_INVALID)
            fail_msg("'%s': %s", bad[i], lls_err_text(e));
        assert_true(err.msg[0] != '\0');
        assert_bytes(item.key, "kept");
        assert_int_equal(item.meta.version, 9);
    }
}

static uint64_t next_random(uint64_t *seed)
{
    *seed ^= *seed << 13; // xorshift64 (Marsaglia 2003)
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* Bytes that are likely to be nearly JSON. */
static lls_bytes random_bytes(uint64_t *seed, uint8_t *out, size_t most)
{
    static const char likely[] = "{}[]\",:\\ \n\r\t0123eE.-truefalsn\xc3\xa9\xff";
    size_t len = (size_t)(next_random(seed) % (most + 1));
    bool any = next_random(seed) % 2 == 0;

    for (size_t i = 0; i < len; i++) {
        uint64_t r = next_random(seed) >> 20;
        out[i] = any ? (uint8_t)r : (uint8_t)likely[r % (sizeof(likely) - 1)];
    }
    return (lls_bytes){out, len};
}

static void any_record_comes_back_exactly(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) line = {0};
    LLS_AUTO(lls_buf) scratch = {0};
    uint64_t seed = UINT64_C(0x9e3779b97f4a7c15);
    uint8_t key[LLS_KEY_MAX];
    uint8_t value[64];

    for (int i = 0; i < 50000; i++) {
        uint64_t r = next_random(&seed);
        lls_kv_item item = {.key = random_bytes(&seed, key, i % 50 ? 9 : sizeof(key)),
                            .value = random_bytes(&seed, value, i % 3 ? 4 : sizeof(value))};
        lls_kv_item back = {.key = {0}};
        lls_error err = {0};
        if (item.key.len == 0)
            item.key = B("k");
        item.meta.version = 1 + (r >> 2);
        item.meta.created_usec = LLS_TIME_MIN_USEC + (int64_t)(next_random(&seed) >> 6);
        item.meta.updated_usec = (int64_t)(next_random(&seed) >> 12);
        item.meta.expires_usec = r % 2 ? (int64_t)(next_random(&seed) >> 12) : 0;
        lls_buf_clear(&line);
        lls_record_to_line(&item, LLS_LINE_FULL, &line);
        assert_ptr_equal(memchr(line.data, '\n', line.len), line.data + line.len - 1);
        assert_ok(lls_record_from_line(lls_buf_str(&line), &scratch, &back, &err), err);
        assert_true(lls_bytes_eq(back.key, item.key));
        assert_true(lls_bytes_eq(back.value, item.value));
        assert_memory_equal(&back.meta, &item.meta, sizeof(item.meta));
    }
}

static void every_failing_allocation_is_survived(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) line = {0};
    uint8_t value[3000] = {0xff};
    lls_kv_item item = {.key = B("\xffkey"), .value = {value, sizeof(value)}, .meta = meta};
    lls_err e;
    long n = 0;

    lls_record_to_line(&item, LLS_LINE_FULL, &line);
    do {
        LLS_AUTO(lls_buf) scratch = {0};
        lls_kv_item back = {.key = B("kept")};
        lls_error err = {0};
        lls_alloc_fail_after(n++);
        e = lls_record_from_line(lls_buf_str(&line), &scratch, &back, &err);
        lls_alloc_fail_after(-1);
        assert_true(e == LLS_OK || e == LLS_E_NOMEM);
        if (e != LLS_OK)
            assert_bytes(back.key, "kept");
    } while (e != LLS_OK);
    assert_true(n > 2);
}

static void the_digest_covers_every_field(void **state)
{
    (void)state;
    const lls_kv_item item = {.key = B("k"), .value = B("v"), .meta = meta};
    lls_kv_item others[6];
    lls_digest digests[8];

    for (size_t i = 0; i < LLS_COUNT(others); i++)
        others[i] = item;
    others[0].key = B("K");
    others[1].value = B("V");
    others[2].meta.version++;
    others[3].meta.created_usec++;
    others[4].meta.updated_usec++;
    others[5].meta.expires_usec++;
    digests[0] = lls_record_digest(LLS_STR("a"), &item);
    digests[1] = lls_record_digest(LLS_STR("b"), &item);
    for (size_t i = 0; i < LLS_COUNT(others); i++)
        digests[2 + i] = lls_record_digest(LLS_STR("a"), &others[i]);
    for (size_t i = 0; i < LLS_COUNT(digests); i++)
        for (size_t j = 0; j < i; j++)
            assert_false(lls_digest_eq(digests[i], digests[j]));
    assert_true(lls_digest_eq(digests[0], lls_record_digest(LLS_STR("a"), &item)));
}

static void keys_are_shown_printable_and_cut(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) out = {0};
    uint8_t longest[100];

    lls_key_show(B("a\n\x7f\xff\xc3é"), &out);
    assert_bytes(lls_buf_view(&out), "a\\x0a\\x7f\\xff\\xc3é");
    lls_buf_clear(&out);
    memset(longest, 'x', sizeof(longest));
    lls_key_show((lls_bytes){longest, sizeof(longest)}, &out);
    assert_int_equal(out.len, 80 + strlen("…"));
    assert_memory_equal(out.data + 80, "…", strlen("…"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_look_as_documented),
        cmocka_unit_test(what_is_not_json_on_one_line_goes_as_base64),
        cmocka_unit_test(members_come_in_any_order_and_spacing),
        cmocka_unit_test(other_lines_are_refused_and_leave_the_item),
        cmocka_unit_test(any_record_comes_back_exactly),
        cmocka_unit_test(every_failing_allocation_is_survived),
        cmocka_unit_test(the_digest_covers_every_field),
        cmocka_unit_test(keys_are_shown_printable_and_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
