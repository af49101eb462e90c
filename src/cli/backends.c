/* backends.c - llmspell storage backends */
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/scope.h"
#include "cli/table.h"

#include <inttypes.h>
#include <stdio.h>

static const char *yes_no(bool yes)
{
    return yes ? "yes" : "no";
}

static json_t *info_json(const lls_backend_info *info)
{
    json_t *object = json_object();

    cli_json_set(object, "name", json_string(info->name));
    cli_json_set(object, "summary", cli_json_text(info->summary));
    cli_json_set(object, "persistent", json_boolean(info->persistent));
    cli_json_set(object, "transactional", json_boolean(info->transactional));
    cli_json_set(object, "supports_prefix_scan", json_boolean(info->prefix_scan));
    cli_json_set(object, "supports_atomic_ops", json_boolean(info->atomic_ops));
    cli_json_set(object, "several_processes", json_boolean(info->multi_process));
    cli_json_set(object, "has_schema", json_boolean(info->has_schema));
    return object;
}

static json_t *options_json(const char *backend)
{
    json_t *list = json_array();
    lls_option_info option;

    for (size_t i = 0; lls_option_info_at(backend, i, &option); i++) {
        json_t *object = json_object();

        cli_json_set(object, "name", json_string(option.name));
        cli_json_set(object, "type", cli_json_text(option.type));
        cli_json_set(object, "default", cli_json_text(option.preset));
        cli_json_set(object, "choices", cli_json_text(option.choices));
        cli_json_set(object, "meaning", cli_json_text(option.meaning));
        (void)json_array_append_new(list, object);
    }
    return list;
}

static lls_err print_all_json(lls_error *err)
{
    json_t *list = json_array();
    lls_backend_info info;

    for (size_t i = 0; lls_backend_info_at(i, &info); i++)
        (void)json_array_append_new(list, info_json(&info));
    return cli_json_print(json_pack("{s:o}", "backends", list), err);
}

static lls_err print_all(const cli_output *out, lls_error *err)
{
    static const cli_column columns[] = {{"NAME", CLI_LEFT},          {"PERSISTENT", CLI_LEFT},
                                         {"TRANSACTIONAL", CLI_LEFT}, {"SCHEMA", CLI_LEFT},
                                         {"WHAT IT IS", CLI_WRAP},    {0}};
    LLS_AUTO(cli_table_ref) table = NULL;
    lls_backend_info info;

    if (out->format == CLI_JSON)
        return print_all_json(err);
    LLS_TRY(cli_table_open(columns, out, &table, err));
    for (size_t i = 0; lls_backend_info_at(i, &info); i++)
        LLS_TRY(cli_table_add(table,
                              (const char *[]){info.name, yes_no(info.persistent),
                                               yes_no(info.transactional), yes_no(info.has_schema),
                                               info.summary},
                              err));
    return cli_table_print(table, err);
}

static lls_err add_option(cli_table *table, const lls_option_info *option, lls_error *err)
{
    LLS_AUTO(lls_buf) meaning = {0};

    lls_buf_add_text(&meaning, option->meaning);
    if (option->choices)
        lls_buf_printf(&meaning, " (%s)", option->choices);
    return cli_table_add(table,
                         (const char *[]){option->name, option->type,
                                          option->preset ? option->preset : "(required)",
                                          lls_buf_cstr(&meaning)},
                         err);
}

static lls_err print_one(const cli_output *out, const lls_backend_info *info, lls_error *err)
{
    static const cli_column columns[] = {{"OPTION", CLI_LEFT},
                                         {"TYPE", CLI_LEFT},
                                         {"DEFAULT", CLI_LEFT},
                                         {"MEANING", CLI_WRAP},
                                         {0}};
    LLS_AUTO(cli_table_ref) table = NULL;
    lls_option_info option;

    if (out->format == CLI_JSON) {
        json_t *object = info_json(info);

        cli_json_set(object, "options", options_json(info->name));
        return cli_json_print(object, err);
    }
    printf("%s: %s\n\n", info->name, info->summary);
    LLS_TRY(cli_table_open(columns, out, &table, err));
    for (size_t i = 0; lls_option_info_at(info->name, i, &option); i++)
        LLS_TRY(add_option(table, &option, err));
    return cli_table_print(table, err);
}

static lls_err refuse(const char *name, lls_error *err)
{
    LLS_AUTO(lls_buf) known = {0};
    lls_backend_info info;

    for (size_t i = 0; lls_backend_info_at(i, &info); i++)
        lls_buf_printf(&known, "%s%s", i > 0 ? ", " : "", info.name);
    return lls_fail(err, LLS_E_NOTFOUND, "there is no backend '%s' (known: %s)", name,
                    lls_buf_cstr(&known));
}

static lls_err run(cli_context *context, lls_error *err)
{
    lls_backend_info info;

    if (context->args.word_count == 0)
        return print_all(&context->out, err);
    if (!cli_backend_find(context->args.words[0], &info))
        return refuse(context->args.words[0], err);
    return print_one(&context->out, &info, err);
}

const cli_command cli_backends = {
    .path = "storage backends",
    .summary = "list the backends, or the options of one",
    .description = "The options of a backend go into [storage.backends.NAME] of the configuration.",
    .words = "[NAME]",
    .max_words = 1,
    .examples = "llmspell storage backends\n"
                "llmspell storage backends lmdb\n",
    .run = run,
};
