#include "backends/memory/vec.h"

#include "backends/memory/batch.h"
#include "backends/memory/vec_declared.h"
#include "base/json.h"
#include "base/scope.h"
#include "ports/vec_hits.h"
#include "ports/vec_record.h"

#include <assert.h>
#include <stdio.h>

memory_vec *memory_vec_downcast(lls_vec *vec)
{
    assert(vec->ops == &memory_vec_ops);
    return LLS_OUTER(vec, memory_vec, base);
}

/* ---- records as values ---- */

static lls_err check_value(lls_bytes key, lls_bytes value, lls_buf *floats, lls_error *err)
{
    const lls_kv_item item = {.key = key, .value = value};
    lls_vec_item record;
    lls_err e = lls_vec_record_decode(&item, floats, &record, err);

    if (e == LLS_E_CORRUPT && err)
        err->code = LLS_E_INVALID; // nothing is damaged: it was never stored
    return e == LLS_E_CORRUPT ? LLS_E_INVALID : e;
}

lls_err memory_vec_check_values(const memory_kv *kv, const lls_kv_write *writes, size_t count,
                                lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};

    for (size_t i = 0; kv->base.port == LLS_PORT_VEC && i < count; i++)
        if (writes[i].verb != LLS_KV_DELETE && writes[i].verb != LLS_KV_SWEEP)
            LLS_TRY(check_value(writes[i].key, writes[i].value, &floats, err));
    return LLS_OK;
}

lls_err memory_vec_check_items(const memory_kv *kv, const lls_kv_item *items, size_t count,
                               lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};

    for (size_t i = 0; kv->base.port == LLS_PORT_VEC && i < count; i++)
        LLS_TRY(check_value(items[i].key, items[i].value, &floats, err));
    return LLS_OK;
}

lls_err memory_vec_item(const memory_record *record, unsigned fields, lls_buf *floats,
                        lls_vec_item *out, lls_error *err)
{
    const uint8_t *vector;

    lls_vec_record_view(&record->item, out, &vector);
    if (!(fields & LLS_VEC_VECTOR))
        return LLS_OK;
    LLS_TRY(lls_vec_record_floats(vector, out->space.dim, floats, err));
    out->vector = (const float *)(const void *)floats->data;
    return LLS_OK;
}

lls_err memory_vec_match(const memory_record *record, const lls_filter *filter, int64_t now_usec,
                         bool *match, lls_error *err)
{
    lls_vec_item item;
    const uint8_t *vector;

    lls_vec_record_view(&record->item, &item, &vector);
    const lls_filter_subject subject = {
        .scope = item.scope,
        .metadata = item.metadata,
        .event_usec = item.event_usec,
        .ingestion_usec = item.meta.created_usec,
        .expires_usec = item.meta.expires_usec,
    };
    return lls_filter_match(filter, &subject, now_usec, match, err);
}

/* ---- writing ---- */

static lls_err denied(lls_error *err)
{
    return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
}

static lls_err find_patched(memory_batch *b, lls_str coll, const lls_vec_item *patch,
                            const memory_record **out, lls_error *err)
{
    memory_tree tree;

    LLS_TRY(memory_batch_look(b, coll, &tree, err));
    const memory_record *record = memory_tree_find(tree, patch->id);
    if (!record || lls_kv_expired(&record->item.meta, b->now_usec))
        return memory_fail_key(err, LLS_E_NOTFOUND, patch->id, "is not there");
    if (patch->meta.version != 0 && patch->meta.version != record->item.meta.version)
        return memory_fail_key(err, LLS_E_CONFLICT, patch->id, "was changed by another writer");
    *out = record;
    return LLS_OK;
}

/* The record as it is, with metadata merged into its own. */
static lls_err write_patch(memory_batch *b, lls_str coll, const lls_vec_item *patch, lls_error *err)
{
    LLS_AUTO(lls_buf) merged = {0};
    LLS_AUTO(lls_buf) value = {0};
    LLS_AUTO(lls_buf) floats = {0};
    const memory_record *record = NULL;
    lls_json_value target;
    lls_json_value change;
    lls_vec_item item;

    LLS_TRY(find_patched(b, coll, patch, &record, err));
    LLS_TRY(memory_vec_item(record, LLS_VEC_WHOLE, &floats, &item, err));
    LLS_TRY(lls_json_check(item.metadata, &target, err));
    LLS_TRY(lls_json_check(patch->metadata, &change, err));
    LLS_TRY(lls_json_merge(target, change, &merged, err));
    LLS_TRY(lls_buf_status(&merged, err));
    item.metadata = lls_buf_str(&merged);
    LLS_TRY(lls_vec_item_check(&item, err)); // it may have grown over the limit
    lls_vec_record_encode(&item, &value);
    LLS_TRY(lls_buf_status(&value, err));
    const lls_kv_write write = {
        .verb = LLS_KV_PUT,
        .coll = coll,
        .key = patch->id,
        .value = lls_buf_view(&value),
        .meta.expires_usec = item.meta.expires_usec,
    };
    return memory_batch_write(b, &write, err);
}

static const lls_kv_verb verbs[] = {
    [LLS_VEC_PUT] = LLS_KV_PUT,         [LLS_VEC_CREATE] = LLS_KV_CREATE,
    [LLS_VEC_REPLACE] = LLS_KV_REPLACE, [LLS_VEC_DELETE] = LLS_KV_DELETE,
    [LLS_VEC_RESTORE] = LLS_KV_RESTORE,
};

