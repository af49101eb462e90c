#define XXH_INLINE_ALL // small records: the call would cost more than the hash

#include "base/hash.h"

#include "base/little.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

lls_digest lls_digest_of(const lls_bytes *parts, size_t count)
{
    XXH3_state_t state;

    (void)XXH3_128bits_reset(&state);
    for (size_t i = 0; i < count; i++) {
        uint8_t len[8];
        lls_little_set(len, parts[i].len, sizeof(len));
        (void)XXH3_128bits_update(&state, len, sizeof(len));
        if (parts[i].len)
            (void)XXH3_128bits_update(&state, parts[i].data, parts[i].len);
    }
    XXH128_hash_t h = XXH3_128bits_digest(&state);
    return (lls_digest){.high = h.high64, .low = h.low64};
}

void lls_digest_add(lls_digest *sum, lls_digest d)
{
    uint64_t low = sum->low + d.low;

    sum->high += d.high + (low < sum->low);
    sum->low = low;
}

void lls_digest_format(lls_digest d, char out[LLS_DIGEST_TEXT])
{
    (void)snprintf(out, LLS_DIGEST_TEXT, "%016" PRIx64 "%016" PRIx64, d.high, d.low);
}

static bool hex(const char *text, uint64_t *out)
{
    *out = 0;
    for (int i = 0; i < 16; i++) {
        char c = text[i];
        int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
        if (digit < 0)
            return false;
        *out = *out << 4 | (uint64_t)digit;
    }
    return true;
}

lls_err lls_digest_parse(lls_str text, lls_digest *out, lls_error *err)
{
    lls_digest d;

    if (text.len != LLS_DIGEST_TEXT - 1 || !hex(text.data, &d.high) || !hex(text.data + 16, &d.low))
        return lls_fail(err, LLS_E_PARSE, "'" LLS_FMT "' is not a digest", LLS_ARG(text));
    *out = d;
    return LLS_OK;
}

uint64_t lls_hash(lls_bytes bytes, uint64_t seed)
{
    return XXH3_64bits_withSeed(bytes.data, bytes.len, seed);
}

/* What is gathered on the stack to be hashed in one go: for a small record that takes half the time
   of setting up a stream. */
enum { SMALL = 1024 };

static bool gather(const lls_bytes *parts, size_t count, uint8_t out[SMALL], size_t *len)
{
    *len = 0;
    for (size_t i = 0; i < count; i++) {
        if (parts[i].len > SMALL - *len)
            return false;
        if (parts[i].len)
            memcpy(out + *len, parts[i].data, parts[i].len);
        *len += parts[i].len;
    }
    return true;
}

uint32_t lls_checksum(const lls_bytes *parts, size_t count)
{
    uint8_t small[SMALL];
    XXH3_state_t state;
    size_t len;

    if (gather(parts, count, small, &len))
        return (uint32_t)XXH3_64bits(small, len);

    (void)XXH3_64bits_reset(&state);
    for (size_t i = 0; i < count; i++)
        if (parts[i].len)
            (void)XXH3_64bits_update(&state, parts[i].data, parts[i].len);
    return (uint32_t)XXH3_64bits_digest(&state);
}
