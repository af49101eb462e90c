#include "backends/sled/recover.h"

#include "backends/sled/blob.h"
#include "backends/sled/walk.h"
#include "base/scope.h"

#include <inttypes.h>

typedef struct recoverer {
    const sled_folder *folder;
    sled_recovery *out;
    sled_walk walk;
    uint64_t budget; /* of searches: see sled_search */
    bool wiping;     /* a slot was found that the engine was wiping */
} recoverer;

#define SEARCH_BYTES ((uint64_t)256 << 20) /* a fraction of a second */

/* ---- the end of the log ---- */

/* The segments from `low` on that follow each other, and the first base that is missing while a
 * later one is there; INT64_MAX: none. */
static size_t take_tail(const sled_segments *segments, int64_t low, const sled_segment **first,
                        int64_t *missing)
{
    const sled_segment *from = segments->count ? sled_segments_find(segments, low) : NULL;
    const sled_segment *all_end = from ? segments->items + segments->count : NULL;
    int64_t expected = low;
    size_t count = 0;

    while (from && from + count < all_end && from[count].base == expected) {
        expected += (int64_t)segments->segment_bytes;
        count++;
    }
    bool later = segments->count > 0 && segments->items[segments->count - 1].base > expected;
    *first = from;
    *missing = later ? expected : INT64_MAX;
    return count;
}

/* Whether the log goes on behind a message: not if it points to a blob that is damaged. One that
 * is absent is normal, its message was superseded. */
static lls_err blob_goes_on(recoverer *r, const sled_message *message, const sled_place *place,
                            bool *out, lls_error *err)
{
    LLS_AUTO(sled_file) file = {0};
    sled_blob_state state = SLED_BLOB_ABSENT;
    int64_t lsn;

    *out = true;
    if (!sled_kind_is_blob(message->kind) || !sled_message_lsn(message, &lsn) || lsn < 0)
        return LLS_OK;
    LLS_TRY(sled_blob_load(r->folder, lsn, &file, &state, err));
    *out = state != SLED_BLOB_BAD;
    if (!*out)
        sled_tear_note(&r->out->tear, place->offset,
                       "the log ends at LSN %" PRId64 ", because 'blobs/%" PRId64 "' is damaged",
                       place->lsn, lsn);
    return LLS_OK;
}

static lls_err find_end(recoverer *r, lls_error *err)
{
    const sled_segments *segments = &r->out->segments;
    int64_t stable = segments->stable;
    const sled_segment *first;
    sled_message message;
    sled_place place;
    int64_t missing;
    bool goes_on = true;
    lls_err e = LLS_OK;

    int64_t low = sled_segments_base(segments, r->out->snapshot.lsn);
    low = stable > low ? sled_segments_base(segments, stable) : low;
    size_t count = take_tail(segments, low, &first, &missing);
    sled_walk_start(&r->walk, first, count, missing, SLED_GAP_ENDS_LOG);
    while (goes_on && (e = sled_walk_next(&r->walk, &message, &place, err)) == LLS_OK)
        LLS_TRY(blob_goes_on(r, &message, &place, &goes_on, err));
    if (e != LLS_OK && e != LLS_END)
        return e;
    if (!goes_on)
        r->out->end = place.lsn - 1;
    else
        r->out->end = r->walk.walked ? r->walk.lsn - 1 : -1;
    return LLS_OK;
}

/* ---- the replay ---- */

static lls_err apply(recoverer *r, const sled_message *message, const sled_place *place,
                     lls_error *err)
{
    sled_part part = {.lsn = place->lsn, .where = place->offset};
    sled_pages *pages = r->out->pages;
    int64_t blob;
    lls_err e;

    part.kind = (unsigned)message->kind & 0xF;
    part.len = sled_message_len(message) & 0xFFFFFFF;
    if (sled_kind_is_blob(message->kind)) {
        if (!sled_message_lsn(message, &blob) || blob < 0)
            return sled_damage(r->folder, "db", place->offset, err,
                               "page %" PRIu64 ": a malformed pointer to a blob", message->page);
        part.where = (uint64_t)blob;
        part.len = 0;
    }
    if (message->kind == SLED_FREE)
        e = sled_pages_release(pages, message->page);
    else if (message->kind == SLED_LINK || message->kind == SLED_LINK_BLOB)
        e = sled_pages_link(pages, message->page, &part);
    else
        e = sled_pages_replace(pages, message->page, &part);
    if (e == LLS_E_NOMEM)
        return lls_fail(err, e, "out of memory for the page table of '%s'", r->folder->path);
    if (e != LLS_OK)
        return sled_damage(r->folder, "db", place->offset, err,
                           "page %" PRIu64 ": more pages than the log can have", message->page);
    return LLS_OK;
}

