/* Filters: each operation on metadata that was written to be misunderstood, scopes and times; and
 * searches under filters that let through all, some, or hardly any. */
#include "base/alloc.h"
#include "testing/clock.h"
#include "testing/vec_model.h"
#include "testing/vec_space.h"
#include "testing/vec_suite.h"

#include <stdio.h>

/* ---- nasty metadata, and what must be found in it: worked out by hand ---- */

typedef struct note {
    const char *id;
    const char *metadata;
} note;

static const note notes[] = {
    {"array", "{\"tags\":[\"a\",1.0,null,[\"deep\"],\"caf\\u00e9\",true]}"},
    {"bigint", "{\"n\":9007199254740993}"},
    {"bool", "{\"n\":true,\"s\":\"true\"}"},
    {"double", "{\"n\":1,\"n\":2,\"s\":\"first\",\"s\":\"last\"}"},
    {"empty", "{}"},
    {"emptyname", "{\"\":\"nameless\"}"},
    {"escaped", "{\"s\":\"caf\\u00e9\",\"\\u006e\":3}"},
    {"exp", "{\"n\":1e0}"},
    {"float", "{\"n\":1.0}"},
    {"huge", "{\"n\":1e400}"},
    {"int", "{\"n\":1}"},
    {"nested", "{\"a\":{\"b/c\":{\"~\":[10,20,{\"x\":\"found\"}]}},\"/a\":5}"},
    {"negzero", "{\"n\":-0.0}"},
    {"nul", "{\"s\":\"a\\u0000b\"}"},
    {"null", "{\"n\":null,\"s\":null}"},
    {"plain", "{\"s\":\"caf\xc3\xa9\"}"},
    {"quote", "{\"s\":\"it's \\\"so\\\" \\\\ 100%_\"}"},
    {"small", "{\"n\":1e-400}"},
    {"spaced", " { \"n\" :\t1.00 , \"s\" : \"x\" }\n"},
    {"surrogate", "{\"s\":\"\\ud83d\\ude00\"}"},
    {"text1", "{\"n\":\"1\"}"},
    {"upper", "{\"s\":\"CAF\xc3\x89\",\"N\":1}"},
};

typedef struct expectation {
    lls_filter_op op;
    const char *path;
    const char *values[3];
    const char *low;
    const char *high;
    bool low_open;
    bool high_open;
    const char *ids;
} expectation;

