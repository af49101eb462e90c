/**
 * engine_disk.h - what the engine leaves to the system: that its writes survive a loss of power.
 *
 * Its flush hands everything to the file system, and no more: it asks for neither the size of the
 * file nor the drive's cache, and never for a blob. What is synced here is `db` and each blob that
 * came since the last time.
 */
#ifndef LLS_BACKENDS_SLED_ENGINE_DISK_H
#define LLS_BACKENDS_SLED_ENGINE_DISK_H

#include <llmspell/bytes.h>

#include <pthread.h>
#include <time.h>

typedef struct sled_disk {
    lls_buf path;
    int folder;
    int db;
    int blobs;
    int64_t newest_blob;          /* their names are positions in the log: they rise */
    struct timespec blobs_looked; /* the folder's time of change when all were synced */
    pthread_mutex_t lock;         /* one sync at a time; `synced` */
    uint64_t committed;           /* turns; under the lock of whoever commits */
    uint64_t synced;
} sled_disk;

/** Look after the database in `path`, which is open. Owns: sled_disk_close, also after a failure.
 */
lls_err sled_disk_open(const char *path, sled_disk *out, lls_error *err) LLS_CHECKED;
void sled_disk_close(sled_disk *disk);

/** fdatasync what was written since the last time. */
lls_err sled_disk_sync(sled_disk *disk, lls_error *err) LLS_CHECKED;

/** Errors: LLS_E_FULL when a batch of `bytes` might not fit: better now than half way through. */
lls_err sled_disk_room(const sled_disk *disk, size_t bytes, lls_error *err) LLS_CHECKED;

/** Wait until the engine, which was closed, has given its lock back. */
void sled_disk_wait_for_lock(const sled_disk *disk);

#endif
