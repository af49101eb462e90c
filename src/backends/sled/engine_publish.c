/** engine_publish.c - what a stage's collections will hold, and the moment they hold it. */
#include "backends/sled/engine_stage.h"

#include "backends/sled/layout.h"
#include "base/scope.h"

enum { BATCH_COUNT = 512, BATCH_BYTES = 4 << 20 };

uint64_t sled_stage_result(const sled_kv_stage *stage, const sled_stage_part *part)
{
    if (stage->mode == LLS_STAGE_REPLACE || part->live == 0)
        return part->staged;
    return part->count == 0 ? part->live : part->merged;
}

static void unpin(sled_kv *kv, uint64_t *number)
{
    if (*number != 0)
        sled_kv_unpin(kv, *number);
    *number = 0;
}

void sled_stage_forget(sled_kv_stage *stage)
{
    sled_kv *kv = stage->kv;
    bool merged = false;

    (void)pthread_mutex_lock(&kv->write);
    stage->watching = false;
    (void)pthread_mutex_unlock(&kv->write);
    for (size_t i = 0; i < stage->count; i++) {
        merged = merged || stage->parts[i].merged != 0;
        unpin(kv, &stage->parts[i].merged);
        unpin(kv, &stage->parts[i].live);
    }
    stage->prepared = false;
    if (merged)
        sled_kv_collect(kv, 0);
}

/* ---- preparing ---- */

/* From here on a write to any of the collections makes the stage stale. */
static lls_err watch(sled_kv_stage *stage, lls_error *err)
{
    if (stage->discarded)
        return lls_fail(err, LLS_E_INVALID, "the stage of run '%s' was discarded", stage->run);
    for (size_t i = 0; i < stage->count; i++) {
        sled_stage_part *part = &stage->parts[i];
        uint64_t live;
        lls_err e = sled_kv_number(stage->kv, NULL, sled_stage_space(stage, part), &live, err);
        if (e == LLS_E_NOTFOUND)
            continue;
        LLS_TRY(e);
        LLS_TRY(sled_kv_pin(stage->kv, live, err));
        part->live = live;
    }
    stage->watching = true;
    stage->stale = false;
    return LLS_OK;
}

/* A number that is dead until it is published, so that a kill leaves nothing behind. */
static lls_err begin_merge(sled_kv_stage *stage, sled_stage_part *part, lls_error *err)
{
    LLS_AUTO(sled_batch_ref) batch = NULL;
    sled_kv *kv = stage->kv;
    uint64_t number;

    LLS_TRY(sled_kv_batch(kv, &batch, err));
    LLS_TRY(sled_kv_new_number(kv, batch, &number, err));
    LLS_TRY(sled_kv_bury(kv, batch, number, err));
    LLS_TRY(sled_kv_pin(kv, number, err)); // before anybody could collect it
    part->merged = number;
    return sled_kv_commit(kv, batch, &stage->turn, err);
}

/* What is read from one side of a merge. */
typedef struct side {
    lls_kv_iter_ref it;
    lls_kv_item item;
    bool ended;
} side;

static void side_auto(side *s)
{
    lls_kv_iter_close(s->it);
}

static lls_err side_next(side *s, lls_error *err)
{
    lls_err e = s->it->ops->next(s->it, &s->item, err);

    s->ended = e == LLS_END;
    return e == LLS_END ? LLS_OK : e;
}

static lls_err side_open(sled_kv *kv, uint64_t number, side *s, lls_error *err)
{
    LLS_TRY(sled_kv_scan_number(kv, number, (lls_kv_range){0}, &s->it, err));
    return side_next(s, err);
}

static lls_err commit(sled_kv_stage *stage, sled_engine_batch *batch, size_t bytes, lls_error *err)
{
    LLS_TRY(sled_disk_room(&stage->kv->disk, bytes, err));
    (void)pthread_mutex_lock(&stage->kv->write);
    lls_err e = sled_kv_commit(stage->kv, batch, &stage->turn, err);
    (void)pthread_mutex_unlock(&stage->kv->write);
    return e;
}

/* Take the lesser of both; where they have one key, the staged record. */
static lls_err take(side *live, side *staged, lls_kv_item *out, lls_buf *memory, lls_error *err)
{
    int order = live->ended     ? 1
                : staged->ended ? -1
                                : lls_bytes_cmp(live->item.key, staged->item.key);
    side *from = order < 0 ? live : staged;

    lls_buf_clear(memory);
    lls_buf_add(memory, from->item.key);
    lls_buf_add(memory, from->item.value);
    LLS_TRY(lls_buf_status(memory, err));
    *out = from->item;
    out->key = (lls_bytes){memory->data, from->item.key.len};
    out->value = (lls_bytes){memory->data + out->key.len, from->item.value.len};
    if (order == 0)
        LLS_TRY(side_next(live, err));
    return side_next(from, err);
}

static lls_err put(const sled_kv *kv, sled_engine_batch *batch, uint64_t number,
                   const lls_kv_item *item, size_t *bytes, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) stored = {0};

    sled_layout_key(number, item->key, &key);
    sled_layout_encode(&item->meta, item->value, &stored);
    LLS_TRY(lls_buf_status(&key, err));
    LLS_TRY(lls_buf_status(&stored, err));
    *bytes += key.len + stored.len;
    return sled_kv_set(kv, batch, lls_buf_view(&key), lls_buf_view(&stored), err);
}

