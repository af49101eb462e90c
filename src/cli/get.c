/* get.c - llmspell storage get */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/scope.h"

#include <stdio.h>

static lls_err print_json(const lls_record *record, lls_bytes value, lls_error *err)
{
    json_t *object = json_object();

    cli_json_set(object, "component", json_stringn(record->component.data, record->component.len));
    cli_json_set_bytes(object, "key", record->key);
    cli_json_set_bytes(object, "value", value);
    cli_json_set(object, "version", cli_json_count(record->version));
    cli_json_set(object, "created", cli_json_time(record->created_usec));
    cli_json_set(object, "updated", cli_json_time(record->updated_usec));
    cli_json_set(object, "expires", cli_json_time(record->expires_usec));
    return cli_json_print(object, err);
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_store_ref) store = NULL;
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) value = {0};
    LLS_AUTO(lls_buf) shown = {0};
    const char *component = context->args.words[0];
    lls_record record = {0};
    uint64_t version = 0;
    lls_err e;

    LLS_TRY(cli_args_key(context, context->args.words[1], &key, err));
    LLS_TRY(cli_args_number(context, CLI_OF_VERSION, &version, err));
    LLS_TRY(cli_open_store(context, component, LLS_OPEN_READ, &config, &store, err));
    e = context->args.values[CLI_OF_VERSION]
            ? lls_store_get_version(store, lls_str_of(component), lls_buf_view(&key), version,
                                    &value, &record, err)
            : lls_store_get(store, lls_str_of(component), lls_buf_view(&key), &value, &record, err);
    if (e != LLS_OK)
        return cli_wrap_key(err, e, component, lls_buf_view(&key));
    record.value = lls_buf_view(&value);
    LLS_TRY(lls_record_to_json(&record, &shown, err));
    if (context->out.format == CLI_JSON)
        return print_json(&record, lls_buf_view(&shown), err);
    cli_write(lls_buf_view(&shown));
    if (context->out.stdout_is_tty)
        (void)fputc('\n', stdout);
    return LLS_OK;
}

static const cli_option options[] = {
    {"version", CLI_OF_VERSION, 0, false, "N", "this version, if it is kept: see storage history"},
    {"key-base64", CLI_KEY_BASE64, 0, false, NULL, "KEY is Base64: for keys that are no text"},
    {0},
};

const cli_command cli_get = {
    .path = "storage get",
    .summary = "print the value of a record, exactly as it was stored",
    .description =
        "The bytes are written as they are; on a terminal a line end follows. With --output json\n"
        "the version and the times come along, and the value as a JSON string. An episode is "
        "printed as\n"
        "the JSON object that `storage put` and `storage import` take.",
    .words = "COMPONENT KEY",
    .min_words = 2,
    .max_words = 2,
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage get agent_state agent:chat:1\n"
                "llmspell storage get sessions session:42 --output json\n"
                "llmspell storage get agent_state agent:chat:1 --version 3\n",
    .run = run,
};
