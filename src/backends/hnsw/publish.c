/**
 * publish.c - a prepared stage becomes what its collections are: the files get their names, and one
 * manifest names them all.
 */
#include "backends/hnsw/stage.h"

#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

static lls_err conflict(const char *name, lls_error *err)
{
    return lls_fail(err, LLS_E_CONFLICT, "collection '%s' was written to meanwhile", name);
}

/* Every collection is what it was when it was looked at. */
static lls_err check(const hnsw_stage *stage, lls_error *err)
{
    if (stage->failures != hnsw_stage_failures(stage->tenant))
        return lls_fail(err, LLS_E_CONFLICT, "the disk lost what was written to the target");
    for (size_t i = 0; i < stage->count; i++) {
        const hnsw_stage_coll *coll = &stage->colls[i];
        const hnsw_coll *now = hnsw_tenant_coll(stage->tenant, lls_str_of(coll->name));
        if ((now ? now->changed : 0) != coll->prospect.changed)
            return conflict(coll->name, err);
    }
    return LLS_OK;
}

/*
 * The bases know all frames up to here: a frame of nothing, so that they are younger than whatever
 * is being folded at this moment, and another log, so that this one is on the disk.
 */
static lls_err draw_line(hnsw_tenant *tenant, lls_error *err)
{
    LLS_AUTO(lls_buf) frame = {0};

    hnsw_frame_begin(&frame);
    LLS_TRY(hnsw_log_append(tenant, &frame, err));
    return hnsw_log_roll(tenant, err);
}

static lls_err move(const hnsw_stage *stage, const hnsw_stage_coll *coll, const char *kind,
                    const lls_buf *to, lls_error *err)
{
    LLS_AUTO(lls_buf) from = {0};

    hnsw_stage_path(stage, coll, kind, &from);
    LLS_TRY(lls_buf_status(&from, err));
    LLS_TRY(lls_buf_status(to, err));
    if (rename(lls_buf_cstr(&from), (const char *)to->data) != 0)
        return lls_fail_sys(err, errno, "rename '%s'", lls_buf_cstr(&from));
    return LLS_OK;
}

static lls_err make_folder(const hnsw_tenant *tenant, const char *coll, lls_error *err)
{
    LLS_AUTO(lls_buf) folder = {0};

    lls_buf_printf(&folder, "%s/%s", tenant->folder, coll);
    LLS_TRY(lls_buf_status(&folder, err));
    LLS_TRY(lls_file_mkdirs(lls_buf_cstr(&folder), err));
    return lls_file_sync_parent(lls_buf_cstr(&folder), err);
}

static lls_err place_coll(const hnsw_stage *stage, const hnsw_stage_coll *coll, lls_error *err)
{
    LLS_AUTO(lls_buf) base = {0};
    LLS_AUTO(lls_buf) derived = {0};
    lls_str name = lls_str_of(coll->name);

    LLS_TRY(make_folder(stage->tenant, coll->name, err));
    hnsw_path_base(stage->tenant, name, coll->prospect.number, &base);
    hnsw_path_derived(stage->tenant, name, coll->prospect.number, &derived);
    LLS_TRY(move(stage, coll, "index", &derived, err));
    LLS_TRY(move(stage, coll, "base", &base, err));
    return lls_file_sync_parent(lls_buf_cstr(&base), err);
}

static lls_err plan(const hnsw_stage *stage, hnsw_manifest *fresh, lls_error *err)
{
    const hnsw_tenant *tenant = stage->tenant;

    LLS_TRY(hnsw_manifest_copy(&tenant->manifest, fresh, err));
    for (size_t i = 0; i < stage->count; i++) {
        const hnsw_stage_coll *coll = &stage->colls[i];
        const hnsw_prospect *p = &coll->prospect;
        if (!p->keeps)
            LLS_TRY(hnsw_manifest_set(fresh, lls_str_of(coll->name), p->base ? p->number : 0,
                                      tenant->sequence, err));
    }
    return LLS_OK;
}

/* Take up in memory what the files say. If that fails, whoever needs it next reads it. */
static void take_up(hnsw_tenant *tenant)
{
    if (hnsw_tenant_load(tenant, NULL) != LLS_OK)
        return;
    (void)pthread_rwlock_wrlock(&tenant->lock);
    tenant->owned = tenant->loaded;
    (void)pthread_rwlock_unlock(&tenant->lock);
    hnsw_tidy_if_idle(tenant);
}

/* `write` is held. */
static lls_err publish(hnsw_stage *stage, lls_error *err)
{
    LLS_AUTO(hnsw_manifest) fresh = {0};
    hnsw_tenant *tenant = stage->tenant;
    bool changes = false;

    LLS_TRY(check(stage, err));
    for (size_t i = 0; i < stage->count; i++)
        changes |= !stage->colls[i].prospect.keeps;
    if (!changes)
        return LLS_OK;
    LLS_TRY(draw_line(tenant, err));
    stage->prepared = false; // from here on its files may be elsewhere
    for (size_t i = 0; i < stage->count; i++)
        if (stage->colls[i].prospect.base)
            LLS_TRY(place_coll(stage, &stage->colls[i], err));
    LLS_TRY(plan(stage, &fresh, err));
    LLS_TRY(hnsw_manifest_publish(tenant, &fresh, err));
    take_up(tenant);
    return LLS_OK;
}

lls_err hnsw_stage_publish(lls_kv_stage *base, lls_error *err)
{
    hnsw_stage *stage = LLS_OUTER(base, hnsw_stage, base);
    hnsw_tenant *tenant;

    if (!stage->prepared)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    LLS_TRY(hnsw_write_begin(stage->store, lls_str_of(stage->tenant->name), &tenant, err));
    lls_err e = publish(stage, err);
    hnsw_write_end(tenant);
    return e;
}
