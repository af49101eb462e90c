#include "backends/hnsw/words.h"

#include "backends/hnsw/choose.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_hits.h"
#include "text/postings.h"

struct hnsw_words {
    lls_postings *postings;
};

void hnsw_words_free(hnsw_words *words)
{
    if (!words)
        return;
    lls_postings_free(words->postings);
    lls_free(words);
}

static lls_err text_of(const hnsw_coll *coll, const hnsw_record *record, lls_str *out,
                       lls_error *err)
{
    lls_vec_item item;

    LLS_TRY(hnsw_coll_item(coll, record, false, NULL, &item, err));
    *out = item.text;
    return LLS_OK;
}

static lls_err learn(const hnsw_coll *coll, hnsw_words *words, uint32_t doc, lls_error *err)
{
    hnsw_record record;
    lls_str text;

    hnsw_coll_record(coll, doc, &record);
    LLS_TRY(text_of(coll, &record, &text, err));
    return text.len ? lls_postings_add(words->postings, doc, text, err) : LLS_OK;
}

lls_err hnsw_words_learn(hnsw_coll *coll, uint32_t doc, lls_error *err)
{
    return coll->words ? learn(coll, coll->words, doc, err) : LLS_OK;
}

lls_err hnsw_words_forget(hnsw_coll *coll, const hnsw_record *record, lls_error *err)
{
    lls_str text;

    if (!coll->words)
        return LLS_OK;
    LLS_TRY(text_of(coll, record, &text, err));
    if (text.len)
        lls_postings_remove(coll->words->postings, record->doc, text);
    return LLS_OK;
}

static lls_err make(const hnsw_coll *coll, hnsw_words **out, lls_error *err)
{
    hnsw_words *words = lls_alloc(sizeof(*words));
    lls_err e = LLS_OK;

    if (!words)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    words->postings = lls_postings_new();
    if (!words->postings)
        e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (uint32_t doc = 0; e == LLS_OK && doc < hnsw_coll_docs(coll); doc++)
        if (hnsw_coll_lives(coll, doc))
            e = learn(coll, words, doc, err);
    if (e == LLS_OK)
        *out = words;
    else
        hnsw_words_free(words);
    return e;
}

static lls_err ready(hnsw_coll *coll, lls_error *err)
{
    lls_err e = LLS_OK;

    (void)pthread_mutex_lock(&coll->making);
    if (!coll->words)
        e = make(coll, &coll->words, err);
    (void)pthread_mutex_unlock(&coll->making);
    return e;
}

typedef struct finder {
    const hnsw_coll *coll;
    hnsw_choice choice;
} finder;

static lls_err allowed(void *user, uint32_t doc, bool *out, lls_error *err)
{
    finder *f = user;

    (void)err;
    *out = hnsw_choice_has(&f->choice, doc);
    return LLS_OK;
}

static int order(void *user, uint32_t a, uint32_t b)
{
    finder *f = user;

    return lls_bytes_cmp(hnsw_coll_id(f->coll, a), hnsw_coll_id(f->coll, b));
}

static lls_err find(finder *f, const lls_vec_words *words, lls_postings_hit *hits,
                    lls_vec_hits *out, lls_error *err)
{
    LLS_AUTO(lls_text_query) query = {0};
    LLS_AUTO(lls_buf) floats = {0};
    size_t count = 0;

    LLS_TRY(lls_text_query_init(&query, words->words, err));
    lls_postings_search search = {
        .query = &query, .k = words->k, .allowed = allowed, .order = order, .user = f};
    LLS_TRY(lls_postings_find(f->coll->words->postings, &search, hits, &count, err));
    for (size_t i = 0; i < count; i++) {
        hnsw_record record;
        lls_vec_item item;
        hnsw_coll_record(f->coll, hits[i].doc, &record);
        LLS_TRY(
            hnsw_coll_item(f->coll, &record, words->fields & LLS_VEC_VECTOR, &floats, &item, err));
        LLS_TRY(lls_vec_hits_add(out, &item, words->fields, 0, hits[i].score, err));
    }
    return LLS_OK;
}

lls_err hnsw_words_search(hnsw_coll *coll, int64_t now_usec, const lls_vec_words *words,
                          lls_vec_hits *out, lls_error *err)
{
    finder f = {.coll = coll};
    size_t k = words->k < coll->count ? words->k : coll->count;

    LLS_TRY(ready(coll, err));
    LLS_TRY(hnsw_choose(coll, words->filter, now_usec, &f.choice, err));
    lls_postings_hit *hits = lls_alloc((k + 1) * sizeof(*hits));
    lls_err e = hits ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (e == LLS_OK && k > 0) {
        lls_vec_words fewer = *words;
        fewer.k = (uint32_t)k;
        e = find(&f, &fewer, hits, out, err);
    }
    lls_free(hits);
    hnsw_choice_fini(&f.choice);
    out->exact = true;
    return e;
}
