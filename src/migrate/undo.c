#include "base/scope.h"
#include "migrate/backup.h"
#include "migrate/copy.h"
#include "migrate/engine.h"
#include "migrate/mark.h"
#include "migrate/report.h"
#include "migrate/verify.h"

/* Throw away both stages, report, and give back the lock. Repeating it is harmless. */
static lls_err tidy(lls_run *run, lls_error *err)
{
    lls_kv *target = run->to;
    lls_str tenant = lls_run_tenant(run);

    lls_stage_close(run->stage);
    run->stage = NULL;
    LLS_TRY(lls_stage_discard(target, tenant, lls_str_of(run->stage_name), err));
    LLS_TRY(lls_stage_discard(target, tenant, lls_str_of(run->undo_name), err));
    LLS_TRY(lls_report_save(run, err));
    return lls_lock_release(target, tenant, run->name, err);
}

static lls_err enter_undone(lls_run *run, lls_error *err)
{
    LLS_TRY(lls_run_enter(run, LLS_PHASE_UNDONE, err));
    lls_err e = tidy(run, err);
    return e == LLS_OK ? e : lls_wrap(err, e, "the run is rolled back, but tidying up failed");
}

static lls_err discard_stage(lls_run *run, lls_error *err)
{
    lls_stage_close(run->stage);
    run->stage = NULL;
    return lls_stage_discard(run->to, lls_run_tenant(run), lls_str_of(run->stage_name), err);
}

/* There is no trace of the run in the target but its stage and its lock. */
static lls_err undo_unpublished(lls_run *run, lls_error *err)
{
    run->published = false;
    LLS_TRY(lls_run_enter(run, LLS_PHASE_UNDOING, err));
    LLS_TRY(discard_stage(run, err));
    return enter_undone(run, err);
}

void lls_run_abandon(lls_run *run)
{
    lls_error ignored = {0};

    (void)undo_unpublished(run, &ignored);
}

static bool forced(const lls_run *run)
{
    return run->options && run->options->force;
}

/* Only the run that became visible last can be taken back: a later one builds upon it. */
static lls_err refuse_later_run(lls_run *run, lls_error *err)
{
    LLS_AUTO(lls_buf) last = {0};

    LLS_TRY(lls_mark_read(run->to, lls_run_tenant(run), &last, err));
    LLS_TRY(lls_buf_status(&last, err));
    if (lls_str_eq(lls_buf_str(&last), lls_str_of(run->stage_name)))
        return LLS_OK;
    if (last.len == 0)
        return lls_fail(err, LLS_E_CONFLICT,
                        "the target has no trace of run %s: it is not the store that the run began "
                        "with",
                        run->name);
    return lls_fail(err, LLS_E_CONFLICT,
                    "run %.*s changed the target after run %s: what it wrote would be lost",
                    (int)last.len, lls_buf_cstr(&last), run->name);
}

/* What an attempt that was killed had staged is put together again: the backup is at hand. */
static lls_err open_undo_stage(lls_run *run, lls_error *err)
{
    LLS_TRY(lls_stage_discard(run->to, lls_run_tenant(run), lls_str_of(run->undo_name), err));
    return lls_copy_begin(run, run->undo_name, LLS_STAGE_REPLACE, err);
}

/* Put the backup back: a migration from it, in the mode that replaces. */
static lls_err restore(lls_run *run, lls_error *err)
{
    LLS_TRY(discard_stage(run, err));
    LLS_TRY(open_undo_stage(run, err));
    LLS_TRY(lls_copy_backup(run, run->stage, err));
    LLS_TRY(lls_mark_stage(run->stage, run->undo_name, lls_kv_now(run->to), err));
    LLS_TRY(lls_stage_flush(run->stage, err));
    LLS_TRY(lls_stage_prepare(run->stage, err));
    if (!forced(run)) // from `prepare` on a write is no longer lost: this is the one that counts
        LLS_TRY(lls_verify_untouched(run, err));
    LLS_TRY(lls_verify_backup(run, run->stage, err));
    LLS_TRY(lls_run_check_cancel(run, err));
    return lls_stage_publish(run->stage, err);
}

static lls_err check_outcomes(const lls_run *run, lls_error *err)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        if (!run->parts[i].has_outcome)
            return lls_fail(err, LLS_E_CORRUPT, "the journal does not tell what the run left");
    }
    return LLS_OK;
}

/* Everything that can be refused is refused here, before anything is changed. */
static lls_err check_published(lls_run *run, lls_error *err)
{
    if (!run->plan->backup_enabled)
        return lls_fail(err, LLS_E_INVALID,
                        "run %s made no backup (backup_enabled: false): it cannot be rolled back",
                        run->name);
    LLS_TRY(lls_backup_load(run, err));
    LLS_TRY(lls_backup_check(run, err));
    LLS_TRY(check_outcomes(run, err));
    if (forced(run))
        return LLS_OK;
    LLS_TRY(refuse_later_run(run, err));
    return lls_verify_untouched(run, err);
}

static lls_err undo_published(lls_run *run, lls_error *err)
{
    lls_lock_claim claim = lls_run_claim(run);

    LLS_TRY(check_published(run, err));
    LLS_TRY(lls_lock_take(run->to, &claim, err));
    run->published = true;
    LLS_TRY(lls_run_enter(run, LLS_PHASE_UNDOING, err));
    lls_err e = restore(run, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "roll back");
    return enter_undone(run, err);
}

/* Whether the target shows the run's records. */
static lls_err find_out(lls_run *run, bool *published, lls_error *err)
{
    if (run->phase == LLS_PHASE_UNDOING)
        *published = run->published;
    else
        *published = run->phase == LLS_PHASE_DONE;
    if (run->phase != LLS_PHASE_VALID)
        return LLS_OK;
    // Throwing the stage away waits for a server that still publishes it for a killed process.
    LLS_TRY(lls_mark_is(run->to, lls_run_tenant(run), run->stage_name, published, err));
    if (*published)
        return LLS_OK;
    LLS_TRY(discard_stage(run, err));
    return lls_mark_is(run->to, lls_run_tenant(run), run->stage_name, published, err);
}

lls_err lls_run_rollback(lls_run *run, lls_error *err)
{
    bool published;
    bool restored = false;

    if (run->phase == LLS_PHASE_UNDONE)
        return tidy(run, err);
    LLS_TRY(find_out(run, &published, err));
    if (!published)
        return undo_unpublished(run, err);
    if (run->phase == LLS_PHASE_UNDOING)
        LLS_TRY(lls_mark_is(run->to, lls_run_tenant(run), run->undo_name, &restored, err));
    return restored ? enter_undone(run, err) : undo_published(run, err);
}
