/* One record and one batch of the vector port: what every verb does, and what is refused. */
#include "testing/vec_suite.h"

#include "ports/stage.h"
#include "testing/clock.h"
#include "testing/vec_space.h"

#include <stdio.h>

int vec_empty(void **state)
{
    const lls_kv_space all[] = {coll, second, foreign};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};

    vec->clock = NULL; // a test that failed may have left its own behind
    vec->records->clock = NULL;
    assert_ok(lls_stage_discard(vec->records, coll.tenant, LLS_STR("vec_run"), &err), err);
    for (size_t i = 0; i < LLS_COUNT(all); i++)
        assert_ok(lls_kv_clear(vec->records, all[i], &err), err);
    return 0;
}

static const float east[] = {1, 0, 0};
static const float north[] = {0, 1, 0};
static const lls_str model = LLS_STR_INIT("compass");

static lls_vec_item at_east(lls_bytes id)
{
    return vec_item(id, model, LLS_VEC_COSINE, east, 3);
}

static lls_vec_hits get_whole(lls_vec *vec, lls_bytes id)
{
    lls_vec_hits hits = {0};
    lls_error err = {0};

    assert_ok(lls_vec_get(vec, coll, id, LLS_VEC_WHOLE, &hits, &err), err);
    assert_int_equal(hits.count, 1);
    assert_true(lls_bytes_eq(hits.hits[0].item.id, id));
    return hits;
}

static lls_kv_meta meta_of(lls_vec *vec, lls_bytes id)
{
    LLS_AUTO(lls_vec_hits) hits = get_whole(vec, id);

    return hits.hits[0].item.meta;
}

/* Expect every field of `want`, as it was written. */
static void expect_item(lls_vec *vec, const lls_vec_item *want)
{
    LLS_AUTO(lls_vec_hits) hits = get_whole(vec, want->id);
    const lls_vec_item *got = &hits.hits[0].item;

    assert_int_equal(got->space.dim, want->space.dim);
    assert_int_equal(got->space.metric, want->space.metric);
    assert_int_equal(got->space.normalised, want->space.normalised);
    assert_true(lls_str_eq(got->space.model, want->space.model));
    if (want->space.dim)
        assert_memory_equal(got->vector, want->vector, want->space.dim * sizeof(float));
    assert_true(lls_str_eq(got->scope, want->scope.len ? want->scope : LLS_STR("global")));
    assert_true(lls_str_eq(got->text, want->text));
    assert_true(lls_str_eq(got->metadata, want->metadata.len ? want->metadata : LLS_STR("{}")));
    if (want->event_usec)
        assert_int_equal(got->event_usec, want->event_usec);
}

void vec_get_of_missing_id_is_notfound(void **state)
{
    lls_vec_hits hits = {0};
    lls_error err = {0};

    assert_code(lls_vec_get(vec_of(state), coll, B("no"), LLS_VEC_WHOLE, &hits, &err),
                LLS_E_NOTFOUND, err);
    assert_int_equal(hits.count, 0);
}

void vec_put_then_get_gives_every_field(void **state)
{
    lls_vec *vec = vec_of(state);
    int64_t before = lls_clock_now(NULL);
    lls_vec_item item = at_east(B("walrus"));

    item.scope = LLS_STR("session:Zoë");
    item.text = LLS_STR("The time has come,\0the walrus said \xf0\x9f\xa6\xad\n");
    item.metadata = LLS_STR(" {\"b\":1, \"a\": 1.50,\"b\":\"\\u0000\\ud83d\\ude00\"}\n");
    item.event_usec = -86400000001;
    vec_put(vec, item);
    expect_item(vec, &item);
    lls_kv_meta meta = meta_of(vec, item.id);
    assert_int_equal(meta.version, 1);
    assert_true(meta.created_usec >= before && meta.created_usec <= lls_clock_now(NULL));
    assert_int_equal(meta.updated_usec, meta.created_usec);
    assert_int_equal(meta.expires_usec, 0);
}

void vec_defaults_are_filled_in(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_test_clock clock;

    lls_test_clock_init(&clock);
    vec->clock = &clock.base;
    vec_put(vec, at_east(B("a")));
    LLS_AUTO(lls_vec_hits) hits = get_whole(vec, B("a"));
    const lls_vec_item *got = &hits.hits[0].item;
    assert_true(lls_str_eq(got->scope, LLS_STR("global")));
    assert_true(lls_str_eq(got->metadata, LLS_STR("{}")));
    assert_int_equal(got->text.len, 0);
    assert_int_equal(got->event_usec, clock.now_usec);
    assert_int_equal(got->meta.created_usec, clock.now_usec);
    vec->clock = NULL;
}

