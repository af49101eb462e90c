/* history.c - llmspell storage history */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/scope.h"
#include "cli/table.h"
#include "cli/units.h"

#include <inttypes.h>

/* Where the versions go: a table, or an array. */
typedef struct sink {
    cli_table *table;
    json_t *versions;
} sink;

static lls_err add(const sink *to, const lls_record *record, bool current, lls_error *err)
{
    LLS_AUTO(lls_buf) version = {0};
    LLS_AUTO(lls_buf) size = {0};
    LLS_AUTO(lls_buf) saved = {0};

    if (to->versions) {
        json_t *object = json_object();
        cli_json_set(object, "version", cli_json_count(record->version));
        cli_json_set(object, "bytes", cli_json_count(record->value.len));
        cli_json_set(object, "updated", cli_json_time(record->updated_usec));
        cli_json_set(object, "current", json_boolean(current));
        (void)json_array_append_new(to->versions, object);
        return LLS_OK;
    }
    lls_buf_printf(&version, "%" PRIu64, record->version);
    cli_add_bytes(&size, record->value.len);
    cli_add_time(&saved, record->updated_usec);
    return cli_table_add(to->table,
                         (const char *[]){lls_buf_cstr(&version), lls_buf_cstr(&size),
                                          lls_buf_cstr(&saved), current ? "current" : ""},
                         err);
}

static lls_err add_all(lls_store *store, lls_str component, lls_bytes key, const sink *to,
                       lls_error *err)
{
    LLS_AUTO(cli_list_ref) list = NULL;
    LLS_AUTO(lls_buf) value = {0};
    lls_record current = {0};
    lls_record record = {0};
    lls_err e;

    LLS_TRY(lls_store_get(store, component, key, &value, &current, err));
    current.value = lls_buf_view(&value);
    LLS_TRY(lls_store_history_open(store, component, key, &list, err));
    while ((e = lls_store_list_next(list, &record, err)) == LLS_OK)
        if (record.version < current.version) // the list was opened later
            LLS_TRY(add(to, &record, false, err));
    return e == LLS_END ? add(to, &current, true, err) : e;
}

static lls_err run(cli_context *context, lls_error *err)
{
    static const cli_column columns[] = {
        {"VERSION", CLI_RIGHT}, {"SIZE", CLI_RIGHT}, {"UPDATED", CLI_LEFT}, {"", CLI_LEFT}, {0}};
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_store_ref) store = NULL;
    LLS_AUTO(cli_table_ref) table = NULL;
    LLS_AUTO(lls_buf) key = {0};
    const char *component = context->args.words[0];
    bool as_json = context->out.format == CLI_JSON;
    sink to = {0};

    LLS_TRY(cli_args_key(context, context->args.words[1], &key, err));
    LLS_TRY(cli_open_store(context, component, LLS_OPEN_READ, &config, &store, err));
    if (!as_json)
        LLS_TRY(cli_table_open(columns, &context->out, &table, err));
    to.table = table;
    to.versions = as_json ? json_array() : NULL;
    lls_err e = add_all(store, lls_str_of(component), lls_buf_view(&key), &to, err);
    if (e != LLS_OK) {
        json_decref(to.versions);
        return cli_wrap_key(err, e, component, lls_buf_view(&key));
    }
    if (!as_json)
        return cli_table_print(table, err);
    json_t *object = json_object();
    cli_json_set(object, "component", json_string(component));
    cli_json_set_bytes(object, "key", lls_buf_view(&key));
    cli_json_set(object, "versions", to.versions);
    return cli_json_print(object, err);
}

static const cli_option options[] = {
    {"key-base64", CLI_KEY_BASE64, 0, false, NULL, "KEY is Base64: for keys that are no text"},
    {0},
};

const cli_command cli_history = {
    .path = "storage history",
    .summary = "list the versions of a record that are kept",
    .description =
        "Oldest first; the last one is the current one. Earlier versions are kept of the state of\n"
        "agents, as many as history in [storage.agent_state] of the configuration says; none\n"
        "unless it is set. `storage get --version` prints one of them.",
    .words = "COMPONENT KEY",
    .min_words = 2,
    .max_words = 2,
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage history agent_state agent:chat:1\n"
                "llmspell storage get agent_state agent:chat:1 --version 3\n",
    .run = run,
};
