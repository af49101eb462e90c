#include "cli/migrate_report.h"

#include "cli/json.h"
#include "cli/scope.h"
#include "cli/table.h"
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>

static lls_report_component sum_of(const lls_report *report)
{
    lls_report_component sum = {0};

    for (size_t i = 0; i < report->component_count; i++) {
        sum.source_count += report->components[i].source_count;
        sum.target_count += report->components[i].target_count;
        sum.verified += report->components[i].verified;
        sum.replaced += report->components[i].replaced;
        sum.bytes += report->components[i].bytes;
    }
    return sum;
}

static double rate_of(const lls_report *report)
{
    if (report->duration_usec <= 0)
        return 0;
    return (double)sum_of(report).source_count * 1e6 / (double)report->duration_usec;
}

static void print_names(const lls_report *report)
{
    printf("Components: ");
    for (size_t i = 0; i < report->component_count; i++)
        printf("%s%s", i > 0 ? ", " : "", report->components[i].name);
    printf("\n");
}

static void print_duration(const lls_report *report)
{
    LLS_AUTO(lls_buf) duration = {0};

    cli_add_duration(&duration, report->duration_usec);
    printf("Duration: %s\n", lls_buf_cstr(&duration));
}

static void print_figures(const lls_report *report)
{
    lls_report_component sum = sum_of(report);
    LLS_AUTO(lls_buf) bytes = {0};

    cli_add_bytes(&bytes, sum.bytes);
    printf("Source Records: %" PRIu64 " (%s)\n", sum.source_count, lls_buf_cstr(&bytes));
    printf("Target Records: %" PRIu64 "\n", sum.target_count);
    printf("Verified: %" PRIu64 "\n", sum.verified);
    printf("Replaced: %" PRIu64 "\n", sum.replaced);
    print_duration(report);
    printf("Throughput: %.0f records/s\n", rate_of(report));
}

static lls_err add_row(cli_table *table, const lls_report_component *one, lls_error *err)
{
    LLS_AUTO(lls_buf) source = {0};
    LLS_AUTO(lls_buf) target = {0};
    LLS_AUTO(lls_buf) verified = {0};

    lls_buf_printf(&source, "%" PRIu64, one->source_count);
    lls_buf_printf(&target, "%" PRIu64, one->target_count);
    lls_buf_printf(&verified, "%" PRIu64, one->verified);
    return cli_table_add(table,
                         (const char *[]){one->name, lls_buf_cstr(&source), lls_buf_cstr(&target),
                                          lls_buf_cstr(&verified), one->digest},
                         err);
}

static lls_err print_components(const lls_report *report, const cli_output *out, lls_error *err)
{
    static const cli_column columns[] = {{"COMPONENT", CLI_LEFT}, {"SOURCE", CLI_RIGHT},
                                         {"TARGET", CLI_RIGHT},   {"VERIFIED", CLI_RIGHT},
                                         {"DIGEST", CLI_LEFT},    {0}};
    LLS_AUTO(cli_table_ref) table = NULL;

    LLS_TRY(cli_table_open(columns, out, &table, err));
    for (size_t i = 0; i < report->component_count; i++)
        LLS_TRY(add_row(table, &report->components[i], err));
    return cli_table_print(table, err);
}

static void print_head(const lls_report *report, cli_report_kind kind, lls_err e,
                       const cli_output *out)
{
    static const char *const titles[] = {"Migration", "Rollback"};
    const char *color = !out->color_results ? "" : e == LLS_OK ? "\033[32m" : "\033[31m";

    const char *outcome = e == LLS_OK ? "SUCCESS" : e == LLS_E_CANCELLED ? "STOPPED" : "FAILED";

    printf("%s %s%s%s\n\n", titles[kind], color, outcome, out->color_results ? "\033[0m" : "");
    printf("Run: %s (%s)\n", report->run ? report->run : "-", lls_phase_text(report->phase));
    if (report->folder)
        printf("Folder: %s\n", report->folder);
    if (report->source && report->target)
        printf("Source: %s %s Target: %s, tenant %s\n", report->source, out->arrow, report->target,
               report->tenant ? report->tenant : "-");
}

