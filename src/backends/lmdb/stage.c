#include "backends/lmdb/stage.h"

#include "backends/lmdb/value.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <assert.h>

static const lls_kv_stage_ops stage_ops;

static lmdb_stage *downcast(lls_kv_stage *base)
{
    assert(base->ops == &stage_ops); // the ops pointer is the type tag
    return LLS_OUTER(base, lmdb_stage, base);
}

static lls_err find_coll(lmdb_stage *stage, lls_str name, size_t *out, lls_error *err)
{
    for (size_t i = 0; i < stage->count; i++) {
        if (lls_str_eq(lls_str_of(stage->colls[i].name), name)) {
            *out = i;
            return LLS_OK;
        }
    }
    return lls_fail(err, LLS_E_INVALID, "'" LLS_FMT "' is not a collection of this stage",
                    LLS_ARG(name));
}

/* ---- filling ---- */

static lls_err flush(lls_kv_stage *base, lls_error *err)
{
    return lmdb_load_write(downcast(base), err);
}

static lls_err add(lls_kv_stage *base, lls_str coll, const lls_kv_item *items, size_t count,
                   lls_error *err)
{
    lmdb_stage *stage = downcast(base);
    size_t index;

    LLS_TRY(find_coll(stage, coll, &index, err));
    stage->prepared = false;
    for (size_t i = 0; i < count; i++) {
        LLS_TRY(
            lmdb_load_add(&stage->load, index, stage->colls[index].entry.staged, &items[i], err));
        if (lmdb_load_is_full(&stage->load))
            LLS_TRY(lmdb_load_write(stage, err));
    }
    return LLS_OK;
}

/* Append the greatest key of the space `id`; nothing when it has none. */
static int greatest(MDB_txn *txn, MDB_dbi records, uint32_t id, lls_buf *out)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val key = lmdb_key_make(bytes, id + 1, (lls_bytes){0});
    MDB_val val;
    MDB_cursor *cursor;

    int rc = mdb_cursor_open(txn, records, &cursor);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
    rc = mdb_cursor_get(cursor, &key, &val, rc == 0 ? MDB_PREV : MDB_LAST);
    if (rc == 0 && lmdb_key_is_of(&key, id))
        lls_buf_add(out, lmdb_key_of(&key));
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static lls_err last(lls_kv_stage *base, lls_str coll, lls_buf *key, uint64_t *count, lls_error *err)
{
    lmdb_stage *stage = downcast(base);
    lmdb_env *env = stage->store->env;
    LLS_AUTO(lls_buf) found = {0};
    lmdb_staged entry = {0};
    lmdb_reader *reader;
    size_t index;

    LLS_TRY(find_coll(stage, coll, &index, err));
    LLS_TRY(lmdb_load_write(stage, err));
    LLS_TRY(lmdb_read_begin(env, LMDB_BRIEF, &reader, err));
    lls_err e = lmdb_staged_find(env, reader->raw, lls_str_of(stage->run),
                                 lmdb_stage_space(stage, index), &entry, err);
    int rc = 0;
    if (e == LLS_OK)
        rc = greatest(reader->raw, env->records, entry.staged, &found);
    lmdb_read_end(env, reader, LMDB_BRIEF);
    if (e == LLS_E_NOTFOUND && stage->published)
        e = LLS_OK; // it is not in the stage any more
    LLS_TRY(e);
    if (rc != 0)
        return lmdb_fail(rc, err, "look how far the stage got");
    lls_buf_clear(key);
    lls_buf_add(key, lls_buf_view(&found));
    LLS_TRY(lls_buf_status(&found, err));
    LLS_TRY(lls_buf_status(key, err));
    *count = entry.count;
    return LLS_OK;
}

