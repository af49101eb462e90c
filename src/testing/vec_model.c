#include "testing/vec_model.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_hits.h"
#include "testing/check.h"
#include "text/bm25.h"

#include <math.h>
#include <stdlib.h>

void vec_model_put(vec_model *model, const lls_vec_item *item)
{
    lls_error err = {0};

    vec_model_remove(model, item->id);
    assert_ok(lls_vec_hits_add(&model->kept, item, LLS_VEC_WHOLE, 0, 0, &err), err);
}

void vec_model_remove(vec_model *model, lls_bytes id)
{
    for (size_t i = 0; i < model->kept.count; i++)
        if (lls_bytes_eq(model->kept.hits[i].item.id, id))
            model->kept.hits[i].item.id = (lls_bytes){0};
}

void vec_model_fini(vec_model *model)
{
    lls_vec_hits_fini(&model->kept);
}

void vec_answer_fini(vec_answer *answer)
{
    lls_free(answer->hits);
    *answer = (vec_answer){0};
}

static vec_answer answer_new(const vec_model *model)
{
    vec_answer answer = {.hits = lls_alloc((2 * model->kept.count + 1) * sizeof(vec_answer_hit))};

    assert_non_null(answer.hits);
    return answer;
}

static int by_rank(const void *a, const void *b)
{
    const vec_answer_hit *x = a;
    const vec_answer_hit *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return lls_bytes_cmp(x->item->id, y->item->id);
}

static void answer_end(vec_answer *answer, size_t k)
{
    qsort(answer->hits, answer->count, sizeof(*answer->hits), by_rank);
    answer->all = answer->count;
    answer->count = answer->count < k ? answer->count : k;
}

static bool matches(const lls_vec_item *item, const lls_filter *filter, int64_t now_usec)
{
    const lls_filter_subject subject = {item->scope, item->metadata, item->event_usec,
                                        item->meta.created_usec, item->meta.expires_usec};
    lls_error err = {0};
    bool match = false;

    assert_ok(lls_filter_match(filter, &subject, now_usec, &match, &err), err);
    return match;
}

vec_answer vec_model_search(const vec_model *model, lls_vec_metric metric,
                            const lls_vec_query *query, int64_t now_usec)
{
    vec_answer answer = answer_new(model);

    for (size_t i = 0; i < model->kept.count; i++) {
        const lls_vec_item *item = &model->kept.hits[i].item;
        if (!item->id.len || item->space.dim != query->dim ||
            !lls_str_eq(item->space.model, query->model) || !matches(item, query->filter, now_usec))
            continue;
        // rounded as a hit has it: what is equal there is equal
        float distance = (float)lls_vec_distance(metric, query->vector, item->vector, query->dim);
        if (!query->has_within || distance <= query->within)
            answer.hits[answer.count++] = (vec_answer_hit){item, (double)distance};
    }
    answer_end(&answer, query->k);
    return answer;
}

/* What the definition of BM25 counts over all texts. */
typedef struct figures {
    uint64_t texts;
    uint64_t words;
    uint64_t holders[LLS_TEXT_QUERY_MAX];
} figures;

static uint64_t occurrences_of(lls_str word, lls_str text)
{
    lls_text_walk walk;
    lls_str each;
    uint64_t count = 0;

    lls_text_walk_begin(&walk, text);
    while (lls_text_walk_next(&walk, &each))
        count += lls_str_eq(each, word);
    return count;
}

static void count_figures(const vec_model *model, const lls_text_query *query, figures *out)
{
    *out = (figures){0};
    for (size_t i = 0; i < model->kept.count; i++) {
        const lls_vec_item *item = &model->kept.hits[i].item;
        uint64_t length = item->id.len ? lls_text_count(item->text) : 0;
        out->texts += length > 0;
        out->words += length;
        for (size_t w = 0; length && w < query->count; w++)
            out->holders[w] += occurrences_of(query->words[w], item->text) > 0;
    }
}

static float score_of(const figures *f, const lls_text_query *query, lls_str text)
{
    uint64_t length = lls_text_count(text);
    double average = (double)f->words / (double)f->texts;
    double score = 0;

    for (size_t w = 0; w < query->count; w++) {
        uint64_t count = occurrences_of(query->words[w], text);
        if (count)
            score +=
                lls_bm25_idf(f->texts, f->holders[w]) * lls_bm25_weight(count, length, average);
    }
    return (float)score;
}

