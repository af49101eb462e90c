/* What is refused, with nothing changed; and what keeps apart: spaces, collections, tenants. */
#include "ports/stage.h"
#include "testing/vec_space.h"
#include "testing/vec_suite.h"

#include <math.h>

static const float east[] = {1, 0, 0};
static const lls_str model = LLS_STR_INIT("compass");

static lls_vec_item at_east(lls_bytes id)
{
    return vec_item(id, model, LLS_VEC_COSINE, east, 3);
}

/* A batch in which the last one is bad, behind one that is good: nothing may have changed. */
static void expect_refused(lls_vec *vec, lls_vec_item bad, lls_err want)
{
    const lls_vec_write writes[] = {{LLS_VEC_PUT, at_east(B("good"))}, {LLS_VEC_PUT, bad}};
    lls_error err = {0};

    assert_code(lls_vec_apply(vec, coll, writes, LLS_COUNT(writes), &err), want, err);
    assert_false(vec_has(vec, coll, B("good")));
    assert_int_equal(vec_count(vec, coll), 1);
    assert_true(err.msg[0] != '\0');
}

void vec_bad_vectors_are_refused(void **state)
{
    static float many[LLS_VEC_DIM_MAX + 1];
    lls_vec *vec = vec_of(state);
    const float bad[][3] = {{NAN, 0, 1}, {0, INFINITY, 1}, {1, 0, -INFINITY}, {0, 0, 0}};

    many[0] = 1;
    vec_put(vec, at_east(B("kept")));
    for (size_t i = 0; i < LLS_COUNT(bad); i++)
        expect_refused(vec, vec_item(B("bad"), model, LLS_VEC_COSINE, bad[i], 3), LLS_E_INVALID);
    expect_refused(vec, vec_item(B("bad"), LLS_STR("m"), LLS_VEC_L2, many, LLS_VEC_DIM_MAX + 1),
                   LLS_E_INVALID);
    lls_vec_item longer = vec_item(B("bad"), LLS_STR("unit"), LLS_VEC_IP, many, 2);
    const float two[] = {2, 0};
    longer.space.normalised = true;
    longer.vector = two;
    expect_refused(vec, longer, LLS_E_INVALID);
    // a zero vector has a place in the other metrics
    const float zero[] = {0, 0};
    vec_put(vec, vec_item(B("zero"), LLS_STR("l2"), LLS_VEC_L2, zero, 2));
    vec_put(vec, vec_item(B("zero"), LLS_STR("ip"), LLS_VEC_IP, zero, 2));
}

void vec_bad_texts_are_refused(void **state)
{
    lls_vec *vec = vec_of(state);
    const char *const metadata[] = {"[]", "1", "{", "{\"a\":\"\x01\"}", "{\"a\":\"\xff\"}", "{}x"};

    vec_put(vec, at_east(B("kept")));
    for (size_t i = 0; i < LLS_COUNT(metadata); i++)
        expect_refused(vec, vec_note(B("bad"), LLS_STR(""), lls_str_of(metadata[i])),
                       LLS_E_INVALID);
    expect_refused(vec, vec_note(B("bad"), LLS_STR("\xff"), LLS_STR("{}")), LLS_E_INVALID);
    lls_vec_item item = vec_note(B("bad"), LLS_STR(""), LLS_STR("{}"));
    item.scope = LLS_STR("a\nb");
    expect_refused(vec, item, LLS_E_INVALID);
    item = at_east(B("bad"));
    item.space.model = LLS_STR("\xc3");
    expect_refused(vec, item, LLS_E_INVALID);
}

/* What the first record of a space says holds for all that follow. */
void vec_spaces_refuse_to_mix(void **state)
{
    lls_vec *vec = vec_of(state);
    const float unit[] = {0, 1, 0, 0};
    lls_vec_item normalised = vec_item(B("bad"), model, LLS_VEC_COSINE, unit, 3);
    lls_error err = {0};

    vec_put(vec, at_east(B("kept")));
    expect_refused(vec, vec_item(B("bad"), model, LLS_VEC_COSINE, unit, 4), LLS_E_MISMATCH);
    expect_refused(vec, vec_item(B("bad"), model, LLS_VEC_L2, unit, 3), LLS_E_MISMATCH);
    normalised.space.normalised = true;
    expect_refused(vec, normalised, LLS_E_MISMATCH);
    // two that disagree in one batch
    const lls_vec_write writes[] = {
        {LLS_VEC_PUT, vec_item(B("x"), LLS_STR("fresh"), LLS_VEC_L2, unit, 3)},
        {LLS_VEC_PUT, vec_item(B("y"), LLS_STR("fresh"), LLS_VEC_L2, unit, 4)},
    };
    assert_code(lls_vec_apply(vec, coll, writes, 2, &err), LLS_E_MISMATCH, err);
    assert_int_equal(vec_count(vec, coll), 1);
    // a model without a name is named by its dimension
    vec_put(vec, vec_item(B("n3"), LLS_STR(""), LLS_VEC_L2, unit, 3));
    vec_put(vec, vec_item(B("n4"), LLS_STR(""), LLS_VEC_IP, unit, 4));
    assert_code(
        vec_write(vec, LLS_VEC_PUT, vec_item(B("n"), LLS_STR(""), LLS_VEC_IP, unit, 3), 0, &err),
        LLS_E_MISMATCH, err);
    // other collections have spaces of their own
    lls_vec_item elsewhere = vec_item(B("a"), model, LLS_VEC_IP, unit, 4);
    assert_ok(lls_vec_put(vec, second, &elsewhere, &err), err);
    assert_ok(lls_vec_put(vec, foreign, &elsewhere, &err), err);
}

