#include "text/postings.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "text/terms.h"

#include <assert.h>

struct lls_postings {
    lls_terms terms;
    uint32_t *lengths; /* of each document, in words; 0: it is not there */
    size_t length_count;
    uint64_t texts;
    uint64_t words; /* of all texts together */
};

lls_postings *lls_postings_new(void)
{
    return lls_alloc(sizeof(lls_postings));
}

void lls_postings_free(lls_postings *postings)
{
    if (!postings)
        return;
    lls_terms_fini(&postings->terms);
    lls_free(postings->lengths);
    lls_free(postings);
}

uint64_t lls_postings_texts(const lls_postings *postings)
{
    return postings->texts;
}

uint64_t lls_postings_bytes(const lls_postings *postings)
{
    return sizeof(*postings) + postings->terms.bytes + postings->length_count * sizeof(uint32_t);
}

static lls_err no_memory(lls_error *err)
{
    return lls_fail(err, LLS_E_NOMEM, "no memory for the index of words");
}

static bool make_length(lls_postings *p, uint32_t doc)
{
    if (doc < p->length_count)
        return true;
    size_t count = (size_t)doc + 1 + p->length_count / 2;
    uint32_t *lengths = lls_resize(p->lengths, count * sizeof(*lengths));
    if (!lengths)
        return false;
    memset(lengths + p->length_count, 0, (count - p->length_count) * sizeof(*lengths));
    p->lengths = lengths;
    p->length_count = count;
    return true;
}

static void forget_words(lls_postings *p, uint32_t doc, lls_str text)
{
    lls_text_walk walk;
    lls_str word;

    lls_text_walk_begin(&walk, text);
    while (lls_text_walk_next(&walk, &word)) {
        lls_term *term = lls_terms_find(&p->terms, word);
        if (term)
            lls_term_forget(&p->terms, term, doc);
    }
}

static bool count_words(lls_postings *p, uint32_t doc, lls_str text, uint32_t *length)
{
    lls_text_walk walk;
    lls_str word;

    lls_text_walk_begin(&walk, text);
    while (lls_text_walk_next(&walk, &word)) {
        lls_term *term = lls_terms_make(&p->terms, word);
        if (!term || !lls_term_count(&p->terms, term, doc))
            return false;
        ++*length;
    }
    return true;
}

lls_err lls_postings_add(lls_postings *postings, uint32_t doc, lls_str text, lls_error *err)
{
    uint32_t length = 0;

    if (!make_length(postings, doc))
        return no_memory(err);
    assert(postings->lengths[doc] == 0);
    if (!count_words(postings, doc, text, &length)) {
        forget_words(postings, doc, text);
        return no_memory(err);
    }
    postings->lengths[doc] = length;
    postings->texts += length > 0;
    postings->words += length;
    return LLS_OK;
}

void lls_postings_remove(lls_postings *postings, uint32_t doc, lls_str text)
{
    if (doc >= postings->length_count || postings->lengths[doc] == 0)
        return;
    forget_words(postings, doc, text);
    postings->texts--;
    postings->words -= postings->lengths[doc];
    postings->lengths[doc] = 0;
}

/* ---- searching: the lists of all words are merged by document, in a heap of cursors ---- */

typedef struct cursor {
    const lls_posting *at;
    const lls_posting *end;
    double idf;
    size_t word; /* its place in the query: sums are made in this order */
} cursor;

typedef struct merge {
    cursor heap[LLS_TEXT_QUERY_MAX]; /* the least document, then word, on top */
    size_t count;
} merge;

static bool comes_before(const cursor *a, const cursor *b)
{
    return a->at->doc != b->at->doc ? a->at->doc < b->at->doc : a->word < b->word;
}

/* Let the cursor at `i` sink to where it belongs. */
static void sink(merge *m, size_t i)
{
    for (;;) {
        size_t least = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < m->count; child++)
            if (comes_before(&m->heap[child], &m->heap[least]))
                least = child;
        if (least == i)
            return;
        cursor moved = m->heap[i];
        m->heap[i] = m->heap[least];
        m->heap[least] = moved;
        i = least;
    }
}