/* What a slot may hold that was written behind the end. */
static sled_search later_than_end(recoverer *r)
{
    const sled_segments *s = &r->out->segments;
    int64_t high = s->count > 0 ? s->items[s->count - 1].base : 0;

    high = high > r->out->end ? high : r->out->end;
    return (sled_search){.low = r->out->end < 0 ? 0 : (uint64_t)r->out->end / s->segment_bytes,
                         .high = (uint64_t)(high < 0 ? 0 : high) / s->segment_bytes + s->slots + 16,
                         .after = r->out->end,
                         .budget = &r->budget};
}

static sled_slot slot_of_walk(const recoverer *r, uint64_t offset)
{
    return (sled_slot){.data = r->walk.data,
                       .len = r->walk.len,
                       .size = (size_t)r->walk.segment_bytes,
                       .offset = offset};
}

/* No message in the middle of the log is innocent only if the engine was filling the slot anew. */
static lls_err judge_gap(recoverer *r, const sled_place *place, lls_error *err)
{
    size_t at = (size_t)(place->offset % r->walk.segment_bytes);
    sled_slot slot = slot_of_walk(r, place->offset - at);
    sled_search search = later_than_end(r);
    size_t found = sled_tear_search(&slot, at, &search);

    if (found == SIZE_MAX)
        return sled_damage(r->folder, "db", place->offset, err,
                           "the message of LSN %" PRId64 " is damaged", place->lsn);
    sled_tear_note(&r->out->tear, slot.offset + found,
                   "the segment of LSN %" PRId64 " was being overwritten",
                   sled_segments_base(&r->out->segments, place->lsn));
    return LLS_OK;
}

static lls_err replay(recoverer *r, lls_error *err)
{
    const sled_segments *segments = &r->out->segments;
    sled_message message;
    sled_place place;
    lls_err e;

    sled_walk_start(&r->walk, segments->items, segments->count, r->out->end, SLED_GAP_ENDS_SEGMENT);
    while ((e = sled_walk_next(&r->walk, &message, &place, err)) != LLS_END) {
        if (e == LLS_E_MISMATCH)
            e = judge_gap(r, &place, err);
        else if (e == LLS_OK && place.lsn >= r->out->snapshot.lsn)
            e = apply(r, &message, &place, err);
        LLS_TRY(e);
    }
    r->out->replayed = r->walk.index + r->walk.inside;
    r->out->tip = r->walk.walked ? r->walk.lsn : r->out->snapshot.lsn;
    uint64_t left = segments->segment_bytes - (uint64_t)r->out->tip % segments->segment_bytes;
    if (left <= SLED_MESSAGE_HEADER_MAX)
        r->out->tip += (int64_t)left;
    return LLS_OK;
}

/* ---- what must be there ---- */

static lls_err load_slot(recoverer *r, uint64_t offset, sled_slot *out, lls_error *err)
{
    r->walk.len = sled_slot_len(r->folder, &r->out->segments, offset);
    LLS_TRY(sled_folder_read(r->folder, offset, r->walk.data, r->walk.len, err));
    memset(r->walk.data + r->walk.len, 0, (size_t)r->walk.segment_bytes - r->walk.len);
    *out = slot_of_walk(r, offset);
    return LLS_OK;
}

/* When it opens a database the engine writes a snapshot, and then wipes each slot that it does not
 * need, from its beginning, one after the other. Whoever was killed there left one half wiped, and
 * nothing in the log that the snapshot does not have. */
static bool was_being_wiped(const recoverer *r, const sled_slot *slot)
{
    const sled_recovery *out = r->out;

    return !r->wiping && out->snapshot.name[0] != '\0' && out->tip == out->snapshot.lsn &&
           slot->len >= SLED_SEGMENT_HEADER && sled_all_zero(slot->data, SLED_SEGMENT_HEADER) &&
           !sled_pages_begin_in(out->pages, slot->offset, slot->size);
}

/* Slots that hold something, but no segment: being filled, being wiped, or lost. */
static lls_err judge_strange_slots(recoverer *r, lls_error *err)
{
    const sled_segments *segments = &r->out->segments;
    sled_search search = later_than_end(r);
    sled_slot slot;

    for (size_t i = 0; i < segments->strange_count; i++) {
        LLS_TRY(load_slot(r, segments->strange[i], &slot, err));
        size_t found = sled_tear_search(&slot, 0, &search);
        if (found != SIZE_MAX) {
            sled_tear_note(&r->out->tear, slot.offset + found, "a segment was being written");
        } else if (was_being_wiped(r, &slot)) {
            r->wiping = true; // there is one at most
            sled_tear_note(&r->out->tear, slot.offset, "a segment was being wiped");
        } else {
            return sled_damage(r->folder, "db", slot.offset, err,
                               "the header of a segment is damaged");
        }
    }
    return LLS_OK;
}

