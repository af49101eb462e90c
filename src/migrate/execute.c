#include "base/scope.h"
#include "migrate/backup.h"
#include "migrate/copy.h"
#include "migrate/engine.h"
#include "migrate/mark.h"
#include "migrate/preflight.h"
#include "migrate/recall.h"
#include "migrate/report.h"
#include "migrate/verify.h"

lls_lock_claim lls_run_claim(const lls_run *run)
{
    return (lls_lock_claim){.tenant = lls_run_tenant(run),
                            .run = run->name,
                            .folder = run->folder,
                            .force = run->options && run->options->force};
}

/*
 * Two configurations may name one store in two ways. The lock tells: if the source shows the lock
 * that was just put into the target, it is the target.
 */
static lls_err refuse_same_store(lls_run *run, lls_error *err)
{
    bool same;

    LLS_TRY(lls_lock_is_held_by(run->from, lls_run_tenant(run), run->name, &same, err));
    if (!same)
        return LLS_OK;
    LLS_TRY(lls_lock_release(run->to, lls_run_tenant(run), run->name, err));
    return lls_fail(err, LLS_E_INVALID, "source and target are the same store");
}

static lls_err from_planned(lls_run *run, lls_error *err)
{
    lls_lock_claim claim = lls_run_claim(run);

    LLS_TRY(lls_lock_take(run->to, &claim, err));
    LLS_TRY(refuse_same_store(run, err));
    return lls_run_enter(run, LLS_PHASE_CHECKED, err);
}

/* A run that was killed while it made its backup makes it anew: the target may have changed. */
static lls_err from_checked(lls_run *run, lls_error *err)
{
    if (run->plan->backup_enabled)
        LLS_TRY(lls_backup_make(run, err));
    return lls_run_enter(run, LLS_PHASE_COPYING, err);
}

static lls_err from_copying(lls_run *run, lls_error *err)
{
    LLS_TRY(lls_copy_open_stage(run, err));
    LLS_TRY(lls_copy(run, err));
    return lls_run_enter(run, LLS_PHASE_COPIED, err);
}

static void note_outcomes(lls_run *run)
{
    for (size_t i = 0; i < run->plan->component_count; i++) {
        lls_part *part = &run->parts[i];
        lls_entry entry = {.type = LLS_ENTRY_OUTCOME,
                           .at_usec = lls_clock_now(NULL),
                           .component = (uint32_t)i,
                           .sum = part->source,
                           .target = part->target,
                           .verified = part->verified,
                           .replaced = part->replaced};
        lls_journal_add(run->journal, &entry);
        part->has_outcome = true;
    }
}

/* After a mismatch: if the stage itself lost records, throw it away, and a resume copies again. */
static lls_err check_stage(lls_run *run, lls_error *err)
{
    bool whole;

    lls_stage_close(run->stage);
    run->stage = NULL;
    LLS_TRY(lls_copy_open_stage(run, err));
    LLS_TRY(lls_copy_is_whole(run, &whole, err));
    if (whole)
        return LLS_OK;
    lls_stage_close(run->stage);
    run->stage = NULL;
    LLS_TRY(lls_stage_discard(run->to, lls_run_tenant(run), lls_str_of(run->stage_name), err));
    return lls_fail(err, LLS_E_UNAVAILABLE,
                    "the target lost what was staged (was its server restarted?); nothing is "
                    "visible yet, and a resume copies it again");
}

/*
 * What verification refuses will not get better by trying again: the stage is thrown away, and the
 * target is as it was. Any other failure leaves all in place for a resume.
 */
static lls_err verify(lls_run *run, lls_error *err)
{
    lls_error lost = {0};
    lls_err e = lls_verify(run, err);

    if (e == LLS_E_MISMATCH && check_stage(run, &lost) != LLS_OK) {
        if (err)
            *err = lost;
        return lost.code;
    }
    if (e == LLS_E_MISMATCH || e == LLS_E_CONFLICT) {
        run->result = e;
        lls_run_abandon(run);
        return lls_wrap(err, e, "nothing was migrated, the target is as it was");
    }
    return e;
}

