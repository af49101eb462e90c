/* The records of the vector port as keys and values: canonical, in order, stable, and the same
 * thing as what the port shows. What the key/value suite cannot ask. */
#include "base/alloc.h"
#include "ports/record.h"
#include "ports/stage.h"
#include "ports/vec_record.h"
#include "testing/vec_space.h"
#include "testing/vec_suite.h"

#include <stdio.h>

static const lls_str model = LLS_STR_INIT("records");
static const float east[] = {1, 0};
static const float north[] = {0, 1};

static lls_vec_item item_at(lls_bytes id, const float vector[2], const char *text)
{
    lls_vec_item item = vec_item(id, model, LLS_VEC_L2, vector, 2);

    item.scope = LLS_STR("global");
    item.metadata = LLS_STR("{\"a\": 1}");
    item.text = lls_str_of(text);
    item.event_usec = 77;
    return item;
}

static lls_buf value_of(const lls_vec_item *item)
{
    lls_buf value = {0};
    lls_error err = {0};

    lls_vec_record_encode(item, &value);
    assert_ok(lls_buf_status(&value, &err), err);
    return value;
}

static lls_kv_write write_of(lls_kv_verb verb, const lls_vec_item *item, const lls_buf *value)
{
    return (lls_kv_write){.verb = verb,
                          .coll = coll.coll,
                          .key = item->id,
                          .value = lls_buf_view(value),
                          .meta = item->meta};
}

static void expect_nearest(lls_vec *vec, const float vector[2], const char *ids)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    const lls_vec_query query = {.model = model, .vector = vector, .dim = 2, .k = 10};
    lls_error err = {0};

    assert_ok(lls_vec_search(vec, coll, &query, &hits, &err), err);
    LLS_AUTO(lls_buf) got = vec_ids(&hits);
    assert_string_equal(lls_buf_cstr(&got), ids);
}

static void expect_words(lls_vec *vec, const char *text, const char *ids)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    const lls_vec_words words = {lls_str_of(text), 10, NULL, LLS_VEC_IDS};
    lls_error err = {0};

    assert_ok(lls_vec_match(vec, coll, &words, &hits, &err), err);
    LLS_AUTO(lls_buf) got = vec_ids(&hits);
    assert_string_equal(lls_buf_cstr(&got), ids);
}

void vec_records_have_canonical_values(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_vec_item item = item_at(B("a\x00\xff"), east, "some words");
    LLS_AUTO(lls_buf) want = value_of(&item);
    LLS_AUTO(lls_buf) got = {0};
    lls_kv_meta meta = {0};
    lls_error err = {0};

    assert_int_equal(vec->records->port, LLS_PORT_VEC);
    vec_put(vec, item);
    assert_ok(lls_kv_get(vec->records, coll, item.id, &got, &meta, &err), err);
    assert_true(lls_bytes_eq(lls_buf_view(&got), lls_buf_view(&want)));
    assert_int_equal(meta.version, 1);
    assert_true(meta.created_usec > 0);
}

void vec_records_are_written_as_items(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_vec_item a = item_at(B("a"), east, "walrus");
    lls_vec_item b = item_at(B("b"), north, "carpenter");
    LLS_AUTO(lls_buf) value_a = value_of(&a);
    LLS_AUTO(lls_buf) value_b = value_of(&b);
    lls_error err = {0};
    lls_kv_write writes[] = {write_of(LLS_KV_PUT, &a, &value_a),
                             write_of(LLS_KV_CREATE, &b, &value_b)};

    assert_ok(lls_kv_apply(vec->records, coll.tenant, writes, 2, &err), err);
    expect_nearest(vec, east, "a,b,");
    expect_words(vec, "walrus", "a,");
    writes[0] = write_of(LLS_KV_PUT, &a, &value_b); // 'a' is now what 'b' is
    writes[1] = write_of(LLS_KV_DELETE, &b, &value_b);
    assert_ok(lls_kv_apply(vec->records, coll.tenant, writes, 2, &err), err);
    expect_nearest(vec, east, "a,");
    expect_words(vec, "walrus", "");
    expect_words(vec, "carpenter", "a,");
    assert_ok(lls_kv_clear(vec->records, coll, &err), err);
    expect_nearest(vec, east, "");
    expect_words(vec, "carpenter", "");
}