vec_answer vec_model_words(const vec_model *model, const lls_vec_words *words, int64_t now_usec)
{
    LLS_AUTO(lls_text_query) query = {0};
    vec_answer answer = answer_new(model);
    lls_error err = {0};
    figures f;

    assert_ok(lls_text_query_init(&query, words->words, &err), err);
    count_figures(model, &query, &f);
    for (size_t i = 0; i < model->kept.count; i++) {
        const lls_vec_item *item = &model->kept.hits[i].item;
        float score = item->id.len ? score_of(&f, &query, item->text) : 0;
        if (score > 0 && matches(item, words->filter, now_usec))
            answer.hits[answer.count++] = (vec_answer_hit){item, -(double)score};
    }
    answer_end(&answer, words->k);
    return answer;
}

/* Add the reciprocal ranks of `list` to those that are in `answer`. */
static void fuse(vec_answer *answer, const vec_answer *list)
{
    for (size_t i = 0; i < list->count; i++) {
        size_t at = 0;
        while (at < answer->count && answer->hits[at].item != list->hits[i].item)
            at++;
        if (at == answer->count)
            answer->hits[answer->count++] = (vec_answer_hit){list->hits[i].item, 0};
        answer->hits[at].rank -= 1.0 / (60.0 + (double)(i + 1));
    }
}

vec_answer vec_model_hybrid(const vec_model *model, lls_vec_metric metric,
                            const lls_vec_query *query, lls_str words, int64_t now_usec)
{
    lls_vec_query near = *query;
    vec_answer answer = answer_new(model);

    near.k = query->k * 4 < 50 ? 50 : query->k * 4;
    const lls_vec_words texts = {words, near.k, query->filter, LLS_VEC_IDS};
    LLS_AUTO(vec_answer) by_vector = vec_model_search(model, metric, &near, now_usec);
    LLS_AUTO(vec_answer) by_words = vec_model_words(model, &texts, now_usec);
    fuse(&answer, &by_vector);
    fuse(&answer, &by_words);
    answer_end(&answer, query->k);
    return answer;
}

static const vec_answer_hit *find(const vec_answer *answer, lls_bytes id)
{
    for (size_t i = 0; i < answer->all; i++)
        if (lls_bytes_eq(answer->hits[i].item->id, id))
            return &answer->hits[i];
    return NULL;
}

double vec_answer_recall(const vec_answer *answer, const lls_vec_hits *hits)
{
    size_t found = 0;

    for (size_t i = 0; i < hits->count; i++) {
        const vec_answer_hit *hit = find(answer, hits->hits[i].item.id);
        found += hit && hit < answer->hits + answer->count;
    }
    return answer->count ? (double)found / (double)answer->count : 1;
}

static double rank_of(const lls_vec_hit *hit, bool by_distance)
{
    return (double)(by_distance ? hit->distance : -hit->score);
}

void vec_hits_expect_order(const lls_vec_hits *hits, bool by_distance)
{
    for (size_t i = 1; i < hits->count; i++) {
        double before = rank_of(&hits->hits[i - 1], by_distance);
        double rank = rank_of(&hits->hits[i], by_distance);
        assert_true(before <= rank);
        if (before == rank)
            assert_true(lls_bytes_cmp(hits->hits[i - 1].item.id, hits->hits[i].item.id) < 0);
        for (size_t n = 0; n < i && i < 100; n++)
            assert_false(lls_bytes_eq(hits->hits[n].item.id, hits->hits[i].item.id));
    }
}

void vec_answer_expect(const vec_answer *answer, const lls_vec_hits *hits, bool by_distance)
{
    assert_int_equal(hits->count, answer->count);
    vec_hits_expect_order(hits, by_distance);
    for (size_t i = 0; i < hits->count; i++) {
        const vec_answer_hit *want = &answer->hits[i];
        const vec_answer_hit *same = find(answer, hits->hits[i].item.id);
        double rank = rank_of(&hits->hits[i], by_distance);
        double most = 2e-5 * (1 + fabs(want->rank));
        if (!same)
            fail_msg("hit %zu does not match", i);
        if (fabs(same->rank - want->rank) > most)
            fail_msg("hit %zu of %zu is a record at %.9g, wanted %.9g", i, hits->count, same->rank,
                     want->rank);
        if (fabs(rank - same->rank) > most)
            fail_msg("hit %zu of %zu says %.9g, wanted %.9g", i, hits->count, rank, same->rank);
    }
}
