#include "backends/sled/segments.h"

#include "backends/sled/message.h"
#include "backends/sled/wire.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <inttypes.h>
#include <libdeflate.h>

/* Small segments are looked at many at once, of large ones the header only. */
enum { WINDOW = 256 << 10, SMALL_SEGMENT = 16 << 10, PIECE = 64 << 10 };

#define HEADER_MASK UINT64_C(0x7FFFFFFFFFFFFFFF)

typedef struct scanner {
    const sled_folder *folder;
    sled_segments *out;
    int64_t since;
    uint64_t zeros;    /* slots of nothing, until now */
    uint64_t zeros_at; /* the first */
    uint64_t start;    /* what `data` holds */
    size_t len;
    uint8_t *data; /* WINDOW bytes */
} scanner;

typedef struct header {
    int64_t base;
    int64_t stable;
} header;

void sled_segments_fini(sled_segments *segments)
{
    lls_free(segments->items);
    lls_free(segments->strange);
    *segments = (sled_segments){0};
}

size_t sled_slot_len(const sled_folder *folder, const sled_segments *segments, uint64_t offset)
{
    uint64_t left = folder->db_bytes - offset;

    return (size_t)(left < segments->segment_bytes ? left : segments->segment_bytes);
}

/* Make room for one more of `size` bytes. */
static lls_err grow(void **items, size_t count, size_t *cap, size_t size, lls_error *err)
{
    if (count < *cap)
        return LLS_OK;
    size_t more = *cap ? *cap * 2 : 64;
    void *moved = more > SIZE_MAX / size ? NULL : lls_resize(*items, more * size);
    if (!moved)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    *items = moved;
    *cap = more;
    return LLS_OK;
}

/* The bytes of `db` from `offset`: `len` of them, of which the window holds all. */
static lls_err look(scanner *s, uint64_t offset, size_t len, const uint8_t **out, lls_error *err)
{
    if (offset < s->start || offset - s->start + len > s->len) {
        uint64_t left = s->folder->db_bytes - offset;
        size_t want = s->out->segment_bytes > SMALL_SEGMENT ? len : WINDOW;
        size_t take = left < want ? (size_t)left : want;
        s->len = 0;
        LLS_TRY(sled_folder_read(s->folder, offset, s->data, take, err));
        s->start = offset;
        s->len = take;
    }
    *out = s->data + (offset - s->start);
    return LLS_OK;
}

/* Whether a slot holds nothing but zeros. Of a hole in the file nothing is read. */
static lls_err slot_is_zero(scanner *s, uint64_t offset, size_t len, bool *out, lls_error *err)
{
    uint64_t end = offset + len;
    uint64_t at = sled_folder_data_from(s->folder, offset);
    const uint8_t *data;

    *out = true;
    while (at < end && *out) {
        size_t piece = end - at < PIECE ? (size_t)(end - at) : PIECE;
        LLS_TRY(look(s, at, piece, &data, err));
        *out = sled_all_zero(data, piece);
        at += piece;
    }
    return LLS_OK;
}

static bool parse_header(const uint8_t *data, header *out)
{
    uint32_t crc = libdeflate_crc32(0, data + 4, SLED_SEGMENT_HEADER - 4);

    out->base = sled_signed(lls_little_get(data + 4, 8) ^ HEADER_MASK);
    out->stable = sled_signed(lls_little_get(data + 12, 8) ^ HEADER_MASK);
    return (crc ^ UINT32_MAX) == lls_little_get(data, 4);
}

static lls_err note_segment(scanner *s, uint64_t offset, const header *found, lls_error *err)
{
    sled_segments *out = s->out;

    if (found->base < 0 || (uint64_t)found->base % out->segment_bytes != 0 ||
        (uint64_t)found->base > INT64_MAX - out->segment_bytes)
        return sled_damage(s->folder, "db", offset, err,
                           "a segment begins at the impossible LSN %" PRId64, found->base);
    out->headers++;
    if (found->base > s->since && s->zeros > 0) {
        out->wiped = s->zeros;
        out->wiped_at = s->zeros_at;
    }
    if (found->base < s->since - (int64_t)((uint64_t)s->since % out->segment_bytes))
        return LLS_OK;
    void *items = out->items;
    LLS_TRY(grow(&items, out->count, &out->cap, sizeof(*out->items), err));
    out->items = items;
    out->items[out->count++] = (sled_segment){found->base, offset};
    if (found->stable > out->stable) {
        out->stable = found->stable;
        out->stable_at = offset;
    }
    return LLS_OK;
}

