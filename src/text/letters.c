#include "text/letters.h"

#include "base/scope.h"

typedef struct range {
    uint32_t first;
    uint32_t last;
} range;

/* Every `step`th character from `first` to `last` is folded by adding `distance`. */
typedef struct fold_run {
    uint32_t first;
    uint32_t last;
    uint32_t step;
    int32_t distance;
} fold_run;

#include "text/letters.inc"

static const range unspaced[] = {
    {0xe00, 0xe7f},     // Thai
    {0xe80, 0xeff},     // Lao
    {0x1000, 0x109f},   // Myanmar
    {0x1780, 0x17ff},   // Khmer
    {0x3005, 0x3007},   // ideographic iteration mark, closing mark, zero
    {0x3040, 0x30ff},   // Hiragana, Katakana
    {0x31f0, 0x31ff},   // Katakana, phonetic extensions
    {0x3400, 0x4dbf},   // Han, extension A
    {0x4e00, 0x9fff},   // Han
    {0xa9e0, 0xa9ff},   // Myanmar, extended B
    {0xaa60, 0xaa7f},   // Myanmar, extended A
    {0xf900, 0xfaff},   // Han, compatibility
    {0xff66, 0xff9f},   // Katakana, half width
    {0x1aff0, 0x1b16f}, // Kana, extensions and supplement
    {0x20000, 0x3ffff}, // Han, the other extensions
};

static bool is_in(const range *ranges, size_t count, uint32_t character)
{
    size_t low = 0;

    while (low < count) {
        size_t middle = low + (count - low) / 2;
        if (character < ranges[middle].first)
            count = middle;
        else if (character > ranges[middle].last)
            low = middle + 1;
        else
            return true;
    }
    return false;
}

static bool is_ascii_letter(uint32_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool lls_text_is_letter(uint32_t character)
{
    if (character < 0x80)
        return is_ascii_letter(character);
    return is_in(letters, LLS_COUNT(letters), character);
}

bool lls_text_is_unspaced(uint32_t character)
{
    return character >= unspaced[0].first && is_in(unspaced, LLS_COUNT(unspaced), character) &&
           lls_text_is_letter(character);
}

uint32_t lls_text_fold(uint32_t character)
{
    size_t low = 0;
    size_t high = LLS_COUNT(folds);

    if (character < 0x80)
        return character >= 'A' && character <= 'Z' ? character + ('a' - 'A') : character;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const fold_run *run = &folds[middle];
        if (character < run->first) {
            high = middle;
        } else if (character > run->last) {
            low = middle + 1;
        } else {
            bool folded = (character - run->first) % run->step == 0;
            return folded ? (uint32_t)((int32_t)character + run->distance) : character;
        }
    }
    return character;
}
