/**
 * terms.h - the vocabulary of an inverted index: each word, and the documents that have it.
 */
#ifndef LLS_TEXT_TERMS_H
#define LLS_TEXT_TERMS_H

#include <llmspell/bytes.h>

/** One document that has a word. `occurrences` 0: it was removed, and its place is free. */
typedef struct lls_posting {
    uint32_t doc;
    uint32_t occurrences;
} lls_posting;

/** A word, and who has it. */
typedef struct lls_term {
    lls_posting *postings; /**< By rising `doc`. */
    size_t count;
    size_t cap;
    size_t live; /**< Of `count`, those that were not removed. */
    size_t word_len;
    char word[];
} lls_term;

/** Zeroed is empty. */
typedef struct lls_terms {
    lls_term **slots; /**< `slot_count` of them, a power of two; NULL ones are free. */
    size_t slot_count;
    size_t used;
    uint64_t bytes; /**< Of memory, all in all. */
} lls_terms;

void lls_terms_fini(lls_terms *terms);

/** The term of `word`, or NULL. It stays where it is until the next lls_terms_make. */
lls_term *lls_terms_find(const lls_terms *terms, lls_str word);

/** The same, made when there is none; NULL when memory is out. Forgets words that nobody has. */
lls_term *lls_terms_make(lls_terms *terms, lls_str word);

/** One more occurrence of the word in `doc`. False when memory is out; nothing has changed then. */
bool lls_term_count(lls_terms *terms, lls_term *term, uint32_t doc);

/** No occurrence of the word in `doc` any more. None is fine. */
void lls_term_forget(lls_terms *terms, lls_term *term, uint32_t doc);

#endif
