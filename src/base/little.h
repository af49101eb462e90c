/**
 * little.h - whole numbers as they stand in files: little-endian, of 1 to 8 bytes, at any address.
 */
#ifndef LLS_BASE_LITTLE_H
#define LLS_BASE_LITTLE_H

#include <llmspell/bytes.h>

static inline uint64_t lls_little_get(const uint8_t *at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)at[i] << (8 * i);
    return number;
}

static inline uint16_t lls_little_get_u16(const uint8_t *at)
{
    return (uint16_t)lls_little_get(at, 2);
}

static inline uint32_t lls_little_get_u32(const uint8_t *at)
{
    return (uint32_t)lls_little_get(at, 4);
}

static inline uint64_t lls_little_get_u64(const uint8_t *at)
{
    return lls_little_get(at, 8);
}

static inline void lls_little_set(uint8_t *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static inline void lls_little_set_u32(uint8_t *at, uint32_t number)
{
    lls_little_set(at, number, 4);
}

static inline void lls_little_set_u64(uint8_t *at, uint64_t number)
{
    lls_little_set(at, number, 8);
}

/** Append it to `out`. */
static inline void lls_little_add(lls_buf *out, uint64_t number, size_t bytes)
{
    uint8_t little[8];

    lls_little_set(little, number, bytes);
    lls_buf_add(out, (lls_bytes){little, bytes});
}

#endif
