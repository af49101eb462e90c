#include "backends/hnsw/frame.h"

#include "base/hash.h"
#include "base/little.h"
#include "base/scope.h"
#include "ports/vec.h"

/*
 * Log:   0 magic (8), 8 format, 12 checksum, 16 number (8), 24 sequence (8)
 * Frame: 0 length of the body, 4 checksum, 8 sequence (8), 16 checksum of the frame before, 20 zero
 * Change: 0 op, 1 bytes of the collection, 2 bytes of the id, 4 bytes of the value,
 *         8 version (8), 16 created (8), 24 updated (8), 32 expires (8); collection, id, value
 */
enum { FORMAT = 1, CHANGE_HEAD = 40 };

static const char magic[8] = {'L', 'L', 'S', 'V', 'L', 'O', 'G', '\n'};

void hnsw_log_head_encode(hnsw_log_head *head, uint8_t out[HNSW_LOG_HEAD])
{
    memcpy(out, magic, sizeof(magic));
    lls_little_set(out + 8, FORMAT, 4);
    lls_little_set(out + 16, head->number, 8);
    lls_little_set(out + 24, head->sequence, 8);
    lls_bytes parts[] = {{out, 12}, {out + 16, 16}};
    head->link = lls_checksum(parts, LLS_COUNT(parts));
    lls_little_set(out + 12, head->link, 4);
}

lls_err hnsw_log_head_decode(lls_bytes bytes, hnsw_log_head *out, lls_error *err)
{
    if (bytes.len < HNSW_LOG_HEAD)
        return lls_fail(err, LLS_E_CORRUPT, "the head is cut off");
    if (memcmp(bytes.data, magic, sizeof(magic)) != 0)
        return lls_fail(err, LLS_E_CORRUPT, "not a log of vectors");
    uint32_t format = lls_little_get_u32(bytes.data + 8);
    if (format > FORMAT && format < 1000)
        return lls_fail(err, LLS_E_NEWER, "format %u; this version knows formats up to %d", format,
                        FORMAT);
    lls_bytes parts[] = {{bytes.data, 12}, {bytes.data + 16, 16}};
    uint32_t link = lls_checksum(parts, LLS_COUNT(parts));
    if (format != FORMAT || link != lls_little_get_u32(bytes.data + 12))
        return lls_fail(err, LLS_E_CORRUPT, "the head is damaged");
    *out = (hnsw_log_head){lls_little_get_u64(bytes.data + 16), lls_little_get_u64(bytes.data + 24),
                           link};
    return LLS_OK;
}

void hnsw_frame_begin(lls_buf *out)
{
    static const uint8_t zeros[HNSW_FRAME_HEAD];

    lls_buf_clear(out);
    out->max = HNSW_FRAME_MAX;
    lls_buf_add(out, (lls_bytes){zeros, sizeof(zeros)});
}

void hnsw_frame_add(lls_buf *out, const hnsw_change *change)
{
    const lls_kv_item *item = &change->item;
    lls_bytes value = change->op == HNSW_OP_PUT ? item->value : (lls_bytes){0};

    lls_little_add(out, change->op, 1);
    lls_little_add(out, change->coll.len, 1);
    lls_little_add(out, item->key.len, 2);
    lls_little_add(out, value.len, 4);
    lls_little_add(out, item->meta.version, 8);
    lls_little_add(out, (uint64_t)item->meta.created_usec, 8);
    lls_little_add(out, (uint64_t)item->meta.updated_usec, 8);
    lls_little_add(out, (uint64_t)item->meta.expires_usec, 8);
    lls_buf_add_str(out, change->coll);
    lls_buf_add(out, item->key);
    lls_buf_add(out, value);
}

static uint32_t checksum(const uint8_t *frame, size_t len)
{
    lls_bytes parts[] = {{frame, 4}, {frame + 8, len - 8}};

    return lls_checksum(parts, LLS_COUNT(parts));
}

uint32_t hnsw_frame_end(lls_buf *out, uint64_t sequence, uint32_t before)
{
    if (out->status != LLS_OK)
        return 0;
    lls_little_set(out->data, out->len - HNSW_FRAME_HEAD, 4);
    lls_little_set(out->data + 8, sequence, 8);
    lls_little_set(out->data + 16, before, 4);
    uint32_t link = checksum(out->data, out->len);
    lls_little_set(out->data + 4, link, 4);
    return link;
}

