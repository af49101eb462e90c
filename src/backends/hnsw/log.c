/** log.c - writing the log: frames, group commit, and what is taken back after a failure. */
#include "backends/hnsw/store.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

lls_err hnsw_manifest_publish(hnsw_tenant *tenant, hnsw_manifest *fresh, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) text = {0};

    hnsw_path_manifest(tenant, &path);
    hnsw_manifest_encode(fresh, &text);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_TRY(lls_buf_status(&text, err));
    lls_err e = lls_file_replace(lls_buf_cstr(&path), lls_buf_view(&text), 0600, err);
    if (e != LLS_OK) {
        hnsw_tenant_forget(tenant); // the new one may be there, or be gone with the power
        return e;
    }
    (void)pthread_rwlock_wrlock(&tenant->lock);
    hnsw_manifest_fini(&tenant->manifest);
    tenant->manifest = *fresh;
    hnsw_tenant_see(tenant, open(lls_buf_cstr(&path), O_RDONLY | O_CLOEXEC));
    (void)pthread_rwlock_unlock(&tenant->lock);
    *fresh = (hnsw_manifest){0};
    return LLS_OK;
}

/* Make the file of a log, with its head, and nothing behind it. */
static lls_err make_log(hnsw_tenant *tenant, uint64_t number, hnsw_log_file **out, uint32_t *link,
                        lls_error *err)
{
    hnsw_log_head head = {.number = number, .sequence = tenant->sequence + 1};
    LLS_AUTO(lls_buf) path = {0};
    uint8_t bytes[HNSW_LOG_HEAD];

    LLS_TRY(hnsw_folder_make(tenant->store, tenant->folder, err));
    if (number == 1) // the store may be new; not everybody may look into the folder above it
        (void)!lls_file_sync_parent(tenant->store->path, NULL);
    hnsw_path_log(tenant, number, &path);
    LLS_TRY(lls_buf_status(&path, err));
    hnsw_log_head_encode(&head, bytes);
    LLS_TRY(lls_file_replace(lls_buf_cstr(&path), (lls_bytes){bytes, sizeof(bytes)}, 0600, err));
    *link = head.link;
    return hnsw_log_file_open(lls_buf_cstr(&path), out, err);
}

/* Go over to a log that is there and named. */
static void use_log(hnsw_tenant *tenant, uint64_t number, hnsw_log_file *file, uint32_t link)
{
    (void)pthread_rwlock_wrlock(&tenant->lock);
    hnsw_log_file_drop(tenant->log);
    tenant->log = file;
    tenant->log_number = number;
    tenant->log_at = HNSW_LOG_HEAD;
    tenant->withdrawn = false;
    tenant->link = link;
    (void)pthread_rwlock_unlock(&tenant->lock);
    (void)pthread_mutex_lock(&tenant->commit.lock);
    tenant->commit.synced = tenant->sequence;
    tenant->synced_at = HNSW_LOG_HEAD;
    (void)pthread_cond_broadcast(&tenant->commit.done);
    (void)pthread_mutex_unlock(&tenant->commit.lock);
}

/* ---- what is taken back ---- */

/* Cut the log `number` off at `at`: now, or before it is read again. */
static void take_back(hnsw_tenant *tenant, uint64_t number, uint64_t at)
{
    if (tenant->log && tenant->log_number == number && ftruncate(tenant->log->fd, (off_t)at) == 0)
        return;
    if (tenant->cut_log != number || tenant->cut_at > at) {
        tenant->cut_log = number;
        tenant->cut_at = at;
    }
    hnsw_tenant_forget(tenant);
}

/* The disk lost frames: take back all that are not safe. */
static void take_back_unsafe(hnsw_tenant *tenant, uint64_t number)
{
    (void)pthread_mutex_lock(&tenant->commit.lock);
    uint64_t at = tenant->synced_at;
    tenant->commit.failures++;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    take_back(tenant, number, at);
    tenant->withdrawn = true;
    hnsw_tenant_forget(tenant);
}

