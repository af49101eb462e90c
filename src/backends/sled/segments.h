/** segments.h - which segment of the log stands in which slot of the file `db`. */
#ifndef LLS_BACKENDS_SLED_SEGMENTS_H
#define LLS_BACKENDS_SLED_SEGMENTS_H

#include "backends/sled/conf.h"
#include "backends/sled/folder.h"

typedef struct sled_segment {
    int64_t base;    /* LSN of its first byte */
    uint64_t offset; /* of its slot */
} sled_segment;

typedef struct sled_segments {
    sled_segment *items; /* ascending by base */
    size_t count;
    size_t cap;
    uint64_t *strange; /* offsets of slots that hold something, but no header that verifies */
    size_t strange_count;
    size_t strange_cap;
    uint64_t slots;
    uint64_t headers;       /* slots with a header that verifies, also older ones */
    uint64_t wiped;         /* slots of zeros that have a segment newer than `since` behind them */
    uint64_t wiped_at;      /* the first of them */
    int64_t stable;         /* the highest LSN that a header calls durable; -1: none */
    uint64_t stable_at;     /* which header, by its offset */
    uint64_t segment_bytes; /* of each */
} sled_segments;

/**
 * Read all headers; keep the segments of `since`, an LSN, and later.
 *
 * Owns: sled_segments_fini, also after a failure.
 */
lls_err sled_segments_scan(const sled_folder *folder, const sled_conf *conf, int64_t since,
                           sled_segments *out, lls_error *err) LLS_CHECKED;
void sled_segments_fini(sled_segments *segments);

/** The segment that begins at `base`, or NULL. */
const sled_segment *sled_segments_find(const sled_segments *segments, int64_t base);

/** The base of the segment that `lsn` lies in. */
int64_t sled_segments_base(const sled_segments *segments, int64_t lsn);

/** How many bytes of the slot at `offset` the file has. */
size_t sled_slot_len(const sled_folder *folder, const sled_segments *segments, uint64_t offset);

static inline bool sled_all_zero(const uint8_t *data, size_t len)
{
    return len == 0 || (data[0] == 0 && memcmp(data, data + 1, len - 1) == 0);
}

#endif
