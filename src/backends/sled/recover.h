/**
 * recover.h - where the log ends, and what every page is made of up to there.
 *
 * This computes what the engine computes when it opens a database, and then asks what the engine
 * does not: whether anything is missing that once was on the disk.
 */
#ifndef LLS_BACKENDS_SLED_RECOVER_H
#define LLS_BACKENDS_SLED_RECOVER_H

#include "backends/sled/segments.h"
#include "backends/sled/snapshot.h"
#include "backends/sled/tear.h"

typedef struct sled_recovery {
    sled_snapshot snapshot;
    sled_segments segments;
    sled_pages *pages;
    uint64_t replayed; /* segments */
    int64_t end;       /* LSN of the last byte of the last good message; -1: there is none */
    int64_t tip;       /* where the next message would be written */
    sled_tear tear;
} sled_recovery;

/**
 * Recover the page table. A torn tail is noted in `out->tear` and is no failure.
 *
 * Owns: sled_recovery_fini, also after a failure. Errors: LLS_E_CORRUPT.
 */
lls_err sled_recover(const sled_folder *folder, const sled_conf *conf, sled_recovery *out,
                     lls_error *err) LLS_CHECKED;
void sled_recovery_fini(sled_recovery *recovery);

#endif
