#include "backends/hnsw/stage.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <unistd.h>

static const lls_kv_stage_ops stage_ops;

static hnsw_stage *downcast(lls_kv_stage *base)
{
    assert(base->ops == &stage_ops); // the ops pointer is the type tag
    return LLS_OUTER(base, hnsw_stage, base);
}

void hnsw_stage_path(const hnsw_stage *stage, const hnsw_stage_coll *coll, const char *kind,
                     lls_buf *out)
{
    lls_buf_clear(out);
    lls_buf_printf(out, "%s/%s.%s", stage->folder, coll->name, kind);
}

static lls_err find_coll(hnsw_stage *stage, lls_str name, hnsw_stage_coll **out, lls_error *err)
{
    for (size_t i = 0; i < stage->count; i++) {
        if (lls_str_eq(lls_str_of(stage->colls[i].name), name)) {
            *out = &stage->colls[i];
            return LLS_OK;
        }
    }
    return lls_fail(err, LLS_E_INVALID, "'" LLS_FMT "' is not a collection of this stage",
                    LLS_ARG(name));
}

/* ---- filling ---- */

static lls_err last(lls_kv_stage *base, lls_str name, lls_buf *key, uint64_t *count, lls_error *err)
{
    hnsw_stage_coll *coll;

    LLS_TRY(find_coll(downcast(base), name, &coll, err));
    lls_buf_clear(key);
    lls_buf_add(key, lls_buf_view(&coll->staged.last));
    LLS_TRY(lls_buf_status(key, err));
    *count = coll->staged.count;
    return LLS_OK;
}

static lls_err add(lls_kv_stage *base, lls_str name, const lls_kv_item *items, size_t count,
                   lls_error *err)
{
    hnsw_stage *stage = downcast(base);
    hnsw_stage_coll *coll;

    LLS_TRY(find_coll(stage, name, &coll, err));
    if (stage->published)
        return lls_fail(err, LLS_E_INVALID, "the stage is published: open another");
    hnsw_stage_unprepare(stage); // what was prepared lacks these records
    for (size_t i = 0; i < count; i++)
        LLS_TRY(hnsw_staged_add(&coll->staged, name, &items[i], err));
    return LLS_OK;
}

static lls_err flush(lls_kv_stage *base, lls_error *err)
{
    hnsw_stage *stage = downcast(base);

    for (size_t i = 0; !stage->published && i < stage->count; i++)
        LLS_TRY(hnsw_staged_flush(&stage->colls[i].staged, err));
    return LLS_OK;
}

static lls_err scan(lls_kv_stage *base, lls_str name, lls_kv_iter **out, lls_error *err)
{
    hnsw_stage *stage = downcast(base);
    hnsw_stage_coll *coll;

    LLS_TRY(find_coll(stage, name, &coll, err));
    if (!stage->prepared)
        return lls_fail(err, LLS_E_INVALID, "the stage is not prepared");
    const hnsw_prospect *p = &coll->prospect;
    if (!p->keeps)
        return hnsw_scan_base(p->base ? hnsw_base_hold(p->base) : NULL, out, err);
    (void)pthread_rwlock_rdlock(&stage->tenant->lock);
    lls_err e = hnsw_scan_coll(p->before, (lls_kv_range){0}, out, err);
    (void)pthread_rwlock_unlock(&stage->tenant->lock);
    return e;
}

/* ---- its folder ---- */

static lls_err find_folder(const hnsw_store *store, lls_str tenant, lls_str run, lls_buf *out,
                           lls_error *err)
{
    lls_buf_clear(out);
    lls_buf_printf(out, "%s/" HNSW_STAGES "/" LLS_FMT "/", store->path, LLS_ARG(run));
    hnsw_folder_name(tenant, out);
    return lls_buf_status(out, err);
}

/* Remove the stage's files, or only those that `prepare` made. What cannot go stays. */
static void empty_folder(const char *folder, bool all)
{
    LLS_AUTO(lls_buf) path = {0};
    DIR *dir = opendir(folder);
    struct dirent *entry;

    while (dir && (entry = readdir(dir)) != NULL) {
        const char *dot = strrchr(entry->d_name, '.');
        if (!all && dot && strcmp(dot, ".staged") == 0)
            continue;
        lls_buf_clear(&path);
        lls_buf_printf(&path, "%s/%s", folder, entry->d_name);
        if (path.status == LLS_OK)
            (void)unlink(lls_buf_cstr(&path)); // "." and ".." are folders
    }
    if (dir)
        (void)closedir(dir);
}

