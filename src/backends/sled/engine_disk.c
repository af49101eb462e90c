#include "backends/sled/engine_disk.h"

#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    SETTLE_MSEC = 50,             /* times of change are coarser than the clock */
    LOCK_WAIT_MSEC = 5000,        /* the engine's threads take milliseconds */
    ROOM_BYTES = 8 * 1024 * 1024, /* segments that are begun, and pages written anew */
};

typedef lls_err (*blob_fn)(sled_disk *disk, const char *name, int64_t lsn, lls_error *err);

/* Call `each` for every blob that is newer than the newest known. */
static lls_err each_new_blob(sled_disk *disk, blob_fn each, lls_error *err)
{
    int fd = openat(disk->blobs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    int64_t newest = disk->newest_blob;
    const struct dirent *entry;
    lls_err e = LLS_OK;

    if (!dir) {
        int sys = errno;
        if (fd >= 0)
            (void)close(fd);
        return lls_fail_sys(err, sys, "list '%s/blobs'", lls_buf_cstr(&disk->path));
    }
    while (e == LLS_OK && (entry = readdir(dir)) != NULL) {
        char *end;
        int64_t lsn = strtoll(entry->d_name, &end, 10);
        if (end == entry->d_name || *end != '\0' || lsn <= disk->newest_blob)
            continue;
        e = each(disk, entry->d_name, lsn, err);
        if (lsn > newest)
            newest = lsn;
    }
    (void)closedir(dir);
    if (e == LLS_OK)
        disk->newest_blob = newest;
    return e;
}

static lls_err know_blob(sled_disk *disk, const char *name, int64_t lsn, lls_error *err)
{
    (void)disk;
    (void)name;
    (void)lsn;
    (void)err;
    return LLS_OK;
}

static lls_err sync_blob(sled_disk *disk, const char *name, int64_t lsn, lls_error *err)
{
    LLS_AUTO(lls_fd) fd = openat(disk->blobs, name, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == ENOENT)
        return LLS_OK; // the engine did not need it any more
    if (fd < 0 || fdatasync(fd) != 0)
        return lls_fail_sys(err, errno, "sync '%s/blobs/%" PRId64 "'", lls_buf_cstr(&disk->path),
                            lsn);
    return LLS_OK;
}

static int open_in(int folder, const char *name, int flags)
{
    return openat(folder, name, flags | O_RDONLY | O_CLOEXEC);
}

lls_err sled_disk_open(const char *path, sled_disk *out, lls_error *err)
{
    *out = (sled_disk){.folder = -1, .db = -1, .blobs = -1, .newest_blob = -1};
    (void)pthread_mutex_init(&out->lock, NULL);
    lls_buf_add_text(&out->path, path);
    LLS_TRY(lls_buf_status(&out->path, err));
    out->folder = open_in(AT_FDCWD, path, O_DIRECTORY);
    if (out->folder >= 0)
        out->db = open_in(out->folder, "db", 0);
    if (out->db >= 0)
        out->blobs = open_in(out->folder, "blobs", O_DIRECTORY);
    if (out->blobs < 0)
        return lls_fail_sys(err, errno, "open the files of '%s'", path);
    return each_new_blob(out, know_blob, err);
}

void sled_disk_close(sled_disk *disk)
{
    const int fds[] = {disk->folder, disk->db, disk->blobs};

    for (size_t i = 0; i < LLS_COUNT(fds); i++)
        if (fds[i] >= 0)
            (void)close(fds[i]);
    lls_buf_fini(&disk->path);
    (void)pthread_mutex_destroy(&disk->lock);
}

static int64_t msec_of(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000 + time->tv_nsec / 1000000;
}

static lls_err sync_blobs(sled_disk *disk, lls_error *err)
{
    struct stat found;
    struct timespec now;

    if (fstat(disk->blobs, &found) != 0)
        return lls_fail_sys(err, errno, "look at '%s/blobs'", lls_buf_cstr(&disk->path));
    if (found.st_mtim.tv_sec == disk->blobs_looked.tv_sec &&
        found.st_mtim.tv_nsec == disk->blobs_looked.tv_nsec)
        return LLS_OK;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    LLS_TRY(each_new_blob(disk, sync_blob, err));
    if (fsync(disk->blobs) != 0)
        return lls_fail_sys(err, errno, "sync '%s/blobs'", lls_buf_cstr(&disk->path));
    // a change in the same instant would have the same time: then look again the next time
    if (msec_of(&now) - msec_of(&found.st_mtim) > SETTLE_MSEC)
        disk->blobs_looked = found.st_mtim;
    return LLS_OK;
}

lls_err sled_disk_sync(sled_disk *disk, lls_error *err)
{
    LLS_TRY(sync_blobs(disk, err));
    if (fdatasync(disk->db) != 0)
        return lls_fail_sys(err, errno, "sync '%s/db'", lls_buf_cstr(&disk->path));
    return LLS_OK;
}

lls_err sled_disk_room(const sled_disk *disk, size_t bytes, lls_error *err)
{
    struct statvfs room;

    if (bytes == 0 || fstatvfs(disk->folder, &room) != 0)
        return LLS_OK; // what frees room is tried in any case
    uint64_t free_bytes = (uint64_t)room.f_bavail * room.f_frsize;
    if (free_bytes >= 2 * (uint64_t)bytes + ROOM_BYTES)
        return LLS_OK;
    LLS_AUTO(lls_buf) path = {0};
    lls_buf_add(&path, lls_buf_view(&disk->path));
    return lls_fail(err, LLS_E_FULL, "the disk of '%s' has %" PRIu64 " bytes left: too few",
                    lls_buf_cstr(&path), free_bytes);
}

void sled_disk_wait_for_lock(const sled_disk *disk)
{
    const struct timespec pause = {.tv_nsec = 1000000};

    for (int msec = 0; msec < LOCK_WAIT_MSEC; msec++) {
        if (flock(disk->db, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
            break;
        (void)nanosleep(&pause, NULL);
    }
    (void)flock(disk->db, LOCK_UN);
}
