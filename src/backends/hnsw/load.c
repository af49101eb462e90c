/** load.c - from the files into memory: the manifest, the bases it names, then the log. */
#include "backends/hnsw/store.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/little.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { MANIFEST_MAX = 16 << 20, READ_BYTES = 1 << 20, TRIES = 50 };

/* ---- log files ---- */

lls_err hnsw_log_file_open(const char *path, hnsw_log_file **out, lls_error *err)
{
    size_t len = strlen(path) + 1;
    hnsw_log_file *file = lls_alloc(sizeof(*file) + len);

    if (!file)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    memcpy(file->path, path, len);
    atomic_store(&file->refs, 1);
    file->fd = open(path, O_RDWR | O_CLOEXEC);
    if (file->fd < 0 && (errno == EACCES || errno == EROFS))
        file->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (file->fd < 0) {
        int sys = errno;
        lls_free(file);
        return sys == ENOENT ? lls_fail(err, LLS_E_NOTFOUND, "'%s' is missing", path)
                             : lls_fail_sys(err, sys, "'%s'", path);
    }
    *out = file;
    return LLS_OK;
}

hnsw_log_file *hnsw_log_file_hold(hnsw_log_file *file)
{
    atomic_fetch_add(&file->refs, 1);
    return file;
}

void hnsw_log_file_drop(hnsw_log_file *file)
{
    if (!file || atomic_fetch_sub(&file->refs, 1) != 1)
        return;
    (void)close(file->fd);
    lls_free(file);
}

/* Append what a file has from `at` on, at most `want` bytes. */
static lls_err read_at(const hnsw_log_file *file, uint64_t at, size_t want, lls_buf *out,
                       lls_error *err)
{
    lls_buf_reserve(out, want);
    LLS_TRY(lls_buf_status(out, err));
    while (want > 0) {
        ssize_t n = pread(file->fd, out->data + out->len, want, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "read '%s'", file->path);
        if (n == 0)
            break;
        out->len += (size_t)n;
        at += (uint64_t)n;
        want -= (size_t)n;
    }
    return LLS_OK;
}

/* ---- changes ---- */