static lls_vec_item compass(lls_bytes id, lls_vec_metric metric, uint32_t dim)
{
    return vec_item(id, model, metric, east, dim);
}

/* Do a batch of two, and see that nothing but `left` is there, in the space of `metric`. */
static void expect_batch(lls_vec *vec, lls_vec_write a, lls_vec_write b, const char *left,
                         uint32_t dim)
{
    const lls_vec_query query = {.model = model, .vector = east, .dim = dim, .k = 9};
    const lls_vec_write writes[] = {a, b};
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};

    assert_ok(lls_vec_apply(vec, coll, writes, 2, &err), err);
    assert_ok(lls_vec_search(vec, coll, &query, &hits, &err), err);
    LLS_AUTO(lls_buf) ids = vec_ids(&hits);
    assert_string_equal(lls_buf_cstr(&ids), left);
    assert_int_equal(vec_count(vec, coll), hits.count);
}

/* A batch is judged by what it leaves: in which order it gets there is nobody's business. */
void vec_a_batch_may_declare_a_space_anew(void **state)
{
    lls_vec *vec = vec_of(state);
    const lls_vec_verb put = LLS_VEC_PUT;
    const lls_vec_write none = {LLS_VEC_DELETE, {.id = B("none")}};

    vec_put(vec, at_east(B("a")));
    expect_batch(vec, (lls_vec_write){LLS_VEC_DELETE, {.id = B("a")}},
                 (lls_vec_write){put, compass(B("b"), LLS_VEC_L2, 2)}, "b,", 2);
    expect_batch(vec, (lls_vec_write){put, compass(B("c"), LLS_VEC_IP, 3)},
                 (lls_vec_write){LLS_VEC_DELETE, {.id = B("b")}}, "c,", 3);
    expect_batch(vec, (lls_vec_write){put, compass(B("c"), LLS_VEC_L2, 1)}, none, "c,", 1);
    vec_put(vec, compass(B("d"), LLS_VEC_L2, 1));
    expect_batch(vec, (lls_vec_write){put, compass(B("d"), LLS_VEC_L1, 3)},
                 (lls_vec_write){put, compass(B("c"), LLS_VEC_L1, 3)}, "c,d,", 3);
    // what the batch itself takes back declares nothing
    expect_batch(vec, (lls_vec_write){put, compass(B("c"), LLS_VEC_L2, 2)},
                 (lls_vec_write){put, compass(B("c"), LLS_VEC_L1, 3)}, "c,d,", 3);
    expect_batch(vec, (lls_vec_write){put, compass(B("e"), LLS_VEC_L2, 2)},
                 (lls_vec_write){LLS_VEC_DELETE, {.id = B("e")}}, "c,d,", 3);
}

static void expect_mixed(lls_vec *vec, lls_vec_write a, lls_vec_write b)
{
    const lls_vec_write writes[] = {a, b};
    lls_error err = {0};

    assert_code(lls_vec_apply(vec, coll, writes, 2, &err), LLS_E_MISMATCH, err);
    assert_true(err.msg[0] != '\0');
    assert_true(vec_has(vec, coll, B("c")) && vec_has(vec, coll, B("d")));
    assert_int_equal(vec_count(vec, coll), 2);
}

