#include "ports/vec_record.h"

#include "base/scope.h"
#include "ports/vec_hits.h"
#include "testing/check.h"

#include <math.h>
#include <stdio.h>

static const float three[] = {1.0F, -0.5F, 0.25F};

static lls_vec_item sample(void)
{
    return (lls_vec_item){
        .id = B("id\0\xff"),
        .space = {.model = LLS_STR("m"), .dim = 3, .metric = LLS_VEC_L2},
        .vector = three,
        .scope = LLS_STR("session:1"),
        .text = LLS_STR("some words"),
        .metadata = LLS_STR("{ \"a\":1 }"),
        .event_usec = -5,
        .meta = {.version = 2, .created_usec = 3, .updated_usec = 4, .expires_usec = 5},
    };
}

static void a_record_comes_back_as_it_was(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) value = {0};
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item in = sample();
    lls_vec_item out;
    lls_error err = {0};

    lls_vec_record_encode(&in, &value);
    lls_kv_item item = {in.id, lls_buf_view(&value), in.meta};
    assert_ok(lls_vec_record_decode(&item, &floats, &out, &err), err);
    assert_true(lls_bytes_eq(out.id, in.id));
    assert_true(lls_str_eq(out.space.model, in.space.model));
    assert_int_equal(out.space.metric, LLS_VEC_L2);
    assert_memory_equal(out.vector, three, sizeof(three));
    assert_true(lls_str_eq(out.scope, in.scope));
    assert_true(lls_str_eq(out.text, in.text));
    assert_true(lls_str_eq(out.metadata, in.metadata));
    assert_int_equal(out.event_usec, -5);
    assert_memory_equal(&out.meta, &in.meta, sizeof(in.meta));
}

static void the_bytes_of_a_record_are_these(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) value = {0};
    lls_vec_item in = {.id = B("x"), .space = {.dim = 1, .metric = LLS_VEC_IP}, .vector = three};

    lls_vec_record_encode(&in, &value);
    assert_bytes(lls_buf_view(&value), "\x01\x02\x00\x00\x01\x00\x00\x00"
                                       "\x00\x00\x00\x00\x00\x00\x00\x00"
                                       "\x00\x00\x06\x00\x00\x00\x00\x00"
                                       "\x02\x00\x00\x00\x00\x00\x00\x00"
                                       "global{}\x00\x00\x80\x3f");
}

static void a_value_cut_or_changed_anywhere_is_refused_or_whole(void **state)
{
    (void)state;
    LLS_AUTO(lls_buf) value = {0};
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item in = sample();
    lls_vec_item out;
    lls_error err = {0};

    lls_vec_record_encode(&in, &value);
    for (size_t len = 0; len < value.len; len++) {
        lls_kv_item item = {in.id, {value.data, len}, in.meta};
        assert_code(lls_vec_record_decode(&item, &floats, &out, &err), LLS_E_CORRUPT, err);
    }
    for (size_t at = 0; at < 32; at++) {
        value.data[at] ^= 0x80;
        lls_kv_item item = {in.id, lls_buf_view(&value), in.meta};
        lls_err e = lls_vec_record_decode(&item, &floats, &out, &err);
        // Only the time of the event has bytes that could be others.
        assert_true(e == LLS_E_CORRUPT || (at >= 8 && at < 16));
        value.data[at] ^= 0x80;
    }
}

static void impossible_records_are_refused(void **state)
{
    (void)state;
    static const float nan_vector[] = {1.0F, NAN, 0.0F};
    static const float infinite[] = {1.0F, INFINITY, 0.0F};
    static const float nothing[] = {0.0F, 0.0F, 0.0F};
    lls_vec_item bad[10];
    lls_error err = {0};

    for (size_t i = 0; i < 10; i++)
        bad[i] = sample();
    bad[0].vector = nan_vector;
    bad[1].vector = infinite;
    bad[2].vector = nothing;
    bad[2].space.metric = LLS_VEC_COSINE;
    bad[3].space.normalised = true;
    bad[4].metadata = LLS_STR("[]");
    bad[5].text = LLS_STR("\xff");
    bad[6].scope = LLS_STR("a\nb");
    bad[7].space.dim = LLS_VEC_DIM_MAX + 1;
    bad[8].space.dim = 0; // but a model
    bad[9].id.len = 0;
    for (size_t i = 0; i < 10; i++)
        assert_code(lls_vec_item_check(&bad[i], &err), LLS_E_INVALID, err);
    lls_vec_item good = sample();
    good.vector = nothing; // has a distance under L2
    assert_ok(lls_vec_item_check(&good, &err), err);
}

static void hits_keep_copies_of_what_was_asked_for(void **state)
{
    (void)state;
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};

    for (int i = 0; i < 1000; i++) {
        char id[16];
        lls_vec_item item = sample();
        item.id = (lls_bytes){(uint8_t *)id, (size_t)snprintf(id, sizeof(id), "%d", i)};
        assert_ok(lls_vec_hits_add(&hits, &item, i % 2 ? LLS_VEC_WHOLE : LLS_VEC_IDS,
                                   (float)(i % 10), 0, &err),
                  err);
    }
    lls_vec_hits_rank(&hits, true, 150);
    assert_int_equal(hits.count, 150);
    assert_bytes(hits.hits[0].item.id, "0");
    assert_bytes(hits.hits[1].item.id, "10");
    assert_null(hits.hits[0].item.vector);
    assert_int_equal(hits.hits[0].item.text.len, 0);
    assert_bytes(hits.hits[100].item.id, "1");
    assert_memory_equal(hits.hits[100].item.vector, three, sizeof(three));
    assert_bytes(lls_bytes_of(hits.hits[100].item.text), "some words");
}

static void distances_are_what_their_names_say(void **state)
{
    (void)state;
    static const float a[] = {3.0F, 0.0F};
    static const float b[] = {0.0F, 4.0F};

    assert_true(lls_vec_distance(LLS_VEC_L2, a, b, 2) == 5.0);
    assert_true(lls_vec_distance(LLS_VEC_L1, a, b, 2) == 7.0);
    assert_true(lls_vec_distance(LLS_VEC_IP, a, a, 2) == -9.0);
    assert_true(lls_vec_distance(LLS_VEC_COSINE, a, b, 2) == 1.0);
    assert_true(lls_vec_score(LLS_VEC_COSINE, 0.25F) == 0.75F);
    assert_true(lls_vec_score(LLS_VEC_L2, 1.0F) == 0.5F);
    assert_true(lls_vec_score(LLS_VEC_IP, -9.0F) == 9.0F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_record_comes_back_as_it_was),
        cmocka_unit_test(the_bytes_of_a_record_are_these),
        cmocka_unit_test(a_value_cut_or_changed_anywhere_is_refused_or_whole),
        cmocka_unit_test(impossible_records_are_refused),
        cmocka_unit_test(hits_keep_copies_of_what_was_asked_for),
        cmocka_unit_test(distances_are_what_their_names_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