static lls_err lost(const hnsw_tenant *tenant, lls_error *err)
{
    return lls_fail(err, LLS_E_IO, "'%s': the disk lost what was written", tenant->folder);
}

/*
 * Sync all that was written, `write` held. An error of the disk is told once: so only one at a time
 * asks for it.
 */
static lls_err sync_all(hnsw_tenant *tenant, lls_error *err)
{
    hnsw_commit *commit = &tenant->commit;
    lls_err e = LLS_OK;

    (void)pthread_mutex_lock(&commit->lock);
    while (commit->busy && !commit->failing)
        (void)pthread_cond_wait(&commit->done, &commit->lock);
    bool failing = commit->failing;
    commit->busy = true; // if it is failing, it was so before
    (void)pthread_mutex_unlock(&commit->lock);
    if (failing)
        return lost(tenant, err); // and he takes it back once we are gone
    if (fdatasync(tenant->log->fd) != 0) {
        e = lls_fail_sys(err, errno, "sync '%s'", tenant->log->path);
        take_back_unsafe(tenant, tenant->log_number);
    }
    (void)pthread_mutex_lock(&commit->lock);
    commit->busy = false;
    (void)pthread_cond_broadcast(&commit->done);
    (void)pthread_mutex_unlock(&commit->lock);
    return e;
}

/* ---- another log ---- */

lls_err hnsw_log_roll(hnsw_tenant *tenant, lls_error *err)
{
    LLS_AUTO(hnsw_manifest) fresh = {0};
    uint64_t number = tenant->manifest.last_log + 1;
    hnsw_log_file *file;
    uint32_t link;

    if (tenant->log)
        LLS_TRY(sync_all(tenant, err));
    LLS_TRY(hnsw_manifest_copy(&tenant->manifest, &fresh, err));
    LLS_TRY(make_log(tenant, number, &file, &link, err));
    fresh.last_log = number;
    fresh.first_log = fresh.first_log ? fresh.first_log : number;
    lls_err e = hnsw_manifest_publish(tenant, &fresh, err);
    if (e == LLS_OK)
        use_log(tenant, number, file, link);
    else
        hnsw_log_file_drop(file);
    return e;
}

lls_err hnsw_log_ready(hnsw_tenant *tenant, lls_error *err)
{
    return tenant->log && !tenant->withdrawn ? LLS_OK : hnsw_log_roll(tenant, err);
}

static lls_err write_frame(hnsw_tenant *tenant, lls_bytes bytes, lls_error *err)
{
    uint64_t at = tenant->log_at;

    while (bytes.len > 0) {
        ssize_t n = pwrite(tenant->log->fd, bytes.data, bytes.len, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "write '%s'", tenant->log->path);
        bytes.data += n;
        bytes.len -= (size_t)n;
        at += (uint64_t)n;
    }
    return LLS_OK;
}

static lls_err do_frame(hnsw_tenant *tenant, const hnsw_frame *frame, lls_error *err)
{
    (void)pthread_rwlock_wrlock(&tenant->lock);
    lls_err e = hnsw_tenant_do(tenant, frame, tenant->log, tenant->log_at, err);
    if (e == LLS_OK) {
        tenant->sequence = frame->sequence;
        tenant->link = frame->link;
        tenant->log_at += frame->all.len;
    }
    (void)pthread_rwlock_unlock(&tenant->lock);
    return e;
}

lls_err hnsw_log_append(hnsw_tenant *tenant, lls_buf *bytes, lls_error *err)
{
    LLS_TRY(hnsw_log_ready(tenant, err));
    uint32_t link = hnsw_frame_end(bytes, tenant->sequence + 1, tenant->link);
    LLS_TRY(lls_buf_status(bytes, err));
    hnsw_frame frame = {.sequence = tenant->sequence + 1,
                        .link = link,
                        .all = lls_buf_view(bytes),
                        .body = {bytes->data + HNSW_FRAME_HEAD, bytes->len - HNSW_FRAME_HEAD}};
    lls_err e = write_frame(tenant, frame.all, err);
    if (e != LLS_OK) {
        take_back(tenant, tenant->log_number, tenant->log_at);
        return e;
    }
    e = do_frame(tenant, &frame, err);
    if (e != LLS_OK) { // memory is not what the log says any more: read it again
        take_back(tenant, tenant->log_number, tenant->log_at);
        tenant->withdrawn = true;
        hnsw_tenant_forget(tenant);
    }
    return e;
}