static lls_err add_coll(hnsw_tenant *tenant, hnsw_coll *coll, lls_error *err)
{
    hnsw_coll **grown = lls_resize(tenant->colls, (tenant->coll_count + 1) * sizeof(hnsw_coll *));

    if (!grown) {
        hnsw_coll_drop(coll);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    tenant->colls = grown;
    grown[tenant->coll_count++] = coll;
    return LLS_OK;
}

/* An empty collection in the place of one that was there, or as a new one. */
static lls_err empty_coll(hnsw_tenant *tenant, lls_str name, hnsw_coll **out, lls_error *err)
{
    hnsw_coll *fresh;

    LLS_TRY(hnsw_coll_open(&tenant->store->conf, name, NULL, NULL, &fresh, err));
    for (size_t i = 0; i < tenant->coll_count; i++) {
        if (lls_str_eq(lls_str_of(tenant->colls[i]->name), name)) {
            hnsw_coll_drop(tenant->colls[i]);
            tenant->colls[i] = *out = fresh;
            return LLS_OK;
        }
    }
    *out = fresh;
    return add_coll(tenant, fresh, err);
}

static lls_err do_change(hnsw_tenant *tenant, const hnsw_frame *frame, const hnsw_change *change,
                         hnsw_log_file *log, uint64_t at, lls_error *err)
{
    hnsw_coll *coll = hnsw_tenant_coll(tenant, change->coll);

    if (coll && frame->sequence <= coll->base_sequence)
        return LLS_OK; // its base knows that
    if (change->op == HNSW_OP_CLEAR || (!coll && change->op == HNSW_OP_PUT))
        LLS_TRY(empty_coll(tenant, change->coll, &coll, err));
    if (!coll)
        return lls_fail(err, LLS_E_CORRUPT, "a record is removed that is not there");
    coll->changed = frame->sequence;
    return change->op == HNSW_OP_CLEAR ? LLS_OK : hnsw_coll_do(coll, change, log, at, err);
}

lls_err hnsw_tenant_do(hnsw_tenant *tenant, const hnsw_frame *frame, hnsw_log_file *log,
                       uint64_t at, lls_error *err)
{
    hnsw_change_walk walk = {frame->body, frame->all.data};
    hnsw_change change;
    lls_err e;

    while ((e = hnsw_change_next(&walk, &change, err)) == LLS_OK)
        LLS_TRY(do_change(tenant, frame, &change, log, at, err));
    return e == LLS_END ? LLS_OK : e;
}

/* ---- the log ---- */

static lls_err open_log(hnsw_tenant *tenant, uint64_t number, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) bytes = {0};
    hnsw_log_head head = {0};
    hnsw_log_file *file;

    hnsw_path_log(tenant, number, &path);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_TRY(hnsw_log_file_open(lls_buf_cstr(&path), &file, err));
    lls_err e = read_at(file, 0, HNSW_LOG_HEAD, &bytes, err);
    if (e == LLS_OK)
        e = hnsw_log_head_decode(lls_buf_view(&bytes), &head, err);
    if (e == LLS_OK && head.number != number)
        e = lls_fail(err, LLS_E_CORRUPT, "it is log %" PRIu64, head.number);
    if (e == LLS_OK && tenant->log && head.sequence != tenant->sequence + 1)
        e = lls_fail(err, LLS_E_CORRUPT, "frames are missing before it");
    if (e != LLS_OK) {
        hnsw_log_file_drop(file);
        return lls_wrap(err, e, "'%s'", lls_buf_cstr(&path));
    }
    hnsw_log_file_drop(tenant->log);
    tenant->log = file;
    tenant->log_number = number;
    tenant->log_at = HNSW_LOG_HEAD;
    tenant->sequence = head.sequence - 1;
    tenant->link = head.link;
    return LLS_OK;
}

/* Do the frames that are whole in `bytes`, which begins at `log_at`; they are taken off it. */
static lls_err do_frames(hnsw_tenant *tenant, lls_bytes *bytes, lls_error *err)
{
    hnsw_frame frame;
    lls_err e;

    while ((e = hnsw_frame_read(*bytes, tenant->sequence + 1, tenant->link, &frame, err)) ==
           LLS_OK) {
        e = hnsw_tenant_do(tenant, &frame, tenant->log, tenant->log_at, err);
        if (e != LLS_OK)
            return lls_wrap(err, e, "'%s' at byte %" PRIu64, tenant->log->path, tenant->log_at);
        tenant->sequence = frame.sequence;
        tenant->link = frame.link;
        tenant->log_at += frame.all.len;
        bytes->data += frame.all.len;
        bytes->len -= frame.all.len;
    }
    return LLS_OK; // the rest is for the caller to judge
}

static lls_err cut(const hnsw_tenant *tenant, uint64_t at, lls_error *err)
{
    if (ftruncate(tenant->log->fd, (off_t)at) != 0)
        return lls_fail_sys(err, errno, "cut '%s'", tenant->log->path);
    return LLS_OK;
}

/* What stands behind the last whole frame, at `log_at`, is none. */
static lls_err judge_rest(hnsw_tenant *tenant, uint64_t size, lls_error *err)
{
    LLS_AUTO(lls_buf) rest = {.max = SIZE_MAX / 2};
    uint64_t at = tenant->log_at;

    LLS_TRY(read_at(tenant->log, at, (size_t)(size - at), &rest, err));
    if (tenant->log_number < tenant->manifest.last_log ||
        hnsw_frame_follows(lls_buf_view(&rest), tenant->sequence))
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is damaged at byte %" PRIu64, tenant->log->path,
                        at);
    if (!hnsw_is_owner(tenant->store))
        return LLS_OK; // somebody is writing there, or was killed while he did
    return cut(tenant, at, err);
}