void vec_put_replaces_and_counts_versions(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_test_clock clock;

    lls_test_clock_init(&clock);
    vec->clock = &clock.base;
    vec_put(vec, at_east(B("a")));
    lls_kv_meta first = meta_of(vec, B("a"));
    clock.now_usec += 5;
    lls_vec_item next = vec_item(B("a"), model, LLS_VEC_COSINE, north, 3);
    next.text = LLS_STR("now north");
    vec_put(vec, next);
    expect_item(vec, &next);
    lls_kv_meta meta = meta_of(vec, B("a"));
    assert_int_equal(meta.version, 2);
    assert_int_equal(meta.created_usec, first.created_usec);
    assert_int_equal(meta.updated_usec, first.updated_usec + 5);
    assert_int_equal(vec_count(vec, coll), 1);
    vec->clock = NULL;
}

void vec_put_may_move_a_record_to_another_space(void **state)
{
    lls_vec *vec = vec_of(state);
    const float flat[] = {3, 4};
    lls_vec_item moved = vec_item(B("a"), LLS_STR("flat"), LLS_VEC_L2, flat, 2);
    lls_vec_item bare = vec_note(B("a"), LLS_STR("no vector any more"), LLS_STR("{}"));
    lls_vec_query query = {.model = model, .vector = east, .dim = 3, .k = 5};
    lls_vec_hits hits = {0};
    lls_error err = {0};

    vec_put(vec, at_east(B("a")));
    vec_put(vec, at_east(B("b")));
    vec_put(vec, moved);
    expect_item(vec, &moved);
    assert_ok(lls_vec_search(vec, coll, &query, &hits, &err), err);
    assert_ids(hits, "b,");
    lls_vec_hits_fini(&hits);
    vec_put(vec, bare);
    expect_item(vec, &bare);
    query = (lls_vec_query){.model = LLS_STR("flat"), .vector = flat, .dim = 2, .k = 5};
    assert_ok(lls_vec_search(vec, coll, &query, &hits, &err), err);
    assert_ids(hits, "");
    lls_vec_hits_fini(&hits);
}

void vec_create_meets_what_is_there(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};

    assert_ok(vec_write(vec, LLS_VEC_CREATE, at_east(B("walrus")), 0, &err), err);
    assert_code(vec_write(vec, LLS_VEC_CREATE, at_east(B("walrus")), 0, &err), LLS_E_EXISTS, err);
    assert_non_null(strstr(err.msg, "walrus"));
    assert_int_equal(meta_of(vec, B("walrus")).version, 1);
}

void vec_replace_is_compare_and_set(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    lls_vec_item next = vec_item(B("walrus"), model, LLS_VEC_COSINE, north, 3);

    assert_code(vec_write(vec, LLS_VEC_REPLACE, next, 1, &err), LLS_E_CONFLICT, err);
    vec_put(vec, at_east(B("walrus")));
    assert_ok(vec_write(vec, LLS_VEC_REPLACE, next, 1, &err), err);
    assert_code(vec_write(vec, LLS_VEC_REPLACE, at_east(B("walrus")), 1, &err), LLS_E_CONFLICT,
                err);
    assert_non_null(strstr(err.msg, "walrus"));
    expect_item(vec, &next);
    assert_int_equal(meta_of(vec, B("walrus")).version, 2);
}

void vec_delete_may_ask_for_a_version(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    const lls_vec_item none = {.id = B("no")};
    const lls_vec_item gone = {.id = B("walrus")};

    assert_ok(vec_write(vec, LLS_VEC_DELETE, none, 0, &err), err);
    assert_code(vec_write(vec, LLS_VEC_DELETE, none, 1, &err), LLS_E_CONFLICT, err);
    vec_put(vec, at_east(B("walrus")));
    assert_code(vec_write(vec, LLS_VEC_DELETE, gone, 2, &err), LLS_E_CONFLICT, err);
    assert_true(vec_has(vec, coll, B("walrus")));
    assert_ok(vec_write(vec, LLS_VEC_DELETE, gone, 1, &err), err);
    assert_false(vec_has(vec, coll, B("walrus")));
    vec_put(vec, at_east(B("walrus")));
    assert_int_equal(meta_of(vec, B("walrus")).version, 1);
}

