#include "testing/stage_suite.h"

#include "base/alloc.h"
#include "ports/stage.h"
#include "testing/kv_space.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

static const lls_str run = LLS_STR_INIT("run1");

int stage_empty(void **state)
{
    lls_error err = {0};

    assert_ok(lls_stage_discard(kv_of(state), space.tenant, run, &err), err);
    assert_ok(lls_stage_discard(kv_of(state), stranger.tenant, run, &err), err);
    return kv_empty(state);
}

static lls_kv_stage *open_stage(lls_kv *kv, lls_str tenant, lls_stage_mode mode)
{
    const lls_str colls[] = {space.coll, other.coll};
    const lls_stage_spec spec = {tenant, run, colls, LLS_COUNT(colls), mode};
    lls_error err = {0};
    lls_kv_stage *stage = NULL;

    assert_ok(lls_stage_open(kv, &spec, &stage, &err), err);
    return stage;
}

static lls_kv_item item_of(lls_bytes key, lls_bytes value)
{
    return (lls_kv_item){key, value, {.version = 3, .created_usec = 5, .updated_usec = 7}};
}

static void add(lls_kv_stage *stage, lls_str coll, lls_bytes key, lls_bytes value)
{
    lls_error err = {0};
    lls_kv_item item = item_of(key, value);

    assert_ok(lls_stage_add(stage, coll, &item, 1, &err), err);
}

static void publish(lls_kv_stage *stage)
{
    lls_error err = {0};

    assert_ok(lls_stage_flush(stage, &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_stage_publish(stage, &err), err);
}

static void expect_last(lls_kv_stage *stage, lls_str coll, lls_bytes want, uint64_t want_count)
{
    LLS_AUTO(lls_buf) key = {0};
    lls_error err = {0};
    uint64_t count = 99;

    lls_buf_add(&key, B("replaced"));
    assert_ok(lls_stage_last(stage, coll, &key, &count, &err), err);
    assert_true(lls_bytes_eq(lls_buf_view(&key), want));
    assert_int_equal(count, want_count);
}

void stage_is_unseen_until_published(void **state)
{
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_MERGE);
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    add(stage, space.coll, B("a"), B("{}"));
    add(stage, other.coll, B("b"), B("raw"));
    assert_ok(lls_stage_flush(stage, &err), err);
    assert_int_equal(count_of(kv, space) + count_of(kv, other), 0);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_int_equal(count_of(kv, space) + count_of(kv, other), 0);
    expect_none(kv, space, B("a"));
    assert_ok(lls_stage_publish(stage, &err), err);
    lls_kv_meta meta = expect(kv, B("a"), B("{}"));
    assert_int_equal(meta.version, 3);
    assert_int_equal(meta.created_usec, 5);
    assert_int_equal(meta.updated_usec, 7);
    assert_int_equal(count_of(kv, other), 1);
    put(kv, B("a"), B("next")); // life goes on
    assert_int_equal(expect(kv, B("a"), B("next")).version, 4);
}

void stage_merge_keeps_other_keys(void **state)
{
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    lls_kv *kv = kv_of(state);

    put(kv, B("a"), B("old"));
    put(kv, B("b"), B("old"));
    put(kv, B("d"), B("old"));
    stage = open_stage(kv, space.tenant, LLS_STAGE_MERGE);
    add(stage, space.coll, B("b"), B("new"));
    add(stage, space.coll, B("c"), B("new"));
    publish(stage);
    (void)expect(kv, B("a"), B("old"));
    assert_int_equal(expect(kv, B("b"), B("new")).version, 3);
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "a,b,c,d,");
}

void stage_replace_leaves_only_what_was_staged(void **state)
{
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    lls_kv *kv = kv_of(state);
    lls_error err = {0};

    put(kv, B("a"), B("old"));
    put(kv, B("b"), B("old"));
    assert_ok(lls_kv_put(kv, other, B("gone"), B("v"), &err), err);
    assert_ok(lls_kv_put(kv, stranger, B("stays"), B("v"), &err), err);
    stage = open_stage(kv, space.tenant, LLS_STAGE_REPLACE);
    add(stage, space.coll, B("b"), B("new"));
    publish(stage);
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "b,");
    assert_int_equal(count_of(kv, other), 0);
    assert_int_equal(count_of(kv, stranger), 1);
}

