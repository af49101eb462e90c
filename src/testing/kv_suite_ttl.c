#include "testing/clock.h"
#include "testing/kv_space.h"
#include "testing/kv_suite.h"

#include <stdio.h>

enum { SECOND = 1000000 };

/* Put the port on a clock of our own; the caller puts NULL back. */
static void begin(lls_kv *kv, lls_test_clock *clock)
{
    lls_test_clock_init(clock);
    kv->clock = &clock->base;
}

static void put_until(lls_kv *kv, lls_bytes key, int64_t expires_usec)
{
    lls_error err = {0};
    lls_kv_write write = write_of(LLS_KV_PUT, key, B("v"));

    write.meta.expires_usec = expires_usec;
    assert_ok(lls_kv_apply(kv, space.tenant, &write, 1, &err), err);
}

void kv_expired_record_is_not_there(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_test_clock clock;

    begin(kv, &clock);
    put_until(kv, B("a"), clock.now_usec + SECOND);
    put_until(kv, B("b"), clock.now_usec + 2 * SECOND);
    put_until(kv, B("c"), 0);
    assert_int_equal(count_of(kv, space), 3);
    clock.now_usec += SECOND; // the moment of expiry is the first at which it is gone
    expect_none(kv, space, B("a"));
    (void)expect(kv, B("b"), B("v"));
    assert_int_equal(count_of(kv, space), 2);
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_LIVE, "b,c,");
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "a,b,c,");
    kv->clock = NULL;
}

void kv_expired_record_gives_way(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_test_clock clock;

    begin(kv, &clock);
    for (int i = 0; i < 3; i++)
        put_until(kv, B("k"), clock.now_usec + SECOND);
    clock.now_usec += SECOND;
    assert_code(write_version(kv, LLS_KV_REPLACE, B("k"), B("x"), 3, &err), LLS_E_CONFLICT, err);
    assert_code(write_version(kv, LLS_KV_DELETE, B("k"), B(""), 3, &err), LLS_E_CONFLICT, err);
    assert_ok(write_version(kv, LLS_KV_CREATE, B("k"), B("new"), 0, &err), err);
    lls_kv_meta meta = expect(kv, B("k"), B("new"));
    assert_int_equal(meta.version, 1);
    assert_int_equal(meta.created_usec, clock.now_usec);
    put_until(kv, B("k"), clock.now_usec + SECOND);
    clock.now_usec += SECOND;
    put(kv, B("k"), B("again"));
    assert_int_equal(expect(kv, B("k"), B("again")).version, 1);
    kv->clock = NULL;
}

void kv_sweep_removes_what_expired(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_test_clock clock;
    uint64_t removed = 0;

    begin(kv, &clock);
    for (int i = 0; i < 1500; i++) {
        char key[16];
        (void)snprintf(key, sizeof(key), "%04d", i);
        put_until(kv, lls_bytes_of(lls_str_of(key)), i % 3 ? clock.now_usec + SECOND : 0);
    }
    assert_ok(lls_kv_sweep(kv, space, &removed, &err), err);
    assert_int_equal(removed, 0);
    clock.now_usec += SECOND;
    assert_ok(lls_kv_sweep(kv, space, &removed, &err), err);
    assert_int_equal(removed, 1000);
    clock.now_usec -= SECOND; // what is gone stays gone
    assert_int_equal(count_of(kv, space), 500);
    assert_ok(write_version(kv, LLS_KV_SWEEP, B("0000"), B(""), 0, &err), err);
    assert_int_equal(count_of(kv, space), 500);
    kv->clock = NULL;
}

/* What is not there any more is not shown by accident either. */
void kv_expired_record_leaves_outputs_alone(void **state)
{
    LLS_AUTO(lls_buf) out = {0};
    lls_kv *kv = kv_of(state);
    lls_kv_meta meta = {.version = 77};
    lls_error err = {0};
    lls_test_clock clock;

    begin(kv, &clock);
    put_until(kv, B("k"), clock.now_usec + SECOND);
    clock.now_usec += SECOND;
    lls_buf_add(&out, B("kept"));
    assert_code(lls_kv_get(kv, space, B("k"), &out, &meta, &err), LLS_E_NOTFOUND, err);
    assert_bytes(lls_buf_view(&out), "kept");
    assert_int_equal(meta.version, 77);
    kv->clock = NULL;
}

void kv_stats_count_what_nobody_swept(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_kv_stats stats = {0};
    lls_error err = {0};
    lls_test_clock clock;

    begin(kv, &clock);
    put_until(kv, B("a"), clock.now_usec + SECOND);
    put_until(kv, B("b"), 0);
    clock.now_usec += SECOND;
    assert_int_equal(count_of(kv, space), 1);
    assert_ok(lls_kv_stats_of(kv, space, &stats, &err), err);
    assert_int_equal(stats.count, 2);
    assert_ok(lls_kv_sweep(kv, space, NULL, &err), err);
    assert_ok(lls_kv_stats_of(kv, space, &stats, &err), err);
    assert_int_equal(stats.count, 1);
    kv->clock = NULL;
}

/* Each write says anew when the record expires; a missing expiry is none. */
void kv_every_write_sets_the_expiry(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_test_clock clock;
    lls_kv_write replace = write_of(LLS_KV_REPLACE, B("k"), B("v"));

    begin(kv, &clock);
    put_until(kv, B("k"), clock.now_usec + SECOND);
    put(kv, B("k"), B("v"));
    assert_int_equal(expect(kv, B("k"), B("v")).expires_usec, 0);
    replace.meta = (lls_kv_meta){.version = 2, .expires_usec = clock.now_usec + 2 * SECOND};
    assert_ok(lls_kv_apply(kv, space.tenant, &replace, 1, &err), err);
    assert_int_equal(expect(kv, B("k"), B("v")).expires_usec, clock.now_usec + 2 * SECOND);
    clock.now_usec += SECOND;
    (void)expect(kv, B("k"), B("v"));
    clock.now_usec += SECOND;
    expect_none(kv, space, B("k"));
    kv->clock = NULL;
}

/* Import and undo bring back what had expired too, exactly, and over what is there. */
void kv_restore_may_bring_back_what_expired(void **state)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv *kv = kv_of(state);
    lls_kv_item item;
    lls_error err = {0};
    lls_test_clock clock;
    lls_kv_write write = write_of(LLS_KV_RESTORE, B("k"), B("old"));

    begin(kv, &clock);
    put(kv, B("k"), B("live"));
    write.meta = (lls_kv_meta){9, 1, 2, clock.now_usec - SECOND};
    assert_ok(lls_kv_apply(kv, space.tenant, &write, 1, &err), err);
    expect_none(kv, space, B("k"));
    assert_int_equal(count_of(kv, space), 0);
    assert_ok(lls_kv_scan(kv, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_bytes(item.value, "old");
    assert_memory_equal(&item.meta, &write.meta, sizeof(item.meta));
    kv->clock = NULL;
}
