#include "migrate/backup_file.h"

#include "base/little.h"
#include "base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { ENOUGH = 8 * LLS_BACKUP_BLOCK };

static void add_block(lls_digest *sum, uint64_t number, lls_bytes block)
{
    uint8_t le[8];
    lls_bytes parts[2] = {{le, sizeof(le)}, block};

    lls_little_set(le, number, sizeof(le));
    lls_digest_add(sum, lls_digest_of(parts, 2));
}

lls_err lls_backup_file_open(lls_backup_file *file, const char *path, lls_error *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    if (fd < 0)
        return lls_fail_sys(err, errno, "write '%s'", path);
    *file = (lls_backup_file){.fd = fd, .path = path, .pending = {.max = 2 * LLS_BACKUP_LINE_MAX}};
    return LLS_OK;
}

/* Write the first `len` bytes that are pending; all but the last call bring whole blocks. */
static lls_err write_out(lls_backup_file *file, size_t len, lls_error *err)
{
    lls_bytes rest = {file->pending.data, len};

    LLS_TRY(lls_file_write(file->fd, rest, file->path, err));
    while (rest.len > 0) {
        size_t n = rest.len < LLS_BACKUP_BLOCK ? rest.len : LLS_BACKUP_BLOCK;
        add_block(&file->sum, file->bytes / LLS_BACKUP_BLOCK, (lls_bytes){rest.data, n});
        file->bytes += n;
        rest.data += n;
        rest.len -= n;
    }
    file->pending.len -= len;
    if (file->pending.len > 0)
        memmove(file->pending.data, file->pending.data + len, file->pending.len);
    return LLS_OK;
}

lls_err lls_backup_file_step(lls_backup_file *file, lls_error *err)
{
    LLS_TRY(lls_buf_status(&file->pending, err));
    if (file->pending.len < ENOUGH)
        return LLS_OK;
    return write_out(file, file->pending.len - file->pending.len % LLS_BACKUP_BLOCK, err);
}

lls_err lls_backup_file_finish(lls_backup_file *file, lls_error *err)
{
    LLS_TRY(lls_buf_status(&file->pending, err));
    LLS_TRY(write_out(file, file->pending.len, err));
    if (fsync(file->fd) != 0)
        return lls_fail_sys(err, errno, "sync '%s'", file->path);
    return lls_file_sync_parent(file->path, err);
}

void lls_backup_file_fini(lls_backup_file *file)
{
    if (file->path)
        lls_fd_auto(&file->fd);
    lls_buf_fini(&file->pending);
}

/* Read until the block is full or the file ends. */
static lls_err read_block(int fd, const char *path, uint8_t *block, size_t *len, lls_error *err)
{
    *len = 0;
    while (*len < LLS_BACKUP_BLOCK) {
        ssize_t n = read(fd, block + *len, LLS_BACKUP_BLOCK - *len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return lls_fail_sys(err, errno, "read '%s'", path);
        if (n == 0)
            return LLS_OK;
        *len += (size_t)n;
    }
    return LLS_OK;
}

lls_err lls_backup_file_sum(const char *path, uint64_t *bytes, lls_digest *sum, lls_error *err)
{
    LLS_AUTO(lls_fd) fd = open(path, O_RDONLY | O_CLOEXEC);
    uint8_t block[LLS_BACKUP_BLOCK];
    uint64_t total = 0;
    lls_digest found = {0};
    size_t len;

    if (fd < 0)
        return lls_fail_sys(err, errno, "read '%s'", path);
    do {
        LLS_TRY(read_block(fd, path, block, &len, err));
        if (len > 0)
            add_block(&found, total / LLS_BACKUP_BLOCK, (lls_bytes){block, len});
        total += len;
    } while (len == LLS_BACKUP_BLOCK);
    *bytes = total;
    *sum = found;
    return LLS_OK;
}