void vec_restore_keeps_every_field(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    lls_vec_write write = {LLS_VEC_RESTORE, at_east(B("a"))};
    const lls_kv_meta metas[] = {
        {7, 1, 2, LLS_TIME_MAX_USEC},
        {INT64_MAX, -86400000001, 1736937000123456, 0},
        {1, LLS_TIME_MIN_USEC, LLS_TIME_MAX_USEC, 0},
    };

    write.item.event_usec = LLS_TIME_MIN_USEC;
    for (size_t i = 0; i < LLS_COUNT(metas); i++) {
        write.item.meta = metas[i];
        assert_ok(lls_vec_apply(vec, coll, &write, 1, &err), err);
        lls_kv_meta got = meta_of(vec, B("a"));
        assert_memory_equal(&got, &metas[i], sizeof(got));
        expect_item(vec, &write.item);
    }
    write.item.meta.version = 0;
    assert_code(lls_vec_apply(vec, coll, &write, 1, &err), LLS_E_INVALID, err);
}

void vec_patch_merges_metadata_and_nothing_else(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    lls_vec_item item = at_east(B("a"));
    lls_vec_item patch = {.id = B("a"),
                          .metadata = LLS_STR("{\"b\":null,\"c\":{\"y\":2},\"d\":4}")};

    item.text = LLS_STR("some words");
    item.scope = LLS_STR("user:1");
    item.metadata = LLS_STR("{\"a\":1.0,\"b\":2,\"c\":{\"x\":1}}");
    item.event_usec = 12345;
    item.meta.expires_usec = LLS_TIME_MAX_USEC;
    assert_code(vec_write(vec, LLS_VEC_PATCH, patch, 0, &err), LLS_E_NOTFOUND, err);
    vec_put(vec, item);
    assert_code(vec_write(vec, LLS_VEC_PATCH, patch, 9, &err), LLS_E_CONFLICT, err);
    expect_item(vec, &item);
    assert_ok(vec_write(vec, LLS_VEC_PATCH, patch, 1, &err), err);
    assert_ok(vec_write(vec, LLS_VEC_PATCH, patch, 0, &err), err);
    item.metadata = LLS_STR("{\"a\":1.0,\"c\":{\"x\":1,\"y\":2},\"d\":4}");
    expect_item(vec, &item);
    lls_kv_meta meta = meta_of(vec, B("a"));
    assert_int_equal(meta.version, 3);
    assert_int_equal(meta.expires_usec, LLS_TIME_MAX_USEC);
}

void vec_bad_patches_change_nothing(void **state)
{
    static const char *const bad[] = {"[]", "{\"a\":", "1", ""};
    lls_vec *vec = vec_of(state);
    lls_vec_item item = at_east(B("a"));
    LLS_AUTO(lls_buf) large = {0};
    lls_error err = {0};

    item.metadata = LLS_STR("{\"kept\":true}");
    vec_put(vec, item);
    for (size_t i = 0; i < LLS_COUNT(bad); i++)
        assert_code(vec_write(vec, LLS_VEC_PATCH, vec_note(B("a"), LLS_STR(""), lls_str_of(bad[i])),
                              0, &err),
                    LLS_E_INVALID, err);
    lls_buf_add_text(&large, "{\"more\":\"");
    while (large.len < LLS_VEC_METADATA_MAX - 5)
        lls_buf_add_text(&large, "x");
    lls_buf_add_text(&large, "\"}"); // fits by itself, but not beside what is there
    assert_code(
        vec_write(vec, LLS_VEC_PATCH, vec_note(B("a"), LLS_STR(""), lls_buf_str(&large)), 0, &err),
        LLS_E_INVALID, err);
    expect_item(vec, &item);
    assert_int_equal(meta_of(vec, B("a")).version, 1);
}

/* The last of 1,500 writes fails: none of them was. Then all of them are. */
void vec_large_batch_is_all_or_nothing(void **state)
{
    enum { WRITES = 1500 };
    static char ids[WRITES][8];
    static lls_vec_write writes[WRITES + 1];
    lls_vec *vec = vec_of(state);
    lls_error err = {0};

    vec_put(vec, at_east(B("walrus")));
    for (int i = 0; i < WRITES; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "%06d", i);
        writes[i] = (lls_vec_write){LLS_VEC_CREATE, at_east(lls_bytes_of(lls_str_of(ids[i])))};
    }
    writes[WRITES] = (lls_vec_write){LLS_VEC_CREATE, at_east(B("walrus"))};
    assert_code(lls_vec_apply(vec, coll, writes, WRITES + 1, &err), LLS_E_EXISTS, err);
    assert_int_equal(vec_count(vec, coll), 1);
    assert_ok(lls_vec_apply(vec, coll, writes, WRITES, &err), err);
    assert_int_equal(vec_count(vec, coll), WRITES + 1);
    assert_true(vec_has(vec, coll, B("001499")));
}

