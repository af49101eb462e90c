/** wire.h - numbers as they stand in our files: little-endian, at any address. */
#ifndef LLS_BACKENDS_HNSW_WIRE_H
#define LLS_BACKENDS_HNSW_WIRE_H

#include <llmspell/bytes.h>

static inline uint64_t hnsw_get(const uint8_t *at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)at[i] << (8 * i);
    return number;
}

static inline uint16_t hnsw_get_u16(const uint8_t *at)
{
    return (uint16_t)hnsw_get(at, 2);
}

static inline uint32_t hnsw_get_u32(const uint8_t *at)
{
    return (uint32_t)hnsw_get(at, 4);
}

static inline uint64_t hnsw_get_u64(const uint8_t *at)
{
    return hnsw_get(at, 8);
}

static inline void hnsw_set(uint8_t *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static inline void hnsw_add_number(lls_buf *out, uint64_t number, size_t bytes)
{
    uint8_t little[8];

    hnsw_set(little, number, bytes);
    lls_buf_add(out, (lls_bytes){little, bytes});
}

#endif
