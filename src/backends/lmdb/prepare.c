/**
 * prepare.c - bringing together what the target will hold: from here on its changes are counted,
 * and where something of it survives, staged records and survivors are merged into a new space.
 */
#include "backends/lmdb/stage.h"

#include "backends/lmdb/value.h"
#include "base/scope.h"

uint32_t lmdb_stage_result(const lmdb_stage *stage, const lmdb_staged *entry)
{
    if (entry->merged)
        return entry->merged;
    // nothing was staged: everything there survives, where it is
    return stage->mode == LLS_STAGE_MERGE && entry->count == 0 && entry->live ? entry->live
                                                                              : entry->staged;
}

/* ---- watching ---- */

static int is_empty(MDB_txn *txn, MDB_dbi records, uint32_t id, bool *out)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val key = lmdb_key_make(bytes, id, (lls_bytes){0});
    MDB_val val;
    MDB_cursor *cursor;

    int rc = mdb_cursor_open(txn, records, &cursor);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
    mdb_cursor_close(cursor);
    *out = rc == MDB_NOTFOUND || (rc == 0 && !lmdb_key_is_of(&key, id));
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Whether survivors must be merged in. */
static lls_err needs_merge(lmdb_txn *txn, const lmdb_stage *stage, const lmdb_staged *entry,
                           bool *out, lls_error *err)
{
    bool empty = true;
    int rc = 0;

    if (stage->mode == LLS_STAGE_MERGE && entry->live != 0 && entry->count > 0)
        rc = is_empty(txn->raw, txn->env->records, entry->live, &empty);
    *out = !empty;
    return rc ? lmdb_txn_fail(txn, rc, err, "look at the target") : LLS_OK;
}

static lls_err watch_coll(lmdb_txn *txn, lmdb_stage *stage, size_t index, lls_error *err)
{
    lls_kv_space space = lmdb_stage_space(stage, index);
    lls_str run = lls_str_of(stage->run);
    lmdb_space live = {0};
    lmdb_staged entry;
    bool merge;

    LLS_TRY(lmdb_staged_find(txn->env, txn->raw, run, space, &entry, err));
    LLS_TRY(lmdb_staged_unwatch(txn, space, &entry, err)); // what a prepare before this one left
    lls_err e = lmdb_space_find(txn->env, txn->raw, space, &live, err);
    if (e != LLS_E_NOTFOUND)
        LLS_TRY(e);
    entry.live = live.id;
    entry.live_changes = live.changes;
    if (live.id) {
        live.watchers++;
        entry.watching = true;
        LLS_TRY(lmdb_space_store(txn, space, &live, err));
    }
    LLS_TRY(needs_merge(txn, stage, &entry, &merge, err));
    if (merge)
        LLS_TRY(lmdb_space_new_id(txn, &entry.merged, err));
    LLS_TRY(lmdb_staged_store(txn, run, space, &entry, err));
    stage->colls[index].entry = entry;
    return LLS_OK;
}

static lls_err watch(lmdb_txn *txn, void *user, lls_error *err)
{
    lmdb_stage *stage = user;

    for (size_t i = 0; i < stage->count; i++)
        LLS_TRY(watch_coll(txn, stage, i, err));
    return LLS_OK;
}

/* ---- merging ---- */

typedef struct side {
    lls_kv_iter_ref it;
    lls_kv_item item;
    bool done;
} side;

static lls_err step(side *s, lls_error *err)
{
    lls_err e = lls_kv_iter_next(s->it, &s->item, err);

    s->done = e == LLS_END;
    return s->done ? LLS_OK : e;
}

/* Fill one transaction's worth behind `after`, which moves on. *more: it is not the end. */
static lls_err gather(lmdb_stage *stage, size_t index, lls_buf *after, bool *more, lls_error *err)
{
    lmdb_env *env = stage->store->env;
    const lmdb_staged *entry = &stage->colls[index].entry;
    lls_kv_space space = lmdb_stage_space(stage, index);
    lls_kv_range range = {.after = lls_buf_view(after)};
    LLS_AUTO(lls_kv_iter_ref) live_it = NULL;
    LLS_AUTO(lls_kv_iter_ref) fresh_it = NULL;

    LLS_TRY(lmdb_scan_open(env, space, entry->live, range, &live_it, err));
    LLS_TRY(lmdb_scan_open(env, space, entry->staged, range, &fresh_it, err));
    side live = {.it = live_it};
    side fresh = {.it = fresh_it};
    LLS_TRY(step(&live, err));
    LLS_TRY(step(&fresh, err));
    while (!(live.done && fresh.done) && !lmdb_load_is_full(&stage->load)) {
        int c = live.done ? 1 : fresh.done ? -1 : lls_bytes_cmp(live.item.key, fresh.item.key);
        const lls_kv_item *item = c < 0 ? &live.item : &fresh.item; // the staged one wins a tie
        LLS_TRY(lmdb_load_add(&stage->load, index, entry->merged, item, err));
        lls_buf_clear(after);
        lls_buf_add(after, item->key);
        LLS_TRY(lls_buf_status(after, err));
        if (c <= 0)
            LLS_TRY(step(&live, err));
        if (c >= 0)
            LLS_TRY(step(&fresh, err));
    }
    *more = !(live.done && fresh.done);
    return LLS_OK;
}

/* Read a batch, close the scans, write it: a scan that stays open would keep the map from growing.
   The target may change in between; then its counter did too, and `publish` refuses. */
static lls_err merge(lmdb_stage *stage, size_t index, lls_error *err)
{
    LLS_AUTO(lls_buf) after = {0};
    bool more = true;

    while (more) {
        lls_err e = gather(stage, index, &after, &more, err);
        if (e == LLS_OK)
            e = lmdb_load_write(stage, err);
        if (e != LLS_OK) {
            stage->load.count = 0; // `prepare` begins again
            lls_buf_clear(&stage->load.frames);
            return e;
        }
    }
    return LLS_OK;
}

lls_err lmdb_stage_prepare(lls_kv_stage *base, lls_error *err)
{
    lmdb_stage *stage = LLS_OUTER(base, lmdb_stage, base);

    LLS_TRY(lmdb_load_write(stage, err));
    stage->prepared = false;
    LLS_TRY(lmdb_write(stage->store->env, LMDB_TAKES, watch, stage, err));
    for (size_t i = 0; i < stage->count; i++)
        if (stage->colls[i].entry.merged)
            LLS_TRY(merge(stage, i, err));
    stage->prepared = true;
    return LLS_OK;
}
