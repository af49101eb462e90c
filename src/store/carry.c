#include "store/carry.h"

#include "base/scope.h"
#include "ports/batch.h"
#include "ports/record.h"
#include "store/capture.h"

/* Records of one scan; keys and bytes of one batch. */
enum { STEP_RECORDS = 4096, STEP_BYTES = 16 << 20, BATCH_KEYS = 256, BATCH_BYTES = 4 << 20 };

static lls_err set_key(lls_buf *buf, lls_bytes key, lls_error *err)
{
    lls_buf_clear(buf);
    lls_buf_add(buf, key);
    return lls_buf_status(buf, err);
}

/* ---- copy all ---- */

/* Stage the records behind `after`, and move it. LLS_END when there are no more. */
static lls_err stage_some(const lls_carry *c, lls_kv_stage *stage, lls_buf *after, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    lls_kv_range range = {.after = lls_buf_view(after)};
    lls_kv_item item;
    size_t bytes = 0;

    LLS_TRY(lls_kv_scan(c->source, c->space, range, LLS_KV_LIVE, &it, err));
    for (int i = 0; i < STEP_RECORDS && bytes < STEP_BYTES; i++) {
        LLS_TRY(lls_kv_iter_next(it, &item, err));
        LLS_TRY(lls_stage_add(stage, c->space.coll, &item, 1, err));
        LLS_TRY(set_key(after, item.key, err));
        bytes += item.key.len + item.value.len;
    }
    return LLS_OK;
}

lls_err lls_carry_all(const lls_carry *carry, lls_kv_stage *stage, lls_error *err)
{
    LLS_AUTO(lls_buf) after = {0};
    lls_err e;

    do
        e = stage_some(carry, stage, &after, err);
    while (e == LLS_OK);
    return e == LLS_END ? lls_stage_flush(stage, err) : e;
}

/* ---- carry keys ---- */

/* Add the write that makes the target hold under `key` what the source holds. */
static lls_err add_write(const lls_carry *c, lls_batch *batch, lls_buf *value, lls_bytes key,
                         lls_error *err)
{
    lls_kv_write write = {.verb = LLS_KV_RESTORE, .coll = c->space.coll, .key = key};

    lls_buf_clear(value);
    lls_err e = lls_kv_get(c->source, c->space, key, value, &write.meta, err);
    if (e == LLS_E_NOTFOUND)
        write.verb = LLS_KV_DELETE;
    else
        LLS_TRY(e);
    write.value = lls_buf_view(value);
    return lls_batch_add(batch, &write, err);
}

static lls_err differs(lls_bytes key, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(key, &shown);
    return lls_fail(err, LLS_E_MISMATCH, "'%s' reads back different from what was written",
                    lls_buf_cstr(&shown));
}

static lls_err read_back(const lls_carry *c, const lls_kv_write *write, lls_buf *value,
                         lls_error *err)
{
    lls_kv_item wrote = {write->key, write->value, write->meta};
    lls_kv_item found = {.key = write->key};

    lls_buf_clear(value);
    lls_err e = lls_kv_get(c->target, c->space, write->key, value, &found.meta, err);
    if (e == LLS_E_NOTFOUND) // it may have expired meanwhile
        return write->verb == LLS_KV_DELETE || lls_kv_expired(&write->meta, lls_kv_now(c->target))
                   ? LLS_OK
                   : differs(write->key, err);
    LLS_TRY(e);
    found.value = lls_buf_view(value);
    bool same =
        write->verb == LLS_KV_RESTORE && lls_digest_eq(lls_record_digest(c->space.coll, &wrote),
                                                       lls_record_digest(c->space.coll, &found));
    return same ? LLS_OK : differs(write->key, err);
}

static lls_err write_batch(const lls_carry *c, lls_batch *batch, lls_buf *value, lls_error *err)
{
    const lls_kv_write *writes = lls_batch_writes(batch);

    LLS_TRY(lls_kv_apply(c->target, c->space.tenant, writes, batch->count, err));
    for (size_t i = 0; i < batch->count; i++)
        LLS_TRY(read_back(c, &writes[i], value, err));
    lls_batch_clear(batch);
    return LLS_OK;
}

static int compare_keys(const void *a, const void *b)
{
    return lls_bytes_cmp(*(const lls_bytes *)a, *(const lls_bytes *)b);
}

