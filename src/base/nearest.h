/** nearest.h - "did you mean …?" */
#ifndef LLS_BASE_NEAREST_H
#define LLS_BASE_NEAREST_H

#include <llmspell/bytes.h>

/**
 * The smallest number of single-character changes that turn `a` into `b` (Levenshtein 1966), or a
 * number over `limit` as soon as it is certain to be more. Texts over 64 bytes are never near.
 */
size_t lls_edit_distance(lls_str a, lls_str b, size_t limit);

#endif