static const expectation expectations[] = {
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"1"}, .ids = "exp,float,int,spaced,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"1.0"}, .ids = "exp,float,int,spaced,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"10e-1"}, .ids = "exp,float,int,spaced,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"2"}, .ids = "double,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"\"1\""}, .ids = "text1,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"true"}, .ids = "bool,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"null"}, .ids = "null,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"3"}, .ids = "escaped,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"0"}, .ids = "negzero,small,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"9007199254740992"}, .ids = "bigint,"},
    {.op = LLS_FILTER_EQ, .path = "n", .values = {"1e999"}, .ids = "huge,"},
    {.op = LLS_FILTER_EQ, .path = "s", .values = {"\"caf\xc3\xa9\""}, .ids = "escaped,plain,"},
    {.op = LLS_FILTER_EQ, .path = "s", .values = {"\"caf\\u00E9\""}, .ids = "escaped,plain,"},
    {.op = LLS_FILTER_EQ, .path = "s", .values = {"\"a\\u0000b\""}, .ids = "nul,"},
    {.op = LLS_FILTER_EQ, .path = "s", .values = {"\"a\""}, .ids = ""},
    {.op = LLS_FILTER_EQ, .path = "s", .values = {"\"first\""}, .ids = ""},
    {.op = LLS_FILTER_EQ, .path = "s", .values = {"\"last\""}, .ids = "double,"},
    {.op = LLS_FILTER_EQ, .path = "s", .values = {"\"\xf0\x9f\x98\x80\""}, .ids = "surrogate,"},
    {.op = LLS_FILTER_EQ,
     .path = "s",
     .values = {"\"it's \\\"so\\\" \\\\ 100%_\""},
     .ids = "quote,"},
    {.op = LLS_FILTER_EQ, .path = "", .values = {"\"nameless\""}, .ids = "emptyname,"},
    {.op = LLS_FILTER_EQ, .path = "no'such\"name", .values = {"1"}, .ids = ""},
    {.op = LLS_FILTER_EQ, .path = "/a/b~1c/~0/1", .values = {"20"}, .ids = "nested,"},
    {.op = LLS_FILTER_EQ, .path = "/a/b~1c/~0/2/x", .values = {"\"found\""}, .ids = "nested,"},
    {.op = LLS_FILTER_EQ, .path = "/~1a", .values = {"5"}, .ids = "nested,"},
    {.op = LLS_FILTER_EQ, .path = "/a/b~1c/~0/01", .values = {"20"}, .ids = ""},
    {.op = LLS_FILTER_EQ, .path = "/", .values = {"\"nameless\""}, .ids = "emptyname,"},
    {.op = LLS_FILTER_EQ, .path = "/tags/1", .values = {"1"}, .ids = "array,"},
    {.op = LLS_FILTER_IN,
     .path = "n",
     .values = {"2", "\"1\"", "null"},
     .ids = "double,null,text1,"},
    {.op = LLS_FILTER_IN, .path = "s", .values = {"\"x\"", "\"a\\u0000b\""}, .ids = "nul,spaced,"},
    {.op = LLS_FILTER_EXISTS, .path = "N", .ids = "upper,"},
    {.op = LLS_FILTER_EXISTS, .path = "tags", .ids = "array,"},
    {.op = LLS_FILTER_EXISTS, .path = "/a/b~1c", .ids = "nested,"},
    {.op = LLS_FILTER_EXISTS, .path = "/tags/5", .ids = "array,"},
    {.op = LLS_FILTER_EXISTS, .path = "/tags/6", .ids = ""},
    {.op = LLS_FILTER_EXISTS, .path = "/tags/-", .ids = ""},
    {.op = LLS_FILTER_RANGE,
     .path = "n",
     .low = "1",
     .high = "3",
     .ids = "double,escaped,exp,float,int,spaced,"},
    {.op = LLS_FILTER_RANGE,
     .path = "n",
     .low = "1",
     .low_open = true,
     .high = "3",
     .high_open = true,
     .ids = "double,"},
    {.op = LLS_FILTER_RANGE, .path = "n", .low = "1e15", .ids = "bigint,huge,"},
    {.op = LLS_FILTER_RANGE, .path = "n", .high = "0", .ids = "negzero,small,"},
    {.op = LLS_FILTER_RANGE, .path = "n", .low = "\"\"", .ids = "text1,"},
    {.op = LLS_FILTER_RANGE,
     .path = "s",
     .low = "\"CAF\"",
     .high = "\"a\"",
     .ids = "upper,"}, // byte order: capitals before small letters
    {.op = LLS_FILTER_RANGE,
     .path = "s",
     .low = "\"a\"",
     .high = "\"cafz\"",
     .ids = "nul,"}, // 'é' is behind 'z'
    {.op = LLS_FILTER_RANGE,
     .path = "s",
     .low = "\"cafz\"",
     .high = "\"caf\xc3\xa9\"",
     .ids = "escaped,plain,"},
    {.op = LLS_FILTER_CONTAINS, .path = "tags", .values = {"1"}, .ids = "array,"},
    {.op = LLS_FILTER_CONTAINS, .path = "tags", .values = {"\"caf\xc3\xa9\""}, .ids = "array,"},
    {.op = LLS_FILTER_CONTAINS, .path = "tags", .values = {"null"}, .ids = "array,"},
    {.op = LLS_FILTER_CONTAINS, .path = "tags", .values = {"\"deep\""}, .ids = ""},
    {.op = LLS_FILTER_CONTAINS, .path = "tags", .values = {"false"}, .ids = ""},
    {.op = LLS_FILTER_CONTAINS, .path = "n", .values = {"1"}, .ids = ""},
    {.op = LLS_FILTER_CONTAINS, .path = "/a/b~1c/~0", .values = {"10"}, .ids = "nested,"},
};

static lls_filter_term term_of(const expectation *e, lls_str values[3])
{
    lls_filter_term term = {
        .op = e->op,
        .path = lls_str_of(e->path),
        .values = values,
        .low = lls_str_of(e->low),
        .high = lls_str_of(e->high),
        .low_open = e->low_open,
        .high_open = e->high_open,
    };

    for (size_t i = 0; i < 3 && e->values[i]; i++) {
        values[i] = lls_str_of(e->values[i]);
        term.value_count++;
    }
    return term;
}

