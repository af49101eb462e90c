/**
 * backup_file.h - a backup's file on the disk, with a checksum over its blocks: the sum of the
 * digests of (number of the block, 64 KiB of the file).
 */
#ifndef LLS_MIGRATE_BACKUP_FILE_H
#define LLS_MIGRATE_BACKUP_FILE_H

#include "base/file.h"
#include "base/hash.h"

enum { LLS_BACKUP_BLOCK = 64 * 1024 };

/* A line of the largest record: 64 MiB as base64, its key and its times. */
#define LLS_BACKUP_LINE_MAX ((size_t)96 << 20)

/** A file that is being written. Lines are added to `pending`. */
typedef struct lls_backup_file {
    lls_fd fd;
    const char *path; /**< Borrowed. */
    lls_buf pending;
    uint64_t bytes;
    lls_digest sum;
} lls_backup_file;

/** Create `path`, or empty it, with mode 0600. */
lls_err lls_backup_file_open(lls_backup_file *file, const char *path, lls_error *err) LLS_CHECKED;

/** Write whole blocks of what is pending, once there is enough of it. */
lls_err lls_backup_file_step(lls_backup_file *file, lls_error *err) LLS_CHECKED;

/** Write the rest, and return when the file is on the disk. */
lls_err lls_backup_file_finish(lls_backup_file *file, lls_error *err) LLS_CHECKED;

void lls_backup_file_fini(lls_backup_file *file);

static inline void lls_backup_file_auto(lls_backup_file *file)
{
    lls_backup_file_fini(file);
}

/** The size and checksum that a file has. */
lls_err lls_backup_file_sum(const char *path, uint64_t *bytes, lls_digest *sum,
                            lls_error *err) LLS_CHECKED;

#endif