void stage_scan_shows_what_will_be(void **state)
{
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_MERGE);
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_item expired = item_of(B("c"), B("staged"));
    lls_kv_item item;

    put(kv, B("b"), B("live"));
    add(stage, space.coll, B("a"), B("staged"));
    expired.meta.expires_usec = 9;
    assert_ok(lls_stage_add(stage, space.coll, &expired, 1, &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_stage_scan(stage, space.coll, &it, &err), err);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_bytes(item.key, "a");
    assert_bytes(item.value, "staged");
    assert_int_equal(item.meta.updated_usec, 7);
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_bytes(item.key, "b");
    assert_bytes(item.value, "live");
    assert_ok(lls_kv_iter_next(it, &item, &err), err);
    assert_int_equal(item.meta.expires_usec, 9);
    assert_code(lls_kv_iter_next(it, &item, &err), LLS_END, err);
}

void stage_goes_on_where_it_was_left(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_stage *first = open_stage(kv, space.tenant, LLS_STAGE_MERGE);

    expect_last(first, space.coll, B(""), 0);
    add(first, space.coll, B("a"), B("1"));
    add(first, space.coll, B("b"), B("1"));
    assert_ok(lls_stage_flush(first, &err), err);
    assert_ok(lls_stage_prepare(first, &err), err);
    lls_stage_close(first);

    LLS_AUTO(lls_kv_stage_ref) second = open_stage(kv, space.tenant, LLS_STAGE_MERGE);
    expect_last(second, space.coll, B("b"), 2);
    expect_last(second, other.coll, B(""), 0);
    add(second, space.coll, B("c"), B("2"));
    assert_ok(lls_stage_flush(second, &err), err);
    expect_last(second, space.coll, B("c"), 3);
    publish(second);
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "a,b,c,");
}

void stage_discard_leaves_no_trace(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_stage *first = open_stage(kv, space.tenant, LLS_STAGE_REPLACE);

    put(kv, B("kept"), B("v"));
    add(first, space.coll, B("a"), B("1"));
    assert_ok(lls_stage_flush(first, &err), err);
    lls_stage_close(first);
    assert_ok(lls_stage_discard(kv, space.tenant, run, &err), err);
    assert_ok(lls_stage_discard(kv, space.tenant, LLS_STR("never_was"), &err), err);
    (void)expect(kv, B("kept"), B("v"));
    LLS_AUTO(lls_kv_stage_ref) second = open_stage(kv, space.tenant, LLS_STAGE_MERGE);
    expect_last(second, space.coll, B(""), 0);
}

void stages_of_two_tenants_do_not_meet(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    LLS_AUTO(lls_kv_stage_ref) ours = open_stage(kv, space.tenant, LLS_STAGE_MERGE);
    LLS_AUTO(lls_kv_stage_ref) theirs = open_stage(kv, stranger.tenant, LLS_STAGE_MERGE);

    add(ours, space.coll, B("ours"), B("v"));
    add(theirs, space.coll, B("theirs"), B("v"));
    assert_ok(lls_stage_flush(ours, &err), err);
    assert_ok(lls_stage_flush(theirs, &err), err);
    expect_last(theirs, space.coll, B("theirs"), 1);
    publish(theirs);
    assert_int_equal(count_of(kv, space), 0);
    publish(ours);
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "ours,");
    assert_keys(kv, stranger, (lls_kv_range){0}, LLS_KV_ALL, "theirs,");
}

void stage_takes_any_bytes(void **state)
{
    enum { LARGE = 3 << 20 };
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_MERGE);
    lls_kv *kv = kv_of(state);
    uint8_t *large = lls_alloc(LARGE);
    uint8_t longest[LLS_KEY_MAX];

    assert_non_null(large);
    memset(large, '\\', LARGE);
    memset(longest, 0xff, sizeof(longest));
    lls_bytes last = {longest, sizeof(longest)};
    add(stage, space.coll, B("\x00"), B(""));
    add(stage, space.coll, B("a\\b\t\n"), B("{\"a\":\"\\u0000\"}"));
    add(stage, space.coll, B("large"), (lls_bytes){large, LARGE});
    add(stage, space.coll, last, B("\xff\x00 not json"));
    publish(stage);
    (void)expect(kv, B("\x00"), B(""));
    (void)expect(kv, B("a\\b\t\n"), B("{\"a\":\"\\u0000\"}"));
    (void)expect(kv, B("large"), (lls_bytes){large, LARGE});
    (void)expect(kv, last, B("\xff\x00 not json"));
    lls_free(large);
}

