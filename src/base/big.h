/**
 * big.h - whole numbers as they stand in keys, where they sort, and on the wire: big-endian, of 1
 * to 8 bytes, at any address.
 */
#ifndef LLS_BASE_BIG_H
#define LLS_BASE_BIG_H

#include <llmspell/bytes.h>

static inline uint64_t lls_big_get(const uint8_t *at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number = number << 8 | at[i];
    return number;
}

static inline uint32_t lls_big_get_u32(const uint8_t *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline void lls_big_set(uint8_t *at, uint64_t number, size_t bytes)
{
    for (size_t i = bytes; i > 0; i--, number >>= 8)
        at[i - 1] = (uint8_t)number;
}

static inline void lls_big_set_u32(uint8_t *at, uint32_t number)
{
    lls_big_set(at, number, 4);
}

/** Append it to `out`. */
static inline void lls_big_add(lls_buf *out, uint64_t number, size_t bytes)
{
    uint8_t big[8];

    lls_big_set(big, number, bytes);
    lls_buf_add(out, (lls_bytes){big, bytes});
}

#endif
