/**
 * tokenize.h - the words of a text, the same on every backend, so that a search by words finds the
 * same records everywhere.
 *
 * A word is the longest run of letters, marks and digits (Unicode's categories L, M and N) of any
 * script; everything else parts words. Its characters are folded one by one (Unicode's simple case
 * folding: "Straße" and "STRAßE" are one word, "STRASSE" is another). There is no stemming and no
 * normal form: "é" as one character and "é" as two are different words.
 *
 * Scripts that are written without spaces (Han, Hiragana, Katakana, Thai, Lao, Khmer, Myanmar) have
 * no runs to go by. There each character is a word, and each pair of neighbours is another one.
 *
 * A word of more than LLS_TEXT_WORD_MAX bytes is known by its first ones, as many whole characters
 * as fit. Bytes that are not UTF-8 part words. Nothing here fails, or allocates.
 */
#ifndef LLS_TEXT_TOKENIZE_H
#define LLS_TEXT_TOKENIZE_H

#include <llmspell/bytes.h>

enum { LLS_TEXT_WORD_MAX = 64 };

/** Walks the words of a text, in order, repeated ones each time. Read nothing in it. */
typedef struct lls_text_walk {
    const uint8_t *at;
    const uint8_t *end;
    const uint8_t *neighbour; /* the character to pair with that ends at `at`, or NULL */
    lls_str pair;             /* not given yet; empty: none */
    char word[LLS_TEXT_WORD_MAX];
} lls_text_walk;

/** Begin with the first word of `text`, which must stay as it is while the walk goes on. */
void lls_text_walk_begin(lls_text_walk *walk, lls_str text);

/** The next word, valid until the next call. False after the last, for ever. */
bool lls_text_walk_next(lls_text_walk *walk, lls_str *word);

/** How many words `text` has, repeated ones each time. */
uint64_t lls_text_count(lls_str text);

#endif
