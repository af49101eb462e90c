#include "testing/kv_suite.h"

#include "base/alloc.h"
#include "testing/kv_space.h"

#include <stdio.h>
#include <stdlib.h>

int kv_empty(void **state)
{
    const lls_kv_space all[] = {space, other, stranger};
    lls_error err = {0};

    kv_of(state)->clock = NULL; // a test that failed may have left its own behind
    for (size_t i = 0; i < LLS_COUNT(all); i++)
        assert_ok(lls_kv_clear(kv_of(state), all[i], &err), err);
    return 0;
}

void kv_get_of_missing_key_is_notfound(void **state)
{
    LLS_AUTO(lls_buf) out = {0};
    lls_error err = {0};
    lls_kv_meta meta = {.version = 77};

    lls_buf_add(&out, B("kept"));
    assert_code(lls_kv_get(kv_of(state), space, B("no"), &out, &meta, &err), LLS_E_NOTFOUND, err);
    assert_bytes(lls_buf_view(&out), "kept");
    assert_int_equal(meta.version, 77);
}

void kv_put_then_get(void **state)
{
    lls_kv *kv = kv_of(state);
    int64_t before = lls_kv_now(kv);

    put(kv, B("k"), B("v"));
    lls_kv_meta meta = expect(kv, B("k"), B("v"));
    assert_int_equal(meta.version, 1);
    assert_true(meta.created_usec >= before && meta.created_usec <= lls_kv_now(kv));
    assert_int_equal(meta.updated_usec, meta.created_usec);
    assert_int_equal(meta.expires_usec, 0);
}

void kv_put_replaces_and_counts_versions(void **state)
{
    lls_kv *kv = kv_of(state);

    put(kv, B("k"), B("first"));
    lls_kv_meta first = expect(kv, B("k"), B("first"));
    put(kv, B("k"), B("2nd"));
    lls_kv_meta second = expect(kv, B("k"), B("2nd"));
    assert_int_equal(second.version, 2);
    assert_int_equal(second.created_usec, first.created_usec);
    assert_true(second.updated_usec >= first.updated_usec);
}

void kv_value_may_hold_any_byte(void **state)
{
    uint8_t all[256];

    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)i;
    lls_bytes bytes = {all, sizeof(all)};
    put(kv_of(state), bytes, bytes);
    (void)expect(kv_of(state), bytes, bytes);
    put(kv_of(state), B("\x00\xff"), B("a\x00\x01\xfe\xff"));
    (void)expect(kv_of(state), B("\x00\xff"), B("a\x00\x01\xfe\xff"));
    // JSON comes back as it was written: doubled members, spaces, escapes
    lls_bytes json = B(" {\"b\":1,\"a\": 1.50, \"b\":\"\\u0000\\ud83d\\ude00\"}\n");
    put(kv_of(state), B("json"), json);
    (void)expect(kv_of(state), B("json"), json);
}

void kv_empty_value_is_a_value(void **state)
{
    put(kv_of(state), B("k"), B(""));
    (void)expect(kv_of(state), B("k"), B(""));
}

void kv_longest_key_and_largest_value(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    uint8_t key[LLS_KEY_MAX];
    uint8_t *large = lls_alloc(LLS_VALUE_MAX + 1);

    assert_non_null(large);
    memset(key, 0xff, sizeof(key));
    for (size_t i = 0; i < LLS_VALUE_MAX; i += 4099)
        large[i] = (uint8_t)i;
    lls_bytes longest = {key, sizeof(key)};
    put(kv, longest, B("v"));
    (void)expect(kv, longest, B("v"));
    put(kv, B("large"), (lls_bytes){large, LLS_VALUE_MAX});
    (void)expect(kv, B("large"), (lls_bytes){large, LLS_VALUE_MAX});
    assert_code(lls_kv_put(kv, space, B("large"), (lls_bytes){large, LLS_VALUE_MAX + 1}, &err),
                LLS_E_INVALID, err);
    assert_ok(lls_kv_delete(kv, space, B("large"), &err), err);
    lls_free(large);
}