static lls_err merge(sled_kv_stage *stage, const sled_stage_part *part, lls_error *err)
{
    LLS_AUTO(sled_batch_ref) batch = NULL;
    LLS_AUTO(lls_buf) memory = {0};
    LLS_AUTO(side) live = {0};
    LLS_AUTO(side) staged = {0};
    size_t count = 0;
    size_t bytes = 0;
    lls_kv_item item;

    LLS_TRY(sled_kv_batch(stage->kv, &batch, err));
    LLS_TRY(side_open(stage->kv, part->live, &live, err));
    LLS_TRY(side_open(stage->kv, part->staged, &staged, err));
    while (!live.ended || !staged.ended) {
        LLS_TRY(take(&live, &staged, &item, &memory, err));
        LLS_TRY(put(stage->kv, batch, part->merged, &item, &bytes, err));
        if (++count % BATCH_COUNT != 0 && bytes < BATCH_BYTES)
            continue;
        LLS_TRY(commit(stage, batch, bytes, err));
        bytes = 0;
    }
    return commit(stage, batch, bytes, err);
}

static lls_err prepare_part(sled_kv_stage *stage, sled_stage_part *part, lls_error *err)
{
    if (stage->mode == LLS_STAGE_REPLACE || part->live == 0 || part->count == 0)
        return LLS_OK; // there is nothing to bring together
    (void)pthread_mutex_lock(&stage->kv->write);
    lls_err e = begin_merge(stage, part, err);
    (void)pthread_mutex_unlock(&stage->kv->write);
    return e == LLS_OK ? merge(stage, part, err) : e;
}

lls_err sled_stage_prepare(lls_kv_stage *base, lls_error *err)
{
    sled_kv_stage *stage = LLS_OUTER(base, sled_kv_stage, base);

    if (stage->published)
        return lls_fail(err, LLS_E_INVALID, "the stage of run '%s' was published", stage->run);
    LLS_TRY(sled_stage_write(stage, err));
    sled_stage_forget(stage);
    (void)pthread_mutex_lock(&stage->kv->write);
    lls_err e = watch(stage, err);
    (void)pthread_mutex_unlock(&stage->kv->write);
    for (size_t i = 0; e == LLS_OK && i < stage->count; i++)
        e = prepare_part(stage, &stage->parts[i], err);
    stage->prepared = e == LLS_OK;
    if (e != LLS_OK)
        sled_stage_forget(stage);
    return e;
}

/* ---- publishing ---- */

static lls_err publish_part(sled_kv_stage *stage, const sled_stage_part *part,
                            sled_engine_batch *batch, lls_error *err)
{
    lls_kv_space space = sled_stage_space(stage, part);
    uint64_t result = sled_stage_result(stage, part);
    LLS_AUTO(lls_buf) entry = {0};
    sled_kv *kv = stage->kv;

    sled_layout_stage(lls_str_of(stage->run), space, &entry);
    LLS_TRY(sled_kv_unset(kv, batch, &entry, err));
    if (result == part->merged && part->merged != 0)
        LLS_TRY(sled_kv_unbury(kv, batch, part->merged, err));
    if (result != part->staged)
        LLS_TRY(sled_kv_bury(kv, batch, part->staged, err));
    if (result == part->live)
        return LLS_OK;
    if (part->live != 0)
        LLS_TRY(sled_kv_bury(kv, batch, part->live, err));
    return sled_kv_set_number(kv, batch, space, result, err);
}

static lls_err publish_in(sled_kv_stage *stage, lls_error *err)
{
    LLS_AUTO(sled_batch_ref) batch = NULL;
    sled_kv *kv = stage->kv;

    if (stage->discarded)
        return lls_fail(err, LLS_E_INVALID, "the stage of run '%s' was discarded", stage->run);
    if (stage->stale)
        return lls_fail(err, LLS_E_CONFLICT, "the collections were written to meanwhile");
    LLS_TRY(sled_kv_batch(kv, &batch, err));
    for (size_t i = 0; i < stage->count; i++)
        LLS_TRY(publish_part(stage, &stage->parts[i], batch, err));
    (void)pthread_rwlock_wrlock(&kv->spaces);
    lls_err e = sled_kv_commit(kv, batch, &stage->turn, err);
    (void)pthread_rwlock_unlock(&kv->spaces);
    LLS_TRY(e);
    stage->watching = false;
    for (size_t i = 0; i < stage->count; i++)
        sled_kv_changed(kv, sled_stage_space(stage, &stage->parts[i]));
    return LLS_OK;
}

lls_err sled_stage_publish(lls_kv_stage *base, lls_error *err)
{
    sled_kv_stage *stage = LLS_OUTER(base, sled_kv_stage, base);

    if (!stage->prepared)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    (void)pthread_mutex_lock(&stage->kv->write);
    lls_err e = publish_in(stage, err);
    (void)pthread_mutex_unlock(&stage->kv->write);
    LLS_TRY(e);
    stage->published = true;
    for (size_t i = 0; i < stage->count; i++) {
        lls_buf_clear(&stage->parts[i].last);
        stage->parts[i].count = 0;
    }
    sled_stage_forget(stage);
    LLS_TRY(sled_kv_sync(stage->kv, stage->turn, err));
    sled_kv_collect(stage->kv, 0);
    return LLS_OK;
}