/* The same records by a list, by a count, and by nearness. */
static void expect_filter(lls_vec *vec, const lls_filter *filter, const char *ids, const char *what)
{
    static const float v[] = {1, 1};
    LLS_AUTO(lls_vec_hits) hits = {0};
    LLS_AUTO(lls_vec_hits) near = {0};
    const lls_vec_list list = {.filter = filter, .limit = 1000};
    const lls_vec_query query = {
        .model = LLS_STR("note"), .vector = v, .dim = 2, .k = 1000, .filter = filter};
    lls_error err = {0};
    uint64_t count = 0;

    assert_ok(lls_vec_list_page(vec, coll, &list, &hits, &err), err);
    LLS_AUTO(lls_buf) got = vec_ids(&hits);
    if (strcmp(lls_buf_cstr(&got), ids) != 0)
        fail_msg("%s: got '%s', wanted '%s'", what, lls_buf_cstr(&got), ids);
    assert_ok(lls_vec_count(vec, coll, filter, &count, &err), err);
    assert_int_equal(count, hits.count);
    assert_ok(lls_vec_search(vec, coll, &query, &near, &err), err); // all are equally near
    LLS_AUTO(lls_buf) got_near = vec_ids(&near);
    if (strcmp(lls_buf_cstr(&got_near), ids) != 0)
        fail_msg("%s: near '%s', wanted '%s'", what, lls_buf_cstr(&got_near), ids);
}

static void put_notes(lls_vec *vec)
{
    static const float v[] = {1, 1};

    for (size_t i = 0; i < LLS_COUNT(notes); i++) {
        lls_vec_item item =
            vec_item(lls_bytes_of(lls_str_of(notes[i].id)), LLS_STR("note"), LLS_VEC_L2, v, 2);
        item.metadata = lls_str_of(notes[i].metadata);
        vec_put(vec, item);
    }
}

void vec_filters_understand_nasty_metadata(void **state)
{
    lls_vec *vec = vec_of(state);

    put_notes(vec);
    for (size_t i = 0; i < LLS_COUNT(expectations); i++) {
        lls_str values[3];
        const lls_filter_term term = term_of(&expectations[i], values);
        const lls_filter filter = {.terms = &term, .term_count = 1};
        char what[32];
        (void)snprintf(what, sizeof(what), "expectation %zu", i);
        expect_filter(vec, &filter, expectations[i].ids, what);
    }
}

void vec_conditions_hold_together(void **state)
{
    lls_vec *vec = vec_of(state);
    const lls_str one = LLS_STR("1");
    const lls_str x = LLS_STR("\"x\"");
    const lls_filter_term terms[] = {
        {.op = LLS_FILTER_EQ, .path = LLS_STR("n"), .values = &one, .value_count = 1},
        {.op = LLS_FILTER_EXISTS, .path = LLS_STR("s")},
        {.op = LLS_FILTER_EQ, .path = LLS_STR("s"), .values = &x, .value_count = 1},
    };

    put_notes(vec);
    expect_filter(vec, &(lls_filter){.terms = terms, .term_count = 2}, "spaced,", "two");
    expect_filter(vec, &(lls_filter){.terms = terms, .term_count = 3}, "spaced,", "three");
}

void vec_bad_filters_are_refused(void **state)
{
    lls_vec *vec = vec_of(state);
    const lls_str bad_value = LLS_STR("{\"a\":1}");
    const lls_str half = LLS_STR("\"a");
    const lls_filter_term bad[] = {
        {.op = LLS_FILTER_EQ, .path = LLS_STR("a")},
        {.op = LLS_FILTER_EQ, .path = LLS_STR("a"), .values = &bad_value, .value_count = 1},
        {.op = LLS_FILTER_EQ, .path = LLS_STR("a"), .values = &half, .value_count = 1},
        {.op = LLS_FILTER_RANGE, .path = LLS_STR("a")},
        {.op = LLS_FILTER_RANGE,
         .path = LLS_STR("a"),
         .low = LLS_STR("1"),
         .high = LLS_STR("\"\"")},
        {.op = LLS_FILTER_RANGE, .path = LLS_STR("a"), .low = LLS_STR("true")},
        {.op = LLS_FILTER_EXISTS, .path = LLS_STR("/a~2")},
    };
    lls_error err = {0};
    uint64_t count = 77;

    vec_put(vec, vec_note(B("a"), LLS_STR(""), LLS_STR("{}")));
    for (size_t i = 0; i < LLS_COUNT(bad); i++) {
        const lls_filter filter = {.terms = &bad[i], .term_count = 1};
        assert_code(lls_vec_count(vec, coll, &filter, &count, &err), LLS_E_INVALID, err);
        assert_code(lls_vec_remove(vec, coll, &filter, &count, &err), LLS_E_INVALID, err);
    }
    assert_code(lls_vec_remove(vec, coll, NULL, &count, &err), LLS_E_INVALID, err);
    assert_int_equal(count, 77);
    assert_int_equal(vec_count(vec, coll), 1);
}

