/* schema.c - llmspell storage schema status, and apply */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/scope.h"
#include "cli/table.h"
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>

typedef struct schema_steps {
    const cli_context *context;
    cli_table *table;
    json_t *list;
    size_t count;
    lls_err status;
    lls_error *err;
} schema_steps;

static void add_json(schema_steps *steps, const lls_schema_info *step)
{
    json_t *object = json_object();

    cli_json_set(object, "number", cli_json_count(step->number));
    cli_json_set(object, "name", cli_json_text(step->name));
    cli_json_set(object, "state", cli_json_text(step->state));
    cli_json_set(object, "applied", cli_json_time(step->applied_usec));
    (void)json_array_append_new(steps->list, object);
}

static void add_row(schema_steps *steps, const lls_schema_info *step)
{
    LLS_AUTO(lls_buf) number = {0};
    LLS_AUTO(lls_buf) applied = {0};

    lls_buf_printf(&number, "V%" PRIu32, step->number);
    if (step->applied_usec != 0)
        cli_add_time(&applied, step->applied_usec);
    if (steps->status == LLS_OK)
        steps->status = cli_table_add(steps->table,
                                      (const char *[]){lls_buf_cstr(&number), step->name,
                                                       step->state, lls_buf_cstr(&applied)},
                                      steps->err);
}

static void on_status(void *user, const lls_schema_info *step)
{
    schema_steps *steps = (schema_steps *)user;

    steps->count++;
    if (steps->list)
        add_json(steps, step);
    else
        add_row(steps, step);
}

static void on_applied(void *user, const lls_schema_info *step)
{
    schema_steps *steps = (schema_steps *)user;

    steps->count++;
    if (steps->list)
        add_json(steps, step);
    else
        printf("V%" PRIu32 " %s: applied\n", step->number, step->name);
}

/* Print the JSON of `steps`, unless the work failed with `e`. */
static lls_err print_json(schema_steps *steps, const char *name, lls_err e, lls_error *err)
{
    json_t *object;

    if (e != LLS_OK) {
        json_decref(steps->list);
        return e;
    }
    object = json_object();
    cli_json_set(object, name, steps->list);
    return cli_json_print(object, err);
}

static lls_err run_status(cli_context *context, lls_error *err)
{
    static const cli_column columns[] = {
        {"STEP", CLI_LEFT}, {"NAME", CLI_LEFT}, {"STATE", CLI_LEFT}, {"APPLIED", CLI_LEFT}, {0}};
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_table_ref) table = NULL;
    const char *backend = context->args.values[CLI_BACKEND];
    schema_steps steps = {.context = context, .err = err};

    LLS_TRY(cli_configure(context, NULL, &config, err));
    if (context->out.format == CLI_JSON) {
        steps.list = json_array();
        return print_json(&steps, "steps",
                          lls_schema_status(config, backend, on_status, &steps, err), err);
    }
    LLS_TRY(cli_table_open(columns, &context->out, &table, err));
    steps.table = table;
    LLS_TRY(lls_schema_status(config, backend, on_status, &steps, err));
    LLS_TRY(steps.status);
    return cli_table_print(table, err);
}

static lls_err run_apply(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    const char *backend = context->args.values[CLI_BACKEND];
    schema_steps steps = {.context = context, .err = err};
    lls_err e;

    LLS_TRY(cli_configure(context, NULL, &config, err));
    if (context->out.format == CLI_JSON)
        steps.list = json_array();
    e = lls_schema_apply(config, backend, on_applied, &steps, err);
    if (steps.list)
        return print_json(&steps, "applied", e, err);
    if (e == LLS_OK && steps.count == 0)
        printf("The schema is up to date\n");
    return e;
}

const cli_command cli_schema_status = {
    .path = "storage schema status",
    .summary = "list the steps of a schema, and which are applied",
    .takes_backend = true,
    .examples = "llmspell storage schema status --backend postgres\n",
    .run = run_status,
};

const cli_command cli_schema_apply = {
    .path = "storage schema apply",
    .summary = "apply the steps that are pending",
    .description = "Needs the login of an administrator, who may create schemas and roles.",
    .takes_backend = true,
    .examples = "llmspell storage schema apply --backend postgres \\\n"
                "    --connection postgresql://admin@db/llmspell\n",
    .run = run_apply,
};
