/**
 * verify.h - prove, before anybody depends on it, that the target will show what it should.
 *
 * Three scans are walked in step: the source, the prepared stage, and the target as it is now. A
 * record of the source must be in the stage with the same digest; a record that is only in the
 * target must be in the stage as it is; and there must be nothing else.
 */
#ifndef LLS_MIGRATE_VERIFY_H
#define LLS_MIGRATE_VERIFY_H

#include "migrate/run.h"

/** Differences that are named by an LLS_EVENT_DIFFERS; the rest is counted. */
enum { LLS_DIFFERS_MAX = 20 };

/**
 * Compare all components of the run's prepared stage, and note what was found in its parts.
 *
 * Errors: LLS_E_MISMATCH when something differs; LLS_E_CONFLICT when the target is not what the
 * backup holds, since a rollback would lose what was written meanwhile.
 */
lls_err lls_verify(lls_run *run, lls_error *err) LLS_CHECKED;

/** Compare a rollback's prepared stage with what the backup's metadata says. */
lls_err lls_verify_backup(lls_run *run, lls_kv_stage *stage, lls_error *err) LLS_CHECKED;

/**
 * Compare what the target shows now with what verification found when the run was done.
 *
 * Errors: LLS_E_CONFLICT: somebody wrote to it since.
 */
lls_err lls_verify_untouched(lls_run *run, lls_error *err) LLS_CHECKED;

#endif
