#include "base/alloc.h"
#include "base/scope.h"
#include "ports/backend.h"
#include "testing/check.h"
#include "testing/vec_suite.h"

static lls_backend *backend;
static lls_records_view view;

static int open_group(void **state)
{
    lls_error err = {0};

    assert_ok(lls_backend_open(LLS_STR("memory"), NULL, 0, NULL, &backend, &err), err);
    *state = backend;
    return 0;
}

static int open_records(void **state)
{
    (void)open_group(state);
    lls_records_view_init(&view, backend->vec);
    *state = &view.backend;
    return 0;
}

static int close_group(void **state)
{
    (void)state;
    lls_backend_close(backend);
    return 0;
}

static const lls_kv_space coll = {LLS_STR_INIT("t"), LLS_STR_INIT("c")};
static const float east[] = {1, 0};

static lls_vec_item item_of(lls_bytes id, const char *text)
{
    return (lls_vec_item){.id = id,
                          .space = {.model = LLS_STR("m"), .dim = 2, .metric = LLS_VEC_L2},
                          .vector = east,
                          .text = lls_str_of(text)};
}

/* Documents and vectors take their room from one limit. */
static void limit_is_of_both_ports(void **state)
{
    const lls_setting setting = {.name = "limit", .value = "200B"};
    LLS_AUTO(lls_backend_ref) small = NULL;
    lls_vec_item item = item_of(B("a"), "some words");
    lls_error err = {0};

    (void)state;
    assert_ok(lls_backend_open(LLS_STR("memory"), &setting, 1, NULL, &small, &err), err);
    assert_ok(lls_vec_put(small->vec, coll, &item, &err), err);
    assert_ok(lls_kv_put(small->kv, coll, B("k"),
                         B("eighty bytes, more or less, of a value that "
                           "is long enough to fill what is left over"),
                         &err),
              err);
    item.id = B("b");
    assert_code(lls_vec_put(small->vec, coll, &item, &err), LLS_E_FULL, err);
    assert_string_equal(err.msg, "over the limit of 200 bytes");
    assert_ok(lls_kv_clear(small->kv, coll, &err), err);
    assert_ok(lls_vec_put(small->vec, coll, &item, &err), err);
}

static void reading_changes_nothing(void **state)
{
    const lls_backend_params params = {.access = LLS_READ_ONLY};
    LLS_AUTO(lls_backend_ref) reader = NULL;
    lls_vec_item item = item_of(B("a"), "");
    lls_error err = {0};

    (void)state;
    assert_ok(lls_backend_open(LLS_STR("memory"), NULL, 0, &params, &reader, &err), err);
    assert_code(lls_vec_put(reader->vec, coll, &item, &err), LLS_E_DENIED, err);
    assert_code(lls_vec_remove(reader->vec, coll, &(lls_filter){0}, NULL, &err), LLS_E_DENIED, err);
    assert_code(lls_kv_clear(reader->vec->records, coll, &err), LLS_E_DENIED, err);
}

/* A batch with a patch; then every way to ask; then a removal. */
static lls_err live(lls_vec *vec, lls_error *err)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    LLS_AUTO(lls_vec_hits) page = {0};
    const lls_vec_write writes[] = {
        {LLS_VEC_PUT, item_of(B("a"), "walrus and carpenter")},
        {LLS_VEC_CREATE, item_of(B("b"), "walrus")},
        {LLS_VEC_PATCH, {.id = B("a"), .metadata = LLS_STR("{\"n\":1}")}},
    };
    const lls_vec_query query = {.model = LLS_STR("m"), .vector = east, .dim = 2, .k = 5};
    const lls_vec_list list = {.limit = 5, .fields = LLS_VEC_WHOLE};
    const lls_filter_term term = {.op = LLS_FILTER_EXISTS, .path = LLS_STR("/n")};

    LLS_TRY(lls_vec_apply(vec, coll, writes, LLS_COUNT(writes), err));
    for (int i = 0; i < 2; i++) { // the index of words is made, and then follows
        lls_vec_item more = item_of(B("c"), i ? "walrus once more" : "oyster");
        LLS_TRY(lls_vec_hybrid(vec, coll, &query, LLS_STR("the walrus"), 0, &hits, err));
        lls_vec_hits_fini(&hits);
        LLS_TRY(lls_vec_put(vec, coll, &more, err));
    }
    LLS_TRY(lls_vec_list_page(vec, coll, &list, &page, err));
    return lls_vec_remove(vec, coll, &(lls_filter){.terms = &term, .term_count = 1}, NULL, err);
}

