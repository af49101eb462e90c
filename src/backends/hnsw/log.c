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
    struct stat seen = {0};

    hnsw_path_manifest(tenant, &path);
    hnsw_manifest_encode(fresh, &text);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_TRY(lls_buf_status(&text, err));
    LLS_TRY(lls_file_replace(lls_buf_cstr(&path), lls_buf_view(&text), 0600, err));
    (void)stat(lls_buf_cstr(&path), &seen);
    (void)pthread_rwlock_wrlock(&tenant->lock);
    hnsw_manifest_fini(&tenant->manifest);
    tenant->manifest = *fresh;
    tenant->seen = seen;
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

    LLS_TRY(lls_file_mkdirs(tenant->folder, err));
    LLS_TRY(lls_file_sync_parent(tenant->folder, err));
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
    tenant->log_at = tenant->log_size = HNSW_LOG_HEAD;
    tenant->link = link;
    (void)pthread_rwlock_unlock(&tenant->lock);
    (void)pthread_mutex_lock(&tenant->commit.lock);
    tenant->commit.synced = tenant->sequence;
    tenant->synced_at = HNSW_LOG_HEAD;
    (void)pthread_cond_broadcast(&tenant->commit.done);
    (void)pthread_mutex_unlock(&tenant->commit.lock);
}

lls_err hnsw_log_roll(hnsw_tenant *tenant, lls_error *err)
{
    LLS_AUTO(hnsw_manifest) fresh = {0};
    uint64_t number = tenant->manifest.last_log + 1;
    hnsw_log_file *file;
    uint32_t link;

    if (tenant->log && fsync(tenant->log->fd) != 0)
        return lls_fail_sys(err, errno, "sync '%s'", tenant->log->path);
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
    return tenant->log ? LLS_OK : hnsw_log_roll(tenant, err);
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

/* Cut off what was written behind `at`. If that fails too, the next frame overwrites it. */
static void take_back(hnsw_tenant *tenant, uint64_t at)
{
    if (ftruncate(tenant->log->fd, (off_t)at) != 0)
        hnsw_tenant_forget(tenant);
}

static lls_err do_frame(hnsw_tenant *tenant, const hnsw_frame *frame, lls_error *err)
{
    (void)pthread_rwlock_wrlock(&tenant->lock);
    lls_err e = hnsw_tenant_do(tenant, frame, tenant->log, tenant->log_at, err);
    if (e == LLS_OK) {
        tenant->sequence = frame->sequence;
        tenant->link = frame->link;
        tenant->log_at += frame->all.len;
        tenant->log_size = tenant->log_at;
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
        take_back(tenant, tenant->log_at);
        return e;
    }
    e = do_frame(tenant, &frame, err);
    if (e != LLS_OK) { // memory is not what the log says any more: read it again
        take_back(tenant, tenant->log_at);
        hnsw_tenant_forget(tenant);
    }
    return e;
}

/* ---- group commit ---- */

/* The disk lost frames: take back all that are not safe. Returns with commit.lock held. */
static void take_back_unsafe(hnsw_tenant *tenant, const hnsw_log_file *file)
{
    (void)pthread_mutex_lock(&tenant->write);
    (void)pthread_mutex_lock(&tenant->commit.lock);
    uint64_t at = tenant->synced_at;
    tenant->commit.failures++;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    if (tenant->log && tenant->log == file)
        (void)ftruncate(tenant->log->fd, (off_t)at);
    hnsw_tenant_forget(tenant);
    (void)pthread_mutex_unlock(&tenant->write);
    (void)pthread_mutex_lock(&tenant->commit.lock);
}

/* Sync for everybody who waits. Called, and returns, with commit.lock held. */
static lls_err lead(hnsw_tenant *tenant, lls_error *err)
{
    lls_err e = LLS_OK;

    tenant->commit.busy = true;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    (void)pthread_mutex_lock(&tenant->write);
    uint64_t sequence = tenant->sequence;
    uint64_t at = tenant->log_at;
    hnsw_log_file *file = tenant->log ? hnsw_log_file_hold(tenant->log) : NULL;
    (void)pthread_mutex_unlock(&tenant->write);
    if (file && fdatasync(file->fd) != 0)
        e = lls_fail_sys(err, errno, "sync '%s'", file->path);
    if (e != LLS_OK) {
        take_back_unsafe(tenant, file);
    } else {
        (void)pthread_mutex_lock(&tenant->commit.lock);
        if (sequence > tenant->commit.synced) {
            tenant->commit.synced = sequence;
            tenant->synced_at = at;
        }
    }
    hnsw_log_file_drop(file);
    tenant->commit.busy = false;
    (void)pthread_cond_broadcast(&tenant->commit.done);
    return e;
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
    return lls_fail(err, LLS_E_IO, "'%s': the disk lost what was written", tenant->folder);
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
