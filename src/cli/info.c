/* info.c - llmspell storage info */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/escape.h"
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
    json_t *spaces;
    cli_table *space_table;
    bool has_spaces;
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

static void add_space_row(telling *tell, const lls_space_info *info)
{
    tell->has_spaces = true;
    LLS_AUTO(lls_buf) model = {0};
    LLS_AUTO(lls_buf) dimension = {0};
    LLS_AUTO(lls_buf) count = {0};
    LLS_AUTO(lls_buf) each = {0};
    LLS_AUTO(lls_buf) hot = {0};
    LLS_AUTO(lls_buf) recall = {0};

    cli_escape_cell((lls_bytes){(const uint8_t *)info->model.data, info->model.len}, &model);
    lls_buf_printf(&dimension, "%" PRIu32, info->dimension);
    lls_buf_printf(&count, "%" PRIu64, info->count);
    if (info->count > 0)
        cli_add_bytes(&each, info->bytes / info->count);
    if (info->count > 0 && info->hot_bytes > 0)
        cli_add_bytes(&hot, info->hot_bytes / info->count);
    if (info->asked > 0)
        lls_buf_printf(&recall, "%.4f", info->recall);
    else if (info->exact)
        lls_buf_add_text(&recall, "exact");
    const char *cells[] = {
        info->component,          lls_buf_cstr(&model),
        lls_buf_cstr(&dimension), info->dimension ? lls_vec_metric_name(info->metric) : "",
        lls_buf_cstr(&count),     lls_buf_cstr(&each),
        lls_buf_cstr(&hot),       info->index,
        lls_buf_cstr(&recall)};
    if (tell->status == LLS_OK)
        tell->status = cli_table_add(tell->space_table, cells, tell->err);
}

static void on_space(void *user, const lls_space_info *info)
{
    telling *tell = (telling *)user;
    json_t *object;

    if (tell->context->out.format == CLI_TEXT) {
        add_space_row(tell, info);
        return;
    }
    object = json_object();
    cli_json_set(object, "component", json_string(info->component));
    cli_json_set(object, "model", json_stringn(info->model.data, info->model.len));
    cli_json_set(object, "dimension", cli_json_count(info->dimension));
    cli_json_set(object, "metric", json_string(lls_vec_metric_name(info->metric)));
    cli_json_set(object, "normalised", json_boolean(info->normalised));
    cli_json_set(object, "count", cli_json_count(info->count));
    cli_json_set(object, "bytes", cli_json_count(info->bytes));
    cli_json_set(object, "hot_bytes", cli_json_count(info->hot_bytes));
    cli_json_set(object, "index", json_string(info->index));
    cli_json_set(object, "exact", json_boolean(info->exact));
    cli_json_set(object, "recall", info->asked ? json_real(info->recall) : json_null());
    (void)json_array_append_new(tell->spaces, object);
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

static lls_info_handler handler_of(telling *tell)
{
    return (lls_info_handler){
        .fact = on_fact,
        .component = on_component,
        .space = on_space,
        .user = tell,
        .recall = tell->context->args.values[CLI_RECALL] != NULL,
    };
}

static lls_err inspect_text(telling *tell, const lls_config *config, const char *name,
                            const lls_backend_info *info, lls_error *err)
{
    static const cli_column columns[] = {
        {"COMPONENT", CLI_LEFT}, {"RECORDS", CLI_RIGHT}, {"SIZE", CLI_RIGHT}, {0}};
    static const cli_column space_columns[] = {{"COMPONENT", CLI_LEFT},  {"MODEL", CLI_LEFT},
                                               {"DIMENSION", CLI_RIGHT}, {"METRIC", CLI_LEFT},
                                               {"VECTORS", CLI_RIGHT},   {"BYTES EACH", CLI_RIGHT},
                                               {"HOT EACH", CLI_RIGHT},  {"INDEX", CLI_LEFT},
                                               {"RECALL@10", CLI_RIGHT}, {0}};
    LLS_AUTO(cli_table_ref) table = NULL;
    LLS_AUTO(cli_table_ref) spaces = NULL;
    lls_info_handler handler = handler_of(tell);

    LLS_TRY(cli_table_open(columns, &tell->context->out, &table, err));
    LLS_TRY(cli_table_open(space_columns, &tell->context->out, &spaces, err));
    tell->table = table;
    tell->space_table = spaces;
    print_promises(&tell->context->out, name, info);
    LLS_TRY(lls_inspect(config, name, &handler, err));
    LLS_TRY(tell->status);
    (void)fputc('\n', stdout);
    LLS_TRY(cli_table_print(table, err));
    if (tell->has_spaces)
        (void)fputc('\n', stdout);
    return cli_table_print(spaces, err);
}

static lls_err inspect_json(telling *tell, const lls_config *config, const char *name,
                            const lls_backend_info *info, lls_error *err)
{
    lls_info_handler handler = handler_of(tell);
    json_t *object = promises_json(name, info);
    lls_err e;

    tell->facts = json_object();
    tell->components = json_array();
    tell->spaces = json_array();
    e = lls_inspect(config, name, &handler, err);
    cli_json_set(object, "facts", tell->facts);
    cli_json_set(object, "components", tell->components);
    cli_json_set(object, "spaces", tell->spaces);
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

static const cli_option options[] = {
    {"recall", CLI_RECALL, 0, false, NULL, "measure recall also in spaces of over 100,000 vectors"},
    {0},
};

const cli_command cli_info = {
    .path = "storage info",
    .summary = "tell what a backend is and holds",
    .description = "Opens it for reading, and creates nothing. Of vectors it tells how many bytes "
                   "each takes, and\n"
                   "what share of the ten nearest a search finds, measured on a sample.",
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage info --backend postgres\n",
    .run = run,
};
