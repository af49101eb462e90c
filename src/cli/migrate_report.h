/** migrate_report.h - the report of a migration, in text and in JSON. */
#ifndef CLI_MIGRATE_REPORT_H
#define CLI_MIGRATE_REPORT_H

#include "cli/command.h"

#include <jansson.h>

typedef enum cli_report_kind {
    CLI_MIGRATION,
    CLI_ROLLBACK,
} cli_report_kind;

/** Print what a run, or its rollback, did until it ended with `e`. */
lls_err cli_report_print(const lls_report *report, cli_report_kind kind, lls_err e,
                         const cli_output *out, lls_error *err) LLS_CHECKED;

/** Print what a run would do. */
void cli_report_print_dry_run(const lls_report *report);

json_t *cli_report_json(const lls_report *report);

#endif