/* Remove the folder, and those above it that hold nothing any more. */
static lls_err remove_folder(const hnsw_store *store, char *folder, lls_error *err)
{
    size_t top = strlen(store->path);

    empty_folder(folder, true);
    if (rmdir(folder) != 0)
        return errno == ENOENT ? LLS_OK : lls_fail_sys(err, errno, "remove '%s'", folder);
    LLS_TRY(lls_file_sync_parent(folder, err));
    for (char *slash = strrchr(folder, '/'); slash > folder + top; slash = strrchr(folder, '/')) {
        *slash = '\0';
        if (rmdir(folder) != 0)
            break; // others have stages there
    }
    return LLS_OK;
}

/* ---- closing ---- */

static void drop_prospect(hnsw_prospect *p)
{
    hnsw_coll_drop(p->before);
    hnsw_base_drop(p->base);
    *p = (hnsw_prospect){0};
}

void hnsw_stage_unprepare(hnsw_stage *stage)
{
    bool any = stage->prepared;

    for (size_t i = 0; i < stage->count; i++) {
        any |= stage->colls[i].prospect.base != NULL;
        drop_prospect(&stage->colls[i].prospect);
    }
    stage->prepared = false;
    if (any)
        empty_folder(stage->folder, false);
}

/* What was staged is in the collections now. */
static void forget_staged(hnsw_stage *stage)
{
    for (size_t i = 0; i < stage->count; i++)
        hnsw_staged_fini(&stage->colls[i].staged);
    // What cannot be removed now is removed by whoever discards the run.
    (void)!remove_folder(stage->store, stage->folder, NULL);
}

static lls_err publish(lls_kv_stage *base, lls_error *err)
{
    hnsw_stage *stage = downcast(base);

    LLS_TRY(hnsw_stage_publish(base, err));
    hnsw_stage_unprepare(stage);
    stage->published = true;
    forget_staged(stage);
    return LLS_OK;
}

static void close_stage(lls_kv_stage *base)
{
    hnsw_stage *stage = downcast(base);

    (void)!flush(base, NULL); // what is lost is added again by whoever goes on
    hnsw_stage_unprepare(stage);
    for (size_t i = 0; i < stage->count; i++)
        hnsw_staged_fini(&stage->colls[i].staged);
    lls_free(stage->folder);
    lls_free(stage);
}

static const lls_kv_stage_ops stage_ops = {
    .last = last,
    .add = add,
    .flush = flush,
    .prepare = hnsw_stage_prepare,
    .scan = scan,
    .publish = publish,
    .close = close_stage,
};

/* ---- opening ---- */

static lls_err open_files(hnsw_stage *stage, const lls_stage_spec *spec, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};

    LLS_TRY(find_folder(stage->store, spec->tenant, spec->run, &path, err));
    stage->folder = lls_alloc(path.len + 1);
    if (!stage->folder)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    memcpy(stage->folder, path.data, path.len);
    LLS_TRY(hnsw_folder_make(stage->store, stage->folder, err));
    empty_folder(stage->folder, false); // what somebody had prepared who was killed
    for (; stage->count < spec->coll_count; stage->count++) {
        hnsw_stage_coll *coll = &stage->colls[stage->count];
        const lls_str *name = &spec->colls[stage->count];
        memcpy(coll->name, name->data, name->len);
        hnsw_stage_path(stage, coll, "staged", &path);
        LLS_TRY(lls_buf_status(&path, err));
        LLS_TRY(hnsw_staged_open(lls_buf_cstr(&path), &coll->staged, err));
    }
    return LLS_OK;
}

lls_err hnsw_stage_open(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out, lls_error *err)
{
    hnsw_store *store = LLS_OUTER(kv, hnsw_store, kv);
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_store_own(store, err));
    LLS_TRY(hnsw_tenant_get(store, spec->tenant, &tenant, err));
    hnsw_stage *stage = lls_alloc(sizeof(*stage) + spec->coll_count * sizeof(stage->colls[0]));
    if (!stage)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    stage->base.ops = &stage_ops;
    stage->store = store;
    stage->tenant = tenant;
    stage->mode = spec->mode;
    lls_err e = open_files(stage, spec, err);
    if (e == LLS_OK)
        *out = &stage->base;
    else
        close_stage(&stage->base);
    return e;
}

lls_err hnsw_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err)
{
    hnsw_store *store = LLS_OUTER(kv, hnsw_store, kv);
    LLS_AUTO(lls_buf) folder = {0};

    LLS_TRY(hnsw_store_own(store, err));
    LLS_TRY(find_folder(store, tenant, run, &folder, err));
    return remove_folder(store, (char *)lls_buf_cstr(&folder), err);
}
