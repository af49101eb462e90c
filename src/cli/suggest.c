#include "cli/suggest.h"

#include <string.h>

#define WORD_MAX 31 /* bytes; nobody mistypes a longer word of ours so that it could be told */

static size_t least(size_t a, size_t b, size_t c)
{
    size_t ab = a < b ? a : b;

    return ab < c ? ab : c;
}

/* Levenshtein's distance, with one row of the table at a time. */
static size_t distance(const char *a, const char *b)
{
    size_t row[WORD_MAX + 1];
    size_t a_len = strlen(a);
    size_t b_len = strlen(b);

    if (a_len > WORD_MAX || b_len > WORD_MAX)
        return WORD_MAX;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        size_t diagonal = row[0];

        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t above = row[j];

            row[j] = least(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
            diagonal = above;
        }
    }
    return row[b_len];
}

void cli_suggest(cli_suggestion *suggestion, const char *candidate)
{
    size_t far = distance(suggestion->word, candidate);
    size_t len = strlen(candidate);
    size_t limit = len < 4 ? 1 : len / 3 + 1;

    // The beginning of a word is as good as a near miss.
    if (strlen(suggestion->word) >= 3 &&
        strncmp(candidate, suggestion->word, strlen(suggestion->word)) == 0)
        far = 1;
    if (far <= limit && (!suggestion->nearest || far < suggestion->distance)) {
        suggestion->nearest = candidate;
        suggestion->distance = far;
    }
}
