/* migrate_execute.c - llmspell storage migrate execute */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/migrate_run.h"
#include "cli/output.h"
#include "cli/scope.h"

/* A plan moves the tenant that it names; --tenant may agree with it, no more. */
static lls_err check_tenant(cli_context *context, const lls_plan *plan, lls_error *err)
{
    const char *given = context->args.values[CLI_TENANT];

    if (given && strcmp(given, lls_plan_tenant(plan)) != 0)
        return cli_misuse(context, err, "the plan is about the tenant '%s', not '%s'",
                          lls_plan_tenant(plan), given);
    return LLS_OK;
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_plan_ref) plan = NULL;
    LLS_AUTO(lls_report) report = {0};
    cli_migrate_run migration;
    lls_err e;

    LLS_TRY(lls_plan_load(context->args.values[CLI_PLAN], &plan, err));
    LLS_TRY(check_tenant(context, plan, err));
    LLS_TRY(cli_configure(context, NULL, &config, err));
    cli_migrate_run_begin(&migration, context, CLI_MIGRATION);
    cli_say(&context->out, "%s: %s %s %s, tenant %s",
            migration.options.dry_run ? "Dry run of a migration" : "Migration",
            lls_plan_source(plan).backend, context->out.arrow, lls_plan_target(plan).backend,
            lls_plan_tenant(plan));
    e = lls_migrate_execute(config, plan, &migration.options, &report, err);
    return cli_migrate_run_finish(&migration, &report, e, err);
}

static const cli_option options[] = {
    {"plan", CLI_PLAN, 0, true, "FILE", "the plan to carry out"},
    {"dry-run", CLI_DRY_RUN, 0, false, NULL, "check everything, write nothing"},
    {"force", CLI_FORCE, 0, false, NULL, "take over the lock of a run on another host"},
    {0},
};

const cli_command cli_migrate_execute = {
    .path = "storage migrate execute",
    .summary = "carry out a plan",
    .description =
        "Preflight, a backup of what the target held, the copy, the verification of every record,\n"
        "and then all components become visible in one step. The first Ctrl-C stops at a safe\n"
        "point and prints how to go on.",
    .options = options,
    .examples = "llmspell storage migrate execute --plan plan.yaml --dry-run\n"
                "llmspell storage migrate execute --plan plan.yaml\n",
    .run = run,
};
