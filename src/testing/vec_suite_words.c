/* Searches by words and hybrid ones, beside the oracle. */
#include "base/alloc.h"
#include "testing/vec_model.h"
#include "testing/vec_space.h"
#include "testing/vec_suite.h"

#include <stdio.h>

enum { DIM = 8, RECORDS = 400, TEXT_MAX = 512 };

static const char *const vocabulary[] = {
    "the",    "walrus", "carpenter", "oysters", "Cabbages", "kings", "sea",  "boiling", "hot",
    "pigs",   "wings",  "Zoë",       "ПРИВЕТ",  "мир",      "東京",  "都庁", "2025",    "don't",
    "NASA's", "a",      "of",        "and",     "shoes",    "ships", "wax",  "sealing", "talk",
};

/* Some words are in most texts, others in few. Some texts have none. */
static lls_str make_text(char out[TEXT_MAX], uint64_t *random)
{
    uint32_t words = vec_random(random) % 24;
    size_t used = 0;

    for (uint32_t i = 0; i < words; i++) {
        uint32_t w =
            vec_random(random) % (1 + vec_random(random) % (uint32_t)LLS_COUNT(vocabulary));
        used += (size_t)snprintf(out + used, TEXT_MAX - used, "%s%s", vocabulary[w],
                                 i % 5 == 4 ? ".\n" : ", ");
    }
    return (lls_str){out, used};
}

/* A record of which the text, the vector and one member are random. */
typedef struct drawn {
    lls_vec_item item;
    float vector[DIM];
    char id[16];
    char text[TEXT_MAX];
    char metadata[32];
} drawn;

static void draw(drawn *d, uint32_t number, uint64_t *random)
{
    uint32_t part = vec_random(random) % 4;

    vec_random_fill(random, d->vector, DIM);
    (void)snprintf(d->id, sizeof(d->id), "d%u", number);
    (void)snprintf(d->metadata, sizeof(d->metadata), "{\"part\":%u}", part);
    d->item = vec_item(lls_bytes_of(lls_str_of(d->id)), LLS_STR("w"), LLS_VEC_COSINE, d->vector,
                       part == 3 ? 0 : DIM);
    if (part == 3) // these have no vector
        d->item.space = (lls_vec_space){0};
    d->item.text = make_text(d->text, random);
    d->item.metadata = lls_str_of(d->metadata);
}

static void fill(lls_vec *vec, vec_model *m, uint64_t *random)
{
    drawn *all = lls_alloc(RECORDS * sizeof(*all));
    lls_vec_write *writes = lls_alloc(RECORDS * sizeof(*writes));
    lls_error err = {0};

    assert_true(all && writes);
    for (uint32_t i = 0; i < RECORDS; i++) {
        draw(&all[i], i, random);
        writes[i].item = all[i].item;
        vec_model_put(m, &all[i].item);
    }
    assert_ok(lls_vec_apply(vec, coll, writes, RECORDS, &err), err);
    lls_free(all);
    lls_free(writes);
}

static void expect_words(lls_vec *vec, const vec_model *m, const char *text, uint32_t k,
                         const lls_filter *filter)
{
    const lls_vec_words words = {lls_str_of(text), k, filter, LLS_VEC_TEXT};
    LLS_AUTO(vec_answer) want = vec_model_words(m, &words, 0);
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};

    assert_ok(lls_vec_match(vec, coll, &words, &hits, &err), err);
    vec_answer_expect(&want, &hits, false);
    for (size_t i = 0; i < hits.count; i++)
        assert_true(hits.hits[i].score > 0 && hits.hits[i].item.text.len > 0);
}

static const char *const questions[] = {
    "walrus",
    "The Walrus and the Carpenter",
    "CABBAGES kings",
    "zoë",
    "привет, МИР!",
    "東京",
    "京",
    "都",
    "don",
    "t",
    "nasa",
    "2025 ships shoes sealing wax",
    "no such thing",
    "nothing walrus nothing",
    "walrus walrus walrus oysters",
    "",
    " .,;! ",
    "it's \"so\" & 'a' | !b <-> (c):* \\",
};

void vec_words_rank_by_bm25(void **state)
{
    const lls_str two = LLS_STR("2");
    const lls_filter_term term = {
        .op = LLS_FILTER_EQ, .path = LLS_STR("part"), .values = &two, .value_count = 1};
    const lls_filter filter = {.terms = &term, .term_count = 1};
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    uint64_t random = 12;

    fill(vec, &m, &random);
    for (size_t i = 0; i < LLS_COUNT(questions); i++) {
        expect_words(vec, &m, questions[i], 10, NULL);
        expect_words(vec, &m, questions[i], RECORDS, NULL);
        expect_words(vec, &m, questions[i], 10, &filter); // the filter changes no score
    }
}

