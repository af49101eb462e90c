/** engine_stage.c - opening, filling, scanning and discarding a stage. */
#include "backends/sled/engine_stage.h"

#include "backends/sled/layout.h"
#include "base/alloc.h"
#include "base/little.h"
#include "base/scope.h"

enum { BATCH_COUNT = 512, BATCH_BYTES = 4 << 20, ENTRY = 16 };

static const lls_kv_stage_ops stage_ops;

static sled_kv_stage *downcast(lls_kv_stage *base)
{
    return LLS_OUTER(base, sled_kv_stage, base);
}

lls_kv_space sled_stage_space(const sled_kv_stage *stage, const sled_stage_part *part)
{
    return (lls_kv_space){lls_str_of(stage->tenant), lls_str_of(part->coll)};
}

static lls_err find_part(sled_kv_stage *stage, lls_str coll, sled_stage_part **out, lls_error *err)
{
    for (size_t i = 0; i < stage->count; i++) {
        if (lls_str_eq(lls_str_of(stage->parts[i].coll), coll)) {
            *out = &stage->parts[i];
            return LLS_OK;
        }
    }
    return lls_fail(err, LLS_E_INVALID, "the stage has no collection '" LLS_FMT "'", LLS_ARG(coll));
}

/* ---- entries of the directory: number, count, greatest key ---- */

static lls_err store_entry(const sled_kv_stage *stage, const sled_stage_part *part,
                           sled_engine_batch *batch, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) entry = {0};

    sled_layout_stage(lls_str_of(stage->run), sled_stage_space(stage, part), &key);
    lls_little_add(&entry, part->staged, 8);
    lls_little_add(&entry, part->count, 8);
    lls_buf_add(&entry, lls_buf_view(&part->last));
    LLS_TRY(lls_buf_status(&key, err));
    LLS_TRY(lls_buf_status(&entry, err));
    return sled_kv_set(stage->kv, batch, lls_buf_view(&key), lls_buf_view(&entry), err);
}

/* LLS_E_NOTFOUND when the run has no stage for the collection. */
static lls_err load_entry(const sled_kv_stage *stage, sled_stage_part *part, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) entry = {0};

    sled_layout_stage(lls_str_of(stage->run), sled_stage_space(stage, part), &key);
    LLS_TRY(lls_buf_status(&key, err));
    LLS_TRY(sled_kv_look(stage->kv, NULL, lls_buf_view(&key), &entry, err));
    if (entry.len < ENTRY)
        return lls_fail(err, LLS_E_CORRUPT, "the entry of a stage is damaged");
    part->staged = lls_little_get_u64(entry.data);
    part->count = lls_little_get_u64(entry.data + 8);
    lls_buf_add(&part->last, (lls_bytes){entry.data + ENTRY, entry.len - ENTRY});
    return lls_buf_status(&part->last, err);
}

/* ---- filling ---- */

static lls_err write_in(sled_kv_stage *stage, lls_error *err)
{
    if (stage->discarded)
        return lls_fail(err, LLS_E_INVALID, "the stage of run '%s' was discarded", stage->run);
    for (size_t i = 0; i < stage->count; i++)
        if (stage->parts[i].dirty)
            LLS_TRY(store_entry(stage, &stage->parts[i], stage->batch, err));
    return sled_kv_commit(stage->kv, stage->batch, &stage->turn, err);
}

lls_err sled_stage_write(sled_kv_stage *stage, lls_error *err)
{
    sled_kv *kv = stage->kv;

    if (!stage->batch)
        return LLS_OK;
    LLS_TRY(sled_disk_room(&kv->disk, stage->batch_bytes, err));
    (void)pthread_mutex_lock(&kv->write);
    lls_err e = write_in(stage, err);
    (void)pthread_mutex_unlock(&kv->write);
    LLS_TRY(e);
    sled_engine_batch_close(stage->batch);
    stage->batch = NULL;
    stage->batch_count = stage->batch_bytes = 0;
    for (size_t i = 0; i < stage->count; i++)
        stage->parts[i].dirty = false;
    return LLS_OK;
}

