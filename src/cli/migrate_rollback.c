/* migrate_rollback.c - llmspell storage migrate rollback */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/migrate_run.h"
#include "cli/output.h"
#include "cli/scope.h"

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(lls_report) report = {0};
    const char *folder = context->args.values[CLI_BACKUP];
    cli_migrate_run migration;
    lls_err e;

    LLS_TRY(cli_configure(context, NULL, &config, err));
    cli_migrate_run_begin(&migration, context, CLI_ROLLBACK);
    e = lls_migrate_rollback(config, folder, &migration.options, &report, err);
    return cli_migrate_run_finish(&migration, &report, e, err);
}

static const cli_option options[] = {
    {"backup", CLI_BACKUP, 0, true, "DIR", "the folder of the run"},
    {"force", CLI_FORCE, 0, false, NULL, "also when the target was written to afterwards"},
    {0},
};

const cli_command cli_migrate_rollback = {
    .path = "storage migrate rollback",
    .summary = "put the target back as it was before a run",
    .description = "All components in one step, and verified. Rolling back twice is harmless.",
    .options = options,
    .examples =
        "llmspell storage migrate rollback --backup backups/migration-20250115-103000-4f2a\n",
    .run = run,
};
