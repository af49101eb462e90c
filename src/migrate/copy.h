/**
 * copy.h - fill the stage of a run from scans, in batches, from where it was left.
 *
 * The stage itself is the truth about how far it got; the journal only tells people, and carries
 * the digest of what was staged across a kill.
 */
#ifndef LLS_MIGRATE_COPY_H
#define LLS_MIGRATE_COPY_H

#include "migrate/run.h"

/**
 * Open a stage of this name as the run's, for all its components and the mark. While it prepares,
 * progress is told, and a cancelled run stops with LLS_E_CANCELLED.
 */
lls_err lls_copy_begin(lls_run *run, const char *stage, lls_stage_mode mode,
                       lls_error *err) LLS_CHECKED;

/** The same with the stage that the run copies to, if it is not open. */
lls_err lls_copy_open_stage(lls_run *run, lls_error *err) LLS_CHECKED;

/**
 * Copy what the stage does not hold yet, all components, and flush. Repeating it is harmless.
 *
 * Errors: LLS_E_CANCELLED between batches; whatever the ends report.
 */
lls_err lls_copy(lls_run *run, lls_error *err) LLS_CHECKED;

/**
 * Whether the stage holds as many records as this process knows it must. It may not: a crash of a
 * server can empty a stage, and the copy then goes on into what is left.
 */
lls_err lls_copy_is_whole(lls_run *run, bool *whole, lls_error *err) LLS_CHECKED;

/** As lls_copy, but from the backup, for a rollback: the stage must be empty. */
lls_err lls_copy_backup(lls_run *run, lls_kv_stage *stage, lls_error *err) LLS_CHECKED;

#endif
