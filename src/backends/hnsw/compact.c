/**
 * compact.c - folding the log into bases. The log goes on in another file; what was there until
 * then is written to new bases, with the indexes' derived parts beside them; then one manifest
 * names these and forgets the log of before. Others read and write all the while.
 */
#include "backends/hnsw/compact.h"

#include "backends/hnsw/derived.h"
#include "backends/hnsw/keeper.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <unistd.h>

/* ---- building ---- */

static lls_err build_index(hnsw_index *index, const atomic_bool *stop, lls_error *err)
{
    lls_err e = LLS_OK;

    // who may be stopped works behind the scenes, and only at what is worth while
    while (e == LLS_OK && !(stop && (atomic_load(stop) || !hnsw_index_due(index))))
        e = hnsw_index_tend(index, err);
    return e == LLS_END ? LLS_OK : e;
}

lls_err hnsw_build(hnsw_tenant *tenant, lls_str name, const atomic_bool *stop, lls_error *err)
{
    hnsw_index **indexes = NULL;
    uint32_t count = 0;
    lls_err e = LLS_OK;

    (void)pthread_rwlock_rdlock(&tenant->lock);
    hnsw_coll *coll = hnsw_tenant_coll(tenant, name);
    if (coll) {
        (void)hnsw_coll_hold(coll);
        indexes = lls_alloc((coll->space_count + 1) * sizeof(hnsw_index *));
        for (; indexes && count < coll->space_count; count++)
            indexes[count] = coll->spaces[count]->index;
    }
    (void)pthread_rwlock_unlock(&tenant->lock);
    if (coll && !indexes)
        e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; e == LLS_OK && i < count; i++)
        e = build_index(indexes[i], stop, err);
    lls_free(indexes);
    hnsw_coll_drop(coll);
    return e;
}

/* ---- what a collection was at one moment ---- */

void hnsw_frozen_fini(hnsw_frozen *f)
{
    for (uint32_t i = 0; f->snapshots && f->places && i < f->space_count; i++) {
        hnsw_snapshot_free(f->snapshots[i]);
        lls_free(f->places[i]);
    }
    lls_free(f->snapshots);
    lls_free(f->places);
    lls_free(f->docs);
    lls_buf_fini(&f->value);
    hnsw_coll_drop(f->coll);
    *f = (hnsw_frozen){0};
}

/* For each slot of an index, where its vector is in the snapshot. */
static lls_err invert(const hnsw_snapshot *snapshot, uint32_t **out, lls_error *err)
{
    uint32_t slots = 0;

    for (uint32_t i = 0; i < snapshot->count; i++)
        if (snapshot->order[i] >= slots)
            slots = snapshot->order[i] + 1;
    *out = lls_resize(NULL, ((size_t)slots + 1) * sizeof(**out));
    if (!*out)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    memset(*out, 0xff, ((size_t)slots + 1) * sizeof(**out));
    for (uint32_t i = 0; i < snapshot->count; i++)
        (*out)[snapshot->order[i]] = i;
    return LLS_OK;
}

lls_err hnsw_freeze(hnsw_coll *coll, hnsw_frozen *out, lls_error *err)
{
    lls_err e = LLS_OK;

    *out = (hnsw_frozen){
        .coll = hnsw_coll_hold(coll), .sequence = coll->changed, .space_count = coll->space_count};
    out->snapshots = lls_alloc((coll->space_count + 1) * sizeof(hnsw_snapshot *));
    out->places = lls_alloc((coll->space_count + 1) * sizeof(uint32_t *));
    if (!out->snapshots || !out->places)
        e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; e == LLS_OK && i < coll->space_count; i++) {
        e = hnsw_snapshot_new(coll->spaces[i]->index, &out->snapshots[i], err);
        if (e == LLS_OK)
            e = invert(out->snapshots[i], &out->places[i], err);
    }
    if (e == LLS_OK)
        e = hnsw_coll_sorted(coll, (lls_kv_range){0}, &out->docs, &out->count, err);
    if (e != LLS_OK)
        hnsw_frozen_fini(out);
    return e;
}

static lls_err rewind_frozen(void *user, lls_error *err)
{
    hnsw_frozen *f = user;

    (void)err;
    f->next = 0;
    return LLS_OK;
}