void vec_words_follow_every_write(void **state)
{
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    uint64_t random = 13;
    static drawn d;

    fill(vec, &m, &random);
    for (uint32_t round = 0; round < 120; round++) {
        draw(&d, vec_random(&random) % (RECORDS + 100), &random);
        if (round % 3 == 2) {
            assert_ok(vec_write(vec, LLS_VEC_DELETE, d.item, 0, &err), err);
            vec_model_remove(&m, d.item.id);
        } else {
            vec_put(vec, d.item);
            vec_model_put(&m, &d.item);
        }
        if (round % 10 == 0)
            expect_words(vec, &m, questions[round / 10 % LLS_COUNT(questions)], 20, NULL);
        if (round == 60)
            assert_ok(lls_vec_tend(vec, coll, &err), err);
    }
    assert_ok(lls_kv_clear(vec->records, coll, &err), err);
    LLS_AUTO(vec_model) empty = {0};
    expect_words(vec, &empty, "walrus", 20, NULL);
    vec_put(vec, d.item);
    vec_model_put(&empty, &d.item);
    expect_words(vec, &empty, "the walrus", 20, NULL);
}

void vec_words_may_be_very_long(void **state)
{
    enum { LONG = 60000 };
    lls_vec *vec = vec_of(state);
    LLS_AUTO(vec_model) m = {0};
    LLS_AUTO(lls_buf) text = {0};
    LLS_AUTO(lls_buf) query = {0};
    uint64_t random = 14;

    for (int i = 0; text.len < LONG; i++)
        lls_buf_printf(&text, "w%u\n", vec_random(&random) % 5000);
    for (int i = 0; i < 600; i++) // more words than count
        lls_buf_printf(&query, "w%d ", i * 3);
    lls_vec_item large = vec_note(B("large"), lls_buf_str(&text), LLS_STR("{}"));
    vec_put(vec, large);
    vec_model_put(&m, &large);
    for (int i = 0; i < 40; i++) {
        char id[16];
        char words[32];
        (void)snprintf(id, sizeof(id), "s%d", i);
        (void)snprintf(words, sizeof(words), "w%d and w%d", i * 30, i * 60);
        lls_vec_item small =
            vec_note(lls_bytes_of(lls_str_of(id)), lls_str_of(words), LLS_STR("{}"));
        vec_put(vec, small);
        vec_model_put(&m, &small);
    }
    expect_words(vec, &m, lls_buf_cstr(&query), 100, NULL);
    expect_words(vec, &m, "w7 w11", 100, NULL);
}

void vec_hybrid_fuses_both_lists(void **state)
{
    const lls_str one = LLS_STR("1");
    const lls_filter_term term = {
        .op = LLS_FILTER_EQ, .path = LLS_STR("part"), .values = &one, .value_count = 1};
    const lls_filter filter = {.terms = &term, .term_count = 1};
    LLS_AUTO(vec_model) m = {0};
    lls_vec *vec = vec_of(state);
    lls_error err = {0};
    uint64_t random = 15;
    float vector[DIM];

    fill(vec, &m, &random);
    for (size_t i = 0; i < 2 * LLS_COUNT(questions); i++) {
        LLS_AUTO(lls_vec_hits) hits = {0};
        lls_vec_query query = {.model = LLS_STR("w"),
                               .vector = vector,
                               .dim = DIM,
                               .k = 1 + (uint32_t)i,
                               .exact = true,
                               .filter = i % 2 ? &filter : NULL,
                               .fields = LLS_VEC_TEXT};
        const char *words = questions[i / 2];
        vec_random_fill(&random, vector, DIM);
        LLS_AUTO(vec_answer)
        want = vec_model_hybrid(&m, LLS_VEC_COSINE, &query, lls_str_of(words), 0);
        assert_ok(lls_vec_hybrid(vec, coll, &query, lls_str_of(words), 0, &hits, &err), err);
        assert_true(hits.exact);
        vec_answer_expect(&want, &hits, false);
    }
}

void vec_bad_words_are_refused(void **state)
{
    lls_vec *vec = vec_of(state);
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};
    const lls_vec_words bad[] = {{LLS_STR("\xff"), 5, NULL, 0},
                                 {LLS_STR("a"), 0, NULL, 0},
                                 {LLS_STR("a"), LLS_VEC_K_MAX + 1, NULL, 0}};

    for (size_t i = 0; i < LLS_COUNT(bad); i++)
        assert_code(lls_vec_match(vec, coll, &bad[i], &hits, &err), LLS_E_INVALID, err);
}