/* Whether the frame at the start of `bytes`, of `left` bytes in the file, may be all there. */
static bool may_be_whole(lls_bytes bytes, uint64_t left)
{
    if (bytes.len < HNSW_FRAME_HEAD)
        return false;
    uint64_t body = lls_little_get_u32(bytes.data);
    return left >= HNSW_FRAME_HEAD + body && body < HNSW_FRAME_MAX;
}

/* Read one log to its end. */
static lls_err follow_log(hnsw_tenant *tenant, lls_error *err)
{
    LLS_AUTO(lls_buf) buffer = {.max = SIZE_MAX / 2};
    size_t want = READ_BYTES;
    struct stat st;

    if (tenant->cut_log && tenant->cut_log == tenant->log_number) {
        LLS_TRY(cut(tenant, tenant->cut_at, err));
        tenant->cut_log = 0;
    }
    if (fstat(tenant->log->fd, &st) != 0)
        return lls_fail_sys(err, errno, "'%s'", tenant->log->path);
    uint64_t size = (uint64_t)st.st_size;
    if (size < tenant->log_at)
        return lls_fail(err, LLS_E_CORRUPT, "'%s' is cut off", tenant->log->path);
    while (tenant->log_at < size) {
        uint64_t before = tenant->log_at;
        lls_buf_clear(&buffer);
        size_t left = (size_t)(size - before);
        LLS_TRY(read_at(tenant->log, before, want < left ? want : left, &buffer, err));
        lls_bytes rest = lls_buf_view(&buffer);
        LLS_TRY(do_frames(tenant, &rest, err));
        if (tenant->log_at > before) {
            want = READ_BYTES;
        } else if (buffer.len < left && may_be_whole(rest, left)) {
            want = want < SIZE_MAX / 4 ? want * 4 : want; // a longer frame
        } else {
            LLS_TRY(judge_rest(tenant, size, err));
            break;
        }
    }
    return LLS_OK;
}

/* The system forgets what it could not write, but keeps it in memory: give it that once more. */
static lls_err write_again(const hnsw_tenant *tenant, lls_error *err)
{
    LLS_AUTO(lls_buf) bytes = {0};

    for (uint64_t at = 0; at < tenant->log_at; at += bytes.len) {
        size_t left = tenant->log_at - at < READ_BYTES ? (size_t)(tenant->log_at - at) : READ_BYTES;
        lls_buf_clear(&bytes);
        LLS_TRY(read_at(tenant->log, at, left, &bytes, err));
        ssize_t n = pwrite(tenant->log->fd, bytes.data, bytes.len, (off_t)at);
        if (n < 0)
            return lls_fail_sys(err, errno, "write '%s'", tenant->log->path);
        if (bytes.len == 0 || (size_t)n < bytes.len)
            return lls_fail(err, LLS_E_IO, "'%s' cannot be written again", tenant->log->path);
    }
    return LLS_OK;
}

/* What was read may be in the page cache only, and a writer may be waiting to hear otherwise. */
static lls_err sync_log(hnsw_tenant *tenant, lls_error *err)
{
    if (!tenant->log || !tenant->store->full_sync || !hnsw_is_owner(tenant->store))
        return LLS_OK;
    if (tenant->suspect)
        LLS_TRY(write_again(tenant, err));
    tenant->suspect = fdatasync(tenant->log->fd) != 0;
    return tenant->suspect ? lls_fail_sys(err, errno, "sync '%s'", tenant->log->path) : LLS_OK;
}

lls_err hnsw_tenant_follow(hnsw_tenant *tenant, lls_error *err)
{
    while (tenant->log) {
        LLS_TRY(follow_log(tenant, err));
        if (tenant->log_number >= tenant->manifest.last_log)
            break;
        LLS_TRY(open_log(tenant, tenant->log_number + 1, err));
    }
    LLS_TRY(sync_log(tenant, err));
    (void)pthread_mutex_lock(&tenant->commit.lock);
    tenant->commit.synced = tenant->sequence;
    tenant->synced_at = tenant->log_at;
    (void)pthread_mutex_unlock(&tenant->commit.lock);
    return LLS_OK;
}

