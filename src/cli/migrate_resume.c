/* migrate_resume.c - llmspell storage migrate resume */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/migrate_run.h"
#include "cli/output.h"
#include "cli/scope.h"

/* The newest run that is not finished, and that nobody works on. */
typedef struct unfinished {
    lls_buf folder;
} unfinished;

static void on_run(void *user, const lls_run_info *info)
{
    unfinished *found = (unfinished *)user;

    if (info->problem || info->running || info->phase == LLS_PHASE_DONE ||
        info->phase == LLS_PHASE_UNDOING || info->phase == LLS_PHASE_UNDONE)
        return;
    lls_buf_clear(&found->folder);
    lls_buf_add_text(&found->folder, info->folder);
}

static lls_err find_folder(const cli_context *context, const lls_config *config, lls_buf *folder,
                           lls_error *err)
{
    const char *given = context->args.values[CLI_BACKUP];
    unfinished found = {0};
    lls_err e;

    if (given) {
        lls_buf_add_text(folder, given);
        return lls_buf_status(folder, err);
    }
    e = lls_migrate_status(config, NULL, on_run, &found, err);
    if (e == LLS_OK)
        e = lls_buf_status(&found.folder, err);
    if (e == LLS_OK && found.folder.len == 0)
        e = lls_fail(err, LLS_E_NOTFOUND, "there is no unfinished run to resume");
    if (e == LLS_OK)
        *folder = found.folder;
    else
        lls_buf_fini(&found.folder);
    return e;
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(lls_buf) folder = {0};
    LLS_AUTO(lls_report) report = {0};
    cli_migrate_run migration;
    lls_err e;

    LLS_TRY(cli_configure(context, NULL, &config, err));
    LLS_TRY(find_folder(context, config, &folder, err));
    cli_migrate_run_begin(&migration, context, CLI_MIGRATION);
    cli_say(&context->out, "Going on with '%s'", lls_buf_cstr(&folder));
    e = lls_migrate_resume(config, lls_buf_cstr(&folder), &migration.options, &report, err);
    return cli_migrate_run_finish(&migration, &report, e, err);
}

static const cli_option options[] = {
    {"backup", CLI_BACKUP, 0, false, "DIR", "the run folder; else the newest unfinished run"},
    {"force", CLI_FORCE, 0, false, NULL, "take over the lock of a run on another host"},
    {0},
};

const cli_command cli_migrate_resume = {
    .path = "storage migrate resume",
    .summary = "go on with a run that was interrupted",
    .options = options,
    .examples = "llmspell storage migrate resume\n"
                "llmspell storage migrate resume --backup backups/migration-20250115-103000-4f2a\n",
    .run = run,
};