static lls_err scan(lls_kv_stage *base, lls_str coll, lls_kv_iter **out, lls_error *err)
{
    lmdb_stage *stage = downcast(base);
    lls_kv_iter *it;
    size_t index;

    LLS_TRY(find_coll(stage, coll, &index, err));
    if (!stage->prepared)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    uint32_t id = lmdb_stage_result(stage, &stage->colls[index].entry);
    LLS_TRY(lmdb_scan_open(stage->store->env, lmdb_stage_space(stage, index), id, (lls_kv_range){0},
                           &it, err));
    it->now_usec = 0; // expired records too
    *out = it;
    return LLS_OK;
}

/* ---- publishing ---- */

static lls_err publish_coll(lmdb_txn *txn, lmdb_stage *stage, size_t index, lls_error *err)
{
    lls_kv_space space = lmdb_stage_space(stage, index);
    lls_str run = lls_str_of(stage->run);
    lmdb_space live = {0};
    lmdb_staged entry;

    LLS_TRY(lmdb_staged_find(txn->env, txn->raw, run, space, &entry, err));
    lls_err e = lmdb_space_find(txn->env, txn->raw, space, &live, err);
    if (e != LLS_E_NOTFOUND)
        LLS_TRY(e);
    if (live.id != entry.live || live.changes != entry.live_changes)
        return lls_fail(err, LLS_E_CONFLICT, "collection '" LLS_FMT "' was written to meanwhile",
                        LLS_ARG(space.coll));
    uint32_t result = lmdb_stage_result(stage, &entry);
    if (result == entry.live) {
        LLS_TRY(lmdb_staged_unwatch(txn, space, &entry, err));
    } else {
        lmdb_space fresh = {.id = result};
        LLS_TRY(lmdb_space_store(txn, space, &fresh, err));
        LLS_TRY(lmdb_space_bury(txn, entry.live, err));
    }
    if (result != entry.staged)
        LLS_TRY(lmdb_space_bury(txn, entry.staged, err));
    return lmdb_staged_remove(txn, run, space, err);
}

static lls_err publish_in(lmdb_txn *txn, void *user, lls_error *err)
{
    lmdb_stage *stage = user;

    for (size_t i = 0; i < stage->count; i++)
        LLS_TRY(publish_coll(txn, stage, i, err));
    return LLS_OK;
}

static lls_err publish(lls_kv_stage *base, lls_error *err)
{
    lmdb_stage *stage = downcast(base);
    lmdb_env *env = stage->store->env;

    if (!stage->prepared)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    LLS_TRY(lmdb_write(env, LMDB_FREES, publish_in, stage, err));
    stage->prepared = false;
    stage->published = true;
    int rc = mdb_env_sync(env->raw, 1); // also under relaxed durability
    return rc ? lmdb_fail(rc, err, "sync '%s'", env->path) : LLS_OK;
}

/* ---- opening and closing ---- */

static lls_err unwatch_all(lmdb_txn *txn, void *user, lls_error *err)
{
    lmdb_stage *stage = user;
    lls_str run = lls_str_of(stage->run);

    for (size_t i = 0; i < stage->count; i++) {
        lls_kv_space space = lmdb_stage_space(stage, i);
        lmdb_staged entry;
        lls_err e = lmdb_staged_find(txn->env, txn->raw, run, space, &entry, err);
        if (e == LLS_E_NOTFOUND)
            continue; // discarded meanwhile
        LLS_TRY(e);
        if (!entry.watching && !entry.merged)
            continue;
        LLS_TRY(lmdb_staged_unwatch(txn, space, &entry, err));
        LLS_TRY(lmdb_staged_store(txn, run, space, &entry, err));
    }
    return LLS_OK;
}

static bool is_watching(const lmdb_stage *stage)
{
    for (size_t i = 0; i < stage->count; i++)
        if (stage->colls[i].entry.watching || stage->colls[i].entry.merged)
            return true;
    return false;
}

static void close_stage(lls_kv_stage *base)
{
    lmdb_stage *stage = downcast(base);
    lmdb_env *env = stage->store->env;

    // what cannot be written now is added again by whoever goes on; a watcher that stays behind
    // costs writers a little, and is put right by the next prepare or discard of its run
    lls_err e = stage->published ? LLS_OK : lmdb_load_write(stage, NULL);
    if (!stage->published && is_watching(stage))
        e = lmdb_write(env, LMDB_FREES, unwatch_all, stage, NULL);
    (void)e;
    if (stage->published || is_watching(stage))
        lmdb_collect(env, 0);
    lls_buf_fini(&stage->load.frames);
    lls_free(stage);
}