lls_err cli_report_print(const lls_report *report, cli_report_kind kind, lls_err e,
                         const cli_output *out, lls_error *err)
{
    print_head(report, kind, e, out);
    if (report->component_count == 0)
        return LLS_OK;
    print_names(report);
    if (kind == CLI_ROLLBACK) {
        printf("Target Records: %" PRIu64 "\n", sum_of(report).target_count);
        print_duration(report);
        return LLS_OK;
    }
    print_figures(report);
    for (size_t i = 0; i < report->component_count; i++)
        if (report->components[i].recall_asked)
            printf("Recall@10: source %.4f, target %.4f (%s, %" PRIu32 " vectors)\n",
                   report->components[i].source_recall, report->components[i].target_recall,
                   report->components[i].name, report->components[i].recall_asked);
    (void)fputc('\n', stdout);
    return print_components(report, out, err);
}

void cli_report_print_dry_run(const lls_report *report)
{
    if (!report->success) {
        printf("[DRY-RUN] Preflight failed; nothing was written\n");
        return;
    }
    printf("[DRY-RUN] Preflight passed\n");
    printf("[DRY-RUN] Would migrate %zu component%s\n", report->component_count,
           report->component_count == 1 ? "" : "s");
    for (size_t i = 0; i < report->component_count; i++)
        printf("[DRY-RUN]   - %s: %" PRIu64 " record%s\n", report->components[i].name,
               report->components[i].source_count, cli_plural(report->components[i].source_count));
    printf("[DRY-RUN] Nothing was written\n");
}

static json_t *component_json(const lls_report_component *one)
{
    json_t *object = json_object();

    cli_json_set(object, "component", cli_json_text(one->name));
    cli_json_set(object, "source_count", cli_json_count(one->source_count));
    cli_json_set(object, "target_count", cli_json_count(one->target_count));
    cli_json_set(object, "verified", cli_json_count(one->verified));
    cli_json_set(object, "replaced", cli_json_count(one->replaced));
    cli_json_set(object, "bytes", cli_json_count(one->bytes));
    cli_json_set(object, "digest", cli_json_text(one->digest));
    if (one->recall_asked) {
        cli_json_set(object, "source_recall", json_real(one->source_recall));
        cli_json_set(object, "target_recall", json_real(one->target_recall));
    }
    return object;
}

json_t *cli_report_json(const lls_report *report)
{
    lls_report_component sum = sum_of(report);
    json_t *components = json_array();
    json_t *object = json_object();

    for (size_t i = 0; i < report->component_count; i++)
        (void)json_array_append_new(components, component_json(&report->components[i]));
    cli_json_set(object, "success", json_boolean(report->success));
    cli_json_set(object, "dry_run", json_boolean(report->dry_run));
    cli_json_set(object, "phase", json_string(lls_phase_text(report->phase)));
    cli_json_set(object, "run", cli_json_text(report->run));
    cli_json_set(object, "folder", cli_json_text(report->folder));
    cli_json_set(object, "source", cli_json_text(report->source));
    cli_json_set(object, "target", cli_json_text(report->target));
    cli_json_set(object, "tenant", cli_json_text(report->tenant));
    cli_json_set(object, "started", cli_json_time(report->started_usec));
    cli_json_set(object, "source_count", cli_json_count(sum.source_count));
    cli_json_set(object, "target_count", cli_json_count(sum.target_count));
    cli_json_set(object, "duration_seconds", json_real((double)report->duration_usec / 1e6));
    cli_json_set(object, "records_per_second", json_real(rate_of(report)));
    cli_json_set(object, "components", components);
    return object;
}
