/** suggest.h - what somebody who mistyped a word may have meant. */
#ifndef CLI_SUGGEST_H
#define CLI_SUGGEST_H

#include <stddef.h>

/** Keeps the nearest of the candidates that it is shown. Zero it, but for `word`. */
typedef struct cli_suggestion {
    const char *word;
    const char *nearest; /**< NULL: nothing was near enough. */
    size_t distance;
} cli_suggestion;

void cli_suggest(cli_suggestion *suggestion, const char *candidate);

#endif
