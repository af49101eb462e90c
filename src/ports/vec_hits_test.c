#include "ports/vec_hits.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"

#include <stdio.h>

static const float vector[] = {1.5F, -2.5F, 0};

static lls_vec_item item_of(const char *id)
{
    return (lls_vec_item){
        .id = lls_bytes_of(lls_str_of(id)),
        .space = {.model = LLS_STR("model"), .dim = LLS_COUNT(vector)},
        .vector = vector,
        .scope = LLS_STR("global"),
        .text = LLS_STR("text"),
        .metadata = LLS_STR("{}"),
        .event_usec = 5,
    };
}

static void add(lls_vec_hits *hits, const char *id, float distance, float score)
{
    lls_error err = {0};
    lls_vec_item item = item_of(id);

    assert_ok(lls_vec_hits_add(hits, &item, LLS_VEC_IDS, distance, score, &err), err);
}

static void expect_ids(const lls_vec_hits *hits, const char *wanted)
{
    LLS_AUTO(lls_buf) ids = {0};

    for (size_t i = 0; i < hits->count; i++) {
        lls_buf_add(&ids, hits->hits[i].item.id);
        lls_buf_add_text(&ids, ",");
    }
    assert_string_equal(lls_buf_cstr(&ids), wanted);
}

static void hits_are_copies_of_the_fields_asked_for(void **state)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};
    char id[] = "walrus";
    lls_vec_item item = item_of(id);

    (void)state;
    assert_ok(lls_vec_hits_add(&hits, &item, LLS_VEC_WHOLE, 0.5F, 0.25F, &err), err);
    assert_ok(lls_vec_hits_add(&hits, &item, LLS_VEC_TEXT, 0, 0, &err), err);
    assert_ok(lls_vec_hits_add(&hits, &item, LLS_VEC_IDS, 0, 0, &err), err);
    memset(id, 'x', sizeof(id) - 1);
    for (size_t i = 0; i < hits.count; i++) {
        assert_bytes(hits.hits[i].item.id, "walrus");
        assert_true(lls_str_eq(hits.hits[i].item.scope, LLS_STR("global")));
        assert_true(lls_str_eq(hits.hits[i].item.space.model, LLS_STR("model")));
        assert_int_equal(hits.hits[i].item.event_usec, 5);
    }
    assert_ptr_not_equal(hits.hits[0].item.vector, vector);
    assert_memory_equal(hits.hits[0].item.vector, vector, sizeof(vector));
    assert_bytes(lls_bytes_of(hits.hits[0].item.metadata), "{}");
    assert_true(hits.hits[0].distance == 0.5F && hits.hits[0].score == 0.25F);
    assert_bytes(lls_bytes_of(hits.hits[1].item.text), "text");
    assert_int_equal(hits.hits[1].item.metadata.len, 0);
    assert_null(hits.hits[1].item.vector);
    assert_int_equal(hits.hits[2].item.text.len, 0);
}

static void ranks_are_by_distance_or_by_score(void **state)
{
    LLS_AUTO(lls_vec_hits) hits = {0};

    (void)state;
    lls_vec_hits_rank(&hits, true, 5); // of nothing
    add(&hits, "b", 2, 1);
    add(&hits, "a", 2, 3);
    add(&hits, "c", 1, 1);
    add(&hits, "ab", 2, 0);
    lls_vec_hits_rank(&hits, true, 10);
    expect_ids(&hits, "c,a,ab,b,");
    lls_vec_hits_rank(&hits, false, 10);
    expect_ids(&hits, "a,b,c,ab,");
    lls_vec_hits_rank(&hits, false, 2);
    expect_ids(&hits, "a,b,");
}

/* Views stay where they are while thousands are added, some of them larger than a block. */
static void views_stay_while_hits_are_added(void **state)
{
    enum { HITS = 5000, LARGE = 200000 };
    LLS_AUTO(lls_vec_hits) hits = {0};
    LLS_AUTO(lls_buf) large = {0};
    lls_error err = {0};
    char id[16];

    (void)state;
    while (large.len < LARGE)
        lls_buf_add_text(&large, "many words ");
    for (int i = 0; i < HITS; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        lls_vec_item item = item_of(id);
        item.text = i % 1000 == 500 ? lls_buf_str(&large) : LLS_STR("small");
        assert_ok(lls_vec_hits_add(&hits, &item, LLS_VEC_WHOLE, 0, 0, &err), err);
    }
    for (int i = 0; i < HITS; i++) {
        const lls_vec_item *item = &hits.hits[i].item;
        (void)snprintf(id, sizeof(id), "%d", i);
        assert_true(lls_bytes_eq(item->id, lls_bytes_of(lls_str_of(id))));
        assert_int_equal(item->text.len, i % 1000 == 500 ? large.len : 5);
        assert_memory_equal(item->vector, vector, sizeof(vector));
        assert_int_equal((uintptr_t)item->vector % _Alignof(float), 0);
    }
}

static void cleared_hits_may_be_filled_again(void **state)
{
    LLS_AUTO(lls_vec_hits) hits = {0};

    (void)state;
    lls_vec_hits_clear(&hits); // of nothing
    for (int round = 0; round < 3; round++) {
        add(&hits, "a", 1, 1);
        add(&hits, "b", 0, 1);
        expect_ids(&hits, "a,b,");
        lls_vec_hits_clear(&hits);
        assert_int_equal(hits.count, 0);
    }
    lls_vec_hits_fini(&hits);
    lls_vec_hits_fini(&hits); // as often as one likes
}

static void failed_additions_keep_what_there_was(void **state)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};
    lls_vec_item item = item_of("b");
    lls_err e = LLS_E_NOMEM;
    long n = 0;

    (void)state;
    for (; e == LLS_E_NOMEM; n++) {
        lls_alloc_fail_after(n);
        e = lls_vec_hits_add(&hits, &item, LLS_VEC_WHOLE, 0, 0, &err);
        lls_alloc_fail_after(-1);
        expect_ids(&hits, e == LLS_OK ? "b," : "");
    }
    assert_int_equal(e, LLS_OK);
    assert_true(n > 2); // what the first ones got is kept
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hits_are_copies_of_the_fields_asked_for),
        cmocka_unit_test(ranks_are_by_distance_or_by_score),
        cmocka_unit_test(views_stay_while_hits_are_added),
        cmocka_unit_test(cleared_hits_may_be_filled_again),
        cmocka_unit_test(failed_additions_keep_what_there_was),
    };

    return cmocka_run_group_tests_name("vector hits", tests, NULL, NULL);
}
