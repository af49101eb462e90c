/** words.h - the words of a collection's texts: made by the first search by words, then kept. */
#ifndef LLS_BACKENDS_HNSW_WORDS_H
#define LLS_BACKENDS_HNSW_WORDS_H

#include "backends/hnsw/coll.h"

typedef struct hnsw_words hnsw_words;

void hnsw_words_free(hnsw_words *words); /**< NULL is fine. */

/** Keep up with a record that comes, or goes. Does nothing as long as nobody searched. */
lls_err hnsw_words_learn(hnsw_coll *coll, uint32_t doc, lls_error *err) LLS_CHECKED;
lls_err hnsw_words_forget(hnsw_coll *coll, const hnsw_record *record, lls_error *err) LLS_CHECKED;

/** A search by words, into `out`, best first. The tenant's lock is held to read. */
lls_err hnsw_words_search(hnsw_coll *coll, int64_t now_usec, const lls_vec_words *words,
                          lls_vec_hits *out, lls_error *err) LLS_CHECKED;

#endif
