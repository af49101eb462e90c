/*
 * A stage: trees that no space names yet. `prepare` makes the versions that the spaces will have
 * and remembers the ones that they have now; `publish` swaps the roots if these are still current.
 */
#include "backends/memory/memory.h"
#include "backends/memory/vec.h"
#include "backends/memory/vec_declared.h"
#include "backends/memory/vec_words.h"
#include "base/alloc.h"
#include "base/scope.h"

typedef struct part {
    lls_buf coll;
    lls_buf stage_name;    /* tenant NUL run NUL collection */
    lls_buf space_name;    /* tenant NUL collection */
    memory_version base;   /* what the space held when it was prepared */
    memory_version merged; /* what it will hold */
} part;

typedef struct memory_stage {
    lls_kv_stage base;
    memory_kv *kv;
    lls_stage_mode mode;
    bool prepared;
    size_t count;
    part parts[];
} memory_stage;

static memory_stage *downcast(lls_kv_stage *stage)
{
    return LLS_OUTER(stage, memory_stage, base);
}

static lls_err find_part(memory_stage *s, lls_str coll, part **out, lls_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        if (lls_str_eq(lls_buf_str(&s->parts[i].coll), coll)) {
            *out = &s->parts[i];
            return LLS_OK;
        }
    }
    return lls_fail(err, LLS_E_INVALID, "collection '" LLS_FMT "' is not part of the stage",
                    LLS_ARG(coll));
}

/* The staged tree of a part, held. */
static memory_tree hold_staged(memory_stage *s, const part *p)
{
    (void)pthread_mutex_lock(&s->kv->shared->lock);
    memory_entry *entry = memory_map_find(&s->kv->stages, lls_buf_view(&p->stage_name));
    memory_tree tree = entry ? memory_tree_hold(entry->version.records) : NULL;
    (void)pthread_mutex_unlock(&s->kv->shared->lock);
    return tree;
}

static lls_err last(lls_kv_stage *base, lls_str coll, lls_buf *key, uint64_t *count, lls_error *err)
{
    memory_stage *s = downcast(base);
    part *p;

    LLS_TRY(find_part(s, coll, &p, err));
    memory_tree tree = hold_staged(s, p);
    const memory_record *record = memory_tree_last(tree);
    uint64_t records = memory_tree_count(tree);
    lls_buf_clear(key);
    if (record)
        lls_buf_add(key, record->item.key);
    memory_tree_drop(tree);
    LLS_TRY(lls_buf_status(key, err));
    *count = records;
    return LLS_OK;
}

static lls_err put_all(memory_tree *tree, const lls_kv_item *items, size_t count, lls_error *err)
{
    for (size_t i = 0; i < count; i++) {
        memory_record *record = memory_record_new(items[i].key, items[i].value, &items[i].meta);
        if (!record)
            return lls_fail(err, LLS_E_NOMEM, "out of memory");
        LLS_TRY(memory_tree_put(tree, record, err));
    }
    return LLS_OK;
}

/* Put `*tree` in place as what is staged; `*tree` is then what to drop. The lock is held. */
static lls_err swap_staged(memory_stage *s, const part *p, memory_tree *tree, lls_error *err)
{
    memory_map *stages = &s->kv->stages;
    memory_entry *entry = memory_map_make(stages, lls_buf_view(&p->stage_name));

    if (!entry)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    LLS_TRY(memory_room_check(s->kv, memory_tree_bytes(entry->version.records),
                              memory_tree_bytes(*tree), err));
    *tree = memory_map_swap(stages, entry, (memory_version){.records = *tree}).records;
    return LLS_OK;
}

static void forget_prepared(memory_stage *s)
{
    for (size_t i = 0; i < s->count; i++) {
        memory_version_drop(s->parts[i].base);
        memory_version_drop(s->parts[i].merged);
        s->parts[i].base = s->parts[i].merged = (memory_version){0};
    }
    s->prepared = false;
}

