/**
 * hash.h - checksums (XXH3, https://xxhash.com): against accidents, not against an adversary.
 */
#ifndef LLS_BASE_HASH_H
#define LLS_BASE_HASH_H

#include <llmspell/bytes.h>

/** 128 bits; also a sum of many modulo 2^128, which does not depend on their order. */
typedef struct lls_digest {
    uint64_t high;
    uint64_t low;
} lls_digest;

enum { LLS_DIGEST_TEXT = 33 }; /**< 32 hexadecimal digits and a NUL. */

/** XXH3-128 of `count` parts, each preceded by its length, so that ("ab","c") ≠ ("a","bc"). */
lls_digest lls_digest_of(const lls_bytes *parts, size_t count);

/** Add `d` to `sum`, modulo 2^128. */
void lls_digest_add(lls_digest *sum, lls_digest d);

static inline bool lls_digest_eq(lls_digest a, lls_digest b)
{
    return a.high == b.high && a.low == b.low;
}

void lls_digest_format(lls_digest d, char out[LLS_DIGEST_TEXT]);
lls_err lls_digest_parse(lls_str text, lls_digest *out, lls_error *err) LLS_CHECKED;

/** XXH3-64 of `bytes`, from `seed`: for what lies in one piece already. */
uint64_t lls_hash(lls_bytes bytes, uint64_t seed);

/** The low 32 bits of XXH3-64 over the parts, one after the other: a checksum for a frame. */
uint32_t lls_checksum(const lls_bytes *parts, size_t count);

#endif
