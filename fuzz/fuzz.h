/** fuzz.h - what every fuzz target defines, and how it says that a promise was broken. */
#ifndef LLS_FUZZ_H
#define LLS_FUZZ_H

#include <llmspell/bytes.h>

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/** Unlike assert, also in a release build. */
static inline void must(bool promise)
{
    if (!promise)
        abort();
}

static inline lls_str text_of(const uint8_t *data, size_t size)
{
    return (lls_str){(const char *)data, size};
}

#endif