/* Whether a frame lies at `bytes` that is whole. */
static bool is_whole(lls_bytes bytes, hnsw_frame *out)
{
    if (bytes.len < HNSW_FRAME_HEAD)
        return false;
    size_t len = HNSW_FRAME_HEAD + (size_t)lls_little_get_u32(bytes.data);
    if (len > bytes.len || len > HNSW_FRAME_MAX)
        return false;
    *out = (hnsw_frame){.sequence = lls_little_get_u64(bytes.data + 8),
                        .link = lls_little_get_u32(bytes.data + 4),
                        .all = {bytes.data, len},
                        .body = {bytes.data + HNSW_FRAME_HEAD, len - HNSW_FRAME_HEAD}};
    return lls_little_get_u32(bytes.data + 20) == 0 && out->link == checksum(bytes.data, len);
}

lls_err hnsw_frame_read(lls_bytes bytes, uint64_t sequence, uint32_t before, hnsw_frame *out,
                        lls_error *err)
{
    hnsw_frame got;

    if (bytes.len == 0)
        return LLS_END;
    if (bytes.len < HNSW_FRAME_HEAD || lls_little_get_u64(bytes.data + 8) != sequence ||
        lls_little_get_u32(bytes.data + 16) != before || !is_whole(bytes, &got))
        return lls_fail(err, LLS_E_CORRUPT, "frame %llu is damaged", (unsigned long long)sequence);
    *out = got;
    return LLS_OK;
}

bool hnsw_frame_follows(lls_bytes bytes, uint64_t sequence)
{
    enum { NEAR = 1 << 20 }; // frames that could be in one log behind a damaged one
    hnsw_frame frame;

    for (size_t at = 0; at + HNSW_FRAME_HEAD <= bytes.len; at++) {
        uint64_t found = lls_little_get_u64(bytes.data + at + 8);
        if (found <= sequence || found - sequence > NEAR)
            continue;
        if (is_whole((lls_bytes){bytes.data + at, bytes.len - at}, &frame))
            return true;
    }
    return false;
}

static lls_err impossible(lls_error *err)
{
    return lls_fail(err, LLS_E_CORRUPT, "a change that cannot be");
}

lls_err hnsw_change_next(hnsw_change_walk *walk, hnsw_change *out, lls_error *err)
{
    const uint8_t *at = walk->rest.data;

    if (walk->rest.len == 0)
        return LLS_END;
    if (walk->rest.len < CHANGE_HEAD)
        return impossible(err);
    hnsw_change got = {
        .op = (hnsw_op)at[0],
        .coll = {(const char *)at + CHANGE_HEAD, at[1]},
        .item = {.meta = {.version = lls_little_get_u64(at + 8),
                          .created_usec = (int64_t)lls_little_get_u64(at + 16),
                          .updated_usec = (int64_t)lls_little_get_u64(at + 24),
                          .expires_usec = (int64_t)lls_little_get_u64(at + 32)}},
    };
    size_t id_len = lls_little_get_u16(at + 2);
    size_t value_len = lls_little_get_u32(at + 4);
    size_t len = CHANGE_HEAD + got.coll.len + id_len + value_len;
    if (len > walk->rest.len || got.coll.len == 0 || got.coll.len > LLS_COLL_MAX ||
        id_len > LLS_VEC_ID_MAX || at[0] < HNSW_OP_PUT || at[0] > HNSW_OP_CLEAR)
        return impossible(err);
    if ((id_len == 0) != (at[0] == HNSW_OP_CLEAR) || (value_len != 0) != (at[0] == HNSW_OP_PUT))
        return impossible(err);
    got.item.key = (lls_bytes){at + CHANGE_HEAD + got.coll.len, id_len};
    got.item.value = (lls_bytes){got.item.key.data + id_len, value_len};
    got.value_at = (size_t)(got.item.value.data - walk->base);
    *out = got;
    walk->rest.data += len;
    walk->rest.len -= len;
    return LLS_OK;
}
