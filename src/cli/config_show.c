/* config_show.c - llmspell storage config show */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/scope.h"
#include "cli/table.h"

#include <stdio.h>

static lls_err print_json(const lls_config *config, lls_error *err)
{
    json_t *object = json_object();
    json_t *values = json_array();
    lls_config_entry entry;

    for (size_t i = 0; lls_config_entry_at(config, i, &entry); i++) {
        json_t *value = json_object();

        cli_json_set(value, "key", cli_json_text(entry.key));
        cli_json_set(value, "value", cli_json_text(entry.value));
        cli_json_set(value, "origin", cli_json_text(entry.origin));
        (void)json_array_append_new(values, value);
    }
    cli_json_set(object, "file", cli_json_text(lls_config_file(config)));
    cli_json_set(object, "values", values);
    return cli_json_print(object, err);
}

static lls_err print_origins(const lls_config *config, const cli_output *out, lls_error *err)
{
    static const cli_column columns[] = {
        {"KEY", CLI_LEFT}, {"VALUE", CLI_LEFT}, {"ORIGIN", CLI_LEFT}, {0}};
    LLS_AUTO(cli_table_ref) table = NULL;
    lls_config_entry entry;

    LLS_TRY(cli_table_open(columns, out, &table, err));
    for (size_t i = 0; lls_config_entry_at(config, i, &entry); i++)
        LLS_TRY(cli_table_add(table, (const char *[]){entry.key, entry.value, entry.origin}, err));
    return cli_table_print(table, err);
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    lls_config_entry entry;

    LLS_TRY(cli_configure(context, NULL, &config, err));
    if (context->out.format == CLI_JSON)
        return print_json(config, err);
    if (context->args.values[CLI_ORIGIN])
        return print_origins(config, &context->out, err);
    for (size_t i = 0; lls_config_entry_at(config, i, &entry); i++)
        printf("%s = %s\n", entry.key, entry.value);
    return LLS_OK;
}

static const cli_option options[] = {
    {"origin", CLI_ORIGIN, 0, false, NULL, "with where each value comes from"},
    {0},
};

const cli_command cli_config_show = {
    .path = "storage config show",
    .summary = "print every value of the configuration that is in force",
    .description = "Passwords are shown as ***.",
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage config show --origin\n",
    .run = run,
};