static lls_err add(lls_kv_stage *base, lls_str coll, const lls_kv_item *items, size_t count,
                   lls_error *err)
{
    memory_stage *s = downcast(base);
    part *p;

    LLS_TRY(find_part(s, coll, &p, err));
    LLS_TRY(memory_vec_check_items(s->kv, items, count, err));
    forget_prepared(s);                   // what was prepared lacks these records
    memory_tree tree = hold_staged(s, p); // the old version stays until the new one is whole
    const memory_record *end = memory_tree_last(tree);
    lls_err e = LLS_OK;
    if (end && lls_bytes_cmp(end->item.key, items[0].key) >= 0)
        e = lls_fail(err, LLS_E_INTERNAL, "keys for the stage do not rise");
    if (e == LLS_OK)
        e = put_all(&tree, items, count, err);

    (void)pthread_mutex_lock(&s->kv->shared->lock);
    if (e == LLS_OK)
        e = swap_staged(s, p, &tree, err);
    (void)pthread_mutex_unlock(&s->kv->shared->lock);
    memory_tree_drop(tree);
    return e;
}

static lls_err flush(lls_kv_stage *base, lls_error *err)
{
    (void)base;
    (void)err;
    return LLS_OK; // added is stored
}

/* `user` of these is the version that staged records are merged into. */
static lls_err follow_staged(void *user, const memory_record *record, lls_error *err)
{
    memory_version *into = user;
    const memory_record *old = memory_tree_find(into->records, record->item.key);

    if (old)
        LLS_TRY(memory_declared_leave(&into->declared, old, err));
    return memory_declared_join(&into->declared, record, err);
}

static lls_err merge_record(void *user, const memory_record *record, lls_error *err)
{
    memory_version *into = user;

    return memory_tree_put_shared(&into->records, record, err);
}

/* Put every record of `staged` over what `into` holds. An embedding space may change as a whole. */
static lls_err merge(memory_version *into, memory_tree staged, lls_port port, lls_error *err)
{
    if (port == LLS_PORT_VEC)
        LLS_TRY(memory_tree_each(staged, follow_staged, into, err));
    if (into->records)
        return memory_tree_each(staged, merge_record, into, err);
    into->records = memory_tree_hold(staged);
    return LLS_OK;
}

static lls_err prepare_part(memory_stage *s, part *p, lls_error *err)
{
    memory_tree staged = hold_staged(s, p);

    (void)pthread_mutex_lock(&s->kv->shared->lock);
    memory_entry *entry = memory_map_find(&s->kv->spaces, lls_buf_view(&p->space_name));
    p->base = entry ? memory_version_hold(entry->version) : (memory_version){0};
    (void)pthread_mutex_unlock(&s->kv->shared->lock);
    if (s->mode == LLS_STAGE_MERGE)
        p->merged = memory_version_hold(p->base);
    lls_err e = merge(&p->merged, staged, s->kv->base.port, err);
    if (e == LLS_OK)
        e = memory_declared_agree(p->base.declared, p->merged.declared, err);
    memory_tree_drop(staged);
    return e;
}

static lls_err prepare(lls_kv_stage *base, lls_error *err)
{
    memory_stage *s = downcast(base);

    forget_prepared(s);
    for (size_t i = 0; i < s->count; i++) {
        lls_err e = prepare_part(s, &s->parts[i], err);
        if (e != LLS_OK) {
            forget_prepared(s);
            return e;
        }
    }
    s->prepared = true;
    return LLS_OK;
}

static lls_err scan(lls_kv_stage *base, lls_str coll, lls_kv_iter **out, lls_error *err)
{
    memory_stage *s = downcast(base);
    part *p;

    LLS_TRY(find_part(s, coll, &p, err));
    if (!s->prepared)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    return memory_scan_tree(memory_tree_hold(p->merged.records), (lls_kv_range){0}, out, err);
}

/* Every space still holds the version that it held when it was prepared, and has an entry. Both
 * are looked at before anything changes. */
