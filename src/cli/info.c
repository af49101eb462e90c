/* info.c - llmspell storage info */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/scope.h"
#include "cli/table.h"
#include "cli/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

/* What lls_inspect tells, as it tells it. */
typedef struct telling {
    cli_context *context;
    json_t *facts;
    json_t *components;
    cli_table *table;
    lls_err status;
    lls_error *err;
} telling;

/* What print_promises and promises_json say already, from the table of the backend. */
static bool is_promise(const char *fact)
{
    static const char *const promises[] = {"backend",       "summary",      "persistent",
                                           "transactional", "prefix_scan",  "atomic_ops",
                                           "multi_process", "read_latency", "write_latency"};

    for (size_t i = 0; i < sizeof promises / sizeof promises[0]; i++)
        if (strcmp(promises[i], fact) == 0)
            return true;
    return false;
}

/* "map_size" is shown as "Map Size", like the promises. */
static void print_fact(const char *name, const char *value)
{
    bool first = true;

    printf("  ");
    for (; *name; name++) {
        (void)fputc(*name == '_' ? ' ' : first ? toupper((unsigned char)*name) : *name, stdout);
        first = *name == '_' || *name == ' ';
    }
    printf(": %s\n", value);
}

static void on_fact(void *user, const char *name, const char *value)
{
    telling *tell = (telling *)user;

    if (is_promise(name))
        return;
    if (tell->context->out.format == CLI_JSON)
        cli_json_set(tell->facts, name, cli_json_text(value));
    else
        print_fact(name, value);
}

static void add_row(telling *tell, const lls_component_info *info)
{
    LLS_AUTO(lls_buf) count = {0};
    LLS_AUTO(lls_buf) size = {0};
    const char *cells[3] = {info->component};

    lls_buf_printf(&count, "%" PRIu64, info->count);
    cli_add_bytes(&size, info->bytes);
    if (info->bytes_are_shared)
        lls_buf_add_text(&size, " (all tenants)");
    cells[1] = lls_buf_cstr(&count);
    cells[2] = lls_buf_cstr(&size);
    if (tell->status == LLS_OK)
        tell->status = cli_table_add(tell->table, cells, tell->err);
}

static void on_component(void *user, const lls_component_info *info)
{
    telling *tell = (telling *)user;
    json_t *object;

    if (tell->context->out.format == CLI_TEXT) {
        add_row(tell, info);
        return;
    }
    object = json_object();
    cli_json_set(object, "component", json_string(info->component));
    cli_json_set(object, "count", cli_json_count(info->count));
    cli_json_set(object, "bytes", cli_json_count(info->bytes));
    cli_json_set(object, "bytes_are_of_all_tenants", json_boolean(info->bytes_are_shared));
    (void)json_array_append_new(tell->components, object);
}

static void print_promises(const cli_output *out, const char *name, const lls_backend_info *info)
{
    static const char *const words[] = {"no", "yes"};

    printf("Backend: %s\n", name);
    printf("  Kind: %s, %s\n", info->name, info->summary);
    printf("  Persistent: %s\n", words[info->persistent]);
    printf("  Transactional: %s\n", words[info->transactional]);
    printf("  Prefix Scan: %s\n", words[info->prefix_scan]);
    printf("  Atomic Ops: %s\n", words[info->atomic_ops]);
    printf("  Several Processes: %s\n", words[info->multi_process]);
    printf("  Read Latency: ~%" PRIu32 " %s\n", info->read_usec, out->micro);
    printf("  Write Latency: ~%" PRIu32 " %s\n", info->write_usec, out->micro);
}

static json_t *promises_json(const char *name, const lls_backend_info *info)
{
    json_t *object = json_object();

    cli_json_set(object, "backend", cli_json_text(name));
    cli_json_set(object, "kind", json_string(info->name));
    cli_json_set(object, "persistent", json_boolean(info->persistent));
    cli_json_set(object, "transactional", json_boolean(info->transactional));
    cli_json_set(object, "supports_prefix_scan", json_boolean(info->prefix_scan));
    cli_json_set(object, "supports_atomic_ops", json_boolean(info->atomic_ops));
    cli_json_set(object, "several_processes", json_boolean(info->multi_process));
    cli_json_set(object, "avg_read_latency_us", cli_json_count(info->read_usec));
    cli_json_set(object, "avg_write_latency_us", cli_json_count(info->write_usec));
    return object;
}

static lls_err inspect_text(telling *tell, const lls_config *config, const char *name,
                            const lls_backend_info *info, lls_error *err)
{
    static const cli_column columns[] = {
        {"COMPONENT", CLI_LEFT}, {"RECORDS", CLI_RIGHT}, {"SIZE", CLI_RIGHT}, {0}};
    LLS_AUTO(cli_table_ref) table = NULL;
    lls_info_handler handler = {on_fact, on_component, tell};

    LLS_TRY(cli_table_open(columns, &tell->context->out, &table, err));
    tell->table = table;
    print_promises(&tell->context->out, name, info);
    LLS_TRY(lls_inspect(config, name, &handler, err));
    LLS_TRY(tell->status);
    (void)fputc('\n', stdout);
    return cli_table_print(table, err);
}

static lls_err inspect_json(telling *tell, const lls_config *config, const char *name,
                            const lls_backend_info *info, lls_error *err)
{
    lls_info_handler handler = {on_fact, on_component, tell};
    json_t *object = promises_json(name, info);
    lls_err e;

    tell->facts = json_object();
    tell->components = json_array();
    e = lls_inspect(config, name, &handler, err);
    cli_json_set(object, "facts", tell->facts);
    cli_json_set(object, "components", tell->components);
    if (e == LLS_OK)
        return cli_json_print(object, err);
    json_decref(object);
    return e;
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    lls_backend_info info = {0};
    telling tell = {.context = context, .err = err};
    const char *name;

    LLS_TRY(cli_configure(context, NULL, &config, err));
    name = context->args.values[CLI_BACKEND];
    if (!name)
        name = lls_config_value(config, "storage.backend");
    if (!cli_backend_find(cli_backend_kind(config, name), &info))
        return lls_inspect(config, name, &(lls_info_handler){0}, err); // which says so
    return context->out.format == CLI_JSON ? inspect_json(&tell, config, name, &info, err)
                                           : inspect_text(&tell, config, name, &info, err);
}

const cli_command cli_info = {
    .path = "storage info",
    .summary = "tell what a backend is and holds",
    .description = "Opens it for reading, and creates nothing.",
    .takes_backend = true,
    .examples = "llmspell storage info --backend postgres\n",
    .run = run,
};
