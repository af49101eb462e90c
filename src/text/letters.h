/** letters.h - which characters words are made of: Unicode's categories, as tables. */
#ifndef LLS_TEXT_LETTERS_H
#define LLS_TEXT_LETTERS_H

#include <stdbool.h>
#include <stdint.h>

/** A letter, a mark or a digit of any script. */
bool lls_text_is_letter(uint32_t character);

/** Of a script that is written without spaces between words. It is a letter, too. */
bool lls_text_is_unspaced(uint32_t character);

/** The character without its case. What was folded stays as it is when folded again. */
uint32_t lls_text_fold(uint32_t character);

#endif
