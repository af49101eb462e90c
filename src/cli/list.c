/* list.c - llmspell storage list */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/escape.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/scope.h"
#include "cli/table.h"
#include "cli/units.h"

#include <inttypes.h>
#include <stdio.h>

/* One way to print a listing: what comes first, each record, what comes last. */
typedef struct listing {
    cli_context *context;
    const char *component;
    cli_table *table; /* --long in text; NULL otherwise */
    uint64_t printed;
} listing;

static lls_err print_key(const listing *list, lls_bytes key, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    if (!list->context->out.stdout_is_tty) {
        cli_write(key);
    } else {
        cli_escape(key, &shown);
        LLS_TRY(lls_buf_status(&shown, err));
        cli_write(lls_buf_view(&shown));
    }
    cli_write(lls_bytes_of(LLS_STR("\n")));
    return LLS_OK;
}

static lls_err add_row(const listing *list, const lls_record *record, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) version = {0};
    LLS_AUTO(lls_buf) size = {0};
    LLS_AUTO(lls_buf) updated = {0};
    LLS_AUTO(lls_buf) expires = {0};

    cli_escape_cell(record->key, &key);
    lls_buf_printf(&version, "%" PRIu64, record->version);
    cli_add_bytes(&size, record->value.len);
    cli_add_time(&updated, record->updated_usec);
    if (record->expires_usec != 0)
        cli_add_time(&expires, record->expires_usec);
    LLS_TRY(lls_buf_status(&key, err));
    return cli_table_add(list->table,
                         (const char *[]){lls_buf_cstr(&key), lls_buf_cstr(&version),
                                          lls_buf_cstr(&size), lls_buf_cstr(&updated),
                                          lls_buf_cstr(&expires)},
                         err);
}

static lls_err print_element(const listing *list, const lls_record *record, lls_error *err)
{
    json_t *object = json_object();

    cli_json_set_bytes(object, "key", record->key);
    cli_json_set(object, "version", cli_json_count(record->version));
    cli_json_set(object, "bytes", cli_json_count(record->value.len));
    cli_json_set(object, "created", cli_json_time(record->created_usec));
    cli_json_set(object, "updated", cli_json_time(record->updated_usec));
    cli_json_set(object, "expires", cli_json_time(record->expires_usec));
    cli_write(lls_bytes_of(list->printed > 0 ? LLS_STR(",\n    ") : LLS_STR("\n    ")));
    return cli_json_print_element(object, err);
}

static lls_err print_one(const listing *list, const lls_record *record, lls_error *err)
{
    if (list->context->out.format == CLI_JSON)
        return print_element(list, record, err);
    if (list->table)
        return add_row(list, record, err);
    return print_key(list, record->key, err);
}

static lls_err print_all(listing *list, lls_store_list *records, uint64_t limit, lls_error *err)
{
    lls_record record = {0};
    lls_err e = LLS_OK;

    while (list->printed < limit && !cli_output_failed() &&
           (e = lls_store_list_next(records, &record, err)) == LLS_OK) {
        LLS_TRY(print_one(list, &record, err));
        list->printed++;
    }
    return e == LLS_END ? LLS_OK : e;
}

/* The listing is not built in memory, so its JSON is written around it by hand. */
static lls_err print_framed(listing *list, lls_store_list *records, uint64_t limit, lls_error *err)
{
    if (list->context->out.format == CLI_JSON)
        printf("{\n  \"component\": \"%s\",\n  \"records\": [", list->component);
    LLS_TRY(print_all(list, records, limit, err));
    if (list->context->out.format == CLI_JSON)
        printf("\n  ]\n}\n");
    return list->table ? cli_table_print(list->table, err) : LLS_OK;
}

static lls_err run(cli_context *context, lls_error *err)
{
    static const cli_column columns[] = {{"KEY", CLI_LEFT},     {"VERSION", CLI_RIGHT},
                                         {"SIZE", CLI_RIGHT},   {"UPDATED", CLI_LEFT},
                                         {"EXPIRES", CLI_LEFT}, {0}};
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_store_ref) store = NULL;
    LLS_AUTO(cli_list_ref) records = NULL;
    LLS_AUTO(cli_table_ref) table = NULL;
    LLS_AUTO(lls_buf) prefix = {0};
    LLS_AUTO(lls_buf) after = {0};
    const char *const *values = context->args.values;
    listing list = {.context = context, .component = context->args.words[0]};
    uint64_t limit = UINT64_MAX;

    LLS_TRY(cli_args_number(context, CLI_LIMIT, &limit, err));
    if (values[CLI_PREFIX])
        LLS_TRY(cli_args_key(context, values[CLI_PREFIX], &prefix, err));
    if (values[CLI_AFTER])
        LLS_TRY(cli_args_key(context, values[CLI_AFTER], &after, err));
    LLS_TRY(cli_open_store(context, list.component, LLS_OPEN_READ, &config, &store, err));
    LLS_TRY(lls_store_list_open(store, lls_str_of(list.component), lls_buf_view(&prefix),
                                lls_buf_view(&after), &records, err));
    if (values[CLI_LONG] && context->out.format == CLI_TEXT)
        LLS_TRY(cli_table_open(columns, &context->out, &table, err));
    list.table = table;
    return print_framed(&list, records, limit, err);
}

static const cli_option options[] = {
    {"prefix", CLI_PREFIX, 0, false, "PREFIX", "only keys that begin with this"},
    {"after", CLI_AFTER, 0, false, "KEY", "begin behind this key, the last of the page before"},
    {"limit", CLI_LIMIT, 0, false, "N", "print at most so many"},
    {"long", CLI_LONG, 0, false, NULL, "with version, size and times"},
    {"key-base64", CLI_KEY_BASE64, 0, false, NULL, "the values of --prefix and --after are Base64"},
    {0},
};

const cli_command cli_list = {
    .path = "storage list",
    .summary = "print the keys of a component, in byte order",
    .description = "On a terminal, bytes that are no printable text are shown as \\xHH; elsewhere "
                   "each key is\n"
                   "written as it is, with a line end.",
    .words = "COMPONENT",
    .min_words = 1,
    .max_words = 1,
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage list sessions --limit 20\n"
                "llmspell storage list agent_state --prefix agent:chat: --long\n",
    .run = run,
};