void vec_records_refuse_what_is_not_canonical(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_vec_item item = item_at(B("a"), east, "some words");
    LLS_AUTO(lls_buf) value = value_of(&item);
    lls_kv_write write = write_of(LLS_KV_PUT, &item, &value);
    lls_error err = {0};

    for (size_t len = 0; len < value.len; len++) {
        write.value.len = len;
        assert_code(lls_kv_apply(vec->records, coll.tenant, &write, 1, &err), LLS_E_INVALID, err);
    }
    write.value = B("{\"plain\":\"JSON\"}");
    assert_code(lls_kv_apply(vec->records, coll.tenant, &write, 1, &err), LLS_E_INVALID, err);
    assert_int_equal(vec_count(vec, coll), 0);
}

void vec_records_refuse_to_mix_spaces(void **state)
{
    static const float longer[] = {1, 0, 0};
    lls_vec *vec = vec_of(state);
    lls_vec_item item = item_at(B("b"), longer, "");
    lls_error err = {0};

    vec_put(vec, item_at(B("a"), east, ""));
    item.space.dim = 3;
    LLS_AUTO(lls_buf) value = value_of(&item);
    lls_kv_write write = write_of(LLS_KV_RESTORE, &item, &value);
    write.meta = (lls_kv_meta){1, 1, 1, 0};
    assert_code(lls_kv_apply(vec->records, coll.tenant, &write, 1, &err), LLS_E_MISMATCH, err);
    assert_int_equal(vec_count(vec, coll), 1);
}

