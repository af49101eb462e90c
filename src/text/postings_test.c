#include "base/alloc.h"
#include "base/scope.h"
#include "testing/check.h"
#include "text/postings.h"

#include <stdio.h>
#include <stdlib.h>

enum { DOCS = 300, VOCABULARY = 60, STEPS = 3000, TEXT_MAX = 400 };

/* The documents as they are, and their index. */
typedef struct model {
    lls_postings *postings;
    char texts[DOCS][TEXT_MAX];
    bool there[DOCS];
} model;

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/* Some words are in most texts, others in few; some texts have none. */
static void make_text(char out[TEXT_MAX], uint64_t *random)
{
    uint32_t words = next_random(random) % 40;
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < words; i++) {
        uint32_t word = next_random(random) % (1 + next_random(random) % VOCABULARY);
        used += (size_t)snprintf(out + used, TEXT_MAX - used, "w%u, ", word);
    }
}

static uint64_t occurrences_of(const char *text, lls_str word)
{
    lls_text_walk walk;
    lls_str each;
    uint64_t count = 0;

    lls_text_walk_begin(&walk, lls_str_of(text));
    while (lls_text_walk_next(&walk, &each))
        count += lls_str_eq(each, word);
    return count;
}

/* What the definition counts over all texts. */
typedef struct figures {
    uint64_t texts;
    uint64_t words;
    uint64_t holders[LLS_TEXT_QUERY_MAX];
} figures;

static figures figures_of(const model *m, const lls_text_query *query)
{
    figures f = {0};

    for (size_t i = 0; i < DOCS; i++) {
        uint64_t length = m->there[i] ? lls_text_count(lls_str_of(m->texts[i])) : 0;
        f.texts += length > 0;
        f.words += length;
        for (size_t w = 0; length && w < query->count; w++)
            f.holders[w] += occurrences_of(m->texts[i], query->words[w]) > 0;
    }
    return f;
}

static float score_of(const figures *f, const lls_text_query *query, lls_str text)
{
    double average = (double)f->words / (double)f->texts;
    uint64_t length = lls_text_count(text);
    double score = 0;

    for (size_t w = 0; w < query->count; w++) {
        uint64_t count = occurrences_of(text.data, query->words[w]);
        if (count)
            score +=
                lls_bm25_idf(f->texts, f->holders[w]) * lls_bm25_weight(count, length, average);
    }
    return (float)score;
}

static int by_score(const void *a, const void *b)
{
    const lls_postings_hit *x = a;
    const lls_postings_hit *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->doc < y->doc ? -1 : 1;
}

static lls_err only_thirds(void *user, uint32_t doc, bool *out, lls_error *err)
{
    (void)user;
    (void)err;
    *out = doc % 3 == 0;
    return LLS_OK;
}

/* What a search must give: all documents with a score, the best first. */
static size_t expected(const model *m, const lls_text_query *query, bool thirds,
                       lls_postings_hit *out)
{
    figures f = figures_of(m, query);
    size_t count = 0;

    for (size_t i = 0; i < DOCS; i++) {
        if (!m->there[i] || (thirds && i % 3 != 0))
            continue;
        float score = score_of(&f, query, lls_str_of(m->texts[i]));
        if (score > 0)
            out[count++] = (lls_postings_hit){(uint32_t)i, score};
    }
    qsort(out, count, sizeof(*out), by_score);
    return count;
}

static void expect_search(const model *m, const char *text, size_t k, bool thirds)
{
    LLS_AUTO(lls_text_query) query = {0};
    static lls_postings_hit want[DOCS];
    static lls_postings_hit got[DOCS];
    lls_error err = {0};
    size_t count = 77;

    assert_ok(lls_text_query_init(&query, lls_str_of(text), &err), err);
    const lls_postings_search search = {&query, k, thirds ? only_thirds : NULL, NULL, NULL};
    size_t wanted = expected(m, &query, thirds, want);
    assert_ok(lls_postings_find(m->postings, &search, got, &count, &err), err);
    assert_int_equal(count, wanted < k ? wanted : k);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(got[i].doc, want[i].doc);
        assert_true(got[i].score == want[i].score);
    }
}

