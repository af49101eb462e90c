/* put.c - llmspell storage put */
#include "cli/args.h"
#include "cli/commands.h"
#include "cli/configure.h"
#include "cli/json.h"
#include "cli/output.h"
#include "cli/read_all.h"
#include "cli/scope.h"
#include "cli/units.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

static lls_err read_file(const char *path, lls_buf *value, lls_error *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    lls_err e;

    if (fd < 0)
        return lls_fail_sys(err, errno, "open '%s'", path);
    e = cli_read_all(fd, path, value, err);
    (void)close(fd);
    return e;
}

/* The value is an argument, "-" for stdin, or "@FILE". */
static lls_err read_value(cli_context *context, lls_buf *value, lls_error *err)
{
    const char *given = context->args.word_count > 2 ? context->args.words[2] : "-";

    value->max = LLS_VALUE_MAX;
    if (strcmp(given, "-") == 0) {
        if (isatty(STDIN_FILENO) == 1)
            cli_say(&context->out, "reading the value from the terminal; end it with Ctrl-D");
        return cli_read_all(STDIN_FILENO, "stdin", value, err);
    }
    if (given[0] == '@')
        return read_file(given + 1, value, err);
    lls_buf_add_text(value, given);
    return lls_buf_status(value, err);
}

static lls_err read_mode(cli_context *context, lls_record *record, lls_put_mode *mode,
                         lls_error *err)
{
    const char *const *values = context->args.values;
    int64_t ttl_usec;

    if (values[CLI_IF_ABSENT] && values[CLI_IF_VERSION])
        return cli_misuse(context, err, "--if-absent and --if-version exclude each other");
    *mode = values[CLI_IF_ABSENT]    ? LLS_PUT_CREATE
            : values[CLI_IF_VERSION] ? LLS_PUT_REPLACE
                                     : LLS_PUT_ANY;
    LLS_TRY(cli_args_number(context, CLI_IF_VERSION, &record->version, err));
    if (values[CLI_TTL]) {
        if (!cli_parse_duration(values[CLI_TTL], &ttl_usec))
            return cli_misuse(context, err, "option '--ttl' needs a time such as 30d, not '%s'",
                              values[CLI_TTL]);
        record->expires_usec = cli_now_usec() + ttl_usec;
    }
    return LLS_OK;
}

static lls_err print_json(const lls_record *record, lls_error *err)
{
    json_t *object = json_object();

    cli_json_set(object, "component", json_stringn(record->component.data, record->component.len));
    cli_json_set_bytes(object, "key", record->key);
    cli_json_set(object, "bytes", cli_json_count(record->value.len));
    cli_json_set(object, "expires", cli_json_time(record->expires_usec));
    return cli_json_print(object, err);
}

static lls_err run(cli_context *context, lls_error *err)
{
    LLS_AUTO(cli_config_ref) config = NULL;
    LLS_AUTO(cli_store_ref) store = NULL;
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) given = {0};
    LLS_AUTO(lls_buf) value = {0};
    const char *component = context->args.words[0];
    lls_record record = {.component = lls_str_of(component)};
    lls_put_mode mode = LLS_PUT_ANY;

    LLS_TRY(cli_args_key(context, context->args.words[1], &key, err));
    LLS_TRY(read_mode(context, &record, &mode, err));
    LLS_TRY(read_value(context, &given, err));
    LLS_TRY(lls_value_from_json(record.component, lls_buf_view(&given), &value, err));
    LLS_TRY(cli_open_store(context, component, LLS_OPEN_WRITE, &config, &store, err));
    record.key = lls_buf_view(&key);
    record.value = lls_buf_view(&value);
    LLS_TRY(lls_store_put(store, &record, mode, err));
    return context->out.format == CLI_JSON ? print_json(&record, err) : LLS_OK;
}

static const cli_option options[] = {
    {"key-base64", CLI_KEY_BASE64, 0, false, NULL, "KEY is Base64: for keys that are no text"},
    {"if-absent", CLI_IF_ABSENT, 0, false, NULL, "fail when there is such a record already"},
    {"if-version", CLI_IF_VERSION, 0, false, "N", "fail unless the record has this version"},
    {"ttl", CLI_TTL, 0, false, "TIME", "let it expire: 30d, 12h, 15m, 90s, 2w"},
    {0},
};

const cli_command cli_put = {
    .path = "storage put",
    .summary = "store a record",
    .description = "VALUE is the value itself, @FILE, or - for stdin, which is the default.\n"
                   "The record is durable when the command ends.",
    .words = "COMPONENT KEY [VALUE|-|@FILE]",
    .min_words = 2,
    .max_words = 3,
    .options = options,
    .takes_backend = true,
    .examples = "llmspell storage put agent_state agent:chat:1 '{\"mood\": \"good\"}'\n"
                "llmspell storage put sessions session:42 @session.json --ttl 30d\n"
                "llmspell storage put agent_state agent:chat:1 - --if-version 3 <state.json\n",
    .run = run,
};
