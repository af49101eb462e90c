/**
 * wire.h - reading the engine's encodings out of bytes that nobody vouches for.
 *
 * The first read beyond the end sets `bad`, and from then on everything reads as zero: a caller
 * reads what it wants and asks once. All integers are little-endian.
 */
#ifndef LLS_BACKENDS_SLED_WIRE_H
#define LLS_BACKENDS_SLED_WIRE_H

#include "base/little.h"

typedef struct sled_wire {
    const uint8_t *at;
    const uint8_t *end;
    bool bad;
} sled_wire;

static inline sled_wire sled_wire_of(lls_bytes bytes)
{
    return (sled_wire){.at = bytes.data, .end = bytes.len ? bytes.data + bytes.len : bytes.data};
}

static inline size_t sled_wire_left(const sled_wire *wire)
{
    return wire->at ? (size_t)(wire->end - wire->at) : 0;
}

/** The next `len` bytes, or NULL and `bad`. Never NULL for a `len` that is there and not 0. */
static inline const uint8_t *sled_wire_take(sled_wire *wire, uint64_t len)
{
    if (wire->bad || len > sled_wire_left(wire)) {
        wire->bad = true;
        return NULL;
    }
    const uint8_t *taken = wire->at;
    if (len)
        wire->at += len;
    return taken;
}

static inline uint8_t sled_wire_u8(sled_wire *wire)
{
    const uint8_t *data = sled_wire_take(wire, 1);

    return data ? data[0] : 0;
}

static inline uint64_t sled_wire_fixed(sled_wire *wire, size_t len)
{
    const uint8_t *data = sled_wire_take(wire, len);

    return data ? lls_little_get(data, len) : 0;
}

/** Without the undefined conversion of what does not fit. */
static inline int64_t sled_signed(uint64_t value)
{
    int64_t same;

    memcpy(&same, &value, sizeof(same));
    return same;
}

static inline int64_t sled_wire_i64(sled_wire *wire)
{
    return sled_signed(sled_wire_fixed(wire, 8));
}

/** SQLite4's scheme, but with little-endian bytes where there are three or more. */
static inline uint64_t sled_wire_varint(sled_wire *wire)
{
    uint8_t first = sled_wire_u8(wire);

    if (first <= 240)
        return first;
    if (first <= 248)
        return 240 + 256 * (uint64_t)(first - 241) + sled_wire_u8(wire);
    if (first == 249) {
        const uint8_t *two = sled_wire_take(wire, 2);
        return two ? 2288 + 256 * (uint64_t)two[0] + two[1] : 0;
    }
    return sled_wire_fixed(wire, (size_t)first - 247);
}

/** A length and as many bytes. The view is into what is read. */
static inline lls_bytes sled_wire_bytes(sled_wire *wire)
{
    uint64_t len = sled_wire_varint(wire);
    const uint8_t *data = sled_wire_take(wire, len);

    return wire->bad ? (lls_bytes){0} : (lls_bytes){data, (size_t)len};
}

/** Whether all was there, and nothing is left over. */
static inline bool sled_wire_done(const sled_wire *wire)
{
    return !wire->bad && sled_wire_left(wire) == 0;
}

#endif
