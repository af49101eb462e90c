/**
 * stage.h - the part of the key/value port that makes a migration all or nothing.
 *
 * A stage collects records for one or more collections of one tenant where no reader sees them.
 * It outlives the process that fills it: opened again under the same run, it says how far it got.
 * `prepare` brings together what the collections will hold; `scan` reads that, so that it can be
 * verified before anybody depends on it; `publish` makes all collections visible in one step.
 *
 *     open → add … add → flush → prepare → scan (verify) → publish → close
 *        ↑______ killed anywhere before publish: open again, ask `last`, go on
 *
 * At any moment before `publish` returns, readers and writers of the target see the state of
 * before; from then on, the state after. There is nothing in between, also for a process killed
 * inside `publish`.
 */
#ifndef LLS_PORTS_STAGE_H
#define LLS_PORTS_STAGE_H

#include "ports/kv.h"

#define LLS_RUN_MAX 40 /* bytes of a run's name: [a-z0-9_]+ */

typedef enum lls_stage_mode {
    LLS_STAGE_MERGE,   /**< What was there stays, unless a staged record has its key. */
    LLS_STAGE_REPLACE, /**< The collections will hold what was staged and nothing else. */
} lls_stage_mode;

/**
 * Whoever follows a `prepare` that takes long. It is called from the thread of the call, with how
 * many of the `total` records of `coll` are done. Anything but LLS_OK stops `prepare` with that
 * error, and the stage is as before it. A backend that waits for a server does not call it.
 */
typedef struct lls_stage_watch {
    lls_err (*step)(void *user, lls_str coll, uint64_t done, uint64_t total, lls_error *err);
    void *user;
} lls_stage_watch;

struct lls_stage_spec {
    lls_str tenant;
    lls_str run;          /**< Names the stage; what a second open with the same name finds. */
    const lls_str *colls; /**< The collections that become visible together. */
    size_t coll_count;
    lls_stage_mode mode;
};

typedef struct lls_kv_stage_ops {
    /**
     * How far the stage got in `coll`: the greatest key in it (into `key`, replaced) and how many
     * records it holds. 0 and an empty key when there is none, or when a crash of a server lost
     * the stage: the caller then begins again.
     */
    lls_err (*last)(lls_kv_stage *stage, lls_str coll, lls_buf *key, uint64_t *count,
                    lls_error *err);

    /**
     * Add records whose keys are greater than all in the stage, in rising order, each with its
     * meta as it is. Borrows `items`. May return before they are stored: `flush` waits. Once
     * prepared, a stage either refuses more or wants to be prepared again.
     */
    lls_err (*add)(lls_kv_stage *stage, lls_str coll, const lls_kv_item *items, size_t count,
                   lls_error *err);

    /** Return when everything added is stored, so that `last` counts it after a kill. */
    lls_err (*flush)(lls_kv_stage *stage, lls_error *err);

    /**
     * Bring together what the collections will hold. From here to `publish` or `close` a writer
     * of the target either waits or makes `publish` fail with LLS_E_CONFLICT; a change is never
     * lost. May be called again after `close` and a new open.
     */
    lls_err (*prepare)(lls_kv_stage *stage, lls_error *err);

    /** After `prepare`: scan `coll` as it will be once published, expired records included. */
    lls_err (*scan)(lls_kv_stage *stage, lls_str coll, lls_kv_iter **out, lls_error *err);

    /**
     * After `prepare`: make everything visible, durably. Errors: LLS_E_CONFLICT when the target
     * was written to since `prepare`; nothing has changed then, and the stage is still there.
     */
    lls_err (*publish)(lls_kv_stage *stage, lls_error *err);

    /** Let go of it, prepared or not. Unpublished, it stays for the next open with its run. */
    void (*close)(lls_kv_stage *stage);
} lls_kv_stage_ops;

struct lls_kv_stage {
    const lls_kv_stage_ops *ops;
    lls_port port;         /**< Set by lls_stage_open: as of the lls_kv. */
    lls_stage_watch watch; /**< Set by lls_stage_follow. */
};

/**
 * Open the stage of `spec->run`, new or as it was left. The collections of the target are not
 * touched. Borrows `spec` for the call.
 *
 * Owns: the caller closes `*out`, before it closes the backend. One process at a time may hold the
 * stage of a run: the caller sees to that.
 * Errors: LLS_E_UNSUPPORTED on a backend that cannot be migrated to.
 */
lls_err lls_stage_open(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                       lls_error *err) LLS_CHECKED;

/** Throw away what the stage of `run` holds; what it published stays. Nothing left is fine. */
lls_err lls_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err) LLS_CHECKED;

lls_err lls_stage_last(lls_kv_stage *stage, lls_str coll, lls_buf *key, uint64_t *count,
                       lls_error *err) LLS_CHECKED;
lls_err lls_stage_add(lls_kv_stage *stage, lls_str coll, const lls_kv_item *items, size_t count,
                      lls_error *err) LLS_CHECKED;
lls_err lls_stage_flush(lls_kv_stage *stage, lls_error *err) LLS_CHECKED;

/** Have `prepare` followed by `watch`, which replaces the one before. */
void lls_stage_follow(lls_kv_stage *stage, lls_stage_watch watch);
lls_err lls_stage_prepare(lls_kv_stage *stage, lls_error *err) LLS_CHECKED;
lls_err lls_stage_scan(lls_kv_stage *stage, lls_str coll, lls_kv_iter **out,
                       lls_error *err) LLS_CHECKED;
lls_err lls_stage_publish(lls_kv_stage *stage, lls_error *err) LLS_CHECKED;
void lls_stage_close(lls_kv_stage *stage); /**< NULL is fine. */

/** For backends, in `prepare`: tell whoever follows it. */
lls_err lls_stage_step(const lls_kv_stage *stage, lls_str coll, uint64_t done, uint64_t total,
                       lls_error *err) LLS_CHECKED;

typedef lls_kv_stage *lls_kv_stage_ref; /* so that LLS_AUTO can name it */
static inline void lls_kv_stage_ref_auto(lls_kv_stage_ref *stage)
{
    lls_stage_close(*stage);
}

#endif