static void skip_removed(cursor *c)
{
    while (c->at < c->end && c->at->occurrences == 0)
        c->at++;
}

/* Go on behind the posting on top. */
static void advance(merge *m)
{
    cursor *top = &m->heap[0];

    top->at++;
    skip_removed(top);
    if (top->at == top->end)
        m->heap[0] = m->heap[--m->count];
    sink(m, 0);
}

static void merge_begin(merge *m, const lls_postings *p, const lls_text_query *query)
{
    m->count = 0;
    for (size_t i = 0; i < query->count; i++) {
        const lls_term *term = lls_terms_find(&p->terms, query->words[i]);
        if (!term || term->live == 0)
            continue;
        cursor c = {term->postings, term->postings + term->count,
                    lls_bm25_idf(p->texts, term->live), i};
        skip_removed(&c);
        m->heap[m->count++] = c;
    }
    for (size_t i = m->count / 2; i-- > 0;)
        sink(m, i);
}

/* The next document and its score; the cursors go on behind it. */
static lls_postings_hit take_document(merge *m, const lls_postings *p, double average)
{
    uint32_t doc = m->heap[0].at->doc;
    double score = 0;

    while (m->count > 0 && m->heap[0].at->doc == doc) {
        const cursor *c = &m->heap[0];
        score += c->idf * lls_bm25_weight(c->at->occurrences, p->lengths[doc], average);
        advance(m);
    }
    return (lls_postings_hit){doc, (float)score};
}

/* ---- the best k, in a heap with the worst on top ---- */

static bool is_worse(const lls_postings_search *s, lls_postings_hit a, lls_postings_hit b)
{
    if (a.score != b.score)
        return a.score < b.score;
    return s->order ? s->order(s->user, a.doc, b.doc) > 0 : a.doc > b.doc;
}

static void sink_hit(const lls_postings_search *s, lls_postings_hit *hits, size_t count, size_t i)
{
    for (;;) {
        size_t worst = i;
        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < count; child++)
            if (is_worse(s, hits[child], hits[worst]))
                worst = child;
        if (worst == i)
            return;
        lls_postings_hit moved = hits[i];
        hits[i] = hits[worst];
        hits[worst] = moved;
        i = worst;
    }
}

static void rise_hit(const lls_postings_search *s, lls_postings_hit *hits, size_t i)
{
    while (i > 0 && is_worse(s, hits[i], hits[(i - 1) / 2])) {
        lls_postings_hit moved = hits[i];
        hits[i] = hits[(i - 1) / 2];
        hits[(i - 1) / 2] = moved;
        i = (i - 1) / 2;
    }
}

/* Keep `hit` if it is among the best so far, and allowed. */
static lls_err offer(const lls_postings_search *s, lls_postings_hit hit, lls_postings_hit *hits,
                     size_t *count, lls_error *err)
{
    bool allowed = true;

    if (*count == s->k && !is_worse(s, hits[0], hit))
        return LLS_OK;
    if (s->allowed)
        LLS_TRY(s->allowed(s->user, hit.doc, &allowed, err));
    if (!allowed)
        return LLS_OK;
    if (*count < s->k) {
        hits[*count] = hit;
        rise_hit(s, hits, (*count)++);
    } else {
        hits[0] = hit;
        sink_hit(s, hits, *count, 0);
    }
    return LLS_OK;
}

/* From a heap with the worst on top to a list with the best first. */
static void sort_hits(const lls_postings_search *s, lls_postings_hit *hits, size_t count)
{
    while (count > 1) {
        lls_postings_hit worst = hits[0];
        hits[0] = hits[--count];
        hits[count] = worst;
        sink_hit(s, hits, count, 0);
    }
}

lls_err lls_postings_find(const lls_postings *postings, const lls_postings_search *search,
                          lls_postings_hit *hits, size_t *count, lls_error *err)
{
    merge m;
    size_t found = 0;

    merge_begin(&m, postings, search->query);
    double average = postings->texts ? (double)postings->words / (double)postings->texts : 1;
    while (m.count > 0 && search->k > 0)
        LLS_TRY(offer(search, take_document(&m, postings, average), hits, &found, err));
    sort_hits(search, hits, found);
    *count = found;
    return LLS_OK;
}