static lls_err note_strange(scanner *s, uint64_t offset, lls_error *err)
{
    sled_segments *out = s->out;
    void *strange = out->strange;

    LLS_TRY(grow(&strange, out->strange_count, &out->strange_cap, sizeof(*out->strange), err));
    out->strange = strange;
    out->strange[out->strange_count++] = offset;
    return LLS_OK;
}

/* How many slots from `offset` on lie in a hole of the file, so that nobody has to read them. */
static uint64_t slots_in_hole(const scanner *s, uint64_t offset)
{
    return (sled_folder_data_from(s->folder, offset) - offset) / s->out->segment_bytes;
}

/* Look at the slot at `offset`; `*slots` is how many were dealt with. */
static lls_err scan_slot(scanner *s, uint64_t offset, uint64_t *slots, lls_error *err)
{
    size_t len = sled_slot_len(s->folder, s->out, offset);
    const uint8_t *data;
    header found;
    bool zero;

    *slots = 1;
    if (len >= SLED_SEGMENT_HEADER) {
        LLS_TRY(look(s, offset, SLED_SEGMENT_HEADER, &data, err));
        if (parse_header(data, &found))
            return note_segment(s, offset, &found, err);
    }
    LLS_TRY(slot_is_zero(s, offset, len, &zero, err));
    if (!zero)
        return note_strange(s, offset, err);
    uint64_t hole = slots_in_hole(s, offset);
    *slots = hole > 1 ? hole : 1;
    if (s->zeros == 0)
        s->zeros_at = offset;
    s->zeros += *slots;
    return LLS_OK;
}

static int by_base(const void *a, const void *b)
{
    const sled_segment *left = a;
    const sled_segment *right = b;

    return (left->base > right->base) - (left->base < right->base);
}

static lls_err sort(const sled_folder *folder, sled_segments *out, lls_error *err)
{
    if (out->count > 1)
        qsort(out->items, out->count, sizeof(*out->items), by_base);
    for (size_t i = 1; i < out->count; i++)
        if (out->items[i].base == out->items[i - 1].base)
            return sled_damage(folder, "db", out->items[i].offset, err,
                               "the segment of LSN %" PRId64 " stands also at byte %" PRIu64,
                               out->items[i].base, out->items[i - 1].offset);
    return LLS_OK;
}

lls_err sled_segments_scan(const sled_folder *folder, const sled_conf *conf, int64_t since,
                           sled_segments *out, lls_error *err)
{
    scanner s = {.folder = folder, .out = out, .since = since};
    uint64_t size = conf->segment_bytes;
    uint64_t step;
    lls_err e = LLS_OK;

    *out = (sled_segments){.stable = -1, .segment_bytes = size};
    out->slots = (folder->db_bytes + size - 1) / size;
    s.data = lls_alloc(WINDOW);
    if (!s.data)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (uint64_t slot = 0; slot < out->slots && e == LLS_OK; slot += step)
        e = scan_slot(&s, slot * size, &step, err);
    lls_free(s.data);
    return e == LLS_OK ? sort(folder, out, err) : e;
}

int64_t sled_segments_base(const sled_segments *segments, int64_t lsn)
{
    return lsn - (int64_t)((uint64_t)lsn % segments->segment_bytes);
}

const sled_segment *sled_segments_find(const sled_segments *segments, int64_t base)
{
    sled_segment wanted = {.base = base};

    return segments->count
               ? bsearch(&wanted, segments->items, segments->count, sizeof(wanted), by_base)
               : NULL;
}