void kv_bad_keys_and_spaces_are_refused(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    uint8_t big[LLS_KEY_MAX + 1] = {0};
    char letters[LLS_TENANT_MAX + 1];
    memset(letters, 'x', sizeof(letters));
    const lls_kv_space bad[] = {
        {LLS_STR(""), space.coll},
        {LLS_STR("a\nb"), space.coll},
        {LLS_STR("\xff"), space.coll},
        {{letters, LLS_TENANT_MAX + 1}, space.coll},
        {space.tenant, LLS_STR("")},
        {space.tenant, LLS_STR("Capital")},
        {space.tenant, LLS_STR("x; drop table")},
        {space.tenant, {letters, LLS_COLL_MAX + 1}},
    };

    assert_code(lls_kv_put(kv, space, B(""), B("v"), &err), LLS_E_INVALID, err);
    assert_code(lls_kv_put(kv, space, (lls_bytes){big, sizeof(big)}, B("v"), &err), LLS_E_INVALID,
                err);
    assert_string_equal(err.msg, "key of 508 bytes is over the limit of 507");
    for (size_t i = 0; i < LLS_COUNT(bad); i++)
        assert_code(lls_kv_put(kv, bad[i], B("k"), B("v"), &err), LLS_E_INVALID, err);
}

void kv_create_meets_what_is_there(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    assert_ok(write_version(kv, LLS_KV_CREATE, B("walrus"), B("1"), 0, &err), err);
    assert_code(write_version(kv, LLS_KV_CREATE, B("walrus"), B("2"), 0, &err), LLS_E_EXISTS, err);
    assert_non_null(strstr(err.msg, "walrus"));
    assert_int_equal(expect(kv, B("walrus"), B("1")).version, 1);
}

void kv_replace_is_compare_and_set(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    assert_code(write_version(kv, LLS_KV_REPLACE, B("walrus"), B("x"), 1, &err), LLS_E_CONFLICT,
                err);
    put(kv, B("walrus"), B("1"));
    assert_ok(write_version(kv, LLS_KV_REPLACE, B("walrus"), B("2"), 1, &err), err);
    assert_code(write_version(kv, LLS_KV_REPLACE, B("walrus"), B("x"), 1, &err), LLS_E_CONFLICT,
                err);
    assert_non_null(strstr(err.msg, "walrus"));
    assert_int_equal(expect(kv, B("walrus"), B("2")).version, 2);
}

void kv_delete_may_ask_for_a_version(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    assert_ok(lls_kv_delete(kv, space, B("no"), &err), err);
    assert_code(write_version(kv, LLS_KV_DELETE, B("no"), B(""), 1, &err), LLS_E_CONFLICT, err);
    put(kv, B("k"), B("v"));
    assert_code(write_version(kv, LLS_KV_DELETE, B("k"), B(""), 2, &err), LLS_E_CONFLICT, err);
    (void)expect(kv, B("k"), B("v"));
    assert_ok(write_version(kv, LLS_KV_DELETE, B("k"), B(""), 1, &err), err);
    expect_none(kv, space, B("k"));
}

void kv_restore_keeps_every_field(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_write write = write_of(LLS_KV_RESTORE, B("k"), B("v"));
    const lls_kv_meta metas[] = {
        {7, 1, 2, LLS_TIME_MAX_USEC},
        {INT64_MAX, -86400000001, 1736937000123456, 0},
        {1, LLS_TIME_MIN_USEC, LLS_TIME_MAX_USEC, 0},
    };

    for (size_t i = 0; i < LLS_COUNT(metas); i++) {
        write.meta = metas[i];
        assert_ok(lls_kv_apply(kv, space.tenant, &write, 1, &err), err);
        lls_kv_meta got = expect(kv, B("k"), B("v"));
        assert_memory_equal(&got, &metas[i], sizeof(got));
    }
    write.meta.version = 0;
    assert_code(lls_kv_apply(kv, space.tenant, &write, 1, &err), LLS_E_INVALID, err);
}