void vec_filters_by_scope_and_time(void **state)
{
    static const char *const scopes[] = {"global", "user:1", "user:10", "session:a"};
    static const float v[] = {1, 1};
    lls_vec *vec = vec_of(state);
    lls_test_clock clock;

    lls_test_clock_init(&clock);
    vec->clock = &clock.base;
    int64_t start = clock.now_usec;
    for (size_t i = 0; i < 8; i++) {
        const uint8_t id[] = {(uint8_t)('a' + i)};
        lls_vec_item item = vec_item((lls_bytes){id, 1}, LLS_STR("note"), LLS_VEC_L2, v, 2);
        item.scope = lls_str_of(scopes[i % 4]);
        item.event_usec = 1000 * (8 - (int64_t)i);
        vec_put(vec, item); // 'a' is stored first, and happened last
        clock.now_usec += 10;
    }
    const lls_str two[] = {LLS_STR("user:1"), LLS_STR("session:a")};
    expect_filter(vec, &(lls_filter){.scopes = two, .scope_count = 1}, "b,f,", "a scope");
    expect_filter(vec, &(lls_filter){.scopes = two, .scope_count = 2}, "b,d,f,h,", "two scopes");
    expect_filter(vec, &(lls_filter){.event = {3000, 5000}}, "d,e,f,", "both ends belong to it");
    expect_filter(vec, &(lls_filter){.event = {.from_usec = 6001}}, "a,b,", "from");
    expect_filter(vec, &(lls_filter){.event = {.to_usec = 1999}}, "h,", "to");
    expect_filter(vec, &(lls_filter){.ingestion = {start + 20, start + 40}}, "c,d,e,", "ingestion");
    const lls_vec_item patch = {.id = B("c"), .metadata = LLS_STR("{\"p\":1}")};
    lls_error err = {0};
    assert_ok(vec_write(vec, LLS_VEC_PATCH, patch, 0, &err), err); // stored first, not last
    expect_filter(vec, &(lls_filter){.ingestion = {start + 20, start + 40}}, "c,d,e,", "patched");
    expect_filter(vec,
                  &(lls_filter){.ingestion = {.to_usec = start + 40},
                                .event = {.to_usec = 6000},
                                .scopes = two,
                                .scope_count = 2},
                  "d,", "all of them");
    vec->clock = NULL;
}

void vec_expired_records_are_not_there(void **state)
{
    enum { SECOND = 1000000 };
    static const float v[] = {1, 1};
    lls_vec *vec = vec_of(state);
    lls_kv_stats stats = {0};
    lls_error err = {0};
    lls_test_clock clock;

    lls_test_clock_init(&clock);
    vec->clock = vec->records->clock = &clock.base;
    for (int i = 0; i < 4; i++) {
        const uint8_t id[] = {(uint8_t)('a' + i)};
        lls_vec_item item = vec_item((lls_bytes){id, 1}, LLS_STR("note"), LLS_VEC_L2, v, 2);
        item.text = LLS_STR("walrus");
        item.meta.expires_usec = i % 2 ? clock.now_usec + i * SECOND : 0;
        vec_put(vec, item);
    }
    expect_filter(vec, NULL, "a,b,c,d,", "none has expired");
    clock.now_usec += SECOND;
    expect_filter(vec, NULL, "a,c,d,", "one has");
    expect_filter(vec, &(lls_filter){.include_expired = true}, "a,b,c,d,", "and is asked for");
    assert_false(vec_has(vec, coll, B("b")));
    LLS_AUTO(lls_vec_hits) hits = {0};
    const lls_vec_words words = {LLS_STR("walrus"), 9, NULL, LLS_VEC_IDS};
    assert_ok(lls_vec_match(vec, coll, &words, &hits, &err), err);
    assert_ids(hits, "a,c,d,");
    assert_ok(lls_kv_stats_of(vec->records, coll, &stats, &err), err);
    assert_int_equal(stats.count, 4);
    assert_code(
        vec_write(vec, LLS_VEC_PATCH, vec_note(B("b"), LLS_STR(""), LLS_STR("{}")), 0, &err),
        LLS_E_NOTFOUND, err);
    assert_ok(vec_write(vec, LLS_VEC_CREATE, vec_item(B("b"), LLS_STR("note"), LLS_VEC_L2, v, 2), 0,
                        &err),
              err);
    clock.now_usec += 2 * SECOND;
    expect_filter(vec, NULL, "a,b,c,", "the next has");
    assert_ok(lls_kv_sweep(vec->records, coll, NULL, &err), err);
    expect_filter(vec, &(lls_filter){.include_expired = true}, "a,b,c,", "it was swept");
    vec->clock = vec->records->clock = NULL;
}

/* ---- searches under filters, beside the oracle ---- */

