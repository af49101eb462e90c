/** migrate_report.h - the report of a migration, in text and in JSON. */
#ifndef CLI_MIGRATE_REPORT_H
#define CLI_MIGRATE_REPORT_H

#include "cli/command.h"

#include <jansson.h>

/** Print what a run did; `title` is what it was, "Migration". */
lls_err cli_report_print(const lls_report *report, const char *title, const cli_output *out,
                         lls_error *err) LLS_CHECKED;

/** Print what a run would do. */
void cli_report_print_dry_run(const lls_report *report);

json_t *cli_report_json(const lls_report *report);

#endif