void stage_takes_many_records(void **state)
{
    enum { RECORDS = 30000, AT_ONCE = 500 };
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_MERGE);
    static char keys[AT_ONCE][16];
    static lls_kv_item items[AT_ONCE];
    lls_error err = {0};

    put(kv_of(state), B("00000017"), B("old"));
    for (int i = 0; i < RECORDS; i += AT_ONCE) {
        for (int n = 0; n < AT_ONCE; n++) {
            (void)snprintf(keys[n], sizeof(keys[n]), "%08d", i + n);
            lls_bytes key = lls_bytes_of(lls_str_of(keys[n]));
            items[n] = item_of(key, key);
        }
        assert_ok(lls_stage_add(stage, space.coll, items, AT_ONCE, &err), err);
    }
    publish(stage);
    assert_int_equal(count_of(kv_of(state), space), RECORDS);
    (void)expect(kv_of(state), B("00000017"), B("00000017"));
    (void)expect(kv_of(state), B("00029999"), B("00029999"));
}

typedef struct writer {
    lls_kv *kv;
    lls_err result;
    lls_error err;
} writer;

static void *write_late(void *user)
{
    writer *w = user;

    w->result = lls_kv_put(w->kv, space, B("late"), B("v"), &w->err);
    return NULL;
}

/* Between prepare and publish somebody writes: it waits, or publish gives way. Never is it lost. */
void stage_loses_no_write_of_another(void **state)
{
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_REPLACE);
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    writer late = {.kv = kv};
    pthread_t thread;

    put(kv, B("old"), B("v"));
    add(stage, space.coll, B("staged"), B("v"));
    assert_ok(lls_stage_flush(stage, &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_int_equal(pthread_create(&thread, NULL, write_late, &late), 0);
    (void)usleep(100000);
    lls_err e = lls_stage_publish(stage, &err);
    (void)pthread_join(thread, NULL);
    assert_code(late.result, LLS_OK, late.err);
    (void)expect(kv, B("late"), B("v"));
    if (e == LLS_OK) {
        assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "late,staged,");
    } else {
        assert_code(e, LLS_E_CONFLICT, err);
        assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "late,old,");
    }
}

void stage_may_be_prepared_again(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_stage *first = open_stage(kv, space.tenant, LLS_STAGE_MERGE);

    put(kv, B("b"), B("old"));
    add(first, space.coll, B("a"), B("v"));
    assert_ok(lls_stage_flush(first, &err), err);
    assert_ok(lls_stage_prepare(first, &err), err);
    lls_stage_close(first);
    put(kv, B("c"), B("written between"));
    LLS_AUTO(lls_kv_stage_ref) second = open_stage(kv, space.tenant, LLS_STAGE_MERGE);
    publish(second);
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "a,b,c,");
}

void stage_of_nothing_is_published(void **state)
{
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_MERGE);

    put(kv_of(state), B("k"), B("v"));
    publish(stage);
    assert_keys(kv_of(state), space, (lls_kv_range){0}, LLS_KV_ALL, "k,");
}

static void *clear_late(void *user)
{
    writer *w = user;

    w->result = lls_kv_clear(w->kv, space, &w->err);
    return NULL;
}

/* A clear is a write too: whenever it is done, nothing of before it is left. */
void stage_loses_no_clear_of_another(void **state)
{
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_MERGE);
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    writer late = {.kv = kv};
    pthread_t thread;

    put(kv, B("old"), B("v"));
    add(stage, space.coll, B("staged"), B("v"));
    assert_ok(lls_stage_flush(stage, &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_int_equal(pthread_create(&thread, NULL, clear_late, &late), 0);
    (void)usleep(100000);
    lls_err e = lls_stage_publish(stage, &err);
    (void)pthread_join(thread, NULL);
    assert_code(late.result, LLS_OK, late.err);
    if (e != LLS_OK)
        assert_code(e, LLS_E_CONFLICT, err);
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "");
}

/* Whoever gave way to a writer has lost nothing: the next one publishes what was staged. */
void stage_is_still_there_after_a_conflict(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    writer late = {.kv = kv};
    pthread_t thread;
    lls_kv_stage *first = open_stage(kv, space.tenant, LLS_STAGE_MERGE);

    add(first, space.coll, B("a"), B("v"));
    add(first, space.coll, B("b"), B("v"));
    assert_ok(lls_stage_flush(first, &err), err);
    assert_ok(lls_stage_prepare(first, &err), err);
    assert_int_equal(pthread_create(&thread, NULL, write_late, &late), 0);
    (void)usleep(100000);
    lls_err e = lls_stage_publish(first, &err);
    lls_stage_close(first);
    (void)pthread_join(thread, NULL);
    assert_code(late.result, LLS_OK, late.err);
    if (e != LLS_OK) {
        assert_code(e, LLS_E_CONFLICT, err);
        LLS_AUTO(lls_kv_stage_ref) second = open_stage(kv, space.tenant, LLS_STAGE_MERGE);
        expect_last(second, space.coll, B("b"), 2);
        publish(second);
    }
    assert_keys(kv, space, (lls_kv_range){0}, LLS_KV_ALL, "a,b,late,");
}