static void change(model *m, size_t doc, uint64_t *random)
{
    lls_error err = {0};

    if (m->there[doc]) {
        lls_postings_remove(m->postings, (uint32_t)doc, lls_str_of(m->texts[doc]));
    } else {
        make_text(m->texts[doc], random);
        assert_ok(lls_postings_add(m->postings, (uint32_t)doc, lls_str_of(m->texts[doc]), &err),
                  err);
    }
    m->there[doc] = !m->there[doc];
}

static void searches_are_as_by_the_definition(void **state)
{
    static model m;
    uint64_t random = 1994;

    (void)state;
    m.postings = lls_postings_new();
    for (int i = 0; i < STEPS; i++) {
        change(&m, next_random(&random) % DOCS, &random);
        if (i % 150 != 0)
            continue;
        expect_search(&m, "w0 w1", 10, false);
        expect_search(&m, "w3 w17 w40 w59 nothing", 5, true);
        expect_search(&m, "W7", DOCS, false);
        expect_search(&m, "w2 w2 w2 w11", 1, true);
        expect_search(&m, "nothing at all", 10, false);
        expect_search(&m, "", 10, false);
    }
    for (size_t doc = 0; doc < DOCS; doc++)
        if (m.there[doc])
            change(&m, doc, &random);
    assert_int_equal(lls_postings_texts(m.postings), 0);
    expect_search(&m, "w0 w1", 10, false);
    lls_postings_free(m.postings);
}

static int greater_first(void *user, uint32_t a, uint32_t b)
{
    (void)user;
    return a > b ? -1 : a < b;
}

static void equals_are_in_the_order_of_the_caller(void **state)
{
    LLS_AUTO(lls_text_query) query = {0};
    lls_postings *postings = lls_postings_new();
    lls_postings_hit hits[3];
    lls_error err = {0};
    size_t count;

    (void)state;
    for (uint32_t doc = 0; doc < 8; doc++)
        assert_ok(lls_postings_add(postings, doc, LLS_STR("all the same"), &err), err);
    assert_ok(lls_text_query_init(&query, LLS_STR("same"), &err), err);
    const lls_postings_search search = {&query, 3, NULL, greater_first, NULL};
    assert_ok(lls_postings_find(postings, &search, hits, &count, &err), err);
    assert_int_equal(count, 3);
    for (uint32_t i = 0; i < 3; i++)
        assert_int_equal(hits[i].doc, 7 - i);
    lls_postings_free(postings);
}

/* Words that nobody has any more do not stay for ever: else dates and numbers would pile up. */
static void memory_is_given_back(void **state)
{
    lls_postings *postings = lls_postings_new();
    lls_error err = {0};
    char text[64];

    (void)state;
    for (uint32_t i = 0; i < 100000; i++) {
        (void)snprintf(text, sizeof(text), "only%u common words", i);
        assert_ok(lls_postings_add(postings, i % 64, lls_str_of(text), &err), err);
        lls_postings_remove(postings, i % 64, lls_str_of(text));
    }
    assert_int_equal(lls_postings_texts(postings), 0);
    assert_true(lls_postings_bytes(postings) < 16384);
    lls_postings_free(postings);
}

static void failed_additions_change_nothing(void **state)
{
    static model m;
    uint64_t random = 7;
    lls_error err = {0};
    long failures = 0;

    (void)state;
    m.postings = lls_postings_new();
    for (size_t doc = 0; doc < DOCS / 2; doc++)
        change(&m, doc, &random);
    for (size_t doc = DOCS / 2; doc < DOCS / 2 + 20; doc++) {
        lls_err e = LLS_E_NOMEM;
        (void)snprintf(m.texts[doc], TEXT_MAX, "w1 w1 new%zu w2 fresh%zu w3", doc, doc);
        for (long n = 0; e == LLS_E_NOMEM; n++, failures++) {
            lls_alloc_fail_after(n);
            e = lls_postings_add(m.postings, (uint32_t)doc, lls_str_of(m.texts[doc]), &err);
            lls_alloc_fail_after(-1);
            m.there[doc] = e == LLS_OK;
            expect_search(&m, "w1 w2 fresh150", DOCS, false);
        }
        assert_int_equal(e, LLS_OK);
    }
    assert_true(failures > 40);
    lls_postings_free(m.postings);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(searches_are_as_by_the_definition),
        cmocka_unit_test(equals_are_in_the_order_of_the_caller),
        cmocka_unit_test(memory_is_given_back),
        cmocka_unit_test(failed_additions_change_nothing),
    };

    return cmocka_run_group_tests_name("postings", tests, NULL, NULL);
}
