/**
 * engine.h - the engine on open ports: what the public functions call once both ends are open, and
 * what tests call with ports of their own.
 */
#ifndef LLS_MIGRATE_ENGINE_H
#define LLS_MIGRATE_ENGINE_H

#include "migrate/run.h"

/** Carry out a run that was only initialized; a dry run ends after preflight. */
lls_err lls_run_execute(lls_run *run, lls_error *err) LLS_CHECKED;

/** Go on with a run that was loaded. A run that is done is a success. */
lls_err lls_run_resume(lls_run *run, lls_error *err) LLS_CHECKED;

/** Undo a run that was loaded. One that is undone already is a success. */
lls_err lls_run_rollback(lls_run *run, lls_error *err) LLS_CHECKED;

/** Go through the phases that are left, to DONE. The lock is held unless the phase is PLANNED. */
lls_err lls_run_go(lls_run *run, lls_error *err) LLS_CHECKED;

/** What is left to do once a run is done: throw away the stage, report, give back the lock. */
lls_err lls_run_tidy(lls_run *run, lls_error *err) LLS_CHECKED;

/**
 * Give up a run that never became visible: throw away its stage and its lock. What fails here is
 * left for a rollback to do.
 */
void lls_run_abandon(lls_run *run);

/** The lock as this run claims it. */
lls_lock_claim lls_run_claim(const lls_run *run);

#endif