static lls_err add_one(sled_kv_stage *stage, sled_stage_part *part, const lls_kv_item *item,
                       lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) stored = {0};

    if (part->count > 0 && lls_bytes_cmp(lls_buf_view(&part->last), item->key) >= 0)
        return lls_fail(err, LLS_E_INTERNAL, "keys for the stage do not rise");
    sled_layout_key(part->staged, item->key, &key);
    sled_layout_encode(&item->meta, item->value, &stored);
    lls_buf_reserve(&part->last, item->key.len); // what it holds stays as it is
    LLS_TRY(lls_buf_status(&key, err));
    LLS_TRY(lls_buf_status(&stored, err));
    LLS_TRY(lls_buf_status(&part->last, err));
    if (!stage->batch)
        LLS_TRY(sled_kv_batch(stage->kv, &stage->batch, err));
    LLS_TRY(sled_kv_set(stage->kv, stage->batch, lls_buf_view(&key), lls_buf_view(&stored), err));
    lls_buf_clear(&part->last);
    lls_buf_add(&part->last, item->key);
    part->count++;
    part->dirty = true;
    stage->batch_count++;
    stage->batch_bytes += key.len + stored.len;
    return LLS_OK;
}

static lls_err add(lls_kv_stage *base, lls_str coll, const lls_kv_item *items, size_t count,
                   lls_error *err)
{
    sled_kv_stage *stage = downcast(base);
    sled_stage_part *part;

    LLS_TRY(find_part(stage, coll, &part, err));
    if (stage->published)
        return lls_fail(err, LLS_E_INVALID, "the stage of run '%s' was published", stage->run);
    sled_stage_forget(stage); // what was prepared lacks these records
    for (size_t i = 0; i < count; i++) {
        LLS_TRY(add_one(stage, part, &items[i], err));
        if (stage->batch_count >= BATCH_COUNT || stage->batch_bytes >= BATCH_BYTES)
            LLS_TRY(sled_stage_write(stage, err));
    }
    return LLS_OK;
}

static lls_err flush(lls_kv_stage *base, lls_error *err)
{
    sled_kv_stage *stage = downcast(base);

    LLS_TRY(sled_stage_write(stage, err));
    return sled_kv_sync(stage->kv, stage->turn, err);
}

static lls_err last(lls_kv_stage *base, lls_str coll, lls_buf *key, uint64_t *count, lls_error *err)
{
    sled_kv_stage *stage = downcast(base);
    sled_stage_part *part;

    LLS_TRY(find_part(stage, coll, &part, err));
    LLS_TRY(sled_stage_write(stage, err));
    lls_buf_clear(key);
    lls_buf_add(key, lls_buf_view(&part->last));
    LLS_TRY(lls_buf_status(key, err));
    *count = part->count;
    return LLS_OK;
}

static lls_err scan(lls_kv_stage *base, lls_str coll, lls_kv_iter **out, lls_error *err)
{
    sled_kv_stage *stage = downcast(base);
    sled_stage_part *part;

    LLS_TRY(find_part(stage, coll, &part, err));
    if (!stage->prepared)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    LLS_TRY(sled_kv_scan_number(stage->kv, sled_stage_result(stage, part), (lls_kv_range){0}, out,
                                err));
    (*out)->now_usec = 0; // expired records too
    return LLS_OK;
}

/* ---- opening and closing ---- */

void sled_kv_changed(sled_kv *kv, lls_kv_space space)
{
    for (sled_kv_stage *stage = kv->stages; stage; stage = stage->next) {
        if (!stage->watching || !lls_str_eq(lls_str_of(stage->tenant), space.tenant))
            continue;
        for (size_t i = 0; i < stage->count; i++)
            if (lls_str_eq(lls_str_of(stage->parts[i].coll), space.coll))
                stage->stale = true;
    }
}

static void leave(sled_kv_stage *stage)
{
    sled_kv *kv = stage->kv;
    sled_kv_stage **at = &kv->stages;

    (void)pthread_mutex_lock(&kv->write);
    while (*at && *at != stage)
        at = &(*at)->next;
    if (*at)
        *at = stage->next;
    (void)pthread_mutex_unlock(&kv->write);
}

static void close_stage(lls_kv_stage *base)
{
    sled_kv_stage *stage = downcast(base);

    // what cannot be written now is added again by whoever goes on
    if (!stage->published)
        (void)!sled_stage_write(stage, NULL);
    if (stage->batch)
        sled_engine_batch_close(stage->batch);
    sled_stage_forget(stage);
    leave(stage);
    for (size_t i = 0; i < stage->count; i++)
        lls_buf_fini(&stage->parts[i].last);
    lls_free(stage);
}

static const lls_kv_stage_ops stage_ops = {
    .last = last,
    .add = add,
    .flush = flush,
    .prepare = sled_stage_prepare,
    .scan = scan,
    .publish = sled_stage_publish,
    .close = close_stage,
};

