/*
 * migrate - move the state of agents from one backend to another, and show how it goes.
 *
 *     ./migrate lmdb postgres            both ends as the configuration describes them
 *     ./migrate lmdb postgres --dry-run  only look whether it would work
 *
 * Ctrl-C stops at a safe point; `llmspell storage migrate resume` goes on from there.
 */
#include <llmspell/storage.h>

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

static volatile int cancel;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    cancel = 1;
}

static void on_event(void *user, const lls_event *event)
{
    FILE *out = user;

    switch (event->type) {
    case LLS_EVENT_PHASE:
        fprintf(out, "phase: %s\n", lls_phase_text(event->phase));
        break;
    case LLS_EVENT_CHECK:
        fprintf(out, "  passed: %s\n", event->text);
        break;
    case LLS_EVENT_WARNING:
        fprintf(out, "  remark: %s\n", event->text);
        break;
    case LLS_EVENT_PROGRESS:
        fprintf(out, "  %s %s: %" PRIu64 " of %" PRIu64 "\n", event->what,
                event->component ? event->component : "all", event->done, event->total);
        break;
    case LLS_EVENT_DIFFERS:
        fprintf(out, "  differs: %s\n", event->text);
        break;
    }
}

static void print_report(const lls_report *report)
{
    for (size_t i = 0; i < report->component_count; i++) {
        const lls_report_component *component = &report->components[i];
        if (report->dry_run)
            printf("%s: %" PRIu64 " to copy\n", component->name, component->source_count);
        else
            printf("%s: %" PRIu64 " read, %" PRIu64 " verified, digest %s\n", component->name,
                   component->source_count, component->verified,
                   component->digest ? component->digest : "-");
    }
    if (report->folder)
        printf("to undo it: llmspell storage migrate rollback --backup %s\n", report->folder);
}

static lls_err migrate(const lls_config *config, const char *source, const char *target,
                       bool dry_run, lls_error *err)
{
    static const char *const components[] = {"agent_state"};
    lls_plan_request request = {
        .abi = LLS_ABI,
        .source = {.backend = source},
        .target = {.backend = target},
        .components = components,
        .component_count = 1,
    };
    lls_migrate_options options = {
        .abi = LLS_ABI,
        .dry_run = dry_run,
        .event = on_event,
        .user = stdout,
        .cancel = &cancel,
    };
    lls_plan *plan = NULL;
    lls_report report = {0};
    lls_err e = lls_plan_make(config, &request, &plan, err);

    if (e != LLS_OK)
        return e;
    e = lls_migrate_execute(config, plan, &options, &report, err);
    print_report(&report);
    lls_report_fini(&report);
    lls_plan_free(plan);
    return e;
}

int main(int argc, char **argv)
{
    lls_config_sources from = {.abi = LLS_ABI};
    lls_config *config = NULL;
    lls_error err = {0};
    bool dry_run = argc == 4 && strcmp(argv[3], "--dry-run") == 0;

    if (argc != 3 && !dry_run) {
        fprintf(stderr, "usage: migrate SOURCE TARGET [--dry-run]\n");
        return EXIT_FAILURE;
    }
    signal(SIGINT, on_interrupt);
    lls_err e = lls_config_load(&from, &config, &err);
    if (e == LLS_OK)
        e = migrate(config, argv[1], argv[2], dry_run, &err);
    if (e != LLS_OK)
        fprintf(stderr, "migrate: %s\n", err.msg);
    lls_config_free(config);
    return e == LLS_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