static lls_err look_behind_end(recoverer *r, lls_error *err)
{
    const sled_segments *segments = &r->out->segments;
    int64_t end = r->out->end;
    sled_slot slot;

    if (r->folder->db_bytes > 0 && segments->headers == 0)
        sled_tear_note(&r->out->tear, 0, "there is no whole segment");
    if (segments->count > 0 && segments->items[segments->count - 1].base > end)
        sled_tear_note(&r->out->tear, segments->items[segments->count - 1].offset,
                       "a segment of LSN %" PRId64
                       " stands behind the end of the log at LSN %" PRId64,
                       segments->items[segments->count - 1].base, end + 1);
    if (r->walk.walked && r->walk.lsn <= end)
        sled_tear_note(&r->out->tear, 0, "the batch of LSN %" PRId64 " is incomplete", r->out->tip);
    const sled_segment *last =
        end < 0 ? NULL : sled_segments_find(segments, sled_segments_base(segments, end));
    if (!last)
        return LLS_OK;
    LLS_TRY(load_slot(r, last->offset, &slot, err));
    sled_tear_look(&slot, (uint64_t)last->base / segments->segment_bytes, end, &r->budget,
                   &r->out->tear);
    return LLS_OK;
}

/* Where the log ends for those who ask what is durable: a cap fills the rest of its segment. */
static lls_err durable_end(recoverer *r, int64_t *out, lls_error *err)
{
    const sled_segments *segments = &r->out->segments;
    int64_t base = sled_segments_base(segments, r->out->tip);
    const sled_segment *last = sled_segments_find(segments, base);
    size_t at = (size_t)(r->out->tip - base);
    sled_message message;
    sled_slot slot;

    *out = r->out->tip;
    if (!last || at < SLED_SEGMENT_HEADER)
        return LLS_OK;
    LLS_TRY(load_slot(r, last->offset, &slot, err));
    if (sled_walk_read(slot.data, at, slot.len, slot.size, (uint64_t)base / slot.size, &message) &&
        message.kind == SLED_CAP)
        *out = base + (int64_t)slot.size;
    return LLS_OK;
}

/* Segments between the end and the highest one that are not there: a torn tail may lack them. */
static uint64_t missing_behind_end(const sled_recovery *out)
{
    const sled_segments *s = &out->segments;
    int64_t size = (int64_t)s->segment_bytes;
    uint64_t there = 0;

    if (s->count == 0 || s->items[s->count - 1].base <= out->end)
        return 0;
    int64_t first = (out->end < 0 ? 0 : (out->end / size + 1) * size);
    for (size_t i = s->count; i > 0 && s->items[i - 1].base >= first; i--)
        there++;
    return (uint64_t)((s->items[s->count - 1].base - first) / size + 1) - there;
}

static lls_err judge_losses(recoverer *r, lls_error *err)
{
    const sled_recovery *out = r->out;
    const sled_segments *segments = &out->segments;
    int64_t lsn = out->snapshot.lsn;
    int64_t durable;

    if (out->tip < lsn)
        return sled_damage(r->folder, out->snapshot.name, 0, err,
                           "it was made at LSN %" PRId64 ", but the log ends at LSN %" PRId64, lsn,
                           out->tip);
    if (segments->count == 0 && (uint64_t)lsn % segments->segment_bytes != 0)
        return sled_damage(r->folder, out->snapshot.name, 0, err,
                           "the log has lost the segment of LSN %" PRId64, lsn);
    LLS_TRY(durable_end(r, &durable, err));
    if (segments->stable >= durable)
        return sled_damage(r->folder, "db", segments->stable_at, err,
                           "LSN %" PRId64 " was on the disk, but the log ends at LSN %" PRId64,
                           segments->stable, out->tip);
    if (segments->wiped > missing_behind_end(out))
        return sled_damage(r->folder, "db", segments->wiped_at, err,
                           "a slot was wiped that later segments were written behind");
    return LLS_OK;
}

lls_err sled_recover(const sled_folder *folder, const sled_conf *conf, sled_recovery *out,
                     lls_error *err)
{
    recoverer r = {.folder = folder, .out = out, .budget = SEARCH_BYTES};

    *out = (sled_recovery){.end = -1};
    LLS_TRY(sled_snapshot_read(folder, conf, &out->snapshot, &out->pages, err));
    LLS_TRY(sled_segments_scan(folder, conf, out->snapshot.lsn, &out->segments, err));
    lls_err e = sled_walk_init(&r.walk, folder, &out->segments, err);
    if (e == LLS_OK)
        e = find_end(&r, err);
    if (e == LLS_OK)
        e = replay(&r, err);
    if (e == LLS_OK)
        e = judge_strange_slots(&r, err);
    if (e == LLS_OK)
        e = look_behind_end(&r, err);
    if (e == LLS_OK)
        e = judge_losses(&r, err);
    sled_walk_fini(&r.walk);
    return e;
}

void sled_recovery_fini(sled_recovery *recovery)
{
    sled_segments_fini(&recovery->segments);
    sled_pages_free(recovery->pages);
    *recovery = (sled_recovery){0};
}