static lls_err open_entries(sled_kv_stage *stage, lls_error *err)
{
    LLS_AUTO(sled_batch_ref) batch = NULL;

    LLS_TRY(sled_kv_batch(stage->kv, &batch, err));
    for (size_t i = 0; i < stage->count; i++) {
        sled_stage_part *part = &stage->parts[i];
        lls_err e = load_entry(stage, part, err);
        if (e == LLS_E_NOTFOUND) {
            LLS_TRY(sled_kv_new_number(stage->kv, batch, &part->staged, err));
            e = store_entry(stage, part, batch, err);
        }
        LLS_TRY(e);
    }
    return sled_kv_commit(stage->kv, batch, &stage->turn, err);
}

static lls_err enter(sled_kv_stage *stage, lls_error *err)
{
    sled_kv *kv = stage->kv;

    (void)pthread_mutex_lock(&kv->write);
    lls_err e = open_entries(stage, err);
    if (e == LLS_OK) {
        stage->next = kv->stages;
        kv->stages = stage;
    }
    (void)pthread_mutex_unlock(&kv->write);
    return e;
}

lls_err sled_kv_stage_open(lls_kv *base, const lls_stage_spec *spec, lls_kv_stage **out,
                           lls_error *err)
{
    sled_kv_stage *stage = lls_alloc(sizeof(*stage) + spec->coll_count * sizeof(stage->parts[0]));

    if (!stage)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    stage->base.ops = &stage_ops;
    stage->kv = sled_kv_of(base);
    stage->mode = spec->mode;
    stage->count = spec->coll_count;
    memcpy(stage->tenant, spec->tenant.data, spec->tenant.len);
    memcpy(stage->run, spec->run.data, spec->run.len);
    for (size_t i = 0; i < stage->count; i++)
        memcpy(stage->parts[i].coll, spec->colls[i].data, spec->colls[i].len);
    lls_err e = enter(stage, err);
    if (e == LLS_OK)
        *out = &stage->base;
    else
        close_stage(&stage->base);
    return e;
}

/* ---- discarding ---- */

/* Put the end of each stage of the run into the batch. */
static lls_err discard_all(sled_kv *kv, const lls_buf *prefix, sled_engine_batch *batch,
                           lls_error *err)
{
    LLS_AUTO(lls_buf) entry_key = {0};
    sled_engine_scan *engine = NULL;
    sled_engine_error said = {0};
    lls_bytes key;
    lls_bytes value;
    uint64_t number;
    lls_err e = LLS_OK;

    int rc =
        sled_engine_scan_open(kv->records, lls_buf_view(prefix), (lls_bytes){0}, &engine, &said);
    if (rc != SLED_ENGINE_OK)
        return sled_kv_fail(kv, rc, &said, "scan", err);
    while (e == LLS_OK) {
        rc = sled_engine_scan_next(engine, &key, &value, &said);
        if (rc == SLED_ENGINE_NONE ||
            (rc == SLED_ENGINE_OK && !lls_bytes_has_prefix(key, lls_buf_view(prefix))))
            break;
        e = rc == SLED_ENGINE_OK ? sled_layout_number(value, &number, err)
                                 : sled_kv_fail(kv, rc, &said, "scan", err);
        if (e == LLS_OK)
            e = sled_kv_bury(kv, batch, number, err);
        lls_buf_clear(&entry_key);
        lls_buf_add(&entry_key, key);
        if (e == LLS_OK)
            e = sled_kv_unset(kv, batch, &entry_key, err);
    }
    sled_engine_scan_close(engine);
    return e;
}

static lls_err discard_in(sled_kv *kv, lls_str tenant, lls_str run, uint64_t *turn, lls_error *err)
{
    LLS_AUTO(sled_batch_ref) batch = NULL;
    LLS_AUTO(lls_buf) prefix = {0};

    sled_layout_stage(run, (lls_kv_space){.tenant = tenant}, &prefix);
    LLS_TRY(lls_buf_status(&prefix, err));
    LLS_TRY(sled_kv_batch(kv, &batch, err));
    LLS_TRY(discard_all(kv, &prefix, batch, err));
    LLS_TRY(sled_kv_commit(kv, batch, turn, err));
    for (sled_kv_stage *stage = kv->stages; stage; stage = stage->next)
        if (lls_str_eq(lls_str_of(stage->tenant), tenant) &&
            lls_str_eq(lls_str_of(stage->run), run))
            stage->discarded = true;
    return LLS_OK;
}

lls_err sled_kv_stage_discard(lls_kv *base, lls_str tenant, lls_str run, lls_error *err)
{
    sled_kv *kv = sled_kv_of(base);
    uint64_t turn;

    (void)pthread_mutex_lock(&kv->write);
    lls_err e = discard_in(kv, tenant, run, &turn, err);
    (void)pthread_mutex_unlock(&kv->write);
    LLS_TRY(e);
    LLS_TRY(sled_kv_sync(kv, turn, err));
    sled_kv_collect(kv, 0);
    return LLS_OK;
}
