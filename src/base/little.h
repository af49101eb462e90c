/**
 * little.h - whole numbers as they stand in files: little-endian, of 1 to 8 bytes, at any address.
 */
#ifndef LLS_BASE_LITTLE_H
#define LLS_BASE_LITTLE_H

#include <llmspell/bytes.h>

#include <endian.h>
#include <string.h>

static inline uint64_t lls_little_get(const uint8_t *at, size_t bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < bytes; i++)
        number |= (uint64_t)at[i] << (8 * i);
    return number;
}

/* Those of a fixed size are one load, which compilers do not make of the loop above. */

static inline uint16_t lls_little_get_u16(const uint8_t *at)
{
    uint16_t number;

    memcpy(&number, at, sizeof(number));
    return le16toh(number);
}

static inline uint32_t lls_little_get_u32(const uint8_t *at)
{
    uint32_t number;

    memcpy(&number, at, sizeof(number));
    return le32toh(number);
}

static inline uint64_t lls_little_get_u64(const uint8_t *at)
{
    uint64_t number;

    memcpy(&number, at, sizeof(number));
    return le64toh(number);
}

static inline void lls_little_set(uint8_t *at, uint64_t number, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        at[i] = (uint8_t)(number >> (8 * i));
}

static inline void lls_little_set_u32(uint8_t *at, uint32_t number)
{
    number = htole32(number);
    memcpy(at, &number, sizeof(number));
}

static inline void lls_little_set_u64(uint8_t *at, uint64_t number)
{
    number = htole64(number);
    memcpy(at, &number, sizeof(number));
}

/** Append it to `out`. */
static inline void lls_little_add(lls_buf *out, uint64_t number, size_t bytes)
{
    uint8_t little[8];

    lls_little_set(little, number, bytes);
    lls_buf_add(out, (lls_bytes){little, bytes});
}

#endif
