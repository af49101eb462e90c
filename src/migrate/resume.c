#include "base/scope.h"
#include "migrate/backup.h"
#include "migrate/engine.h"
#include "migrate/phase.h"
#include "migrate/preflight.h"

/* For the progress of the copy, and for the threshold of verification. */
static lls_err count_source(lls_run *run, lls_error *err)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        lls_kv_stats stats;
        lls_err e = lls_kv_stats_of(run->from, lls_run_space(run, i), &stats, err);
        if (e != LLS_OK)
            return lls_wrap(err, e, "count %s in the source", run->parts[i].want->name);
        run->parts[i].source.count = stats.count;
    }
    return LLS_OK;
}

/*
 * An interrupted run still holds its lock. A target without it is another one: one that the plan's
 * path leads to from here, or one that was made anew.
 */
static lls_err take_lock_again(lls_run *run, lls_error *err)
{
    lls_lock_claim claim = lls_run_claim(run);
    bool held;

    LLS_TRY(lls_lock_probe(run->to, &claim, err));
    LLS_TRY(lls_lock_is_held_by(run->to, claim.tenant, run->name, &held, err));
    if (!held && !claim.force)
        return lls_fail(err, LLS_E_CONFLICT,
                        "the target does not hold the lock of run %s: it is not the store that the "
                        "run began with",
                        run->name);
    return lls_lock_take(run->to, &claim, err);
}

lls_err lls_run_resume(lls_run *run, lls_error *err)
{
    switch (run->phase) {
    case LLS_PHASE_DONE:
        return lls_run_tidy(run, err);
    case LLS_PHASE_UNDOING:
        return lls_fail(err, LLS_E_INVALID, "run %s is being rolled back: go on with that",
                        run->name);
    case LLS_PHASE_UNDONE:
        return lls_fail(err, LLS_E_INVALID, "run %s was rolled back: execute its plan again",
                        run->name);
    case LLS_PHASE_PLANNED:
        LLS_TRY(lls_preflight(run, err));
        break;
    case LLS_PHASE_CHECKED:
    case LLS_PHASE_COPYING:
    case LLS_PHASE_COPIED:
    case LLS_PHASE_VALID:
        LLS_TRY(take_lock_again(run, err));
        LLS_TRY(count_source(run, err));
        break;
    }
    if (run->phase >= LLS_PHASE_COPYING && run->plan->backup_enabled)
        LLS_TRY(lls_backup_load(run, err));
    return lls_run_go(run, err);
}
