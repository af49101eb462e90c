#include "backends/memory/batch.h"

#include "backends/memory/vec_declared.h"
#include "backends/memory/vec_words.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "ports/record.h"

#include <assert.h>

lls_err memory_fail_key(lls_error *err, lls_err code, lls_bytes key, const char *what)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(key, &shown);
    return lls_fail(err, code, "key '%s' %s", lls_buf_cstr(&shown), what);
}

static lls_err no_memory(lls_error *err)
{
    return lls_fail(err, LLS_E_NOMEM, "out of memory");
}

lls_err memory_batch_begin(memory_batch *b, memory_kv *kv, lls_str tenant, int64_t now_usec,
                           const lls_kv_write *writes, size_t count, lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};

    *b = (memory_batch){.kv = kv, .tenant = tenant, .now_usec = now_usec};
    (void)pthread_mutex_lock(&kv->shared->lock);
    for (size_t i = 0; i < count; i++) { // all are made now, so that none moves later
        LLS_TRY(memory_name_space(&name, (lls_kv_space){tenant, writes[i].coll}, err));
        if (!memory_map_make(&kv->spaces, lls_buf_view(&name)))
            return no_memory(err);
    }
    b->spaces =
        lls_alloc((count < kv->spaces.count ? count : kv->spaces.count) * sizeof(*b->spaces));
    return b->spaces ? LLS_OK : no_memory(err);
}

/* Find or begin the new version of the space of `coll`. */
static lls_err touch(memory_batch *b, lls_str coll, memory_touched **out, lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};

    LLS_TRY(memory_name_space(&name, (lls_kv_space){b->tenant, coll}, err));
    memory_entry *entry = memory_map_find(&b->kv->spaces, lls_buf_view(&name));
    assert(entry); // made when the batch began
    size_t index = (size_t)(entry - b->kv->spaces.entries);
    for (size_t i = 0; i < b->count; i++) {
        if (b->spaces[i].index == index) {
            *out = &b->spaces[i];
            return LLS_OK;
        }
    }
    b->spaces[b->count] =
        (memory_touched){.index = index, .version = memory_version_hold(entry->version)};
    *out = &b->spaces[b->count++];
    return LLS_OK;
}

lls_err memory_batch_look(memory_batch *b, lls_str coll, memory_tree *out, lls_error *err)
{
    memory_touched *space;

    LLS_TRY(touch(b, coll, &space, err));
    *out = space->version.records;
    return LLS_OK;
}

static lls_err check_condition(const lls_kv_write *w, const lls_kv_meta *old, lls_error *err)
{
    if (w->verb == LLS_KV_CREATE && old)
        return memory_fail_key(err, LLS_E_EXISTS, w->key, "already exists");
    bool conditional =
        w->verb == LLS_KV_REPLACE || (w->verb == LLS_KV_DELETE && w->meta.version != 0);
    if (conditional && (!old || old->version != w->meta.version))
        return memory_fail_key(err, LLS_E_CONFLICT, w->key, "was changed by another writer");
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

/* What else must know of a record of the vector port that comes, goes, or both. */
static lls_err follow(memory_batch *b, memory_touched *space, const memory_record *old,
                      const memory_record *next, lls_bytes key, lls_error *err)
{
    if (b->kv->base.port != LLS_PORT_VEC)
        return LLS_OK;
    if (b->kv->spaces.entries[space->index].words)
        memory_words_log(&space->keys, key);
    if (old)
        LLS_TRY(memory_declared_leave(&space->version.declared, old, err));
    return next ? memory_declared_join(&space->version.declared, next, err) : LLS_OK;
}

static lls_err take_out(memory_batch *b, memory_touched *space, const memory_record *there,
                        lls_bytes key, lls_error *err)
{
    if (!there)
        return LLS_OK;
    LLS_TRY(follow(b, space, there, NULL, key, err));
    return memory_tree_remove(&space->version.records, key, err);
}

lls_err memory_batch_write(memory_batch *b, const lls_kv_write *w, lls_error *err)
{
    memory_touched *space;

    LLS_TRY(touch(b, w->coll, &space, err));
    const memory_record *there = memory_tree_find(space->version.records, w->key);
    bool expired = there && lls_kv_expired(&there->item.meta, b->now_usec);
    if (w->verb == LLS_KV_SWEEP)
        return expired ? take_out(b, space, there, w->key, err) : LLS_OK;

    const lls_kv_meta *old = there && !expired ? &there->item.meta : NULL;
    LLS_TRY(check_condition(w, old, err));
    if (w->verb == LLS_KV_DELETE)
        return take_out(b, space, there, w->key, err);
    lls_kv_meta meta = new_meta(w, old, b->now_usec);
    memory_record *record = memory_record_new(w->key, w->value, &meta);
    if (!record)
        return no_memory(err);
    lls_err e = follow(b, space, there, record, w->key, err);
    if (e != LLS_OK) {
        memory_record_drop(record);
        return e;
    }
    return memory_tree_put(&space->version.records, record, err);
}

/* Whether what the batch leaves in each space could have been written one after the other. */
static lls_err check_declared(const memory_batch *b, lls_error *err)
{
    for (size_t i = 0; i < b->count; i++) {
        const memory_entry *entry = &b->kv->spaces.entries[b->spaces[i].index];
        LLS_TRY(memory_declared_agree(entry->version.declared, b->spaces[i].version.declared, err));
    }
    return LLS_OK;
}

/* Whether the new versions, and what was not touched, are within the limit. */
static lls_err check_limit(const memory_batch *b, lls_error *err)
{
    uint64_t old = 0;
    uint64_t more = 0;

    for (size_t i = 0; i < b->count; i++) {
        old += memory_tree_bytes(b->kv->spaces.entries[b->spaces[i].index].version.records);
        more += memory_tree_bytes(b->spaces[i].version.records);
    }
    return memory_room_check(b->kv, old, more, err);
}

/* Put a new version in place; the one of before takes its place, to be dropped. */
static void commit(memory_batch *b, memory_touched *space)
{
    memory_entry *entry = &b->kv->spaces.entries[space->index];

    space->version = memory_map_swap(&b->kv->spaces, entry, space->version);
    if (entry->words)
        memory_words_note(entry->words, &space->keys);
}

lls_err memory_batch_end(memory_batch *b, lls_err e, lls_error *err)
{
    if (e == LLS_OK)
        e = check_declared(b, err);
    if (e == LLS_OK)
        e = check_limit(b, err);
    for (size_t i = 0; e == LLS_OK && i < b->count; i++)
        commit(b, &b->spaces[i]);
    (void)pthread_mutex_unlock(&b->kv->shared->lock);
    for (size_t i = 0; i < b->count; i++) { // nobody has to wait for this
        memory_version_drop(b->spaces[i].version);
        lls_buf_fini(&b->spaces[i].keys);
    }
    lls_free(b->spaces);
    return e;
}
