/**
 * backup.h - what the target held before a run: one file of full record lines per component, and
 * the metadata that proves that they are whole. A rollback reads it like any other scan.
 */
#ifndef LLS_MIGRATE_BACKUP_H
#define LLS_MIGRATE_BACKUP_H

#include "migrate/run.h"

/** Save what the target holds. The metadata is written last, in one step. */
lls_err lls_backup_make(lls_run *run, lls_error *err) LLS_CHECKED;

/** Read the metadata into the run's parts. Errors: LLS_E_CORRUPT, also when it is not there. */
lls_err lls_backup_load(lls_run *run, lls_error *err) LLS_CHECKED;

/** Compare the size and checksum of every file with the metadata that was loaded. */
lls_err lls_backup_check(const lls_run *run, lls_error *err) LLS_CHECKED;

/** Scan the records of a component, in the order and with the meta that they had. */
lls_err lls_backup_scan(const lls_run *run, size_t part, lls_kv_iter **out,
                        lls_error *err) LLS_CHECKED;

#endif
