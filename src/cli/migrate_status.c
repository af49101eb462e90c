/* migrate_status.c - llmspell storage migrate status */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/scope.h"
#include "cli/table.h"
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct run_list {
    const cli_output *out;
    cli_table *table;
    json_t *list;
    size_t count;
    lls_err status;
    lls_error *err;
} run_list;

static void add_json(run_list *runs, const lls_run_info *info)
{
    json_t *object = json_object();

    cli_json_set(object, "run", cli_json_text(info->run));
    cli_json_set(object, "folder", cli_json_text(info->folder));
    cli_json_set(object, "phase", json_string(lls_phase_text(info->phase)));
    cli_json_set(object, "running", json_boolean(info->running));
    cli_json_set(object, "holder", cli_json_text(info->holder));
    cli_json_set(object, "source", cli_json_text(info->source));
    cli_json_set(object, "target", cli_json_text(info->target));
    cli_json_set(object, "tenant", cli_json_text(info->tenant));
    cli_json_set(object, "copied", cli_json_count(info->copied));
    cli_json_set(object, "total", cli_json_count(info->total));
    cli_json_set(object, "started", cli_json_time(info->started_usec));
    cli_json_set(object, "changed", cli_json_time(info->changed_usec));
    cli_json_set(object, "problem", cli_json_text(info->problem));
    (void)json_array_append_new(runs->list, object);
}

static void add_row(run_list *runs, const lls_run_info *info)
{
    LLS_AUTO(lls_buf) way = {0};
    LLS_AUTO(lls_buf) copied = {0};
    LLS_AUTO(lls_buf) changed = {0};
    LLS_AUTO(lls_buf) phase = {0};

    if (info->problem) {
        cli_warn(runs->out, "%s: %s", info->folder, info->problem);
        return;
    }
    lls_buf_printf(&way, "%s %s %s", info->source, runs->out->arrow, info->target);
    lls_buf_printf(&copied, "%" PRIu64 " of %" PRIu64, info->copied, info->total);
    lls_buf_add_text(&phase, lls_phase_text(info->phase));
    if (info->running)
        lls_buf_printf(&phase, " (%s)", info->holder ? info->holder : "running");
    if (info->changed_usec != 0)
        cli_add_time(&changed, info->changed_usec);
    if (runs->status == LLS_OK)
        runs->status = cli_table_add(runs->table,
                                     (const char *[]){lls_buf_cstr(&phase), lls_buf_cstr(&way),
                                                      info->tenant, lls_buf_cstr(&copied),
                                                      lls_buf_cstr(&changed), info->folder},
                                     runs->err);
}

static void on_run(void *user, const lls_run_info *info)
{
    run_list *runs = (run_list *)user;

    runs->count++;
    if (runs->list)
        add_json(runs, info);
    else
        add_row(runs, info);
}

static lls_err print_json(run_list *runs, lls_err e, lls_error *err)
{
    json_t *object;

    if (e != LLS_OK) {
        json_decref(runs->list);
        return e;
    }
    object = json_object();
    cli_json_set(object, "runs", runs->list);
    return cli_json_print(object, err);
}

static lls_err run(cli_context *context, lls_error *err)
{
    static const cli_column columns[] = {{"PHASE", CLI_LEFT},
                                         {"DIRECTION", CLI_LEFT},
                                         {"TENANT", CLI_LEFT},
                                         {"COPIED", CLI_RIGHT},
                                         {"CHANGED", CLI_LEFT},
                                         {"FOLDER", CLI_LEFT},
                                         {0}};
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_table_ref) table = NULL;
    const char *folder = context->args.values[CLI_BACKUP_PATH];
    run_list runs = {.out = &context->out, .err = err};

    LLS_TRY(cli_configure(context, NULL, &config, err));
    if (context->out.format == CLI_JSON) {
        runs.list = json_array();
        return print_json(&runs, lls_migrate_status(config, folder, on_run, &runs, err), err);
    }
    LLS_TRY(cli_table_open(columns, &context->out, &table, err));
    runs.table = table;
    LLS_TRY(lls_migrate_status(config, folder, on_run, &runs, err));
    LLS_TRY(runs.status);
    if (runs.count == 0)
        cli_say(&context->out, "There are no runs");
    return cli_table_print(table, err);
}

static const cli_option options[] = {
    {"backup-path", CLI_BACKUP_PATH, 0, false, "DIR", "where run folders are"},
    {0},
};

const cli_command cli_migrate_status = {
    .path = "storage migrate status",
    .summary = "list the runs, oldest first",
    .options = options,
    .examples = "llmspell storage migrate status\n",
    .run = run,
};
