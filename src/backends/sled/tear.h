/**
 * tear.h - what stands behind the end of the log, and what that proves.
 *
 * The engine takes whatever it cannot read for the end, and throws away the rest. Bytes that only a
 * later write can have left tell a program that was killed from a disk that lost something.
 */
#ifndef LLS_BACKENDS_SLED_TEAR_H
#define LLS_BACKENDS_SLED_TEAR_H

#include "backends/sled/message.h"
#include "backends/sled/segments.h"

/** The first sign of a torn tail that was found. */
typedef struct sled_tear {
    bool found;
    uint64_t offset; /* in `db` */
    char text[256];
} sled_tear;

/** Keep a sign, if it is the first. */
void sled_tear_note(sled_tear *tear, uint64_t offset, const char *fmt, ...) LLS_PRINTF(3, 4);

/** A slot's bytes, zeros behind what the file has of them. */
typedef struct sled_slot {
    const uint8_t *data;
    size_t len;  /* in the file */
    size_t size; /* of a segment */
    uint64_t offset;
} sled_slot;

/** Which messages are looked for, and how much may be spent on it. */
typedef struct sled_search {
    uint64_t low; /* numbers of segments */
    uint64_t high;
    int64_t after;    /* the LSN must be greater */
    uint64_t *budget; /* bytes that may yet be summed: what nobody wrote would take very long */
} sled_search;

/** Where in the slot, from `from` on, the first such message begins; SIZE_MAX: nowhere. */
size_t sled_tear_search(const sled_slot *slot, size_t from, const sled_search *search);

/** Look at what is behind `end`, the last LSN of the log, in the segment of number `number`. */
void sled_tear_look(const sled_slot *slot, uint64_t number, int64_t end, uint64_t *budget,
                    sled_tear *tear);

#endif