static lls_err check_publish(memory_stage *s, lls_error *err)
{
    for (size_t i = 0; i < s->count; i++) {
        const part *p = &s->parts[i];
        memory_entry *entry = memory_map_make(&s->kv->spaces, lls_buf_view(&p->space_name));
        if (!entry)
            return lls_fail(err, LLS_E_NOMEM, "out of memory");
        if (entry->version.records != p->base.records)
            return lls_fail(err, LLS_E_CONFLICT,
                            "collection '" LLS_FMT "' was written to meanwhile",
                            LLS_ARG(lls_buf_str(&p->coll)));
    }
    return LLS_OK;
}

/* Make a part visible and empty its stage. The versions of before are dropped later, when nobody
 * has to wait for it. */
static void publish_part(memory_stage *s, part *p)
{
    memory_map *spaces = &s->kv->spaces;
    memory_entry *space = memory_map_find(spaces, lls_buf_view(&p->space_name));
    memory_entry *staged = memory_map_find(&s->kv->stages, lls_buf_view(&p->stage_name));

    memory_version_drop(memory_map_swap(spaces, space, p->merged)); // `base` holds it too
    memory_words_outdate(space->words);
    p->merged = (memory_version){0};
    if (staged)
        p->merged = memory_map_swap(&s->kv->stages, staged, p->merged);
}

/* There is always room: what was staged had its own already. */
static lls_err publish(lls_kv_stage *base, lls_error *err)
{
    memory_stage *s = downcast(base);

    if (!s->prepared)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    (void)pthread_mutex_lock(&s->kv->shared->lock);
    lls_err e = check_publish(s, err);
    for (size_t i = 0; e == LLS_OK && i < s->count; i++)
        publish_part(s, &s->parts[i]);
    (void)pthread_mutex_unlock(&s->kv->shared->lock);
    forget_prepared(s);
    return e;
}

static void close_stage(lls_kv_stage *base)
{
    memory_stage *s = downcast(base);

    forget_prepared(s);
    for (size_t i = 0; i < s->count; i++) {
        lls_buf_fini(&s->parts[i].coll);
        lls_buf_fini(&s->parts[i].stage_name);
        lls_buf_fini(&s->parts[i].space_name);
    }
    lls_free(s);
}

static const lls_kv_stage_ops ops = {
    .last = last,
    .add = add,
    .flush = flush,
    .prepare = prepare,
    .scan = scan,
    .publish = publish,
    .close = close_stage,
};

lls_err memory_stage_open(lls_kv *base, const lls_stage_spec *spec, lls_kv_stage **out,
                          lls_error *err)
{
    memory_kv *kv = memory_downcast(base);

    if (kv->shared->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    memory_stage *s = lls_alloc(sizeof(*s) + spec->coll_count * sizeof(s->parts[0]));
    if (!s)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    s->base.ops = &ops;
    s->kv = kv;
    s->mode = spec->mode;
    s->count = spec->coll_count;
    lls_err e = LLS_OK;
    for (size_t i = 0; i < s->count && e == LLS_OK; i++) {
        part *p = &s->parts[i];
        const lls_str stage_parts[] = {spec->tenant, spec->run, spec->colls[i]};
        const lls_str space_parts[] = {spec->tenant, spec->colls[i]};
        lls_buf_add_str(&p->coll, spec->colls[i]);
        memory_name(&p->stage_name, stage_parts, LLS_COUNT(stage_parts));
        memory_name(&p->space_name, space_parts, LLS_COUNT(space_parts));
        if (p->coll.status != LLS_OK || p->stage_name.status != LLS_OK ||
            p->space_name.status != LLS_OK)
            e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    if (e == LLS_OK)
        *out = &s->base;
    else
        close_stage(&s->base);
    return e;
}

lls_err memory_stage_discard(lls_kv *base, lls_str tenant, lls_str run, lls_error *err)
{
    memory_kv *kv = memory_downcast(base);
    const lls_str parts[] = {tenant, run, {0}};
    LLS_AUTO(lls_buf) prefix = {0};

    memory_name(&prefix, parts, LLS_COUNT(parts));
    LLS_TRY(lls_buf_status(&prefix, err));
    (void)pthread_mutex_lock(&kv->shared->lock);
    memory_map_remove(&kv->stages, lls_buf_view(&prefix));
    (void)pthread_mutex_unlock(&kv->shared->lock);
    return LLS_OK;
}