/* Views of all keys, sorted; a key that was written often stands there often. */
static lls_err sort_keys(const lls_buf *keys, lls_buf *views, size_t *count, lls_error *err)
{
    size_t n = 0;

    for (size_t at = 0; at < keys->len; n++) {
        size_t len = (size_t)keys->data[at] << 8 | keys->data[at + 1];
        lls_bytes key = {keys->data + at + 2, len};
        lls_buf_add(views, (lls_bytes){(const uint8_t *)&key, sizeof(key)});
        at += 2 + len;
    }
    LLS_TRY(lls_buf_status(views, err));
    if (n)
        qsort(views->data, n, sizeof(lls_bytes), compare_keys);
    *count = n;
    return LLS_OK;
}

lls_err lls_carry_keys(const lls_carry *carry, const lls_buf *keys, lls_error *err)
{
    LLS_AUTO(lls_buf) views = {.max = SIZE_MAX / 2};
    LLS_AUTO(lls_batch) batch = {0};
    LLS_AUTO(lls_buf) value = {0};
    size_t count;

    LLS_TRY(lls_buf_status(keys, err));
    LLS_TRY(sort_keys(keys, &views, &count, err));
    const lls_bytes *sorted = (const lls_bytes *)(void *)views.data;
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && lls_bytes_eq(sorted[i], sorted[i - 1]))
            continue;
        LLS_TRY(add_write(carry, &batch, &value, sorted[i], err));
        if (batch.count == BATCH_KEYS || batch.data.len >= BATCH_BYTES)
            LLS_TRY(write_batch(carry, &batch, &value, err));
    }
    return write_batch(carry, &batch, &value, err);
}

/* ---- find what differs ---- */

/* One side of a comparison. */
typedef struct side {
    lls_kv_iter *it;
    lls_kv_item item;
    bool ended;
} side;

static void side_auto(side *s)
{
    lls_kv_iter_close(s->it);
}

static lls_err advance(side *s, lls_error *err)
{
    lls_err e = lls_kv_iter_next(s->it, &s->item, err);

    s->ended = e == LLS_END;
    return s->ended ? LLS_OK : e;
}

static lls_err side_open(lls_kv *kv, lls_kv_space space, const lls_buf *after, side *s,
                         lls_error *err)
{
    lls_kv_range range = {.after = lls_buf_view(after)};

    LLS_TRY(lls_kv_scan(kv, space, range, LLS_KV_LIVE, &s->it, err));
    return advance(s, err);
}

/* Collect the keys that differ behind `after`, and move it. LLS_END when there are no more. */
static lls_err compare_some(const lls_carry *c, lls_buf *after, lls_buf *keys, lls_error *err)
{
    LLS_AUTO(side) a = {0};
    LLS_AUTO(side) b = {0};

    LLS_TRY(side_open(c->source, c->space, after, &a, err));
    LLS_TRY(side_open(c->target, c->space, after, &b, err));
    for (int i = 0; i < STEP_RECORDS; i++) {
        if (a.ended && b.ended)
            return LLS_END;
        int order = a.ended ? 1 : b.ended ? -1 : lls_bytes_cmp(a.item.key, b.item.key);
        if (order != 0 || !lls_digest_eq(lls_record_digest(c->space.coll, &a.item),
                                         lls_record_digest(c->space.coll, &b.item)))
            lls_capture_write_key(keys, order <= 0 ? a.item.key : b.item.key);
        LLS_TRY(set_key(after, order <= 0 ? a.item.key : b.item.key, err));
        if (order <= 0)
            LLS_TRY(advance(&a, err));
        if (order >= 0)
            LLS_TRY(advance(&b, err));
    }
    return LLS_OK;
}

lls_err lls_carry_differences(const lls_carry *carry, lls_error *err)
{
    LLS_AUTO(lls_buf) after = {0};
    LLS_AUTO(lls_buf) keys = {0};
    lls_err e;

    do {
        e = compare_some(carry, &after, &keys, err);
        if (e != LLS_OK && e != LLS_END)
            return e;
        LLS_TRY(lls_carry_keys(carry, &keys, err)); // with no scan open
        lls_buf_clear(&keys);
    } while (e == LLS_OK);
    return LLS_OK;
}
