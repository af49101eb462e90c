/** report.h - what a run did: as a struct for the caller, and as report.json in the run folder. */
#ifndef LLS_MIGRATE_REPORT_H
#define LLS_MIGRATE_REPORT_H

#include "migrate/run.h"

/** Fill `out` with how far the run got; `result` is how the call ended. */
lls_err lls_report_make(const lls_run *run, lls_err result, lls_report *out,
                        lls_error *err) LLS_CHECKED;

/** Write report.json for a run that is done, or undone. */
lls_err lls_report_save(const lls_run *run, lls_error *err) LLS_CHECKED;

#endif
