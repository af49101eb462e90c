/**
 * vec_words.h - the index of words of a collection. It is made when somebody searches for words,
 * and follows the records from then on: writers note the keys that they wrote, and the next search
 * brings it up to date. So no write fails, or waits, because of it.
 */
#ifndef LLS_BACKENDS_MEMORY_VEC_WORDS_H
#define LLS_BACKENDS_MEMORY_VEC_WORDS_H

#include "backends/memory/memory.h"
#include "text/postings.h"

void memory_words_free(memory_words *words); /**< NULL is fine. */

/** Append a key to a log of them. */
void memory_words_log(lls_buf *log, lls_bytes key);

/** The records of these keys were written. The lock of the store is held. */
void memory_words_note(memory_words *words, const lls_buf *log);

/** Anything may have changed. The lock is held. NULL is fine. */
void memory_words_outdate(memory_words *words);

/** Which records may be found. */
typedef lls_err (*memory_words_allowed)(void *user, const memory_record *record, bool *out,
                                        lls_error *err);

/** Told of each record that was found, best first. */
typedef lls_err (*memory_words_found)(void *user, const memory_record *record, float score,
                                      lls_error *err);

typedef struct memory_words_search {
    lls_str words;
    size_t k;
    memory_words_allowed allowed;
    memory_words_found found;
    void *user;
} memory_words_search;

/** Search the records of `space` as they are now. */
lls_err memory_words_find(memory_kv *kv, lls_kv_space space, const memory_words_search *search,
                          lls_error *err) LLS_CHECKED;

#endif