static lls_err write_one(memory_batch *b, lls_str coll, const lls_vec_write *w, lls_error *err)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_kv_write write = {.coll = coll, .key = w->item.id, .meta = w->item.meta};

    if (w->verb == LLS_VEC_PATCH)
        return write_patch(b, coll, &w->item, err);
    write.verb = verbs[w->verb];
    if (w->verb != LLS_VEC_DELETE)
        lls_vec_record_encode(&w->item, &value);
    LLS_TRY(lls_buf_status(&value, err));
    write.value = lls_buf_view(&value);
    return memory_batch_write(b, &write, err);
}

static lls_err begin(lls_vec *vec, lls_kv_space coll, int64_t now_usec, memory_batch *b,
                     lls_error *err)
{
    memory_kv *kv = &memory_vec_downcast(vec)->records;
    const lls_kv_write touched = {.coll = coll.coll};

    return memory_batch_begin(b, kv, coll.tenant, now_usec, &touched, 1, err);
}

static lls_err apply(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_write *writes,
                     size_t count, lls_error *err)
{
    memory_batch b;

    if (memory_vec_downcast(vec)->records.shared->read_only)
        return denied(err);
    lls_err e = begin(vec, coll, now_usec, &b, err);
    for (size_t i = 0; e == LLS_OK && i < count; i++)
        e = write_one(&b, coll.coll, &writes[i], err);
    return memory_batch_end(&b, e, err);
}

/* ---- reading ---- */

static lls_err get_all(memory_tree tree, int64_t now_usec, const lls_bytes *ids, size_t count,
                       unsigned fields, lls_vec_hits *out, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item item;

    for (size_t i = 0; i < count; i++) {
        const memory_record *record = memory_tree_find(tree, ids[i]);
        if (!record || lls_kv_expired(&record->item.meta, now_usec))
            continue;
        LLS_TRY(memory_vec_item(record, fields, &floats, &item, err));
        LLS_TRY(lls_vec_hits_add(out, &item, fields, 0, 0, err));
    }
    return LLS_OK;
}

static lls_err get(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_bytes *ids,
                   size_t count, unsigned fields, lls_vec_hits *out, lls_error *err)
{
    memory_version version;

    LLS_TRY(memory_hold_space(&memory_vec_downcast(vec)->records, coll, &version, err));
    lls_err e = get_all(version.records, now_usec, ids, count, fields, out, err);
    memory_version_drop(version);
    return e;
}

typedef struct counting {
    int64_t now_usec;
    const lls_filter *filter;
    uint64_t count;
    memory_batch *batch; /* to remove what is counted, or NULL */
    lls_str coll;
} counting;

static lls_err count_record(void *user, const memory_record *record, lls_error *err)
{
    counting *c = user;
    bool match = false;

    LLS_TRY(memory_vec_match(record, c->filter, c->now_usec, &match, err));
    c->count += match;
    if (!match || !c->batch)
        return LLS_OK;
    const lls_kv_write write = {.verb = LLS_KV_DELETE, .coll = c->coll, .key = record->item.key};
    return memory_batch_write(c->batch, &write, err);
}

static lls_err count(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_filter *filter,
                     uint64_t *out, lls_error *err)
{
    counting c = {.now_usec = now_usec, .filter = filter};
    memory_version version;

    LLS_TRY(memory_hold_space(&memory_vec_downcast(vec)->records, coll, &version, err));
    lls_err e = memory_tree_each(version.records, count_record, &c, err);
    memory_version_drop(version);
    if (e == LLS_OK)
        *out = c.count;
    return e;
}

static lls_err remove_matching(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                               const lls_filter *filter, uint64_t *removed, lls_error *err)
{
    memory_batch b;
    counting c = {.now_usec = now_usec, .filter = filter, .batch = &b, .coll = coll.coll};
    memory_tree tree = NULL;

    if (memory_vec_downcast(vec)->records.shared->read_only)
        return denied(err);
    lls_err e = begin(vec, coll, now_usec, &b, err);
    if (e == LLS_OK)
        e = memory_batch_look(&b, coll.coll, &tree, err);
    tree = memory_tree_hold(tree); // the version to walk over stays while another is made
    if (e == LLS_OK)
        e = memory_tree_each(tree, count_record, &c, err);
    e = memory_batch_end(&b, e, err);
    memory_tree_drop(tree);
    if (e == LLS_OK)
        *removed = c.count;
    return e;
}

typedef struct telling {
    lls_vec_stats_fn each;
    void *user;
} telling;

static lls_err tell_space(void *user, const memory_record *record, lls_error *err)
{
    const telling *t = user;
    memory_declared declared = memory_declared_of(record);
    lls_vec_stats stats = {
        .space = declared.space,
        .count = declared.count,
        .bytes = declared.bytes,
        .hot_bytes = declared.bytes,
        .exact = true,
    };

    (void)err;
    (void)snprintf(stats.index, sizeof(stats.index), "none");
    t->each(t->user, &stats);
    return LLS_OK;
}

static lls_err stats(lls_vec *vec, lls_kv_space coll, lls_vec_stats_fn each, void *user,
                     lls_error *err)
{
    telling t = {each, user};
    memory_version version;

    LLS_TRY(memory_hold_space(&memory_vec_downcast(vec)->records, coll, &version, err));
    lls_err e = memory_tree_each(version.declared, tell_space, &t, err);
    memory_version_drop(version);
    return e;
}

const lls_vec_ops memory_vec_ops = {
    .apply = apply,
    .get = get,
    .search = memory_vec_search,
    .words = memory_vec_words,
    .list = memory_vec_list,
    .count = count,
    .remove = remove_matching,
    .stats = stats,
};
