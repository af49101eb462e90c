#define _GNU_SOURCE // O_NOATIME, SEEK_DATA: where the system has none, we do without
#include "backends/sled/folder.h"

#include "backends/sled/holder.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The engine holds a blob or a snapshot in memory; none that it wrote is near this. */
#define LOAD_MAX ((uint64_t)1 << 30)

#ifndef O_NOATIME
#define O_NOATIME 0
#endif

lls_err sled_damage(const sled_folder *folder, const char *file, uint64_t offset, lls_error *err,
                    const char *fmt, ...)
{
    char text[LLS_ERROR_MSG_MAX];
    va_list ap;

    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    return lls_fail(err, LLS_E_CORRUPT, "'%s/%s' at byte %" PRIu64 ": %s", folder->path, file,
                    offset, text);
}

/* Only an owner may leave the time of access alone. A pipe must not keep us waiting. */
static int open_quietly(int folder, const char *name, int flags)
{
    flags |= O_RDONLY | O_CLOEXEC | O_NONBLOCK;
    int fd = openat(folder, name, flags | O_NOATIME);
    return fd < 0 && errno == EPERM ? openat(folder, name, flags) : fd;
}

static lls_err check_file(const sled_folder *folder, const char *name, int fd, uint64_t *bytes,
                          lls_error *err)
{
    struct stat found;

    if (fstat(fd, &found) != 0)
        return lls_fail_sys(err, errno, "look at '%s/%s'", folder->path, name);
    if (!S_ISREG(found.st_mode))
        return lls_fail(err, LLS_E_CORRUPT, "'%s/%s' is no file", folder->path, name);
    *bytes = (uint64_t)found.st_size;
    return LLS_OK;
}

static lls_err open_db(sled_folder *folder, lls_error *err)
{
    folder->db = open_quietly(folder->fd, "db", 0);
    if (folder->db < 0 && errno == ENOENT)
        return LLS_OK;
    if (folder->db < 0)
        return lls_fail_sys(err, errno, "open '%s/db'", folder->path);
    LLS_TRY(check_file(folder, "db", folder->db, &folder->db_bytes, err));
    if (flock(folder->db, LOCK_SH | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK)
            return lls_fail_sys(err, errno, "lock '%s/db' for reading", folder->path);
        return sled_holder_fail(folder->db, folder->path, err);
    }
    // again: whoever had it until now may have made it longer
    return check_file(folder, "db", folder->db, &folder->db_bytes, err);
}

lls_err sled_folder_open(const char *path, sled_folder *out, lls_error *err)
{
    size_t len = strlen(path);

    *out = (sled_folder){.fd = -1, .db = -1};
    out->path = lls_alloc(len + 1);
    if (!out->path)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    memcpy(out->path, path, len);
    out->fd = open_quietly(AT_FDCWD, path, O_DIRECTORY);
    if (out->fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return lls_fail(err, LLS_E_NOTFOUND, "'%s' holds no sled database: %s", path,
                        errno == ENOENT ? "there is no such folder" : "it is no folder");
    if (out->fd < 0)
        return lls_fail_sys(err, errno, "open '%s'", path);
    return open_db(out, err);
}

void sled_folder_close(sled_folder *folder)
{
    if (!folder->path)
        return;
    if (folder->db >= 0)
        (void)close(folder->db); // gives the lock back too
    if (folder->fd >= 0)
        (void)close(folder->fd);
    lls_free(folder->path);
    *folder = (sled_folder){.fd = -1, .db = -1};
}

lls_err sled_folder_read(const sled_folder *folder, uint64_t offset, uint8_t *out, size_t len,
                         lls_error *err)
{
    if (offset > folder->db_bytes || len > folder->db_bytes - offset)
        return sled_damage(folder, "db", offset, err,
                           "%zu bytes are wanted, the file ends at %" PRIu64, len,
                           folder->db_bytes);
    while (len > 0) {
        ssize_t n = pread(folder->db, out, len, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "read '%s/db' at byte %" PRIu64, folder->path, offset);
        if (n == 0)
            return sled_damage(folder, "db", offset, err, "the file was cut while it was read");
        out += n;
        offset += (uint64_t)n;
        len -= (size_t)n;
    }
    return LLS_OK;
}

uint64_t sled_folder_data_from(const sled_folder *folder, uint64_t offset)
{
#ifdef SEEK_DATA
    off_t data = lseek(folder->db, (off_t)offset, SEEK_DATA);
    if (data >= 0)
        return (uint64_t)data > folder->db_bytes ? folder->db_bytes : (uint64_t)data;
    if (errno == ENXIO)
        return folder->db_bytes;
#endif
    return offset;
}

/* Read, not mapped: a file that somebody cuts is an error, and no signal that ends the program. */
static lls_err load(const sled_folder *folder, const char *name, int fd, uint8_t *out, size_t len,
                    lls_error *err)
{
    for (size_t at = 0; at < len;) {
        ssize_t n = pread(fd, out + at, len - at, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "read '%s/%s'", folder->path, name);
        if (n == 0)
            return sled_damage(folder, name, at, err, "the file was cut while it was read");
        at += (size_t)n;
    }
    return LLS_OK;
}

lls_err sled_folder_load(const sled_folder *folder, const char *name, sled_file *out,
                         lls_error *err)
{
    LLS_AUTO(lls_fd) fd = open_quietly(folder->fd, name, 0);
    uint64_t bytes;

    if (fd < 0 && errno == ENOENT)
        return LLS_E_NOTFOUND;
    if (fd < 0)
        return lls_fail_sys(err, errno, "open '%s/%s'", folder->path, name);
    LLS_TRY(check_file(folder, name, fd, &bytes, err));
    if (bytes > LOAD_MAX)
        return sled_damage(folder, name, 0, err, "%" PRIu64 " bytes are more than it may have",
                           bytes);
    if (bytes == 0) {
        *out = (sled_file){0};
        return LLS_OK;
    }
    uint8_t *data = lls_resize(NULL, (size_t)bytes);
    if (!data)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for '%s/%s'", folder->path, name);
    lls_err e = load(folder, name, fd, data, (size_t)bytes, err);
    if (e == LLS_OK)
        *out = (sled_file){{data, (size_t)bytes}};
    else
        lls_free(data);
    return e;
}

void sled_file_fini(sled_file *file)
{
    lls_free((void *)(uintptr_t)file->bytes.data);
    *file = (sled_file){0};
}

lls_err sled_folder_list(const sled_folder *folder, sled_name_fn each, void *user, lls_error *err)
{
    int fd = open_quietly(folder->fd, ".", O_DIRECTORY);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *entry = NULL;
    lls_err e = LLS_OK;

    if (!dir) {
        int sys = errno;
        if (fd >= 0)
            (void)close(fd);
        return lls_fail_sys(err, sys, "list '%s'", folder->path);
    }
    do {
        errno = 0;
        entry = readdir(dir);
        if (entry)
            e = each(user, entry->d_name, err);
        else if (errno != 0)
            e = lls_fail_sys(err, errno, "list '%s'", folder->path);
    } while (entry && e == LLS_OK);
    (void)closedir(dir);
    return e;
}