/* ---- the whole ---- */

static lls_err load_coll(hnsw_tenant *tenant, const hnsw_manifest_coll *entry, lls_error *err)
{
    lls_str name = lls_str_of(entry->name);
    LLS_AUTO(lls_buf) derived = {0};
    LLS_AUTO(lls_buf) path = {0};
    hnsw_base *base = NULL;
    hnsw_coll *coll;

    hnsw_path_base(tenant, name, entry->base, &path);
    hnsw_path_derived(tenant, name, entry->base, &derived);
    LLS_TRY(lls_buf_status(&path, err));
    LLS_TRY(lls_buf_status(&derived, err));
    if (entry->base)
        LLS_TRY(hnsw_base_open(lls_buf_cstr(&path), &base, err));
    LLS_TRY(hnsw_coll_open(&tenant->store->conf, name, base, lls_buf_cstr(&derived), &coll, err));
    coll->base_sequence = coll->changed = entry->sequence;
    if (tenant->sequence < entry->sequence)
        tenant->sequence = entry->sequence;
    return add_coll(tenant, coll, err);
}

static lls_err read_manifest(hnsw_tenant *tenant, lls_error *err)
{
    LLS_AUTO(lls_buf) path = {0};
    LLS_AUTO(lls_buf) text = {0};

    hnsw_path_manifest(tenant, &path);
    LLS_TRY(lls_buf_status(&path, err));
    tenant->manifest = (hnsw_manifest){.next = 1};
    hnsw_tenant_see(tenant, open(lls_buf_cstr(&path), O_RDONLY | O_CLOEXEC));
    if (tenant->seen_fd < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? LLS_OK
                   : lls_fail_sys(err, errno, "'%s'", lls_buf_cstr(&path));
    LLS_TRY(lls_file_take(tenant->seen_fd, MANIFEST_MAX, lls_buf_cstr(&path), &text, err));
    lls_err e = hnsw_manifest_decode(lls_buf_str(&text), &tenant->manifest, err);
    return e == LLS_OK ? e : lls_wrap(err, e, "'%s'", lls_buf_cstr(&path));
}

/* `lock` is held alone. */
static lls_err load(hnsw_tenant *tenant, lls_error *err)
{
    tenant->sequence = 0;
    tenant->log_at = tenant->log_number = 0;
    tenant->link = 0;
    LLS_TRY(read_manifest(tenant, err));
    for (size_t i = 0; i < tenant->manifest.count; i++)
        LLS_TRY(load_coll(tenant, &tenant->manifest.colls[i], err));
    if (tenant->manifest.last_log)
        LLS_TRY(open_log(tenant, tenant->manifest.first_log, err));
    LLS_TRY(hnsw_tenant_follow(tenant, err));
    tenant->loaded = true;
    return LLS_OK;
}

lls_err hnsw_tenant_load(hnsw_tenant *tenant, lls_error *err)
{
    lls_err e = LLS_OK;

    // files vanish when a writer publishes others between our looks: then look again
    for (int i = 0; i < TRIES; i++) {
        hnsw_tenant_forget(tenant);
        (void)pthread_rwlock_wrlock(&tenant->lock);
        e = load(tenant, err);
        (void)pthread_rwlock_unlock(&tenant->lock);
        // and what a reader saw as damage may have been a writer at work
        bool moving = e == LLS_E_CORRUPT && i < 2 && !hnsw_is_owner(tenant->store);
        if (e != LLS_E_NOTFOUND && !moving)
            break;
        (void)usleep(1000);
    }
    if (e != LLS_OK)
        hnsw_tenant_forget(tenant);
    if (e == LLS_E_NOTFOUND) // by now it should be there
        return err ? (err->code = LLS_E_CORRUPT) : LLS_E_CORRUPT;
    return e;
}
