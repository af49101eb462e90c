/** snapshot.h - the page table as the engine wrote it down when it last opened the database. */
#ifndef LLS_BACKENDS_SLED_SNAPSHOT_H
#define LLS_BACKENDS_SLED_SNAPSHOT_H

#include "backends/sled/conf.h"
#include "backends/sled/folder.h"
#include "backends/sled/pages.h"

enum { SLED_SNAPSHOT_NAME = 64 }; /* bytes, with the NUL; the engine's have 22 or 33 */

typedef struct sled_snapshot {
    char name[SLED_SNAPSHOT_NAME]; /* "": there is none */
    int64_t lsn;                   /* every message below it is accounted for; 0 without one */
} sled_snapshot;

/**
 * Read the newest snapshot into a new page table. Without one the table is empty. One that is
 * unfinished and damaged is passed over: the engine died while it wrote.
 *
 * Owns: the caller frees `*pages`. Errors: LLS_E_CORRUPT for a finished one that is damaged.
 */
lls_err sled_snapshot_read(const sled_folder *folder, const sled_conf *conf, sled_snapshot *out,
                           sled_pages **pages, lls_error *err) LLS_CHECKED;

/**
 * Remove the unfinished snapshots that are damaged from the database at `path`. Whoever was killed
 * at an opening may have left one, and the engine would take it for its newest and not open. A
 * whole one may be what the log was wiped by, and stays.
 *
 * Errors: those of opening the folder and its configuration; LLS_E_IO, LLS_E_DENIED when one cannot
 * be removed.
 */
lls_err sled_snapshot_sweep(const char *path, lls_error *err) LLS_CHECKED;

#endif