/* ---- group commit ---- */

/* What there is to sync: the log, and up to where it is known. NULL: it was forgotten. */
typedef struct written {
    hnsw_log_file *file;
    uint64_t number;
    uint64_t sequence;
    uint64_t at;
} written;

static written look(hnsw_tenant *tenant)
{
    (void)pthread_rwlock_rdlock(&tenant->lock);
    written now = {.number = tenant->log_number, tenant->sequence, tenant->log_at};
    now.file = tenant->log ? hnsw_log_file_hold(tenant->log) : NULL;
    (void)pthread_rwlock_unlock(&tenant->lock);
    return now;
}

/* Somebody forgot it all: what he reads again, he syncs. Called with commit.lock held, as below. */
static lls_err read_again(hnsw_tenant *tenant, lls_error *err)
{
    hnsw_tenant *same;

    (void)pthread_mutex_unlock(&tenant->commit.lock);
    lls_err e = hnsw_write_begin(tenant->store, lls_str_of(tenant->name), &same, err);
    if (e == LLS_OK)
        hnsw_write_end(tenant);
    (void)pthread_mutex_lock(&tenant->commit.lock);
    return e;
}

static void withdraw(hnsw_tenant *tenant, uint64_t number)
{
    (void)pthread_mutex_lock(&tenant->commit.lock);
    tenant->commit.failing = true;
    (void)pthread_cond_broadcast(&tenant->commit.done);
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    (void)pthread_mutex_lock(&tenant->write);
    take_back_unsafe(tenant, number);
    (void)pthread_mutex_unlock(&tenant->write);
}

/* Sync for everybody who waits. Called, and returns, with commit.lock held. */
static lls_err lead(hnsw_tenant *tenant, lls_error *err)
{
    hnsw_commit *commit = &tenant->commit;
    lls_err e = LLS_OK;

    commit->busy = true;
    (void)pthread_mutex_unlock(&commit->lock);
    written now = look(tenant);
    if (now.file && fdatasync(now.file->fd) != 0) {
        e = lls_fail_sys(err, errno, "sync '%s'", now.file->path);
        withdraw(tenant, now.number);
    }
    (void)pthread_mutex_lock(&commit->lock);
    if (e == LLS_OK && now.file && now.sequence > commit->synced) {
        commit->synced = now.sequence;
        tenant->synced_at = now.at;
    }
    commit->busy = commit->failing = false;
    (void)pthread_cond_broadcast(&commit->done);
    bool forgotten = !now.file;
    hnsw_log_file_drop(now.file);
    return forgotten ? read_again(tenant, err) : e;
}

static lls_err wait_for(hnsw_tenant *tenant, uint64_t sequence, uint64_t failures, lls_error *err)
{
    hnsw_commit *commit = &tenant->commit;

    while (commit->failures == failures) {
        if (commit->synced >= sequence)
            return LLS_OK;
        if (commit->busy)
            (void)pthread_cond_wait(&commit->done, &commit->lock);
        else
            LLS_TRY(lead(tenant, err));
    }
    return lost(tenant, err);
}

lls_err hnsw_commit_wait(hnsw_tenant *tenant, uint64_t sequence, uint64_t failures, lls_error *err)
{
    if (!tenant->store->full_sync)
        return LLS_OK;
    (void)pthread_mutex_lock(&tenant->commit.lock);
    lls_err e = wait_for(tenant, sequence, failures, err);
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    return e;
}