/* Sum up every byte and field of a scan, as digests and copies do. */
static lls_digest digest_of(lls_kv *records, lls_kv_space space, uint64_t *count)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_buf) last = {0};
    lls_digest sum = {0};
    lls_error err = {0};
    lls_kv_item item;
    lls_err e;

    *count = 0;
    assert_ok(lls_kv_scan(records, space, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    while ((e = lls_kv_iter_next(it, &item, &err)) == LLS_OK) {
        assert_true(lls_bytes_cmp(lls_buf_view(&last), item.key) < 0);
        lls_buf_clear(&last);
        lls_buf_add(&last, item.key);
        lls_digest_add(&sum, lls_record_digest(coll.coll, &item));
        ++*count;
    }
    assert_code(e, LLS_END, err);
    return sum;
}

/* Records of every kind: with and without vectors, texts, expiry; long ids, many dimensions. */
static void fill_anything(lls_vec *vec, int count)
{
    static float vector[1536];
    static uint8_t id[LLS_VEC_ID_MAX];
    static const uint32_t dims[] = {0, 1, 3, 384, 1536};
    uint64_t random = 17;
    lls_error err = {0};

    for (int i = 0; i < count; i++) {
        uint32_t dim = dims[vec_random(&random) % LLS_COUNT(dims)];
        size_t id_len = 1 + vec_random(&random) % (i % 10 ? 12 : LLS_VEC_ID_MAX);
        for (size_t n = 0; n < id_len; n++)
            id[n] = (uint8_t)vec_random(&random);
        vec_random_fill(&random, vector, dim ? dim : 1);
        lls_vec_item item = {.id = {id, id_len}, .space = {.dim = dim}, .vector = vector};
        item.text = i % 3 ? LLS_STR("Zoë und\0die \xf0\x9f\xa6\xad") : LLS_STR("");
        item.metadata = i % 2 ? LLS_STR(" {\"s\":\"\\u0000\", \"s\" : 1.0e0}") : LLS_STR("{}");
        item.scope = i % 5 ? LLS_STR("user:\"1\"") : LLS_STR("global");
        item.event_usec = i % 4 ? (int64_t)vec_random(&random) : LLS_TIME_MIN_USEC;
        item.meta = (lls_kv_meta){1 + vec_random(&random), -5, i, i % 7 ? 0 : 1};
        const lls_vec_write write = {LLS_VEC_RESTORE, item};
        assert_ok(lls_vec_apply(vec, coll, &write, 1, &err), err);
    }
}

/* Copy a scan into another collection with RESTORE: nothing may be lost on the way. */
void vec_records_survive_a_round_trip(void **state)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    lls_kv_item item;
    uint64_t count = 0;
    uint64_t copied = 0;
    lls_err e;

    fill_anything(vec, 200);
    lls_digest before = digest_of(vec->records, coll, &count);
    assert_true(count > 190);
    assert_ok(lls_kv_scan(vec->records, coll, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    while ((e = lls_kv_iter_next(it, &item, &err)) == LLS_OK) {
        const lls_kv_write write = {.verb = LLS_KV_RESTORE,
                                    .coll = second.coll,
                                    .key = item.key,
                                    .value = item.value,
                                    .meta = item.meta};
        assert_ok(lls_kv_apply(vec->records, second.tenant, &write, 1, &err), err);
    }
    assert_code(e, LLS_END, err);
    lls_digest after = digest_of(vec->records, second, &copied);
    assert_int_equal(copied, count);
    assert_true(lls_digest_eq(before, after));
}

/* The digest of a fixed collection, as it came out once: every backend keeps the same records. */
void vec_records_have_the_same_digest_everywhere(void **state)
{
    char text[LLS_DIGEST_TEXT];
    uint64_t count = 0;

    fill_anything(vec_of(state), 200);
    lls_digest_format(digest_of(vec_of(state)->records, coll, &count), text);
    assert_string_equal(text, "7c70cb556250675c29af5e9c5e023a56");
}

void vec_scan_sees_one_moment(void **state)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    lls_kv_item item;
    char id[16];
    int seen = 0;
    lls_err e;

    for (int i = 0; i < 300; i++) {
        (void)snprintf(id, sizeof(id), "%04d", i);
        vec_put(vec, item_at(lls_bytes_of(lls_str_of(id)), east, "old"));
    }
    assert_ok(lls_kv_scan(vec->records, coll, (lls_kv_range){0}, LLS_KV_ALL, &it, &err), err);
    for (int i = 0; i < 300; i += 3) {
        (void)snprintf(id, sizeof(id), "%04d", i);
        vec_put(vec, item_at(lls_bytes_of(lls_str_of(id)), north, "changed"));
        (void)snprintf(id, sizeof(id), "%04d", i + 1);
        assert_ok(lls_kv_delete(vec->records, coll, lls_bytes_of(lls_str_of(id)), &err), err);
        (void)snprintf(id, sizeof(id), "%04d+", i);
        vec_put(vec, item_at(lls_bytes_of(lls_str_of(id)), north, "new"));
    }
    assert_ok(lls_vec_tend(vec, coll, &err), err);
    LLS_AUTO(lls_buf) floats = {0};
    for (; (e = lls_kv_iter_next(it, &item, &err)) == LLS_OK; seen++) {
        lls_vec_item record;
        (void)snprintf(id, sizeof(id), "%04d", seen);
        assert_true(lls_bytes_eq(item.key, lls_bytes_of(lls_str_of(id))));
        assert_ok(lls_vec_record_decode(&item, &floats, &record, &err), err);
        assert_true(lls_str_eq(record.text, LLS_STR("old")));
        assert_memory_equal(record.vector, east, sizeof(east));
    }
    assert_code(e, LLS_END, err);
    assert_int_equal(seen, 300);
}

static lls_kv_stage *open_stage(lls_vec *vec, lls_stage_mode mode)
{
    const lls_stage_spec spec = {coll.tenant, LLS_STR("vec_run"), &coll.coll, 1, mode};
    lls_kv_stage *stage = NULL;
    lls_error err = {0};

    assert_ok(lls_stage_open(vec->records, &spec, &stage, &err), err);
    return stage;
}

static lls_err stage_item(lls_kv_stage *stage, lls_vec_item item, lls_error *err)
{
    LLS_AUTO(lls_buf) value = value_of(&item);
    const lls_kv_item staged = {item.id, lls_buf_view(&value), {3, 1, 2, 0}};

    return lls_stage_add(stage, coll.coll, &staged, 1, err);
}

/* What is published is found by every way there is; what was replaced by none. */
void vec_published_records_are_found(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};

    vec_put(vec, item_at(B("a"), east, "old walrus"));
    vec_put(vec, item_at(B("c"), east, "old oyster"));
    expect_words(vec, "walrus", "a,");
    lls_kv_stage *stage = open_stage(vec, LLS_STAGE_MERGE);
    assert_ok(stage_item(stage, item_at(B("a"), north, "new carpenter"), &err), err);
    assert_ok(stage_item(stage, item_at(B("b"), north, "new walrus"), &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    expect_nearest(vec, east, "a,c,");
    expect_words(vec, "walrus", "a,");
    assert_ok(lls_stage_publish(stage, &err), err);
    lls_stage_close(stage);
    expect_nearest(vec, east, "c,a,b,");
    expect_words(vec, "walrus", "b,");
    expect_words(vec, "new", "a,b,");

    stage = open_stage(vec, LLS_STAGE_REPLACE);
    assert_ok(stage_item(stage, item_at(B("z"), east, "alone"), &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_stage_publish(stage, &err), err);
    lls_stage_close(stage);
    expect_nearest(vec, east, "z,");
    expect_words(vec, "walrus new old alone", "z,");
    assert_int_equal(vec_count(vec, coll), 1);
}

/* A space may become another one as a whole, not in part. */
void vec_stages_refuse_to_mix_spaces(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_vec_item other = item_at(B("b"), north, "");
    lls_error err = {0};

    vec_put(vec, item_at(B("a"), east, "stays"));
    other.space.metric = LLS_VEC_COSINE;
    lls_kv_stage *stage = open_stage(vec, LLS_STAGE_MERGE);
    lls_err e = stage_item(stage, other, &err);
    if (e == LLS_OK)
        e = lls_stage_prepare(stage, &err);
    if (e == LLS_OK)
        e = lls_stage_publish(stage, &err);
    assert_code(e, LLS_E_MISMATCH, err);
    lls_stage_close(stage);
    assert_ok(lls_stage_discard(vec->records, coll.tenant, LLS_STR("vec_run"), &err), err);
    expect_nearest(vec, east, "a,");
    assert_int_equal(vec_count(vec, coll), 1);

    stage = open_stage(vec, LLS_STAGE_REPLACE);
    assert_ok(stage_item(stage, other, &err), err);
    assert_ok(lls_stage_prepare(stage, &err), err);
    assert_ok(lls_stage_publish(stage, &err), err);
    lls_stage_close(stage);
    expect_nearest(vec, north, "b,");
    other.id = B("c");
    vec_put(vec, other);
}

void vec_stages_refuse_what_is_not_canonical(void **state)
{
    lls_vec *vec = vec_of(state);
    const lls_kv_item bad = {B("a"), B("no record"), {1, 1, 1, 0}};
    lls_kv_stage *stage = open_stage(vec, LLS_STAGE_MERGE);
    lls_error err = {0};

    lls_err e = lls_stage_add(stage, coll.coll, &bad, 1, &err);
    if (e == LLS_OK)
        e = lls_stage_prepare(stage, &err);
    lls_stage_close(stage);
    assert_code(e, LLS_E_INVALID, err);
}
