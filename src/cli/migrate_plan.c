/* migrate_plan.c - llmspell storage migrate plan */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/escape.h"
#include "cli/hint.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/plan_text.h"
#include "cli/scope.h"
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>

static lls_err make_plan(cli_context *context, const lls_config *config, const cli_names *names,
                         lls_plan **plan, lls_error *err)
{
    const char *const *values = context->args.values;
    lls_plan_request request = {
        .abi = LLS_ABI,
        .source = {values[CLI_FROM], values[CLI_FROM_PATH], values[CLI_FROM_CONNECTION]},
        .target = {values[CLI_TO], values[CLI_TO_PATH], values[CLI_TO_CONNECTION]},
        .components = names->names,
        .component_count = names->count,
        .tenant = values[CLI_TENANT],
        .backup_path = values[CLI_BACKUP_PATH],
    };

    LLS_TRY(cli_check_connection(request.source.connection, err));
    LLS_TRY(cli_check_connection(request.target.connection, err));
    LLS_TRY(cli_args_number(context, CLI_BATCH_SIZE, &request.batch_size, err));
    return lls_plan_make(config, &request, plan, err);
}

static void add_summary(const cli_output *out, const lls_plan *plan, lls_buf *text)
{
    lls_plan_component component;
    size_t count = 0;

    while (lls_plan_component_at(plan, count, &component))
        count++;
    lls_buf_printf(text, "Plan summary:\n  Source: %s %s Target: %s\n  Components: %zu\n",
                   lls_plan_source(plan).backend, out->arrow, lls_plan_target(plan).backend, count);
    for (size_t i = 0; lls_plan_component_at(plan, i, &component); i++)
        lls_buf_printf(text, "    - %s: %" PRIu64 " record%s (batch size: %" PRIu64 ")\n",
                       component.name, component.estimated_count,
                       cli_plural(component.estimated_count), component.batch_size);
}

static void add_next_steps(const char *file, lls_buf *text)
{
    LLS_AUTO(lls_buf) quoted = {0};
    const char *name;

    cli_shell_quote(file, &quoted);
    name = lls_buf_cstr(&quoted);
    lls_buf_printf(text, "\nNext steps:\n  1. Review the plan: %s\n", name);
    lls_buf_printf(text, "  2. Try it: llmspell storage migrate execute --plan %s --dry-run\n",
                   name);
    lls_buf_printf(text, "  3. Migrate: llmspell storage migrate execute --plan %s\n", name);
}

/* What the dry run would find of the target is worth knowing before the plan is reviewed. */
static void look_at_target(cli_context *context, const lls_config *config, const lls_plan *plan,
                           lls_error *remark)
{
    if (lls_plan_check_target(config, plan, remark) == LLS_OK)
        return;
    const char *hint = cli_hint(context, remark);
    cli_warn(&context->out, "the target is not ready: %s%s%s", remark->msg, hint ? "; " : "",
             hint ? hint : "");
}

static void warn_of_unknown(cli_context *context, const lls_plan *plan)
{
    uint64_t count = lls_plan_unrecognised(plan);

    if (count > 0)
        cli_warn(&context->out,
                 "%" PRIu64 " record%s of the source %s understood by no component and stay%s "
                 "behind; --include-unknown carries them along",
                 count, cli_plural(count), count == 1 ? "is" : "are", count == 1 ? "s" : "");
}

static lls_err print_json(const lls_plan *plan, const char *file, lls_str yaml,
                          const lls_error *remark, lls_error *err)
{
    json_t *object = json_object();
    json_t *components = json_array();
    lls_plan_component component;
    uint64_t records = 0;

    for (size_t i = 0; lls_plan_component_at(plan, i, &component); i++) {
        json_t *one = json_object();

        cli_json_set(one, "component", cli_json_text(component.name));
        cli_json_set(one, "estimated_count", cli_json_count(component.estimated_count));
        cli_json_set(one, "batch_size", cli_json_count(component.batch_size));
        (void)json_array_append_new(components, one);
        records += component.estimated_count;
    }
    cli_json_set(object, "success", json_true());
    cli_json_set(object, "plan_file", cli_json_text(file));
    cli_json_set(object, "source", cli_json_text(lls_plan_source(plan).backend));
    cli_json_set(object, "target", cli_json_text(lls_plan_target(plan).backend));
    cli_json_set(object, "tenant", cli_json_text(lls_plan_tenant(plan)));
    cli_json_set(object, "components", components);
    cli_json_set(object, "estimated_records", cli_json_count(records));
    cli_json_set(object, "unrecognised_records", cli_json_count(lls_plan_unrecognised(plan)));
    cli_json_set(object, "target_ready", json_boolean(remark->code == LLS_OK));
    if (remark->code != LLS_OK)
        cli_json_set(object, "target_remark", cli_json_text(remark->msg));
    if (!file)
        cli_json_set(object, "plan", json_stringn(yaml.data, yaml.len));
    return cli_json_print(object, err);
}

