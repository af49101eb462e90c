/**
 * engine_kv.h - the key/value port over the real engine: what its files share.
 *
 * Order of the locks: `write`, then `spaces`, then `pins`. `write` is held by whoever commits a
 * batch, from its first look to its commit; `disk.lock` by whoever waits for the disk after that.
 * `spaces` is written by who takes a number out of use and read by who looks one up and goes on to
 * what stands under it.
 */
#ifndef LLS_BACKENDS_SLED_ENGINE_KV_H
#define LLS_BACKENDS_SLED_ENGINE_KV_H

#include "backends/sled/engine.h"
#include "backends/sled/engine_disk.h"
#include "ports/stage.h"

#include <pthread.h>

typedef struct sled_kv_stage sled_kv_stage;

typedef struct sled_kv {
    lls_kv kv;
    sled_engine *engine;
    sled_engine_tree *records;
    sled_disk disk;
    pthread_mutex_t write;
    pthread_rwlock_t spaces;
    pthread_mutex_t pins;
    lls_buf pinned;        /* the numbers that scans and stages look at, 8 bytes each */
    bool waiting;          /* dead records were left because a number was pinned */
    sled_kv_stage *stages; /* that are open; under `write` */
} sled_kv;

extern const lls_kv_ops sled_kv_ops;

sled_kv *sled_kv_of(lls_kv *kv);

typedef sled_engine_batch *sled_batch_ref; /* so that LLS_AUTO can name it */
static inline void sled_batch_ref_auto(sled_batch_ref *batch)
{
    if (*batch)
        sled_engine_batch_close(*batch);
}

/** What the engine said, as an error of ours: "doing: text". SLED_ENGINE_NONE is LLS_E_NOTFOUND. */
lls_err sled_kv_fail(const sled_kv *kv, int code, const sled_engine_error *said, const char *doing,
                     lls_error *err);

/* ---- engine_records.c: reading and writing by key ---- */

/** Append what stands under `key`, as `batch` will leave it; NULL: as it is. LLS_E_NOTFOUND. */
lls_err sled_kv_look(const sled_kv *kv, const sled_engine_batch *batch, lls_bytes key, lls_buf *out,
                     lls_error *err) LLS_CHECKED;

/** The number of a space. LLS_E_NOTFOUND when it has none. */
lls_err sled_kv_number(const sled_kv *kv, const sled_engine_batch *batch, lls_kv_space space,
                       uint64_t *out, lls_error *err) LLS_CHECKED;

lls_err sled_kv_batch(const sled_kv *kv, sled_batch_ref *out, lls_error *err) LLS_CHECKED;
lls_err sled_kv_set(const sled_kv *kv, sled_engine_batch *batch, lls_bytes key, lls_bytes value,
                    lls_error *err) LLS_CHECKED;
lls_err sled_kv_unset(const sled_kv *kv, sled_engine_batch *batch, const lls_buf *key,
                      lls_error *err) LLS_CHECKED;

/** Give out a number that none had. */
lls_err sled_kv_new_number(const sled_kv *kv, sled_engine_batch *batch, uint64_t *out,
                           lls_error *err) LLS_CHECKED;

/** Let `space` have `number`; what it had before is left to sled_kv_bury. */
lls_err sled_kv_set_number(const sled_kv *kv, sled_engine_batch *batch, lls_kv_space space,
                           uint64_t number, lls_error *err) LLS_CHECKED;

/** Mark the records of `number` as dead, or no longer so. */
lls_err sled_kv_bury(const sled_kv *kv, sled_engine_batch *batch, uint64_t number,
                     lls_error *err) LLS_CHECKED;
lls_err sled_kv_unbury(const sled_kv *kv, sled_engine_batch *batch, uint64_t number,
                       lls_error *err) LLS_CHECKED;

/** Commit, with `write` held. `*turn` is what sled_kv_sync is asked for, after `write` is free. */
lls_err sled_kv_commit(sled_kv *kv, sled_engine_batch *batch, uint64_t *turn,
                       lls_error *err) LLS_CHECKED;

/** Return when that commit, and all before it, are on the disk. */
lls_err sled_kv_sync(sled_kv *kv, uint64_t turn, lls_error *err) LLS_CHECKED;

/* ---- engine_scan.c ---- */

/** Scan what stands under `number`; 0: nothing. It is pinned for as long, also by itself. */
lls_err sled_kv_scan_number(sled_kv *kv, uint64_t number, lls_kv_range range, lls_kv_iter **out,
                            lls_error *err) LLS_CHECKED;
lls_err sled_kv_scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                     lls_error *err) LLS_CHECKED;

/* ---- engine_collect.c: numbers that went out of use ---- */

/** Keep the records of `number` from being removed. Errors: LLS_E_NOMEM. */
lls_err sled_kv_pin(sled_kv *kv, uint64_t number, lls_error *err) LLS_CHECKED;

/** The opposite, for one pin; removes what waited for it. */
void sled_kv_unpin(sled_kv *kv, uint64_t number);

/** Remove up to `batches` batches of dead records; 0: all that nobody pinned. Best effort. */
void sled_kv_collect(sled_kv *kv, unsigned batches);

/* ---- other functions of sled_kv_ops ---- */

lls_err sled_kv_apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                      size_t count, lls_error *err) LLS_CHECKED;
lls_err sled_kv_stage_open(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                           lls_error *err) LLS_CHECKED;
lls_err sled_kv_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err) LLS_CHECKED;

/** Tell the stages that watch `space` that it was written to. `write` is held. */
void sled_kv_changed(sled_kv *kv, lls_kv_space space);

#endif
