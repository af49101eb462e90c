/** utf8.h - well-formed UTF-8 (RFC 3629), one character at a time. */
#ifndef LLS_BASE_UTF8_H
#define LLS_BASE_UTF8_H

#include <llmspell/bytes.h>

/**
 * The bytes of the character at `at`, 1 to 4, or 0 when they are not well-formed: overlong,
 * a surrogate, beyond U+10FFFF, or cut off by `end`. `at` is before `end`.
 */
static inline size_t lls_utf8_length(const uint8_t *at, const uint8_t *end)
{
    uint8_t c = *at;
    uint8_t low = 0x80;
    uint8_t high = 0xbf;
    size_t len;

    if (c < 0x80)
        return 1;
    if (c >= 0xc2 && c <= 0xdf) {
        len = 2;
    } else if (c >= 0xe0 && c <= 0xef) {
        len = 3;
        low = c == 0xe0 ? 0xa0 : 0x80;  // no overlong forms
        high = c == 0xed ? 0x9f : 0xbf; // no surrogates
    } else if (c >= 0xf0 && c <= 0xf4) {
        len = 4;
        low = c == 0xf0 ? 0x90 : 0x80;
        high = c == 0xf4 ? 0x8f : 0xbf; // not beyond U+10FFFF
    } else {
        return 0;
    }
    if ((size_t)(end - at) < len || at[1] < low || at[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if (at[i] < 0x80 || at[i] > 0xbf)
            return 0;
    return len;
}

#endif
