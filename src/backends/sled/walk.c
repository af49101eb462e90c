#include "backends/sled/walk.h"

#include "base/alloc.h"
#include "base/scope.h"

lls_err sled_walk_init(sled_walk *walk, const sled_folder *folder, const sled_segments *segments,
                       lls_error *err)
{
    *walk = (sled_walk){.folder = folder, .segment_bytes = segments->segment_bytes};
    walk->data = lls_alloc((size_t)segments->segment_bytes);
    return walk->data ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "out of memory");
}

void sled_walk_fini(sled_walk *walk)
{
    lls_free(walk->data);
    *walk = (sled_walk){0};
}

void sled_walk_start(sled_walk *walk, const sled_segment *segments, size_t count, int64_t bound,
                     sled_gap gap)
{
    walk->segments = segments;
    walk->count = count;
    walk->bound = bound;
    walk->gap = gap;
    walk->lsn = 0;
    walk->index = 0;
    walk->inside = false;
    walk->walked = false;
    walk->closed = false;
}

bool sled_walk_read(const uint8_t *data, size_t at, size_t len, size_t segment_bytes,
                    uint64_t segment, sled_message *out)
{
    lls_bytes rest = {data + at, segment_bytes - at};

    if (!sled_message_parse(rest, out) || out->segment != segment)
        return false;
    // the engine takes a header beyond the file's end for zeros, but never a body
    if (out->body.len > 0 && at + sled_message_len(out) > len)
        return false;
    return sled_message_verify(rest.data, out);
}

/* LLS_END when there is no further segment within the bound. */
static lls_err enter(sled_walk *walk, lls_error *err)
{
    if (walk->index >= walk->count)
        return LLS_END;
    const sled_segment *segment = &walk->segments[walk->index];
    if (segment->base > walk->bound)
        return LLS_END;
    uint64_t left = walk->folder->db_bytes - segment->offset;
    walk->len = (size_t)(left < walk->segment_bytes ? left : walk->segment_bytes);
    LLS_TRY(sled_folder_read(walk->folder, segment->offset, walk->data, walk->len, err));
    memset(walk->data + walk->len, 0, (size_t)walk->segment_bytes - walk->len);
    walk->lsn = segment->base + SLED_SEGMENT_HEADER;
    walk->inside = true;
    walk->walked = true;
    walk->closed = false;
    return LLS_OK;
}

static void leave(sled_walk *walk)
{
    walk->inside = false;
    walk->index++;
}

/* A place without a message. */
static lls_err stop_at_gap(sled_walk *walk, sled_place *place, size_t at)
{
    if (walk->gap == SLED_GAP_ENDS_LOG) {
        walk->count = walk->index; // END repeats
        walk->inside = false;
        return LLS_END;
    }
    *place = (sled_place){walk->lsn, walk->segments[walk->index].offset + at};
    leave(walk);
    return LLS_E_MISMATCH;
}

/* Whether the batch that begins here is there to its end. */
static bool is_whole(const sled_walk *walk, const sled_message *message)
{
    int64_t last;

    return !sled_message_lsn(message, &last) || last <= walk->bound;
}

lls_err sled_walk_next(sled_walk *walk, sled_message *message, sled_place *place, lls_error *err)
{
    for (;;) {
        if (!walk->inside)
            LLS_TRY(enter(walk, err));
        const sled_segment *segment = &walk->segments[walk->index];
        size_t at = (size_t)(walk->lsn - segment->base);
        if (at > walk->segment_bytes - SLED_MESSAGE_HEADER_MAX) {
            leave(walk);
            continue;
        }
        if (walk->lsn > walk->bound)
            return LLS_END;
        if (!sled_walk_read(walk->data, at, walk->len, (size_t)walk->segment_bytes,
                            (uint64_t)segment->base / walk->segment_bytes, message))
            return stop_at_gap(walk, place, at);
        if (message->kind == SLED_CAP) {
            walk->closed = true; // and stay: if nothing follows, the log ends here
            leave(walk);
            continue;
        }
        if (message->kind == SLED_MANIFEST && !is_whole(walk, message))
            return LLS_END;
        *place = (sled_place){walk->lsn, segment->offset + at};
        walk->lsn += (int64_t)sled_message_len(message);
        if (message->kind != SLED_CANCELED && message->kind != SLED_MANIFEST)
            return LLS_OK;
    }
}
