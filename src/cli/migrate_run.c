#include "cli/migrate_run.h"

#include "cli/escape.h"
#include "cli/interrupt.h"
#include "cli/json.h"
#include "cli/migrate_report.h"
#include "cli/output.h"
#include "cli/scope.h"

#include <stdio.h>

static void on_check(cli_migrate_run *run, const char *text)
{
    const cli_output *out = &run->context->out;

    (void)json_array_append_new(run->checks, cli_json_text(text));
    if (run->options.dry_run && out->format == CLI_TEXT)
        printf("[DRY-RUN] %s %s\n", out->tick, text);
    else
        cli_say(out, "  %s %s", out->tick, text);
}

static void on_phase(cli_migrate_run *run, lls_phase phase)
{
    static const char *const texts[] = {
        [LLS_PHASE_CHECKED] = "Preflight passed",
        [LLS_PHASE_COPYING] = "Copying",
        [LLS_PHASE_COPIED] = "All records are copied; validating",
        [LLS_PHASE_VALID] = "Every record is validated; publishing",
        [LLS_PHASE_DONE] = "Published",
        [LLS_PHASE_UNDOING] = "Rolling back",
        [LLS_PHASE_UNDONE] = "The target is as it was",
    };

    // A dry run tells its results on stdout.
    if (!run->options.dry_run && (size_t)phase < sizeof texts / sizeof texts[0] && texts[phase])
        cli_say(&run->context->out, "%s", texts[phase]);
}

static void on_difference(cli_migrate_run *run, const lls_event *event)
{
    json_t *object = json_object();

    cli_json_set(object, "component", cli_json_text(event->component));
    cli_json_set(object, "what", cli_json_text(event->text));
    (void)json_array_append_new(run->differences, object);
    cli_warn(&run->context->out, "%s%s%s", event->component ? event->component : "",
             event->component ? ": " : "", event->text);
}

static void on_event(void *user, const lls_event *event)
{
    cli_migrate_run *run = (cli_migrate_run *)user;

    if (event->type == LLS_EVENT_PROGRESS) {
        cli_progress_update(&run->progress, event->what, event->component, event->done,
                            event->total);
        return;
    }
    cli_progress_clear(&run->progress);
    switch (event->type) {
    case LLS_EVENT_PHASE:
        on_phase(run, event->phase);
        break;
    case LLS_EVENT_CHECK:
        on_check(run, event->text);
        break;
    case LLS_EVENT_WARNING:
        (void)json_array_append_new(run->warnings, cli_json_text(event->text));
        cli_warn(&run->context->out, "%s", event->text);
        break;
    case LLS_EVENT_DIFFERS:
        on_difference(run, event);
        break;
    case LLS_EVENT_PROGRESS:
        break;
    }
}

void cli_migrate_run_begin(cli_migrate_run *run, cli_context *context, cli_report_kind kind)
{
    *run = (cli_migrate_run){
        .context = context,
        .kind = kind,
        .progress = {.out = &context->out},
        .options = {.abi = LLS_ABI,
                    .dry_run = context->args.values[CLI_DRY_RUN] != NULL,
                    .force = context->args.values[CLI_FORCE] != NULL,
                    .event = on_event,
                    .user = run,
                    .cancel = cli_interrupt_begin()},
        .checks = json_array(),
        .warnings = json_array(),
        .differences = json_array(),
    };
}

/* The advice that only this call can give: the very command that goes on. */
static void set_hint(cli_migrate_run *run, const lls_report *report, lls_err e)
{
    lls_buf *hint = &run->context->hint;

    if (!report->folder || report->phase == LLS_PHASE_DONE || report->phase == LLS_PHASE_UNDONE)
        return;
    if (e != LLS_E_CANCELLED && e != LLS_E_UNAVAILABLE && e != LLS_E_FULL && e != LLS_E_IO)
        return;
    // Once every record is valid nobody can tell from here whether it was published yet.
    if (report->phase != LLS_PHASE_VALID && report->phase != LLS_PHASE_UNDOING)
        lls_buf_add_text(hint, "the target is as it was; ");
    lls_buf_add_text(hint, "go on with: llmspell storage migrate ");
    lls_buf_add_text(hint, report->phase == LLS_PHASE_UNDOING ? "rollback" : "resume");
    lls_buf_add_text(hint, " --backup ");
    cli_shell_quote(report->folder, hint);
}

static lls_err print_json(cli_migrate_run *run, const lls_report *report, lls_error *err)
{
    json_t *object = cli_report_json(report);

    cli_json_set(object, "checks", json_incref(run->checks));
    cli_json_set(object, "warnings", json_incref(run->warnings));
    cli_json_set(object, "differences", json_incref(run->differences));
    return cli_json_print(object, err);
}

/* Whether a run that failed has done something that is worth a report. */
static bool is_under_way(const lls_report *report)
{
    return report->run &&
           (report->phase == LLS_PHASE_COPYING || report->phase == LLS_PHASE_COPIED ||
            report->phase == LLS_PHASE_VALID || report->phase == LLS_PHASE_UNDOING);
}

static lls_err print(cli_migrate_run *run, const lls_report *report, lls_err e, lls_error *err)
{
    if (!report->success && !is_under_way(report))
        return LLS_OK; // the message says it all
    if (run->context->out.format == CLI_JSON)
        return print_json(run, report, err);
    if (report->dry_run) {
        cli_report_print_dry_run(report);
        return LLS_OK;
    }
    return cli_report_print(report, run->kind, e, &run->context->out, err);
}

lls_err cli_migrate_run_finish(cli_migrate_run *run, const lls_report *report, lls_err e,
                               lls_error *err)
{
    lls_error print_err = {0};

    cli_progress_clear(&run->progress);
    if (print(run, report, e, &print_err) != LLS_OK && e == LLS_OK)
        e = lls_fail(err, print_err.code, "%s", print_err.msg);
    if (e != LLS_OK)
        set_hint(run, report, e);
    json_decref(run->checks);
    json_decref(run->warnings);
    json_decref(run->differences);
    return e;
}