void kv_apply_is_all_or_nothing(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_write writes[] = {
        {.verb = LLS_KV_PUT, .coll = other.coll, .key = B("new"), .value = B("v")},
        write_of(LLS_KV_PUT, B("kept"), B("changed")),
        write_of(LLS_KV_DELETE, B("taken"), B("")),
        write_of(LLS_KV_REPLACE, B("kept"), B("x")),
    };

    put(kv, B("taken"), B("v"));
    put(kv, B("kept"), B("v"));
    writes[3].meta.version = 9;
    assert_code(lls_kv_apply(kv, space.tenant, writes, LLS_COUNT(writes), &err), LLS_E_CONFLICT,
                err);
    (void)expect(kv, B("taken"), B("v"));
    assert_int_equal(expect(kv, B("kept"), B("v")).version, 1);
    expect_none(kv, other, B("new"));
    writes[3] = write_of(LLS_KV_CREATE, B("kept"), B("x"));
    assert_code(lls_kv_apply(kv, space.tenant, writes, LLS_COUNT(writes), &err), LLS_E_EXISTS, err);
    (void)expect(kv, B("taken"), B("v"));
    expect_none(kv, other, B("new"));
    assert_ok(lls_kv_apply(kv, space.tenant, writes, LLS_COUNT(writes) - 1, &err), err);
    expect_none(kv, space, B("taken"));
    assert_int_equal(count_of(kv, other), 1);
    assert_ok(lls_kv_apply(kv, space.tenant, NULL, 0, &err), err);
}

void kv_apply_is_in_order(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    const lls_kv_write writes[] = {
        write_of(LLS_KV_PUT, B("k"), B("1")),    write_of(LLS_KV_PUT, B("k"), B("2")),
        write_of(LLS_KV_PUT, B("j"), B("x")),    write_of(LLS_KV_DELETE, B("k"), B("")),
        write_of(LLS_KV_CREATE, B("k"), B("3")), write_of(LLS_KV_PUT, B("k"), B("4")),
    };

    assert_ok(lls_kv_apply(kv, space.tenant, writes, LLS_COUNT(writes), &err), err);
    assert_int_equal(expect(kv, B("k"), B("4")).version, 2);
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_LIVE, "j,k,");
}

void kv_version_begins_again_after_delete(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    put(kv, B("k"), B("1"));
    put(kv, B("k"), B("2"));
    assert_ok(lls_kv_delete(kv, space, B("k"), &err), err);
    put(kv, B("k"), B("3"));
    assert_int_equal(expect(kv, B("k"), B("3")).version, 1);
}

void kv_collections_and_tenants_do_not_mix(void **state)
{
    static const char *const names[] = {"t", "tt", "Zoë's", "100%_\\", "t'; drop", "a\"b"};
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    put(kv, B("k"), B("v"));
    expect_none(kv, other, B("k"));
    expect_none(kv, stranger, B("k"));
    for (size_t i = 0; i < LLS_COUNT(names); i++)
        assert_ok(lls_kv_put(kv, (lls_kv_space){lls_str_of(names[i]), space.coll}, B("own"),
                             lls_bytes_of(lls_str_of(names[i])), &err),
                  err);
    for (size_t i = 0; i < LLS_COUNT(names); i++) {
        LLS_AUTO(lls_buf) out = {0};
        lls_kv_space own = {lls_str_of(names[i]), space.coll};
        assert_ok(lls_kv_get(kv, own, B("own"), &out, NULL, &err), err);
        assert_true(lls_str_eq(lls_buf_str(&out), own.tenant));
        assert_int_equal(count_of(kv, own), 1);
        assert_ok(lls_kv_clear(kv, own, &err), err);
    }
    assert_int_equal(count_of(kv, space), 1);
}

void kv_clear_empties_one_space(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    put(kv, B("a"), B(""));
    put(kv, B("\xff"), B(""));
    assert_ok(lls_kv_put(kv, other, B("a"), B("v"), &err), err);
    assert_ok(lls_kv_put(kv, stranger, B("a"), B("v"), &err), err);
    assert_ok(lls_kv_clear(kv, space, &err), err);
    assert_int_equal(count_of(kv, space), 0);
    assert_int_equal(count_of(kv, other), 1);
    assert_int_equal(count_of(kv, stranger), 1);
    assert_ok(lls_kv_clear(kv, space, &err), err);
}

void kv_count_and_stats_count(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_stats stats = {0};

    assert_int_equal(count_of(kv, space), 0);
    put(kv, B("a"), B("12345"));
    put(kv, B("b"), B(""));
    put(kv, B("b"), B("x"));
    assert_int_equal(count_of(kv, space), 2);
    assert_ok(lls_kv_stats_of(kv, space, &stats, &err), err);
    assert_int_equal(stats.count, 2);
    assert_true(stats.bytes >= 8);
}