/* Outcomes and VALID are one commit: whoever finds the one finds the other. */
static lls_err publish(lls_run *run, lls_error *err)
{
    note_outcomes(run);
    LLS_TRY(lls_run_enter(run, LLS_PHASE_VALID, err));
    LLS_TRY(lls_run_check_cancel(run, err));
    lls_err e = lls_stage_publish(run->stage, err);
    if (e == LLS_E_CONFLICT)
        return lls_wrap(err, e, "the target was written to while the run was about to publish");
    if (e != LLS_OK)
        return lls_wrap(err, e, "publish (resume finds out whether it happened)");
    return lls_run_enter(run, LLS_PHASE_DONE, err);
}

static lls_err from_copied(lls_run *run, lls_error *err)
{
    bool published;

    // The stage may have lost records with a crash of its server: copy what it lacks. Usually
    // that is nothing.
    LLS_TRY(lls_copy_open_stage(run, err));
    if (run->phase == LLS_PHASE_VALID || !run->fresh)
        LLS_TRY(lls_copy(run, err));
    LLS_TRY(lls_mark_stage(run->stage, run->stage_name, lls_kv_now(run->to), err));
    LLS_TRY(lls_stage_flush(run->stage, err));
    lls_err e = lls_stage_prepare(run->stage, err);
    if (e != LLS_OK)
        return lls_wrap(err, e, "prepare the target");
    // A server may still have been publishing for a process that was killed; preparing waited.
    LLS_TRY(lls_mark_is(run->to, lls_run_tenant(run), run->stage_name, &published, err));
    if (published && run->phase == LLS_PHASE_VALID)
        return lls_run_enter(run, LLS_PHASE_DONE, err);
    LLS_TRY(verify(run, err));
    return publish(run, err);
}

/* Killed between VALID and DONE: the mark in the target tells on which side of `publish`. */
static lls_err from_valid(lls_run *run, lls_error *err)
{
    bool published;

    LLS_TRY(lls_mark_is(run->to, lls_run_tenant(run), run->stage_name, &published, err));
    return published ? lls_run_enter(run, LLS_PHASE_DONE, err) : from_copied(run, err);
}

/* How to leave each phase on the way to DONE. */
static lls_err (*const leave[])(lls_run *run, lls_error *err) = {
    [LLS_PHASE_PLANNED] = from_planned, [LLS_PHASE_CHECKED] = from_checked,
    [LLS_PHASE_COPYING] = from_copying, [LLS_PHASE_COPIED] = from_copied,
    [LLS_PHASE_VALID] = from_valid,
};

lls_err lls_run_go(lls_run *run, lls_error *err)
{
    while (run->phase != LLS_PHASE_DONE) {
        LLS_TRY(lls_run_check_cancel(run, err));
        LLS_TRY(leave[run->phase](run, err));
    }
    return lls_run_tidy(run, err);
}

lls_err lls_run_tidy(lls_run *run, lls_error *err)
{
    lls_stage_close(run->stage);
    run->stage = NULL;
    lls_recall_measure(run);

    lls_err e = lls_stage_discard(run->to, lls_run_tenant(run), lls_str_of(run->stage_name), err);
    if (e == LLS_OK)
        e = lls_report_save(run, err);
    if (e == LLS_OK)
        e = lls_lock_release(run->to, lls_run_tenant(run), run->name, err);
    return e == LLS_OK ? e : lls_wrap(err, e, "the migration is done, but tidying up failed");
}

lls_err lls_run_execute(lls_run *run, lls_error *err)
{
    LLS_TRY(lls_preflight(run, err));
    if (run->options && run->options->dry_run)
        return LLS_OK;

    run->fresh = true;
    lls_err e = lls_run_create(run, err);
    if (e != LLS_OK) {
        lls_run_remove(run);
        return e;
    }
    lls_run_tell(run, LLS_EVENT_PHASE, NULL, run->folder);
    e = lls_run_go(run, err);
    // Nothing was written to the target: the folder would only be in the way.
    if (run->phase == LLS_PHASE_PLANNED && (e == LLS_E_BUSY || e == LLS_E_INVALID))
        lls_run_remove(run);
    return e;
}
