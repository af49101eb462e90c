/**
 * postings.h - an inverted index in memory: which documents have a word, and how often; and the k
 * that fit a query best by BM25.
 *
 * Documents are numbers that the caller gives, dense ones: a little memory goes with the greatest.
 * Numbers that rise are added fastest. Texts are not kept: whoever removes a document gives its
 * text once more.
 *
 * Threads: any number may search at once while none adds or removes.
 */
#ifndef LLS_TEXT_POSTINGS_H
#define LLS_TEXT_POSTINGS_H

#include "text/bm25.h"

typedef struct lls_postings lls_postings;

/** An empty index, or NULL when memory is out. Owns: free it with lls_postings_free. */
lls_postings *lls_postings_new(void);
void lls_postings_free(lls_postings *postings); /**< NULL is fine. */

/**
 * Add document `doc` with its text. It must not be there. A text without words is not counted.
 * Errors: LLS_E_NOMEM; nothing has changed then.
 */
lls_err lls_postings_add(lls_postings *postings, uint32_t doc, lls_str text,
                         lls_error *err) LLS_CHECKED;

/** Remove document `doc`, which was added with this text. Cannot fail: memory is only given back.
 */
void lls_postings_remove(lls_postings *postings, uint32_t doc, lls_str text);

/** How many documents with a word at all, and how many bytes the index takes. */
uint64_t lls_postings_texts(const lls_postings *postings);
uint64_t lls_postings_bytes(const lls_postings *postings);

typedef struct lls_postings_hit {
    uint32_t doc;
    float score;
} lls_postings_hit;

typedef struct lls_postings_search {
    const lls_text_query *query;
    size_t k;

    /** Whether `doc` may be found. Asked only about documents good enough. NULL: all may. */
    lls_err (*allowed)(void *user, uint32_t doc, bool *out, lls_error *err);

    /** The order of two documents with equal scores, as of memcmp. NULL: by their numbers. */
    int (*order)(void *user, uint32_t a, uint32_t b);
    void *user;
} lls_postings_search;

/**
 * The best `k` into `hits`, best first; `hits` has room for `k`. Errors: what `allowed` reports.
 */
lls_err lls_postings_find(const lls_postings *postings, const lls_postings_search *search,
                          lls_postings_hit *hits, size_t *count, lls_error *err) LLS_CHECKED;

#endif
