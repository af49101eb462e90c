#define XXH_INLINE_ALL // small records: the call would cost more than the hash

#include "base/hash.h"

#include "base/little.h"

#include <inttypes.h>
#include <stdio.h>
#include <xxhash.h>

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
enum { SMALL = 1024, LENGTH = 8 };

typedef struct gathered {
    size_t len;
    uint8_t bytes[SMALL];
} gathered;

static bool add(gathered *to, lls_bytes part)
{
    if (part.len > SMALL - to->len)
        return false;
    if (part.len)
        memcpy(to->bytes + to->len, part.data, part.len);
    to->len += part.len;
    return true;
}

static lls_bytes length_of(lls_bytes part, uint8_t out[LENGTH])
{
    lls_little_set_u64(out, part.len);
    return (lls_bytes){out, LENGTH};
}

static lls_digest digest(XXH128_hash_t h)
{
    return (lls_digest){.high = h.high64, .low = h.low64};
}

static bool gather(const lls_bytes *parts, size_t count, bool with_lengths, gathered *out)
{
    uint8_t len[LENGTH];

    out->len = 0;
    for (size_t i = 0; i < count; i++)
        if ((with_lengths && !add(out, length_of(parts[i], len))) || !add(out, parts[i]))
            return false;
    return true;
}

lls_digest lls_digest_of(const lls_bytes *parts, size_t count)
{
    XXH3_state_t state;
    uint8_t len[LENGTH];
    gathered small;

    if (gather(parts, count, true, &small))
        return digest(XXH3_128bits(small.bytes, small.len));

    (void)XXH3_128bits_reset(&state);
    for (size_t i = 0; i < count; i++) {
        (void)XXH3_128bits_update(&state, length_of(parts[i], len).data, LENGTH);
        if (parts[i].len)
            (void)XXH3_128bits_update(&state, parts[i].data, parts[i].len);
    }
    return digest(XXH3_128bits_digest(&state));
}

uint32_t lls_checksum(const lls_bytes *parts, size_t count)
{
    XXH3_state_t state;
    gathered small;

    if (gather(parts, count, false, &small))
        return (uint32_t)XXH3_64bits(small.bytes, small.len);

    (void)XXH3_64bits_reset(&state);
    for (size_t i = 0; i < count; i++)
        if (parts[i].len)
            (void)XXH3_64bits_update(&state, parts[i].data, parts[i].len);
    return (uint32_t)XXH3_64bits_digest(&state);
}