static const lls_kv_stage_ops stage_ops = {
    .last = last,
    .add = add,
    .flush = flush,
    .prepare = lmdb_stage_prepare,
    .scan = scan,
    .publish = publish,
    .close = close_stage,
};

static lls_err open_entries(lmdb_txn *txn, void *user, lls_error *err)
{
    lmdb_stage *stage = user;
    lls_str run = lls_str_of(stage->run);

    for (size_t i = 0; i < stage->count; i++) {
        lls_kv_space space = lmdb_stage_space(stage, i);
        lmdb_staged entry = {0};
        lls_err e = lmdb_staged_find(txn->env, txn->raw, run, space, &entry, err);
        if (e == LLS_E_NOTFOUND) {
            LLS_TRY(lmdb_space_new_id(txn, &entry.staged, err));
            e = lmdb_staged_store(txn, run, space, &entry, err);
        }
        LLS_TRY(e);
        stage->colls[i].entry = entry;
    }
    return LLS_OK;
}

static lls_err open_stage(lmdb_stage *stage, const lls_stage_spec *spec, lls_error *err)
{
    memcpy(stage->tenant, spec->tenant.data, spec->tenant.len);
    memcpy(stage->run, spec->run.data, spec->run.len);
    stage->mode = spec->mode;
    stage->count = spec->coll_count;
    for (size_t i = 0; i < spec->coll_count; i++) {
        lmdb_stage_coll *coll = &stage->colls[i];
        memcpy(coll->name, spec->colls[i].data, spec->colls[i].len);
    }
    return lmdb_write(stage->store->env, LMDB_TAKES, open_entries, stage, err);
}

lls_err lmdb_kv_stage(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out, lls_error *err)
{
    lmdb_store *store = lmdb_store_of(kv);

    LLS_TRY(lmdb_must_write(store, err));
    if (spec->coll_count > LMDB_STAGE_COLLS)
        return lls_fail(err, LLS_E_INVALID, "a stage of more than %d collections",
                        LMDB_STAGE_COLLS);
    lmdb_stage *stage = lls_alloc(sizeof(*stage) + spec->coll_count * sizeof(stage->colls[0]));
    if (!stage)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    stage->base.ops = &stage_ops;
    stage->store = store;
    lls_err e = open_stage(stage, spec, err);
    if (e != LLS_OK) {
        lls_free(stage);
        return e;
    }
    *out = &stage->base;
    return LLS_OK;
}

/* ---- discarding ---- */

typedef struct doomed {
    lls_str tenant;
    lls_str run;
} doomed;

static lls_err discard_in(lmdb_txn *txn, void *user, lls_error *err)
{
    const doomed *d = user;
    char coll[LLS_COLL_MAX + 1];
    lmdb_staged entry;
    lls_err e;

    while ((e = lmdb_staged_first(txn, d->run, d->tenant, coll, &entry, err)) == LLS_OK) {
        lls_kv_space space = {d->tenant, lls_str_of(coll)};
        LLS_TRY(lmdb_staged_unwatch(txn, space, &entry, err));
        LLS_TRY(lmdb_space_bury(txn, entry.staged, err));
        LLS_TRY(lmdb_staged_remove(txn, d->run, space, err));
    }
    return e == LLS_END ? LLS_OK : e;
}

lls_err lmdb_kv_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err)
{
    lmdb_store *store = lmdb_store_of(kv);
    doomed d = {tenant, run};

    LLS_TRY(lmdb_must_write(store, err));
    LLS_TRY(lmdb_write(store->env, LMDB_FREES, discard_in, &d, err));
    lmdb_collect(store->env, 0);
    return LLS_OK;
}
