#include "backends/memory/memory.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "ports/record.h"

#include <assert.h>

memory_kv *memory_downcast(lls_kv *kv)
{
    assert(kv->ops == &memory_kv_ops);
    return LLS_OUTER(kv, memory_kv, base);
}

static lls_err name_space(lls_buf *out, lls_str tenant, lls_str coll, lls_error *err)
{
    const lls_str parts[] = {tenant, coll};

    lls_buf_clear(out);
    memory_name(out, parts, LLS_COUNT(parts));
    return lls_buf_status(out, err);
}

/* Hold the version of a space that is current. An empty one is NULL. */
static lls_err hold_space(memory_kv *kv, lls_kv_space space, memory_tree *out, lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};

    LLS_TRY(name_space(&name, space.tenant, space.coll, err));
    (void)pthread_mutex_lock(&kv->lock);
    memory_entry *entry = memory_map_find(&kv->spaces, lls_buf_view(&name));
    *out = entry ? memory_tree_hold(entry->tree) : NULL;
    (void)pthread_mutex_unlock(&kv->lock);
    return LLS_OK;
}

static lls_err get(lls_kv *base, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    memory_tree tree;

    LLS_TRY(hold_space(memory_downcast(base), space, &tree, err));
    const memory_record *record = memory_tree_find(tree, key);
    if (record) {
        lls_buf_add(out, record->item.value);
        *meta = record->item.meta;
    }
    memory_tree_drop(tree);
    return record ? LLS_OK : lls_fail(err, LLS_E_NOTFOUND, "no such key");
}

/* ---- apply: work on versions that nobody sees, then put all of them in place ---- */

/* A space that a batch touches: where it is in the map, and the version being made. */
typedef struct touched {
    size_t index;
    memory_tree tree;
} touched;

typedef struct batch {
    memory_kv *kv;
    lls_str tenant;
    int64_t now_usec;
    touched *spaces;
    size_t count;
} batch;

static lls_err fail_with_key(lls_error *err, lls_err code, lls_bytes key, const char *what)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(key, &shown);
    return lls_fail(err, code, "key '%s' %s", lls_buf_cstr(&shown), what);
}

/* Find or begin the new version of the space of `coll`. */
static lls_err touch(batch *b, lls_str coll, touched **out, lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};

    LLS_TRY(name_space(&name, b->tenant, coll, err));
    memory_entry *entry = memory_map_find(&b->kv->spaces, lls_buf_view(&name));
    assert(entry); // made before the batch began, so that none moves
    size_t index = (size_t)(entry - b->kv->spaces.entries);
    for (size_t i = 0; i < b->count; i++) {
        if (b->spaces[i].index == index) {
            *out = &b->spaces[i];
            return LLS_OK;
        }
    }
    b->spaces[b->count] = (touched){index, memory_tree_hold(entry->tree)};
    *out = &b->spaces[b->count++];
    return LLS_OK;
}

static lls_err check_condition(const lls_kv_write *w, const lls_kv_meta *old, lls_error *err)
{
    if (w->verb == LLS_KV_CREATE && old)
        return fail_with_key(err, LLS_E_EXISTS, w->key, "already exists");
    bool conditional =
        w->verb == LLS_KV_REPLACE || (w->verb == LLS_KV_DELETE && w->meta.version != 0);
    if (conditional && (!old || old->version != w->meta.version))
        return fail_with_key(err, LLS_E_CONFLICT, w->key, "was changed by another writer");
    return LLS_OK;
}

static lls_kv_meta new_meta(const lls_kv_write *w, const lls_kv_meta *old, int64_t now_usec)
{
    if (w->verb == LLS_KV_RESTORE)
        return w->meta;
    return (lls_kv_meta){
        .version = old ? old->version + 1 : 1,
        .created_usec = old ? old->created_usec : now_usec,
        .updated_usec = now_usec,
        .expires_usec = w->meta.expires_usec,
    };
}

