/**
 * migrate_run.h - what execute, resume and rollback have in common: events as they happen, and the
 * report.
 */
#ifndef CLI_MIGRATE_RUN_H
#define CLI_MIGRATE_RUN_H

#include "cli/command.h"
#include "cli/migrate_report.h"
#include "cli/progress.h"

#include <jansson.h>

/** One run, watched. Begin with cli_migrate_run_begin, end with cli_migrate_run_finish. */
typedef struct cli_migrate_run {
    cli_context *context;
    cli_report_kind kind;
    cli_progress progress;
    lls_migrate_options options; /**< For the library. */
    json_t *checks;
    json_t *warnings;
    json_t *differences;
} cli_migrate_run;

/** Watch a run. Options come from --dry-run and --force; signals are caught from now on. */
void cli_migrate_run_begin(cli_migrate_run *run, cli_context *context, cli_report_kind kind);

/** Print the report of a run that ended with `e`, and return `e` or a failure to print. */
lls_err cli_migrate_run_finish(cli_migrate_run *run, const lls_report *report, lls_err e,
                               lls_error *err) LLS_CHECKED;

#endif