/* After prepare, a record is refused, or publish is, until it is in what was prepared. */
void stage_loses_nothing_that_was_added_late(void **state)
{
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_item late = item_of(B("b"), B("late"));
    lls_kv_stage *first = open_stage(kv, space.tenant, LLS_STAGE_MERGE);

    add(first, space.coll, B("a"), B("v"));
    assert_ok(lls_stage_prepare(first, &err), err);
    lls_err added = lls_stage_add(first, space.coll, &late, 1, &err);
    if (added == LLS_OK) {
        assert_ok(lls_stage_flush(first, &err), err);
        assert_code(lls_stage_publish(first, &err), LLS_E_INVALID, err);
    } else {
        assert_code(added, LLS_E_INVALID, err);
    }
    lls_stage_close(first);
    LLS_AUTO(lls_kv_stage_ref) second = open_stage(kv, space.tenant, LLS_STAGE_MERGE);
    publish(second);
    (void)expect(kv, B("a"), B("v"));
    if (added == LLS_OK)
        (void)expect(kv, B("b"), B("late"));
    else
        expect_none(kv, space, B("b"));
}

void stage_knows_its_collections(void **state)
{
    const lls_str wrong = LLS_STR("suite3");
    const lls_stage_spec bad[] = {
        {space.tenant, LLS_STR(""), &space.coll, 1, LLS_STAGE_MERGE},
        {space.tenant, LLS_STR("Run-1"), &space.coll, 1, LLS_STAGE_MERGE},
        {LLS_STR(""), run, &space.coll, 1, LLS_STAGE_MERGE},
        {space.tenant, run, &space.coll, 0, LLS_STAGE_MERGE},
    };
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_MERGE);
    LLS_AUTO(lls_buf) key = {0};
    lls_error err = {0};
    lls_kv_item item = item_of(B("k"), B("v"));
    lls_kv_iter *it = NULL;
    lls_kv_stage *none = NULL;
    uint64_t count = 77;

    lls_buf_add(&key, B("kept"));
    assert_code(lls_stage_last(stage, wrong, &key, &count, &err), LLS_E_INVALID, err);
    assert_bytes(lls_buf_view(&key), "kept");
    assert_int_equal(count, 77);
    assert_code(lls_stage_add(stage, wrong, &item, 1, &err), LLS_E_INVALID, err);
    assert_code(lls_stage_publish(stage, &err), LLS_E_INVALID, err); // not prepared
    assert_code(lls_stage_scan(stage, space.coll, &it, &err), LLS_E_INVALID, err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_code(lls_stage_scan(stage, wrong, &it, &err), LLS_E_INVALID, err);
    assert_null(it);
    for (size_t i = 0; i < LLS_COUNT(bad); i++)
        assert_code(lls_stage_open(kv_of(state), &bad[i], &none, &err), LLS_E_INVALID, err);
    assert_null(none);
}

/* Records that stay are not touched; those that come have every field as it was staged. */
void stage_merge_keeps_meta_exactly(void **state)
{
    LLS_AUTO(lls_kv_stage_ref) stage = open_stage(kv_of(state), space.tenant, LLS_STAGE_MERGE);
    lls_kv *kv = kv_of(state);
    lls_error err = {0};
    lls_kv_write stays = write_of(LLS_KV_RESTORE, B("stays"), B("v"));
    lls_kv_item comes = {
        B("comes"), B("v"), {INT64_MAX, LLS_TIME_MIN_USEC, 1736937000123456, LLS_TIME_MAX_USEC}};

    stays.meta = (lls_kv_meta){12, 1, 2, LLS_TIME_MAX_USEC - 1};
    assert_ok(lls_kv_apply(kv, space.tenant, &stays, 1, &err), err);
    assert_ok(lls_stage_add(stage, space.coll, &comes, 1, &err), err);
    publish(stage);
    lls_kv_meta meta = expect(kv, B("stays"), B("v"));
    assert_memory_equal(&meta, &stays.meta, sizeof(meta));
    meta = expect(kv, B("comes"), B("v"));
    assert_memory_equal(&meta, &comes.meta, sizeof(meta));
}
