/* delete.c - llmspell storage delete */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/scope.h"

static lls_err print_json(const char *component, lls_bytes key, lls_error *err)
{
    json_t *object = json_object();

    cli_json_set(object, "component", json_string(component));
    cli_json_set_bytes(object, "key", key);
    cli_json_set(object, "deleted", json_true());
    return cli_json_print(object, err);
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_store_ref) store = NULL;
    LLS_AUTO(lls_buf) key = {0};
    const char *component = context->args.words[0];
    lls_err e;

    LLS_TRY(cli_args_key(context, context->args.words[1], &key, err));
    LLS_TRY(cli_open_store(context, component, LLS_OPEN_WRITE, &config, &store, err));
    e = lls_store_delete(store, lls_str_of(component), lls_buf_view(&key), err);
    if (e != LLS_OK)
        return cli_wrap_key(err, e, component, lls_buf_view(&key));
    if (context->out.format == CLI_JSON)
        return print_json(component, lls_buf_view(&key), err);
    return LLS_OK;
}

static const cli_option options[] = {
    {"key-base64", CLI_KEY_BASE64, 0, false, NULL, "KEY is Base64: for keys that are no text"},
    {0},
};

const cli_command cli_delete = {
    .path = "storage delete",
    .summary = "remove a record",
    .words = "COMPONENT KEY",
    .min_words = 2,
    .max_words = 2,
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage delete agent_state agent:chat:1\n",
    .run = run,
};