void vec_apply_is_all_or_nothing(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    lls_vec_write writes[] = {
        {LLS_VEC_CREATE, at_east(B("new"))},
        {LLS_VEC_PUT, vec_item(B("kept"), model, LLS_VEC_COSINE, north, 3)},
        {LLS_VEC_DELETE, {.id = B("taken")}},
        {LLS_VEC_PATCH, {.id = B("new"), .metadata = LLS_STR("{\"p\":1}")}},
        {LLS_VEC_CREATE, at_east(B("kept"))},
    };
    const lls_vec_query query = {.model = model, .vector = east, .dim = 3, .k = 9};
    LLS_AUTO(lls_vec_hits) hits = {0};

    vec_put(vec, at_east(B("taken")));
    vec_put(vec, at_east(B("kept")));
    assert_code(lls_vec_apply(vec, coll, writes, LLS_COUNT(writes), &err), LLS_E_EXISTS, err);
    assert_ok(lls_vec_search(vec, coll, &query, &hits, &err), err);
    assert_ids(hits, "kept,taken,");
    assert_int_equal(meta_of(vec, B("kept")).version, 1);
    assert_ok(lls_vec_apply(vec, coll, writes, LLS_COUNT(writes) - 1, &err), err);
    lls_vec_hits_fini(&hits);
    assert_ok(lls_vec_search(vec, coll, &query, &hits, &err), err);
    assert_ids(hits, "new,kept,");
    assert_int_equal(meta_of(vec, B("new")).version, 2);
    assert_ok(lls_vec_apply(vec, coll, NULL, 0, &err), err);
}

void vec_apply_is_in_order(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    const lls_vec_write writes[] = {
        {LLS_VEC_PUT, at_east(B("a"))},
        {LLS_VEC_PUT, vec_item(B("a"), model, LLS_VEC_COSINE, north, 3)},
        {LLS_VEC_DELETE, {.id = B("a")}},
        {LLS_VEC_CREATE, at_east(B("a"))},
        {LLS_VEC_PATCH, {.id = B("a"), .metadata = LLS_STR("{\"n\":1}")}},
        {LLS_VEC_PATCH, {.id = B("a"), .metadata = LLS_STR("{\"n\":2}")}},
    };
    lls_vec_item want = at_east(B("a"));

    assert_ok(lls_vec_apply(vec, coll, writes, LLS_COUNT(writes), &err), err);
    want.metadata = LLS_STR("{\"n\":2}");
    expect_item(vec, &want);
    assert_int_equal(meta_of(vec, B("a")).version, 3);
    assert_int_equal(vec_count(vec, coll), 1);
}

void vec_ids_may_hold_any_byte(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    uint8_t all[LLS_VEC_ID_MAX + 1];

    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (uint8_t)i;
    const lls_bytes ids[] = {
        {all, 256}, {all + 1, LLS_VEC_ID_MAX}, B("\x00"), B("\xff"), B("a"), B("a\x00"),
        B("A"),     B("it's \"\\ 100%")};
    for (size_t i = 0; i < LLS_COUNT(ids); i++)
        vec_put(vec, at_east(ids[i]));
    assert_int_equal(vec_count(vec, coll), LLS_COUNT(ids));
    for (size_t i = 0; i < LLS_COUNT(ids); i++) {
        lls_vec_item want = at_east(ids[i]);
        expect_item(vec, &want);
        assert_ok(vec_write(vec, LLS_VEC_DELETE, want, 1, &err), err);
        assert_int_equal(vec_count(vec, coll), LLS_COUNT(ids) - 1 - i);
    }
    const lls_bytes bad[] = {{all, 0}, {all, sizeof(all)}};
    for (size_t i = 0; i < LLS_COUNT(bad); i++)
        assert_code(vec_write(vec, LLS_VEC_PUT, at_east(bad[i]), 0, &err), LLS_E_INVALID, err);
}

void vec_get_many_keeps_the_order_asked_for(void **state)
{
    lls_vec *vec = vec_of(state);
    const lls_bytes ids[] = {B("c"), B("no"), B("a"), B("b")};
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_vec_item item = at_east(B("a"));
    lls_error err = {0};

    item.text = LLS_STR("t");
    item.scope = LLS_STR("s");
    vec_put(vec, item);
    vec_put(vec, at_east(B("b")));
    vec_put(vec, at_east(B("c")));
    assert_ok(lls_vec_get_many(vec, coll, ids, LLS_COUNT(ids), LLS_VEC_METADATA, &hits, &err), err);
    assert_ids(hits, "c,a,b,");
    assert_true(lls_str_eq(hits.hits[1].item.scope, LLS_STR("s")));
    assert_true(lls_str_eq(hits.hits[1].item.metadata, LLS_STR("{}")));
    assert_int_equal(hits.hits[1].item.text.len, 0); // not asked for
    assert_null(hits.hits[1].item.vector);
}
