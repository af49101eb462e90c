/** tenant.c - the tenants of a store, and how a call comes to one that is up to date. */
#include "backends/hnsw/store.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <stdio.h>
#include <unistd.h>

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *made = lls_alloc(size);

    return made ? memcpy(made, text, size) : NULL;
}

static bool init_locks(hnsw_tenant *tenant)
{
    pthread_rwlockattr_t attributes;

    if (pthread_rwlockattr_init(&attributes) != 0)
        return false;
    // searches follow each other closely: a writer would never get its turn
    (void)pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    (void)pthread_rwlock_init(&tenant->lock, &attributes);
    (void)pthread_rwlockattr_destroy(&attributes);
    (void)pthread_mutex_init(&tenant->write, NULL);
    (void)pthread_mutex_init(&tenant->commit.lock, NULL);
    (void)pthread_cond_init(&tenant->commit.done, NULL);
    return true;
}

static lls_err new_tenant(hnsw_store *store, lls_str name, hnsw_tenant **out, lls_error *err)
{
    LLS_AUTO(lls_buf) folder = {0};
    LLS_AUTO(lls_buf) text = {0};
    hnsw_tenant *tenant = lls_alloc(sizeof(*tenant));

    if (!tenant)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    lls_buf_printf(&folder, "%s/", store->path);
    hnsw_folder_name(name, &folder);
    lls_buf_add_str(&text, name);
    tenant->store = store;
    tenant->seen_fd = -1;
    tenant->name = copy_text(lls_buf_cstr(&text));
    tenant->folder = copy_text(lls_buf_cstr(&folder));
    if (folder.status != LLS_OK || text.status != LLS_OK || !tenant->name || !tenant->folder ||
        !init_locks(tenant)) {
        lls_free(tenant->name);
        lls_free(tenant->folder);
        lls_free(tenant);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    *out = tenant;
    return LLS_OK;
}

static lls_err find(hnsw_store *store, lls_str name, hnsw_tenant **out, lls_error *err)
{
    hnsw_tenant *fresh = NULL;

    for (size_t i = 0; i < store->tenant_count; i++) {
        if (lls_str_eq(lls_str_of(store->tenants[i]->name), name)) {
            *out = store->tenants[i];
            return LLS_OK;
        }
    }
    hnsw_tenant **grown =
        lls_resize(store->tenants, (store->tenant_count + 1) * sizeof(hnsw_tenant *));
    if (!grown)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    store->tenants = grown;
    LLS_TRY(new_tenant(store, name, &fresh, err));
    grown[store->tenant_count++] = fresh;
    *out = fresh;
    return LLS_OK;
}

lls_err hnsw_tenant_get(hnsw_store *store, lls_str name, hnsw_tenant **out, lls_error *err)
{
    (void)pthread_mutex_lock(&store->lock);
    lls_err e = find(store, name, out, err);
    (void)pthread_mutex_unlock(&store->lock);
    return e;
}

void hnsw_tenant_see(hnsw_tenant *tenant, int fd)
{
    struct stat seen = {0};

    if (fd >= 0 && fstat(fd, &seen) != 0)
        seen = (struct stat){0};
    if (tenant->seen_fd >= 0)
        (void)close(tenant->seen_fd);
    tenant->seen_fd = fd;
    tenant->seen = seen;
}

static void clear(hnsw_tenant *tenant)
{
    for (size_t i = 0; i < tenant->coll_count; i++)
        hnsw_coll_drop(tenant->colls[i]);
    lls_free(tenant->colls);
    tenant->colls = NULL;
    tenant->coll_count = 0;
    hnsw_log_file_drop(tenant->log);
    tenant->log = NULL;
    hnsw_manifest_fini(&tenant->manifest);
    hnsw_tenant_see(tenant, -1);
    tenant->loaded = false;
    tenant->owned = false;
}

void hnsw_tenant_forget(hnsw_tenant *tenant)
{
    (void)pthread_rwlock_wrlock(&tenant->lock);
    clear(tenant);
    (void)pthread_rwlock_unlock(&tenant->lock);
}

void hnsw_tenant_free(hnsw_tenant *tenant)
{
    clear(tenant);
    (void)pthread_mutex_destroy(&tenant->write);
    (void)pthread_rwlock_destroy(&tenant->lock);
    (void)pthread_mutex_destroy(&tenant->commit.lock);
    (void)pthread_cond_destroy(&tenant->commit.done);
    lls_free(tenant->name);
    lls_free(tenant->folder);
    lls_free(tenant);
}

hnsw_coll *hnsw_tenant_coll(const hnsw_tenant *tenant, lls_str name)
{
    for (size_t i = 0; i < tenant->coll_count; i++)
        if (lls_str_eq(lls_str_of(tenant->colls[i]->name), name))
            return tenant->colls[i];
    return NULL;
}

/* ---- up to date ---- */

static bool same_file(const struct stat *a, const struct stat *b)
{
    return a->st_ino == b->st_ino && a->st_dev == b->st_dev && a->st_size == b->st_size &&
           a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool manifest_is_seen(const hnsw_tenant *tenant)
{
    LLS_AUTO(lls_buf) path = {0};
    struct stat now = {0};

    hnsw_path_manifest(tenant, &path);
    if (path.status != LLS_OK || stat(lls_buf_cstr(&path), &now) != 0)
        now = (struct stat){0};
    return same_file(&now, &tenant->seen);
}

static bool log_is_read(const hnsw_tenant *tenant)
{
    struct stat now;

    return !tenant->log ||
           (fstat(tenant->log->fd, &now) == 0 && (uint64_t)now.st_size == tenant->log_at);
}

/* Whether memory is what the files say. `lock` or `write` is held. */
static bool is_fresh(const hnsw_tenant *tenant)
{
    return tenant->loaded && (tenant->owned || (manifest_is_seen(tenant) && log_is_read(tenant)));
}

/* `write` is held. */
static lls_err refresh(hnsw_tenant *tenant, lls_error *err)
{
    if (tenant->loaded && !manifest_is_seen(tenant))
        hnsw_tenant_forget(tenant);
    if (tenant->loaded) {
        (void)pthread_rwlock_wrlock(&tenant->lock);
        lls_err e = hnsw_tenant_follow(tenant, err);
        (void)pthread_rwlock_unlock(&tenant->lock);
        if (e == LLS_OK)
            return LLS_OK;
        hnsw_tenant_forget(tenant); // frames may have been taken back: look again
    }
    return hnsw_tenant_load(tenant, err);
}

lls_err hnsw_enter(hnsw_store *store, lls_str name, hnsw_tenant **out, lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_tenant_get(store, name, &tenant, err));
    (void)pthread_rwlock_rdlock(&tenant->lock);
    bool once = false; // what is written while we look is not for us
    while (!tenant->loaded || (!once && !is_fresh(tenant))) {
        (void)pthread_rwlock_unlock(&tenant->lock);
        (void)pthread_mutex_lock(&tenant->write);
        lls_err e = is_fresh(tenant) ? LLS_OK : refresh(tenant, err);
        (void)pthread_mutex_unlock(&tenant->write);
        LLS_TRY(e);
        once = true;
        (void)pthread_rwlock_rdlock(&tenant->lock);
    }
    *out = tenant;
    return LLS_OK;
}

void hnsw_leave(hnsw_tenant *tenant)
{
    (void)pthread_rwlock_unlock(&tenant->lock);
}

/*
 * The names that are in the folder may be new, and he who made them killed before he synced them:
 * what we write to the log would be lost with its name.
 */
static lls_err take_over(hnsw_tenant *tenant, lls_error *err)
{
    if (tenant->log && tenant->store->full_sync)
        LLS_TRY(lls_file_sync_parent(tenant->log->path, err));
    (void)pthread_rwlock_wrlock(&tenant->lock);
    tenant->owned = true;
    (void)pthread_rwlock_unlock(&tenant->lock);
    hnsw_tidy_if_idle(tenant);
    return LLS_OK;
}

lls_err hnsw_write_begin(hnsw_store *store, lls_str name, hnsw_tenant **out, lls_error *err)
{
    hnsw_tenant *tenant;
    lls_err e = LLS_OK;

    LLS_TRY(hnsw_store_own(store, err));
    LLS_TRY(hnsw_tenant_get(store, name, &tenant, err));
    (void)pthread_mutex_lock(&tenant->write);
    if (!tenant->loaded || !tenant->owned)
        e = refresh(tenant, err);
    if (e == LLS_OK && !tenant->owned)
        e = take_over(tenant, err);
    if (e != LLS_OK) {
        (void)pthread_mutex_unlock(&tenant->write);
        return e;
    }
    *out = tenant;
    return LLS_OK;
}

void hnsw_write_end(hnsw_tenant *tenant)
{
    (void)pthread_mutex_unlock(&tenant->write);
}
