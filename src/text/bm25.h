/**
 * bm25.h - how well a text fits words: Okapi BM25 (Robertson and Zaragoza, "The Probabilistic
 * Relevance Framework: BM25 and Beyond", 2009), with k1 = 1.2 and b = 0.75.
 *
 *     score = Σ over the words of the query that the text has:  idf · weight
 *     idf    = ln(1 + (N − n + 0.5) / (n + 0.5))
 *     weight = f · (k1 + 1) / (f + k1 · (1 − b + b · length / average))
 *
 * N is the number of texts of the collection that have a word at all, n of those that have this
 * word, `average` their average length; lengths, and f, count words as tokenize.h gives them. A
 * filter changes none of these: it says which texts may be found, not what they are worth.
 *
 * So that every backend comes to the same order: each distinct word of the query counts once, the
 * sum is made in doubles, in byte order of the words, and then rounded to a float; texts of equal
 * floats are in byte order of their ids. Of a query, the first LLS_TEXT_QUERY_MAX distinct words
 * count.
 */
#ifndef LLS_TEXT_BM25_H
#define LLS_TEXT_BM25_H

#include "text/tokenize.h"

#define LLS_BM25_K1 1.2
#define LLS_BM25_B 0.75

enum { LLS_TEXT_QUERY_MAX = 256 };

/** What a word is worth that `holders` of `texts` have. */
double lls_bm25_idf(uint64_t texts, uint64_t holders);

/** What `occurrences` of a word in a text of `length` words are worth; `average` is not 0. */
double lls_bm25_weight(uint64_t occurrences, uint64_t length, double average);

/** The distinct words of a query, in byte order. Zeroed is none. */
typedef struct lls_text_query {
    lls_str words[LLS_TEXT_QUERY_MAX]; /**< Views into `bytes`. */
    size_t count;
    lls_buf bytes;
} lls_text_query;

/** The first LLS_TEXT_QUERY_MAX distinct words of `text`. Owns: fini it. Errors: LLS_E_NOMEM. */
lls_err lls_text_query_init(lls_text_query *query, lls_str text, lls_error *err) LLS_CHECKED;
void lls_text_query_fini(lls_text_query *query);
static inline void lls_text_query_auto(lls_text_query *query)
{
    lls_text_query_fini(query);
}

#endif