static lls_err write_one(batch *b, const lls_kv_write *w, lls_error *err)
{
    touched *space;

    LLS_TRY(touch(b, w->coll, &space, err));
    const memory_record *there = memory_tree_find(space->tree, w->key);
    bool expired = there && lls_kv_expired(&there->item.meta, b->now_usec);
    if (w->verb == LLS_KV_SWEEP)
        return expired ? memory_tree_remove(&space->tree, w->key, err) : LLS_OK;

    const lls_kv_meta *old = there && !expired ? &there->item.meta : NULL;
    LLS_TRY(check_condition(w, old, err));
    if (w->verb == LLS_KV_DELETE)
        return memory_tree_remove(&space->tree, w->key, err);
    lls_kv_meta meta = new_meta(w, old, b->now_usec);
    memory_record *record = memory_record_new(w->key, w->value, &meta);
    if (!record)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    return memory_tree_put(&space->tree, record, err);
}

/* Whether the new versions, and what was not touched, are within the limit. */
static lls_err check_limit(const batch *b, lls_error *err)
{
    uint64_t old = 0;
    uint64_t more = 0;

    for (size_t i = 0; i < b->count; i++) {
        old += memory_tree_bytes(b->kv->spaces.entries[b->spaces[i].index].tree);
        more += memory_tree_bytes(b->spaces[i].tree);
    }
    return memory_room_check(b->kv, old, more, err);
}

static lls_err write_all(batch *b, const lls_kv_write *writes, size_t count, lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};

    for (size_t i = 0; i < count; i++) {
        LLS_TRY(name_space(&name, b->tenant, writes[i].coll, err));
        if (!memory_map_make(&b->kv->spaces, lls_buf_view(&name)))
            return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    b->spaces =
        lls_alloc((count < b->kv->spaces.count ? count : b->kv->spaces.count) * sizeof(*b->spaces));
    if (!b->spaces)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        LLS_TRY(write_one(b, &writes[i], err));
    return check_limit(b, err);
}

/* Put the new versions in place, or let go of them. `b->spaces` then holds what to drop. */
static void finish(batch *b, bool commit)
{
    for (size_t i = 0; commit && i < b->count; i++) {
        memory_entry *entry = &b->kv->spaces.entries[b->spaces[i].index];
        b->spaces[i].tree = memory_map_swap(&b->kv->spaces, entry, b->spaces[i].tree);
    }
}

static lls_err apply(lls_kv *base, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err)
{
    memory_kv *kv = memory_downcast(base);
    batch b = {.kv = kv, .tenant = tenant, .now_usec = now_usec};

    if (kv->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    (void)pthread_mutex_lock(&kv->lock);
    lls_err e = write_all(&b, writes, count, err);
    finish(&b, e == LLS_OK);
    (void)pthread_mutex_unlock(&kv->lock);
    for (size_t i = 0; i < b.count; i++)
        memory_tree_drop(b.spaces[i].tree);
    lls_free(b.spaces);
    return e;
}

static lls_err clear(lls_kv *base, lls_kv_space space, lls_error *err)
{
    memory_kv *kv = memory_downcast(base);
    LLS_AUTO(lls_buf) name = {0};
    memory_tree old = NULL;

    if (kv->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    LLS_TRY(name_space(&name, space.tenant, space.coll, err));
    (void)pthread_mutex_lock(&kv->lock);
    memory_entry *entry = memory_map_find(&kv->spaces, lls_buf_view(&name));
    if (entry)
        old = memory_map_swap(&kv->spaces, entry, NULL);
    (void)pthread_mutex_unlock(&kv->lock);
    memory_tree_drop(old);
    return LLS_OK;
}

static lls_err stats(lls_kv *base, lls_kv_space space, lls_kv_stats *out, lls_error *err)
{
    memory_tree tree;

    LLS_TRY(hold_space(memory_downcast(base), space, &tree, err));
    *out = (lls_kv_stats){.count = memory_tree_count(tree), .bytes = memory_tree_bytes(tree)};
    memory_tree_drop(tree);
    return LLS_OK;
}

static lls_err scan(lls_kv *base, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err)
{
    memory_tree tree;

    LLS_TRY(hold_space(memory_downcast(base), space, &tree, err));
    return memory_scan_tree(tree, range, out, err);
}

const lls_kv_ops memory_kv_ops = {
    .get = get,
    .apply = apply,
    .scan = scan,
    .clear = clear,
    .stats = stats,
    .stage = memory_stage_open,
    .stage_discard = memory_stage_discard,
};
