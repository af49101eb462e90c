/* validate.c - llmspell storage validate */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/scope.h"
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct checking {
    cli_context *context;
    cli_progress progress;
    json_t *components;
    json_t *findings;
    uint64_t record_count;
    uint64_t finding_count;
} checking;

static void on_finding(void *user, const lls_finding *finding)
{
    checking *check = (checking *)user;
    json_t *object;

    check->finding_count++;
    cli_progress_clear(&check->progress);
    if (check->context->out.format == CLI_TEXT) {
        printf("%s%s%s%s: %s\n", finding->component ? finding->component : "store",
               finding->key ? ": '" : "", finding->key ? finding->key : "", finding->key ? "'" : "",
               finding->what);
        return;
    }
    object = json_object();
    cli_json_set(object, "component", cli_json_text(finding->component));
    cli_json_set(object, "key", cli_json_text(finding->key));
    cli_json_set(object, "what", cli_json_text(finding->what));
    (void)json_array_append_new(check->findings, object);
}

static void on_progress(void *user, const char *component, uint64_t done, uint64_t total)
{
    checking *check = (checking *)user;

    cli_progress_update(&check->progress, "validate", component, done, total);
}

static void on_component(void *user, const char *component, uint64_t records, uint64_t findings,
                         const char *digest)
{
    checking *check = (checking *)user;
    json_t *object;

    check->record_count += records;
    cli_progress_clear(&check->progress);
    if (check->context->out.format == CLI_TEXT) {
        printf("%s: %" PRIu64 " record%s, %" PRIu64 " finding%s, digest %s\n", component, records,
               cli_plural(records), findings, cli_plural(findings), digest ? digest : "-");
        return;
    }
    object = json_object();
    cli_json_set(object, "component", json_string(component));
    cli_json_set(object, "records", cli_json_count(records));
    cli_json_set(object, "findings", cli_json_count(findings));
    cli_json_set(object, "digest", cli_json_text(digest));
    (void)json_array_append_new(check->components, object);
}

static lls_err print_summary(checking *check, lls_err result, lls_error *err)
{
    bool complete = result == LLS_OK || (result == LLS_E_CORRUPT && check->finding_count > 0);
    json_t *object;

    if (check->context->out.format == CLI_TEXT) {
        if (complete)
            printf("%s: %" PRIu64 " record%s read, %" PRIu64 " finding%s\n",
                   result == LLS_OK ? "Valid" : "Not valid", check->record_count,
                   cli_plural(check->record_count), check->finding_count,
                   cli_plural(check->finding_count));
        return LLS_OK;
    }
    object = json_object();
    cli_json_set(object, "valid", json_boolean(result == LLS_OK));
    cli_json_set(object, "complete", json_boolean(complete));
    cli_json_set(object, "components", json_incref(check->components));
    cli_json_set(object, "findings", json_incref(check->findings));
    return cli_json_print(object, err);
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_names) names = {0};
    checking check = {.context = context,
                      .progress = {.out = &context->out, .begun_usec = cli_monotonic_usec()}};
    lls_validate_options options = {.abi = LLS_ABI,
                                    .finding = on_finding,
                                    .progress = on_progress,
                                    .component = on_component,
                                    .user = &check};
    lls_error print_err = {0};
    lls_err e;

    LLS_TRY(cli_names_split(context->args.values[CLI_COMPONENTS], &names, err));
    LLS_TRY(cli_configure(context, NULL, &config, err));
    options.components = names.names;
    options.component_count = names.count;
    options.cancel = cli_interrupt_begin();
    check.components = json_array();
    check.findings = json_array();
    e = lls_validate(config, context->args.values[CLI_BACKEND], &options, err);
    cli_progress_clear(&check.progress);
    if (print_summary(&check, e, &print_err) != LLS_OK && e == LLS_OK)
        e = lls_fail(err, print_err.code, "%s", print_err.msg);
    json_decref(check.components);
    json_decref(check.findings);
    return e;
}

static const cli_option options[] = {
    {"components", CLI_COMPONENTS, 0, false, "LIST", "names, with commas; all of them otherwise"},
    {0},
};

const cli_command cli_validate = {
    .path = "storage validate",
    .summary = "read every record of a backend, and check what can be checked",
    .description = "Checksums, the form of keys, the shape of JSON, times, and the store's own\n"
                   "structure and schema. Changes nothing. The exit status is 9 when there was a\n"
                   "finding.",
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage validate --backend lmdb --components agent_state,sessions\n",
    .run = run,
};