enum { DIM = 16, RECORDS = 3000 };

/* Each record has members that are equal in one of 2, 10, 100 and 1000 records. */
static void fill(lls_vec *vec, vec_model *m, uint64_t *random)
{
    float(*vectors)[DIM] = lls_alloc(RECORDS * sizeof(*vectors));
    lls_vec_write *writes = lls_alloc(RECORDS * sizeof(*writes));
    char(*room)[2][96] = lls_alloc(RECORDS * sizeof(*room));
    lls_error err = {0};

    assert_true(vectors && writes && room);
    for (uint32_t i = 0; i < RECORDS; i++) {
        lls_vec_item *item = &writes[i].item;
        uint32_t r = vec_random(random);
        vec_random_fill(random, vectors[i], DIM);
        (void)snprintf(room[i][0], sizeof(room[i][0]), "r%u", i);
        (void)snprintf(room[i][1], sizeof(room[i][1]),
                       "{\"m2\":%u,\"m10\":\"t%u\",\"m100\":%u.0,\"list\":[%u,\"x\"],\"i\":%u}",
                       r % 2, r % 10, r % 100, r % 1000, i);
        *item = vec_item(lls_bytes_of(lls_str_of(room[i][0])), LLS_STR("f"), LLS_VEC_L2, vectors[i],
                         DIM);
        item->metadata = lls_str_of(room[i][1]);
        item->scope = r % 3 ? LLS_STR("global") : LLS_STR("user:3");
        item->event_usec = 1 + i;
        vec_model_put(m, item);
    }
    assert_ok(lls_vec_apply(vec, coll, writes, RECORDS, &err), err);
    lls_free(vectors);
    lls_free(writes);
    lls_free(room);
}

static void expect_filtered(lls_vec *vec, const vec_model *m, const lls_filter *filter, uint32_t k,
                            uint64_t *random)
{
    float vector[DIM];

    vec_random_fill(random, vector, DIM);
    lls_vec_query query = {
        .model = LLS_STR("f"), .vector = vector, .dim = DIM, .k = k, .filter = filter};
    LLS_AUTO(vec_answer) want = vec_model_search(m, LLS_VEC_L2, &query, 0);
    for (int exact = 0; exact < 2; exact++) {
        LLS_AUTO(lls_vec_hits) hits = {0};
        lls_error err = {0};
        query.exact = exact == 1;
        assert_ok(lls_vec_search(vec, coll, &query, &hits, &err), err);
        assert_int_equal(hits.count, want.count); // k whenever k match
        vec_hits_expect_order(&hits, true);
        for (size_t i = 0; i < hits.count; i++) { // and nothing that does not
            bool found = false;
            for (size_t n = 0; n < want.all && !found; n++)
                found = lls_bytes_eq(want.hits[n].item->id, hits.hits[i].item.id);
            assert_true(found);
        }
        assert_true(hits.exact || !query.exact);
        if (hits.exact)
            vec_answer_expect(&want, &hits, true);
        else
            assert_true(vec_answer_recall(&want, &hits) >= 0.5);
    }
}

void vec_filtered_search_gives_k_whenever_k_match(void **state)
{
    static const char *const values[] = {"1", "\"t7\"", "42", "777"};
    static const char *const paths[] = {"m2", "m10", "m100", "list"};
    static const uint32_t ks[] = {1, 10, 100};
    const lls_str user = LLS_STR("user:3");
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    uint64_t random = 11;

    fill(vec, &m, &random);
    assert_ok(lls_vec_tend(vec, coll, &err), err);
    for (size_t i = 0; i < 3 * LLS_COUNT(ks) * LLS_COUNT(paths); i++) {
        size_t p = i % LLS_COUNT(paths);
        const lls_str value = lls_str_of(values[p]);
        const lls_filter_term term = {.op = p == 3 ? LLS_FILTER_CONTAINS : LLS_FILTER_EQ,
                                      .path = lls_str_of(paths[p]),
                                      .values = &value,
                                      .value_count = 1};
        lls_filter filter = {.terms = &term, .term_count = 1};
        expect_filtered(vec, &m, &filter, ks[i / 4 % 3], &random);
        filter.scopes = &user;
        filter.scope_count = 1;
        expect_filtered(vec, &m, &filter, ks[i / 4 % 3], &random);
    }
    expect_filtered(vec, &m, NULL, 10, &random);                                     // all
    expect_filtered(vec, &m, &(lls_filter){.event = {RECORDS - 2, 0}}, 10, &random); // three
    expect_filtered(vec, &m, &(lls_filter){.event = {RECORDS + 9, 0}}, 10, &random); // none
}
