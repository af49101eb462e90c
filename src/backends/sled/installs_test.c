/* What rs-llmspell left in a database, as clean records. */
#include "backends/sled/kinds.h"
#include "backends/sled/packed.h"
#include "base/file.h"
#include "base/scope.h"
#include "ports/backend.h"
#include "ports/record.h"
#include "testing/check.h"

static const lls_str collections[] = {LLS_STR_INIT("agent_state"), LLS_STR_INIT("workflow_state"),
                                      LLS_STR_INIT("sessions"), LLS_STR_INIT("unrecognised")};

static lls_backend *open_fixture(lls_access access)
{
    lls_setting path = {"path", LLS_SOURCE_DIR "/tests/sled/installs", NULL};
    lls_backend_params params = {.access = access};
    lls_backend *out = NULL;
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("sled"), &path, 1, &params, &out, &err), err);
    return out;
}

static void rows_become_the_expected_records(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = open_fixture(LLS_READ_ONLY);
    LLS_AUTO(lls_buf) got = {0};
    LLS_AUTO(lls_buf) want = {0};
    lls_error err = {0};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(collections); i++) {
        LLS_AUTO(lls_kv_iter_ref) it = NULL;
        LLS_AUTO(lls_buf) last = {0};
        lls_kv_space space = {LLS_STR("default"), collections[i]};
        lls_kv_item item;
        lls_err e;
        assert_ok(lls_kv_scan(backend->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
        while ((e = lls_kv_iter_next(it, &item, &err)) == LLS_OK) {
            LLS_AUTO(lls_buf) value = {0};
            assert_true(lls_bytes_cmp(item.key, lls_buf_view(&last)) > 0);
            lls_buf_clear(&last);
            lls_buf_add(&last, item.key);
            lls_record_to_line(&item, LLS_LINE_FULL, &got);
            assert_ok(lls_kv_get(backend->kv, space, item.key, &value, NULL, &err), err);
            assert_true(lls_bytes_eq(lls_buf_view(&value), item.value));
        }
        assert_code(e, LLS_END, err);
    }
    assert_ok(lls_file_read(LLS_SOURCE_DIR "/tests/sled/installs.jsonl", 1 << 20, &want, &err),
              err);
    assert_string_equal(lls_buf_cstr(&got), lls_buf_cstr(&want));
}

static void walks_begin_anywhere(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = open_fixture(LLS_READ_ONLY);
    lls_error err = {0};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(collections); i++) {
        LLS_AUTO(lls_kv_iter_ref) all = NULL;
        lls_kv_space space = {LLS_STR("default"), collections[i]};
        lls_kv_item item;
        lls_kv_item other;
        assert_ok(lls_kv_scan(backend->kv, space, (lls_kv_range){0}, LLS_KV_ALL, &all, &err), err);
        while (lls_kv_iter_next(all, &item, &err) == LLS_OK) {
            LLS_AUTO(lls_kv_iter_ref) rest = NULL;
            lls_kv_range range = {.after = item.key};
            assert_ok(lls_kv_scan(backend->kv, space, range, LLS_KV_ALL, &rest, &err), err);
            lls_err e = lls_kv_iter_next(rest, &other, &err);
            assert_true(e == LLS_END || lls_bytes_cmp(other.key, item.key) > 0);
        }
    }
}

static void other_tenants_have_nothing(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = open_fixture(LLS_READ_ONLY);
    uint64_t count = 9;
    lls_error err = {0};

    (void)state;
    assert_ok(
        lls_kv_count(backend->kv, (lls_kv_space){LLS_STR("other"), collections[0]}, &count, &err),
        err);
    assert_int_equal(count, 0);
}

static void nothing_is_written_to_it(void **state)
{
    LLS_AUTO(lls_backend_ref) backend = open_fixture(LLS_READ_WRITE);
    lls_kv_space space = {LLS_STR("default"), collections[0]};
    lls_error err = {0};

    (void)state;
    assert_code(lls_kv_put(backend->kv, space, B("agent:a:b"), B("{}"), &err), LLS_E_DENIED, err);
    assert_non_null(strstr(err.msg, "migrate plan --from sled"));
}

static void packed_values_that_lie_are_refused(void **state)
{
    static const sled_field one[] = {{"x", NULL, false}, {0}};
    static const lls_str bad[] = {
        LLS_STR_INIT(""),
        LLS_STR_INIT("\x91"),                         // one value announced, none there
        LLS_STR_INIT("\x91\xdd\xff\xff\xff\xff"),     // four thousand million values
        LLS_STR_INIT("\x91\xdb\xff\xff\xff\xff"),     // a text of four gigabytes
        LLS_STR_INIT("\x91\xa2z"),                    // cut off
        LLS_STR_INIT("\x91\x01\x02"),                 // something behind it
        LLS_STR_INIT("\x92\x01\x02"),                 // another count of fields
        LLS_STR_INIT("\x91\xa1\xff"),                 // no UTF-8
        LLS_STR_INIT("\x91\x81\x01\x02"),             // a name that is a number
        LLS_STR_INIT("\x91\xc1"),                     // no type at all
        LLS_STR_INIT("\x91\xcb\x7f\xf0\0\0\0\0\0\0"), // infinity
    };
    lls_error err = {0};

    (void)state;
    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        LLS_AUTO(lls_buf) json = {0};
        assert_code(sled_packed_to_json(lls_bytes_of(bad[i]), one, &json, &err), LLS_E_PARSE, err);
        assert_int_equal(json.len, 0);
    }
    LLS_AUTO(lls_buf) deep = {0};
    LLS_AUTO(lls_buf) json = {0};
    for (int i = 0; i < 100000; i++)
        lls_buf_add_text(&deep, "\x91");
    lls_buf_add_text(&deep, "\x01");
    assert_code(sled_packed_to_json(lls_buf_view(&deep), one, &json, &err), LLS_E_PARSE, err);
}

static void sessions_that_lie_about_their_size_are_refused(void **state)
{
    LLS_AUTO(sled_record) record = {0};
    lls_error err = {0};

    (void)state;
    assert_code(sled_record_decode(SLED_SESSION, B("session:x"), B("\xff\xff\xff\xff\x10zz"),
                                   &record, &err),
                LLS_E_PARSE, err);
    assert_code(
        sled_record_decode(SLED_SESSION, B("session:x"), B("\x10\0\0\0\x10zz"), &record, &err),
        LLS_E_PARSE, err);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_become_the_expected_records),
        cmocka_unit_test(walks_begin_anywhere),
        cmocka_unit_test(other_tenants_have_nothing),
        cmocka_unit_test(nothing_is_written_to_it),
        cmocka_unit_test(packed_values_that_lie_are_refused),
        cmocka_unit_test(sessions_that_lie_about_their_size_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
