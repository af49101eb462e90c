#include "backends/memory/batch.h"
#include "backends/memory/vec.h"
#include "backends/memory/vec_words.h"
#include "base/scope.h"

#include <assert.h>

memory_kv *memory_downcast(lls_kv *kv)
{
    assert(kv->ops == &memory_kv_ops);
    return LLS_OUTER(kv, memory_kv, base);
}

lls_err memory_name_space(lls_buf *out, lls_kv_space space, lls_error *err)
{
    const lls_str parts[] = {space.tenant, space.coll};

    lls_buf_clear(out);
    memory_name(out, parts, LLS_COUNT(parts));
    return lls_buf_status(out, err);
}

lls_err memory_hold_space(memory_kv *kv, lls_kv_space space, memory_version *out, lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};

    LLS_TRY(memory_name_space(&name, space, err));
    (void)pthread_mutex_lock(&kv->shared->lock);
    memory_entry *entry = memory_map_find(&kv->spaces, lls_buf_view(&name));
    *out = entry ? memory_version_hold(entry->version) : (memory_version){0};
    (void)pthread_mutex_unlock(&kv->shared->lock);
    return LLS_OK;
}

/* The same, the records alone. */
static lls_err hold_records(memory_kv *kv, lls_kv_space space, memory_tree *out, lls_error *err)
{
    memory_version version;

    LLS_TRY(memory_hold_space(kv, space, &version, err));
    *out = memory_tree_hold(version.records);
    memory_version_drop(version);
    return LLS_OK;
}

static lls_err get(lls_kv *base, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    memory_tree tree;

    LLS_TRY(hold_records(memory_downcast(base), space, &tree, err));
    const memory_record *record = memory_tree_find(tree, key);
    if (record) {
        lls_buf_add(out, record->item.value);
        *meta = record->item.meta;
    }
    memory_tree_drop(tree);
    return record ? LLS_OK : lls_fail(err, LLS_E_NOTFOUND, "no such key");
}

static lls_err denied(lls_error *err)
{
    return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
}

static lls_err write_all(memory_batch *b, const lls_kv_write *writes, size_t count, lls_error *err)
{
    for (size_t i = 0; i < count; i++)
        LLS_TRY(memory_batch_write(b, &writes[i], err));
    return LLS_OK;
}

static lls_err apply(lls_kv *base, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err)
{
    memory_kv *kv = memory_downcast(base);
    memory_batch b;

    if (kv->shared->read_only)
        return denied(err);
    LLS_TRY(memory_vec_check_values(kv, writes, count, err));
    lls_err e = memory_batch_begin(&b, kv, tenant, now_usec, writes, count, err);
    if (e == LLS_OK)
        e = write_all(&b, writes, count, err);
    return memory_batch_end(&b, e, err);
}

static lls_err clear(lls_kv *base, lls_kv_space space, lls_error *err)
{
    memory_kv *kv = memory_downcast(base);
    LLS_AUTO(lls_buf) name = {0};
    memory_version old = {0};

    if (kv->shared->read_only)
        return denied(err);
    LLS_TRY(memory_name_space(&name, space, err));
    (void)pthread_mutex_lock(&kv->shared->lock);
    memory_entry *entry = memory_map_find(&kv->spaces, lls_buf_view(&name));
    if (entry) {
        old = memory_map_swap(&kv->spaces, entry, (memory_version){0});
        memory_words_outdate(entry->words);
    }
    (void)pthread_mutex_unlock(&kv->shared->lock);
    memory_version_drop(old);
    return LLS_OK;
}

static lls_err stats(lls_kv *base, lls_kv_space space, lls_kv_stats *out, lls_error *err)
{
    memory_tree tree;

    LLS_TRY(hold_records(memory_downcast(base), space, &tree, err));
    *out = (lls_kv_stats){.count = memory_tree_count(tree), .bytes = memory_tree_bytes(tree)};
    memory_tree_drop(tree);
    return LLS_OK;
}

static lls_err scan(lls_kv *base, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err)
{
    memory_tree tree;

    LLS_TRY(hold_records(memory_downcast(base), space, &tree, err));
    return memory_scan_tree(tree, range, out, err);
}

typedef struct living {
    int64_t now_usec;
    uint64_t count;
} living;

static lls_err count_living(void *user, const memory_record *record, lls_error *err)
{
    living *l = user;

    (void)err;
    l->count += !lls_kv_expired(&record->item.meta, l->now_usec);
    return LLS_OK;
}

static lls_err count(lls_kv *base, lls_kv_space space, int64_t now_usec, uint64_t *out,
                     lls_error *err)
{
    memory_tree tree;
    living l = {.now_usec = now_usec};

    LLS_TRY(hold_records(memory_downcast(base), space, &tree, err));
    lls_err e = memory_tree_each(tree, count_living, &l, err);
    memory_tree_drop(tree);
    if (e == LLS_OK)
        *out = l.count;
    return e;
}

const lls_kv_ops memory_kv_ops = {
    .get = get,
    .apply = apply,
    .scan = scan,
    .clear = clear,
    .count = count,
    .stats = stats,
    .stage = memory_stage_open,
    .stage_discard = memory_stage_discard,
};