/* As long as one record stays in a space, the space is what it was. */
void vec_a_batch_that_leaves_a_space_mixed_is_refused(void **state)
{
    const lls_vec_write other = {LLS_VEC_PUT, compass(B("e"), LLS_VEC_L1, 3)};
    lls_vec_write patch = {LLS_VEC_PATCH, {.id = B("c"), .metadata = LLS_STR("{\"a\":1}")}};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};

    vec_put(vec, at_east(B("c")));
    vec_put(vec, at_east(B("d")));
    expect_mixed(vec, (lls_vec_write){LLS_VEC_DELETE, {.id = B("d")}}, other);
    expect_mixed(vec, other, (lls_vec_write){LLS_VEC_DELETE, {.id = B("c")}});
    expect_mixed(vec, (lls_vec_write){LLS_VEC_PUT, compass(B("d"), LLS_VEC_L1, 3)},
                 (lls_vec_write){LLS_VEC_PUT, compass(B("c"), LLS_VEC_COSINE, 3)});
    expect_mixed(vec, patch, (lls_vec_write){LLS_VEC_PUT, compass(B("d"), LLS_VEC_L1, 3)});
    // all leave, but those that come do not agree
    const lls_vec_write writes[] = {
        {LLS_VEC_DELETE, {.id = B("c")}},
        {LLS_VEC_DELETE, {.id = B("d")}},
        {LLS_VEC_PUT, compass(B("x"), LLS_VEC_L1, 3)},
        {LLS_VEC_PUT, compass(B("y"), LLS_VEC_L2, 3)},
    };
    assert_code(lls_vec_apply(vec, coll, writes, LLS_COUNT(writes), &err), LLS_E_MISMATCH, err);
    assert_int_equal(vec_count(vec, coll), 2);
    assert_ok(lls_vec_apply(vec, coll, writes, LLS_COUNT(writes) - 1, &err), err);
    assert_int_equal(vec_count(vec, coll), 1);
}

/* Whoever emptied a collection may begin anew. */
void vec_cleared_spaces_are_forgotten(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};

    vec_put(vec, at_east(B("a")));
    assert_ok(lls_kv_clear(vec->records, coll, &err), err);
    vec_put(vec, vec_item(B("a"), model, LLS_VEC_L2, east, 2));
    assert_int_equal(vec_count(vec, coll), 1);
}

/* Put a record for the tenant, by hand and through a stage, and take it away again. */
static void use_tenant(lls_vec *vec, lls_kv_space longest)
{
    const lls_stage_spec spec = {longest.tenant, LLS_STR("long"), &longest.coll, 1,
                                 LLS_STAGE_MERGE};
    LLS_AUTO(lls_kv_stage_ref) stage = NULL;
    lls_vec_item item = at_east(B("a"));
    lls_error err = {0};

    assert_int_equal(vec_count(vec, longest), 0);
    assert_ok(lls_vec_put(vec, longest, &item, &err), err);
    assert_ok(lls_vec_tend(vec, longest, &err), err);
    if (vec->records->ops->stage) {
        assert_ok(lls_stage_open(vec->records, &spec, &stage, &err), err);
        assert_ok(lls_stage_prepare(stage, &err), err);
        assert_ok(lls_stage_publish(stage, &err), err);
    }
    assert_true(vec_has(vec, longest, B("a")));
}

/* Capitals and signs may take more room in a name on disk than letters. */
void vec_names_may_be_as_long_as_allowed(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    char tenant[LLS_TENANT_MAX];
    char name[LLS_COLL_MAX];
    const lls_kv_space longest = {{tenant, sizeof(tenant)}, {name, sizeof(name)}};

    memset(name, 'c', sizeof(name));
    memset(tenant, 'T', sizeof(tenant));
    for (int i = 0; i < 3; i++) { // some that differ in the last byte
        tenant[LLS_TENANT_MAX - 1] = (char)('Y' + i);
        use_tenant(vec, longest);
    }
    for (int i = 0; i < 3; i++) {
        tenant[LLS_TENANT_MAX - 1] = (char)('Y' + i);
        assert_int_equal(vec_count(vec, longest), 1);
        assert_ok(lls_kv_clear(vec->records, longest, &err), err);
        assert_int_equal(vec_count(vec, longest), 0);
    }
}

void vec_tenants_and_collections_do_not_mix(void **state)
{
    lls_vec *vec = vec_of(state);
    lls_vec_item item = at_east(B("a"));
    const lls_vec_query query = {.model = model, .vector = east, .dim = 3, .k = 9};
    const lls_vec_words words = {LLS_STR("walrus"), 9, NULL, LLS_VEC_IDS};
    const lls_vec_list list = {.limit = 9};
    lls_error err = {0};

    item.text = LLS_STR("walrus");
    vec_put(vec, item);
    const lls_kv_space others[] = {second, foreign};
    for (size_t i = 0; i < LLS_COUNT(others); i++) {
        LLS_AUTO(lls_vec_hits) hits = {0};
        assert_false(vec_has(vec, others[i], B("a")));
        assert_int_equal(vec_count(vec, others[i]), 0);
        assert_ok(lls_vec_search(vec, others[i], &query, &hits, &err), err);
        assert_int_equal(hits.count, 0);
        assert_ok(lls_vec_match(vec, others[i], &words, &hits, &err), err);
        assert_int_equal(hits.count, 0);
        assert_ok(lls_vec_list_page(vec, others[i], &list, &hits, &err), err);
        assert_int_equal(hits.count, 0);
    }
    item.id = B("b");
    assert_ok(lls_vec_put(vec, foreign, &item, &err), err);
    assert_int_equal(vec_count(vec, coll), 1);
    assert_ok(lls_kv_clear(vec->records, foreign, &err), err);
    assert_true(vec_has(vec, coll, B("a")));
}