/* Without a file the plan itself is the result, and what there is to say goes to stderr. */
static lls_err print_plan(const cli_context *context, const lls_plan *plan, const lls_error *remark,
                          lls_error *err)
{
    LLS_AUTO(lls_buf) yaml = {0};
    LLS_AUTO(lls_buf) summary = {0};

    LLS_TRY(cli_plan_text(plan, &yaml, err));
    if (context->out.format == CLI_JSON)
        return print_json(plan, NULL, lls_buf_str(&yaml), remark, err);
    cli_write(lls_buf_view(&yaml));
    add_summary(&context->out, plan, &summary);
    LLS_TRY(lls_buf_status(&summary, err));
    cli_say(&context->out, "%.*s", (int)summary.len - 1, (const char *)summary.data);
    return LLS_OK;
}

static lls_err save_plan(const cli_context *context, const lls_plan *plan, const char *file,
                         const lls_error *remark, lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    LLS_TRY(lls_plan_save(plan, file, err));
    if (context->out.format == CLI_JSON)
        return print_json(plan, file, (lls_str){0}, remark, err);
    lls_buf_printf(&text, "Migration plan generated: \"%s\"\n\n", file);
    add_summary(&context->out, plan, &text);
    add_next_steps(file, &text);
    LLS_TRY(lls_buf_status(&text, err));
    cli_write(lls_buf_view(&text));
    return LLS_OK;
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_plan_ref) plan = NULL;
    LLS_AUTO(cli_names) names = {0};
    const char *file = context->args.values[CLI_FILE];
    lls_error remark = {0};

    LLS_TRY(cli_names_split(context->args.values[CLI_COMPONENTS], &names, err));
    if (context->args.values[CLI_INCLUDE_UNKNOWN])
        LLS_TRY(cli_names_add(&names, "unrecognised", err));
    LLS_TRY(cli_configure(context, NULL, &config, err));
    LLS_TRY(make_plan(context, config, &names, &plan, err));
    look_at_target(context, config, plan, &remark);
    warn_of_unknown(context, plan);
    return file ? save_plan(context, plan, file, &remark, err)
                : print_plan(context, plan, &remark, err);
}

static const cli_option options[] = {
    {"from", CLI_FROM, 0, true, "BACKEND", "where the records are"},
    {"to", CLI_TO, 0, true, "BACKEND", "where they shall go"},
    {"components", CLI_COMPONENTS, 0, true, "LIST", "names, with commas"},
    {"include-unknown", CLI_INCLUDE_UNKNOWN, 0, false, NULL,
     "carry along what no component understands"},
    {"output", CLI_FILE, 0, false, "FILE", "write the plan here, not to stdout (see --format)"},
    {"format", CLI_FORMAT, 0, false, "text|json", "how to print results"},
    {"from-path", CLI_FROM_PATH, 0, false, "PATH", "where the source keeps its files"},
    {"to-path", CLI_TO_PATH, 0, false, "PATH", "where the target keeps its files"},
    {"from-connection", CLI_FROM_CONNECTION, 0, false, "CONNECTION",
     "how to reach the source; never with a password"},
    {"to-connection", CLI_TO_CONNECTION, 0, false, "CONNECTION",
     "how to reach the target; never with a password"},
    {"batch-size", CLI_BATCH_SIZE, 0, false, "N", "records read and sent at a time"},
    {"backup-path", CLI_BACKUP_PATH, 0, false, "DIR", "where the run folder will be made"},
    {0},
};

const cli_command cli_migrate_plan = {
    .path = "storage migrate plan",
    .summary = "look at both ends, and write a plan to review",
    .description =
        "The plan is YAML, to be read and edited. Note that --output is the plan's file\n"
        "here; how results are printed is chosen with --format.",
    .options = options,
    .examples = "llmspell storage migrate plan --from lmdb --to postgres \\\n"
                "    --components agent_state,sessions --output plan.yaml\n",
    .run = run,
};
