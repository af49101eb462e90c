#include "text/bm25.h"

#include "base/scope.h"

#include <math.h>

double lls_bm25_idf(uint64_t texts, uint64_t holders)
{
    return log(1 + ((double)texts - (double)holders + 0.5) / ((double)holders + 0.5));
}

double lls_bm25_weight(uint64_t occurrences, uint64_t length, double average)
{
    double f = (double)occurrences;
    double relative = 1 - LLS_BM25_B + LLS_BM25_B * (double)length / average;

    return f * (LLS_BM25_K1 + 1) / (f + LLS_BM25_K1 * relative);
}

/* Where `word` is in the query, or would be. */
static size_t place_of(const lls_text_query *query, lls_str word, bool *there)
{
    size_t low = 0;
    size_t high = query->count;

    *there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = lls_bytes_cmp(lls_bytes_of(query->words[middle]), lls_bytes_of(word));
        if (order == 0)
            *there = true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

lls_err lls_text_query_init(lls_text_query *query, lls_str text, lls_error *err)
{
    lls_text_walk walk;
    lls_str word;
    bool there;

    query->count = 0;
    query->bytes = (lls_buf){0};
    // reserved whole, so that views into it stay
    lls_buf_reserve(&query->bytes, (size_t)LLS_TEXT_QUERY_MAX * LLS_TEXT_WORD_MAX);
    LLS_TRY(lls_buf_status(&query->bytes, err));
    lls_text_walk_begin(&walk, text);
    while (query->count < LLS_TEXT_QUERY_MAX && lls_text_walk_next(&walk, &word)) {
        size_t at = place_of(query, word, &there);
        if (there)
            continue;
        memmove(&query->words[at + 1], &query->words[at],
                (query->count - at) * sizeof(query->words[0]));
        query->words[at] = (lls_str){(const char *)query->bytes.data + query->bytes.len, word.len};
        lls_buf_add_str(&query->bytes, word);
        query->count++;
    }
    return LLS_OK;
}

void lls_text_query_fini(lls_text_query *query)
{
    query->count = 0;
    lls_buf_fini(&query->bytes);
}
