#include "base/alloc.h"
#include "testing/kv_space.h"
#include "testing/kv_suite.h"

#include <stdio.h>

void kv_scan_is_in_byte_order(void **state)
{
    lls_kv *kv = kv_of(state);

    put(kv, B("b"), B(""));
    put(kv, B("\xc3\xa9"), B("")); // after ASCII: bytes are unsigned
    put(kv, B("ab"), B(""));
    put(kv, B("a\x00"), B(""));
    put(kv, B("a"), B(""));
    put(kv, B("\xff\xff"), B(""));
    put(kv, B("\x00"), B(""));
    put(kv, B("B"), B("")); // before lower case: no locale has a say
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_LIVE,
                "\x00,B,a,a\x00,ab,b,\xc3\xa9,\xff\xff,");
}

void kv_scan_by_prefix(void **state)
{
    lls_kv *kv = kv_of(state);
    uint8_t longest[LLS_KEY_MAX];

    memset(longest, 'z', sizeof(longest));
    put(kv, B("a:1"), B(""));
    put(kv, B("b:1"), B(""));
    put(kv, B("b:2"), B(""));
    put(kv, B("b;"), B(""));
    put(kv, B("b%x"), B(""));
    put(kv, B("\xff\xff"), B(""));
    put(kv, B("\xff\xff\x01"), B(""));
    assert_keys(kv, space, (lls_kv_range){.prefix = B("b:")}, LLS_KV_LIVE, "b:1,b:2,");
    assert_keys(kv, space, (lls_kv_range){.prefix = B("b:1")}, LLS_KV_LIVE, "b:1,");
    assert_keys(kv, space, (lls_kv_range){.prefix = B("b%")}, LLS_KV_LIVE, "b%x,");
    assert_keys(kv, space, (lls_kv_range){.prefix = B("_")}, LLS_KV_LIVE, "");
    assert_keys(kv, space, (lls_kv_range){.prefix = B("\xff")}, LLS_KV_LIVE,
                "\xff\xff,\xff\xff\x01,");
    assert_keys(kv, space, ((lls_kv_range){.prefix = {longest, sizeof(longest)}}), LLS_KV_LIVE, "");
}

void kv_scan_after_resumes(void **state)
{
    lls_kv *kv = kv_of(state);

    put(kv, B("a:1"), B(""));
    put(kv, B("b:1"), B(""));
    put(kv, B("b:2"), B(""));
    assert_keys(kv, space, (lls_kv_range){.after = B("a:1")}, LLS_KV_LIVE, "b:1,b:2,");
    assert_keys(kv, space, (lls_kv_range){.after = B("a:10")}, LLS_KV_LIVE, "b:1,b:2,");
    assert_keys(kv, space, ((lls_kv_range){.prefix = B("b:"), .after = B("b:1")}), LLS_KV_LIVE,
                "b:2,");
    assert_keys(kv, space, ((lls_kv_range){.prefix = B("b:"), .after = B("a")}), LLS_KV_LIVE,
                "b:1,b:2,");
    assert_keys(kv, space, ((lls_kv_range){.prefix = B("a:"), .after = B("b")}), LLS_KV_LIVE, "");
    assert_keys(kv, space, (lls_kv_range){.after = B("b:2")}, LLS_KV_LIVE, "");
}

void kv_scan_end_repeats(void **state)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_error err = {0};
    lls_kv_item item;

    put(kv_of(state), B("k"), B("v"));
    assert_ok(lls_kv_scan(kv_of(state), space, (lls_kv_range){0}, LLS_KV_LIVE, &it, &err), err);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    for (int i = 0; i < 3; i++)
        assert_code(lls_kv_iter_next(it, &item, &err), LLS_END, err);
}

static void put_number(lls_kv *kv, int i, const char *value)
{
    char key[16];

    (void)snprintf(key, sizeof(key), "%05d", i);
    put(kv, lls_bytes_of(lls_str_of(key)), lls_bytes_of(lls_str_of(value)));
}

/* A view stays what it was, whatever the same thread writes meanwhile. */
void kv_scan_sees_one_moment(void **state)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_item item;
    int n = 0;
    lls_err e;

    for (int i = 0; i < 1000; i += 2)
        put_number(kv, i, "old");
    assert_ok(lls_kv_scan(kv, space, (lls_kv_range){0}, LLS_KV_LIVE, &it, &err), err);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    for (int i = 1; i < 1000; i += 50)
        put_number(kv, i, "new");
    for (int i = 2; i < 1000; i += 50)
        put_number(kv, i, "changed");
    assert_ok(lls_kv_delete(kv, space, B("00500"), &err), err);
    for (n = 1; n < 400; n++)
        assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_ok(lls_kv_clear(kv, space, &err), err);
    for (; (e = lls_kv_iter_next(it, &item, &err)) == LLS_OK; n++)
        assert_bytes(item.value, "old");
    assert_code(e, LLS_END, err);
    assert_int_equal(n, 500);
    assert_int_equal(count_of(kv, space), 0);
}

void kv_scans_may_be_open_together(void **state)
{
    LLS_AUTO(lls_kv_iter_ref) before = NULL;
    LLS_AUTO(lls_kv_iter_ref) after = NULL;
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_item item;

    put(kv, B("a"), B("1"));
    put(kv, B("b"), B("1"));
    assert_ok(lls_kv_scan(kv, space, (lls_kv_range){0}, LLS_KV_LIVE, &before, &err), err);
    put(kv, B("a"), B("2"));
    assert_ok(lls_kv_scan(kv, space, (lls_kv_range){0}, LLS_KV_LIVE, &after, &err), err);
    assert_ok(lls_kv_iter_next(before, &item, &err), err);
    assert_bytes(item.value, "1");
    assert_ok(lls_kv_iter_next(after, &item, &err), err);
    assert_bytes(item.value, "2");
    assert_ok(lls_kv_iter_next(before, &item, &err), err);
    assert_bytes(item.key, "b");
}

void kv_scan_gives_meta_and_large_values(void **state)
{
    enum { LARGE = 300000 };
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_item item;
    lls_kv_write restore = write_of(LLS_KV_RESTORE, B("b"), B("v"));
    uint8_t *large = lls_alloc(LARGE);

    assert_non_null(large);
    memset(large, 0x5a, LARGE);
    put(kv, B("a"), (lls_bytes){large, LARGE});
    restore.meta = (lls_kv_meta){5, 10, 20, LLS_TIME_MAX_USEC};
    assert_ok(lls_kv_apply(kv, space.tenant, &restore, 1, &err), err);
    assert_ok(lls_kv_scan(kv, space, (lls_kv_range){0}, LLS_KV_LIVE, &it, &err), err);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_int_equal(item.value.len, LARGE);
    assert_memory_equal(item.value.data, large, LARGE);
    assert_int_equal(item.meta.version, 1);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_memory_equal(&item.meta, &restore.meta, sizeof(item.meta));
    lls_free(large);
}
