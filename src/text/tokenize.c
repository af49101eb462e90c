#include "text/tokenize.h"

#include "base/utf8.h"
#include "text/letters.h"

/* The character at `at`, and how many bytes it has; 0 is no letter, and stands for broken bytes. */
static uint32_t character_at(const uint8_t *at, const uint8_t *end, size_t *len)
{
    size_t bytes = lls_utf8_length(at, end);

    *len = bytes ? bytes : 1;
    switch (bytes) {
    case 1:
        return at[0];
    case 2:
        return (at[0] & 0x1fU) << 6 | (at[1] & 0x3fU);
    case 3:
        return (at[0] & 0xfU) << 12 | (at[1] & 0x3fU) << 6 | (at[2] & 0x3fU);
    case 4:
        return (at[0] & 7U) << 18 | (at[1] & 0x3fU) << 12 | (at[2] & 0x3fU) << 6 | (at[3] & 0x3fU);
    default:
        return 0;
    }
}

static size_t put_character(uint32_t c, char out[4])
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    size_t len = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    static const uint8_t heads[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (c & 0x3f));
        c >>= 6;
    }
    out[0] = (char)(heads[len] | c);
    return len;
}

void lls_text_walk_begin(lls_text_walk *walk, lls_str text)
{
    walk->at = (const uint8_t *)text.data;
    walk->end = text.len ? walk->at + text.len : walk->at;
    walk->neighbour = NULL;
    walk->pair = (lls_str){0};
}

/* The word that begins here, to the first character that belongs to none, or to no run. */
static lls_str take_run(lls_text_walk *walk)
{
    size_t used = 0;
    bool full = false;
    char folded[4];
    size_t len;

    while (walk->at < walk->end) {
        uint32_t c = character_at(walk->at, walk->end, &len);
        if (!lls_text_is_letter(c) || lls_text_is_unspaced(c))
            break;
        walk->at += len;
        len = put_character(lls_text_fold(c), folded);
        full = full || used + len > sizeof(walk->word);
        if (!full) {
            memcpy(walk->word + used, folded, len);
            used += len;
        }
    }
    return (lls_str){walk->word, used};
}

/* These have no case: words are views into the text. */
static lls_str take_unspaced(lls_text_walk *walk, size_t len)
{
    const uint8_t *begin = walk->at;

    walk->at += len;
    if (walk->neighbour)
        walk->pair = (lls_str){(const char *)walk->neighbour, (size_t)(walk->at - walk->neighbour)};
    walk->neighbour = begin;
    return (lls_str){(const char *)begin, len};
}

bool lls_text_walk_next(lls_text_walk *walk, lls_str *word)
{
    size_t len;

    if (walk->pair.len) {
        *word = walk->pair;
        walk->pair = (lls_str){0};
        return true;
    }
    while (walk->at < walk->end) {
        uint32_t c = character_at(walk->at, walk->end, &len);
        if (lls_text_is_unspaced(c)) {
            *word = take_unspaced(walk, len);
            return true;
        }
        walk->neighbour = NULL;
        if (lls_text_is_letter(c)) {
            *word = take_run(walk);
            return true;
        }
        walk->at += len;
    }
    return false;
}

uint64_t lls_text_count(lls_str text)
{
    lls_text_walk walk;
    lls_str word;
    uint64_t count = 0;

    lls_text_walk_begin(&walk, text);
    while (lls_text_walk_next(&walk, &word))
        count++;
    return count;
}