static lls_err next_frozen(void *user, lls_kv_item *item, lls_error *err)
{
    hnsw_frozen *f = user;

    if (f->next == f->count)
        return LLS_END;
    hnsw_coll_record(f->coll, f->docs[f->next++], &f->record);
    lls_buf_clear(&f->value);
    LLS_TRY(hnsw_coll_value(f->coll, &f->record, &f->value, err));
    *item = (lls_kv_item){f->record.id, lls_buf_view(&f->value), f->record.meta};
    return LLS_OK;
}

static uint32_t place_frozen(void *user, uint32_t space, uint32_t rank)
{
    const hnsw_frozen *f = user;

    (void)space;
    (void)rank;
    return f->places[f->record.space][f->record.slot];
}

/* The snapshots in the order in which the base numbers the spaces. */
static lls_err write_derived(const hnsw_frozen *f, const char *base_path, const char *path,
                             lls_error *err)
{
    hnsw_base_space space;
    hnsw_base *base;

    LLS_TRY(hnsw_base_open(base_path, &base, err));
    hnsw_snapshot **ordered = lls_alloc((base->space_count + 1) * sizeof(hnsw_snapshot *));
    lls_err e = ordered ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; e == LLS_OK && i < base->space_count; i++) {
        hnsw_base_space_at(base, i, &space);
        ordered[i] = f->snapshots[hnsw_coll_space(f->coll, space.space.model, space.space.dim)];
    }
    if (e == LLS_OK)
        e = hnsw_derived_write(path, base, ordered, err);
    lls_free(ordered);
    hnsw_base_drop(base);
    return e;
}

lls_err hnsw_frozen_write(hnsw_frozen *f, const char *base_path, const char *derived_path,
                          uint64_t number, lls_error *err)
{
    hnsw_source source = {rewind_frozen, next_frozen, place_frozen, f};

    LLS_TRY(hnsw_base_write(base_path, number, f->sequence, &source, NULL, err));
    return write_derived(f, base_path, derived_path, err);
}

/* ---- folding ---- */

typedef struct folding {
    hnsw_tenant *tenant;
    hnsw_frozen *frozen;
    uint64_t *numbers; /* of the new bases; 0: nothing is left of it */
    size_t count;
    uint64_t first_log;
} folding;

/* Whether a base could be made better than it is. */
static bool is_worn(const hnsw_coll *coll)
{
    if (coll->tail_count || (coll->base && coll->count < coll->base->records) ||
        coll->changed != coll->base_sequence)
        return true;
    for (uint32_t i = 0; i < coll->space_count; i++)
        if (coll->spaces[i]->rebuilding)
            return true;
    return false;
}

/* `write` is held. */
static lls_err freeze_all(folding *f, lls_error *err)
{
    hnsw_tenant *tenant = f->tenant;

    f->frozen = lls_alloc((tenant->coll_count + 1) * sizeof(*f->frozen));
    f->numbers = lls_alloc((tenant->coll_count + 1) * sizeof(*f->numbers));
    if (!f->frozen || !f->numbers)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    bool worn = false;
    for (size_t i = 0; i < tenant->coll_count; i++)
        worn |= is_worn(tenant->colls[i]);
    if (!worn)
        return LLS_END;
    for (size_t i = 0; i < tenant->coll_count; i++) {
        if (!is_worn(tenant->colls[i]))
            continue;
        LLS_TRY(hnsw_freeze(tenant->colls[i], &f->frozen[f->count], err));
        f->numbers[f->count] = f->frozen[f->count].count ? tenant->manifest.next++ : 0;
        f->count++;
    }
    LLS_TRY(hnsw_log_roll(tenant, err));
    f->first_log = tenant->log_number;
    return LLS_OK;
}

static lls_err write_all(folding *f, lls_error *err)
{
    for (size_t i = 0; i < f->count; i++) {
        lls_str name = lls_str_of(f->frozen[i].coll->name);
        LLS_AUTO(lls_buf) base = {0};
        LLS_AUTO(lls_buf) derived = {0};
        hnsw_path_base(f->tenant, name, f->numbers[i], &base);
        hnsw_path_derived(f->tenant, name, f->numbers[i], &derived);
        LLS_TRY(lls_buf_status(&base, err));
        LLS_TRY(lls_buf_status(&derived, err));
        if (!f->numbers[i])
            continue;
        char *slash = strrchr(lls_buf_cstr(&base), '/');
        *slash = '\0';
        LLS_TRY(lls_file_mkdirs((const char *)base.data, err));
        LLS_TRY(lls_file_sync_parent((const char *)base.data, err));
        *slash = '/';
        LLS_TRY(hnsw_frozen_write(&f->frozen[i], lls_buf_cstr(&base), lls_buf_cstr(&derived),
                                  f->numbers[i], err));
    }
    return LLS_OK;
}