/* Each of them has its own record, whatever happens to those that begin with it. */
void kv_keys_may_begin_with_others(void **state)
{
    const lls_bytes keys[] = {B("a"),         B("a\x00"), B("a\x00\x00"),
                              B("a\x00\xff"), B("aa"),    B("a\xff")};
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    for (size_t i = 0; i < LLS_COUNT(keys); i++)
        put(kv, keys[i], keys[i]);
    for (size_t i = 0; i < LLS_COUNT(keys); i++) {
        for (size_t n = 0; n < LLS_COUNT(keys); n++) {
            if (n < i)
                expect_none(kv, space, keys[n]);
            else
                assert_int_equal(expect(kv, keys[n], keys[n]).version, 1);
        }
        assert_ok(lls_kv_delete(kv, space, keys[i], &err), err);
    }
    assert_int_equal(count_of(kv, space), 0);
}

void kv_names_may_be_as_long_as_allowed(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    char tenant[LLS_TENANT_MAX];
    char coll[LLS_COLL_MAX];

    memset(tenant, 't', sizeof(tenant));
    memset(coll, 'c', sizeof(coll));
    for (int i = 0; i < 2; i++) { // two that differ in the last byte
        tenant[LLS_TENANT_MAX - 1] = coll[LLS_COLL_MAX - 1] = (char)('y' + i);
        lls_kv_space longest = {{tenant, sizeof(tenant)}, {coll, sizeof(coll)}};
        assert_int_equal(count_of(kv, longest), 0);
        assert_ok(lls_kv_put(kv, longest, B("k"), B("v"), &err), err);
    }
    for (int i = 0; i < 2; i++) {
        tenant[LLS_TENANT_MAX - 1] = coll[LLS_COLL_MAX - 1] = (char)('y' + i);
        lls_kv_space longest = {{tenant, sizeof(tenant)}, {coll, sizeof(coll)}};
        assert_int_equal(count_of(kv, longest), 1);
        assert_ok(lls_kv_clear(kv, longest, &err), err);
        assert_int_equal(count_of(kv, longest), 0);
    }
}

/* The last of 1,500 writes in two collections fails: none of them was. Then all of them are. */
void kv_large_batch_is_all_or_nothing(void **state)
{
    enum { WRITES = 1500 };
    static char keys[WRITES][8];
    static lls_kv_write writes[WRITES + 1];
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    put(kv, B("walrus"), B("v"));
    for (int i = 0; i < WRITES; i++) {
        (void)snprintf(keys[i], sizeof(keys[i]), "%06d", i);
        lls_bytes key = lls_bytes_of(lls_str_of(keys[i]));
        writes[i] = write_of(LLS_KV_CREATE, key, key);
        writes[i].coll = i % 2 ? space.coll : other.coll;
    }
    writes[WRITES] = write_of(LLS_KV_CREATE, B("walrus"), B("x"));
    assert_code(lls_kv_apply(kv, space.tenant, writes, WRITES + 1, &err), LLS_E_EXISTS, err);
    assert_non_null(strstr(err.msg, "walrus"));
    writes[WRITES] = write_of(LLS_KV_DELETE, B("walrus"), B(""));
    writes[WRITES].meta.version = 2;
    assert_code(lls_kv_apply(kv, space.tenant, writes, WRITES + 1, &err), LLS_E_CONFLICT, err);
    assert_non_null(strstr(err.msg, "walrus"));
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "walrus,");
    assert_int_equal(count_of(kv, other), 0);
    writes[WRITES].meta.version = 1;
    assert_ok(lls_kv_apply(kv, space.tenant, writes, WRITES + 1, &err), err);
    assert_int_equal(count_of(kv, space), WRITES / 2);
    assert_int_equal(count_of(kv, other), WRITES / 2);
    (void)expect(kv, B("001499"), B("001499"));
}

/* What comes after a restored record goes on from its version and its created time. */
void kv_versions_go_on_after_restore(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_write write = write_of(LLS_KV_RESTORE, B("k"), B("v"));

    write.meta = (lls_kv_meta){.version = 41, .created_usec = 5, .updated_usec = 6};
    assert_ok(lls_kv_apply(kv, space.tenant, &write, 1, &err), err);
    assert_ok(write_version(kv, LLS_KV_REPLACE, B("k"), B("w"), 41, &err), err);
    put(kv, B("k"), B("x"));
    lls_kv_meta meta = expect(kv, B("k"), B("x"));
    assert_int_equal(meta.version, 43);
    assert_int_equal(meta.created_usec, 5);
    assert_true(meta.updated_usec > 6);
}