/* Whatever failed: what is there is a whole number of batches, and searches see all of it. */
static void expect_whole(lls_vec *vec, bool lived)
{
    LLS_AUTO(lls_vec_hits) near = {0};
    LLS_AUTO(lls_vec_hits) found = {0};
    const lls_vec_query query = {.model = LLS_STR("m"), .vector = east, .dim = 2, .k = 5};
    const lls_vec_words words = {LLS_STR("walrus oyster"), 5, NULL, LLS_VEC_IDS};
    lls_error err = {0};
    uint64_t count = 0;

    assert_ok(lls_vec_count(vec, coll, NULL, &count, &err), err);
    assert_true(lived ? count == 2 : count == 0 || count == 2 || count == 3);
    assert_ok(lls_vec_search(vec, coll, &query, &near, &err), err);
    assert_int_equal(near.count, count);
    assert_ok(lls_vec_match(vec, coll, &words, &found, &err), err);
    assert_int_equal(found.count, count);
}

static void survives_every_failed_allocation(void **state)
{
    lls_err e = LLS_E_NOMEM;
    int n = 0;

    (void)state;
    for (; e == LLS_E_NOMEM; n++) {
        LLS_AUTO(lls_backend_ref) mem = NULL;
        lls_error err = {0};
        assert_ok(lls_backend_open(LLS_STR("memory"), NULL, 0, NULL, &mem, &err), err);
        lls_alloc_fail_after(n);
        e = live(mem->vec, &err);
        lls_alloc_fail_after(-1);
        expect_whole(mem->vec, e == LLS_OK);
    }
    assert_int_equal(e, LLS_OK);
    assert_true(n > 80);
}

/* Numbers of documents are not used again, and yet the index does not grow with the changes. */
static void the_index_of_words_stays_small(void **state)
{
    LLS_AUTO(lls_backend_ref) mem = NULL;
    LLS_AUTO(lls_vec_hits) hits = {0};
    const lls_vec_words words = {LLS_STR("walrus"), 5, NULL, LLS_VEC_IDS};
    lls_error err = {0};

    (void)state;
    assert_ok(lls_backend_open(LLS_STR("memory"), NULL, 0, NULL, &mem, &err), err);
    for (int i = 0; i < 6000; i++) {
        lls_vec_item item = item_of(i % 2 ? B("a") : B("b"), i % 3 ? "walrus" : "oyster");
        assert_ok(lls_vec_put(mem->vec, coll, &item, &err), err);
        lls_vec_hits_fini(&hits);
        assert_ok(lls_vec_match(mem->vec, coll, &words, &hits, &err), err);
        size_t want = (i % 3 != 0 ? 1U : 0U) + (i > 0 && (i - 1) % 3 != 0 ? 1U : 0U);
        assert_int_equal(hits.count, want);
    }
}

int main(void)
{
    const struct CMUnitTest vectors[] = {
        LLS_VEC_SUITE,
        LLS_VEC_STAGE_SUITE,
        LLS_VEC_EXACT_SUITE,
        cmocka_unit_test(limit_is_of_both_ports),
        cmocka_unit_test(reading_changes_nothing),
        cmocka_unit_test(survives_every_failed_allocation),
        cmocka_unit_test(the_index_of_words_stays_small),
    };
    const struct CMUnitTest records[] = {LLS_VEC_RECORDS_SUITE};

    int failed = cmocka_run_group_tests_name("memory vectors", vectors, open_group, close_group);
    return failed +
           cmocka_run_group_tests_name("memory records", records, open_records, close_group);
}