/* Nobody knows of what was written: on a full disk every try would leave more. */
static void unlink_all(const folding *f)
{
    LLS_AUTO(lls_buf) path = {0};

    for (size_t i = 0; i < f->count; i++) {
        lls_str name = lls_str_of(f->frozen[i].coll->name);
        hnsw_path_base(f->tenant, name, f->numbers[i], &path);
        if (f->numbers[i] && path.status == LLS_OK)
            (void)unlink(lls_buf_cstr(&path));
        hnsw_path_derived(f->tenant, name, f->numbers[i], &path);
        if (f->numbers[i] && path.status == LLS_OK)
            (void)unlink(lls_buf_cstr(&path));
    }
}

/* `write` is held. A collection that was published anew meanwhile keeps what was published. */
static lls_err publish_all(folding *f, lls_error *err)
{
    LLS_AUTO(hnsw_manifest) fresh = {0};

    LLS_TRY(hnsw_manifest_copy(&f->tenant->manifest, &fresh, err));
    for (size_t i = 0; i < f->count; i++) {
        lls_str name = lls_str_of(f->frozen[i].coll->name);
        const hnsw_manifest_coll *entry = hnsw_manifest_find(&fresh, name);
        if (entry && entry->sequence > f->frozen[i].sequence)
            continue;
        LLS_TRY(hnsw_manifest_set(&fresh, name, f->numbers[i], f->frozen[i].sequence, err));
    }
    fresh.first_log = f->first_log;
    LLS_TRY(hnsw_manifest_publish(f->tenant, &fresh, err));
    lls_err e = hnsw_tenant_load(f->tenant, err);
    (void)pthread_rwlock_wrlock(&f->tenant->lock);
    f->tenant->owned = f->tenant->loaded;
    (void)pthread_rwlock_unlock(&f->tenant->lock);
    if (e == LLS_OK) // otherwise nobody knows what there is to spare
        hnsw_folder_tidy(f->tenant);
    return e;
}

static lls_err build_all(hnsw_tenant *tenant, lls_error *err)
{
    for (size_t i = 0;; i++) {
        char name[LLS_COLL_MAX + 1] = "";
        (void)pthread_rwlock_rdlock(&tenant->lock);
        if (i < tenant->coll_count)
            memcpy(name, tenant->colls[i]->name, sizeof(name));
        (void)pthread_rwlock_unlock(&tenant->lock);
        if (!name[0])
            return LLS_OK;
        LLS_TRY(hnsw_build(tenant, lls_str_of(name), NULL, err));
    }
}

static lls_err fold(folding *f, lls_error *err)
{
    hnsw_tenant *tenant = f->tenant;
    lls_str name = lls_str_of(tenant->name);

    LLS_TRY(build_all(tenant, err));
    LLS_TRY(hnsw_write_begin(tenant->store, name, &tenant, err));
    lls_err e = freeze_all(f, err);
    hnsw_write_end(tenant);
    if (e != LLS_OK)
        return e == LLS_END ? LLS_OK : e;
    e = write_all(f, err);
    if (e != LLS_OK) {
        unlink_all(f);
        return e;
    }
    LLS_TRY(hnsw_write_begin(tenant->store, name, &tenant, err));
    e = publish_all(f, err);
    hnsw_write_end(tenant);
    return e;
}

static bool begin(hnsw_tenant *tenant)
{
    (void)pthread_mutex_lock(&tenant->commit.lock);
    bool mine = !tenant->compacting;
    tenant->compacting = true;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    return mine;
}

static void end(hnsw_tenant *tenant)
{
    (void)pthread_mutex_lock(&tenant->commit.lock);
    tenant->compacting = false;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
}

lls_err hnsw_compact(hnsw_tenant *tenant, lls_error *err)
{
    folding f = {.tenant = tenant};

    if (!begin(tenant))
        return LLS_OK; // somebody is at it
    lls_err e = fold(&f, err);
    for (size_t i = 0; i < f.count; i++)
        hnsw_frozen_fini(&f.frozen[i]);
    lls_free(f.frozen);
    lls_free(f.numbers);
    end(tenant);
    return e;
}
