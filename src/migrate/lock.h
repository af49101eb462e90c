/**
 * lock.h - one run at a time per target and tenant: a record in the target that names the holder.
 *
 * The lock belongs to a run, not to a process: a run that was interrupted keeps it until it is
 * resumed or rolled back, so that no second run builds on what the first one left.
 */
#ifndef LLS_MIGRATE_LOCK_H
#define LLS_MIGRATE_LOCK_H

#include "ports/kv.h"

/* Collections of the target that are no component's. */
#define LLS_LOCK_COLL "migration_lock" /* key "lock": who holds the target */
#define LLS_MARK_COLL "migration_mark" /* key "published": the last stage that became visible */

typedef struct lls_lock_claim {
    lls_str tenant;
    const char *run;    /**< NULL: a dry run, which only asks. */
    const char *folder; /**< Absolute; the caller has its journal open. NULL: a dry run. */
    bool force;         /**< Take over from another host, or from a run whose folder is gone. */
} lls_lock_claim;

/**
 * Whether lls_lock_take would succeed. Writes nothing.
 *
 * Errors: LLS_E_BUSY naming who holds the target.
 */
lls_err lls_lock_probe(lls_kv *target, const lls_lock_claim *claim, lls_error *err) LLS_CHECKED;

/** Take the lock, also over from the same run when it was interrupted. Errors: LLS_E_BUSY. */
lls_err lls_lock_take(lls_kv *target, const lls_lock_claim *claim, lls_error *err) LLS_CHECKED;

/** Whether `kv` shows the lock of `run`: it is the store, or the same store, that it was taken on.
 */
lls_err lls_lock_is_held_by(lls_kv *kv, lls_str tenant, const char *run, bool *out,
                            lls_error *err) LLS_CHECKED;

/** Give the lock back. Not having it is fine. */
lls_err lls_lock_release(lls_kv *target, lls_str tenant, const char *run,
                         lls_error *err) LLS_CHECKED;

#endif
