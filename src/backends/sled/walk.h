/** walk.h - the messages of the log in the order in which they were written. */
#ifndef LLS_BACKENDS_SLED_WALK_H
#define LLS_BACKENDS_SLED_WALK_H

#include "backends/sled/message.h"
#include "backends/sled/segments.h"

/** What a place without a message means. */
typedef enum sled_gap {
    SLED_GAP_ENDS_LOG,
    SLED_GAP_ENDS_SEGMENT, /**< And the next one follows: see sled_walk_next. */
} sled_gap;

typedef struct sled_walk {
    const sled_folder *folder;
    const sled_segment *segments; /* ascending */
    size_t count;
    uint64_t segment_bytes;
    int64_t bound; /* no message beyond this LSN is looked at */
    sled_gap gap;

    int64_t lsn;   /* where it stands: behind the last message when the walk has ended */
    size_t index;  /* of the segment */
    bool inside;   /* a segment is loaded, and `lsn` lies in it */
    bool walked;   /* some segment was */
    bool closed;   /* what ended the last segment was a cap, at `lsn` */
    uint8_t *data; /* of the segment */
    size_t len;    /* of what the file has of it; zeros follow */
} sled_walk;

typedef struct sled_place {
    int64_t lsn;
    uint64_t offset; /* in `db` */
} sled_place;

/** Owns: sled_walk_fini, also after a failure. `segments` are borrowed. */
lls_err sled_walk_init(sled_walk *walk, const sled_folder *folder, const sled_segments *segments,
                       lls_error *err) LLS_CHECKED;
void sled_walk_fini(sled_walk *walk);

/** Go over `count` segments from the first one on, whatever was walked before. */
void sled_walk_start(sled_walk *walk, const sled_segment *segments, size_t count, int64_t bound,
                     sled_gap gap);

/**
 * LLS_OK with a message that does something to a page; its body lives until the next call.
 * LLS_END at the end. LLS_E_MISMATCH, without a message, at a place that holds none while
 * SLED_GAP_ENDS_SEGMENT: `place` is where, `walk->data` what; the next call goes on behind it.
 */
lls_err sled_walk_next(sled_walk *walk, sled_message *message, sled_place *place,
                       lls_error *err) LLS_CHECKED;

/**
 * Take apart and verify what stands at `at` in a segment of number `segment`. `len` is what the
 * file has of the segment; up to `segment_bytes` zeros follow in `data`.
 */
bool sled_walk_read(const uint8_t *data, size_t at, size_t len, size_t segment_bytes,
                    uint64_t segment, sled_message *out);

#endif
