#include "cli/args.h"

#include "cli/base64.h"
#include "cli/catalogue.h"
#include "cli/escape.h"
#include "cli/scope.h"
#include "cli/suggest.h"
#include "cli/units.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>

#define OPTIONS_MAX 32    /* of one command; the longest list has 16 */
#define GETOPT_BASE 0x100 /* above every letter: what getopt_long returns for long options */

lls_err cli_misuse(cli_context *context, lls_error *err, const char *fmt, ...)
{
    char message[LLS_ERROR_MSG_MAX];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    context->misused = true;
    return lls_fail(err, LLS_E_INVALID, "%s", message);
}

/* The tables that getopt_long takes, made from those of a command. */
typedef struct getopt_tables {
    struct option longs[OPTIONS_MAX + 1];
    char letters[2 * OPTIONS_MAX + 3];
} getopt_tables;

static void make_tables(const cli_command *command, getopt_tables *tables)
{
    const cli_option *option;
    size_t letters = 0;

    // '+': what a group is given ends at the name of a command, whose options are not known yet.
    if (!command->run)
        tables->letters[letters++] = '+';
    tables->letters[letters++] = ':';
    for (size_t i = 0; i < OPTIONS_MAX && (option = cli_command_option_at(command, i)); i++) {
        tables->longs[i] = (struct option){
            .name = option->name,
            .has_arg = option->argument ? required_argument : no_argument,
            .val = GETOPT_BASE + (int)i,
        };
        if (option->letter) {
            tables->letters[letters++] = option->letter;
            if (option->argument)
                tables->letters[letters++] = ':';
        }
    }
}

static const cli_option *option_of_letter(const cli_command *command, int letter)
{
    const cli_option *option;

    for (size_t i = 0; (option = cli_command_option_at(command, i)) != NULL; i++)
        if (option->letter == letter)
            return option;
    return NULL;
}

static lls_err unknown_option(cli_context *context, const char *given, lls_error *err)
{
    char name[64];
    cli_suggestion nearest = {.word = name};
    const cli_option *option;

    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(given + 2, "="), given + 2);
    for (size_t i = 0; (option = cli_command_option_at(context->command, i)) != NULL; i++)
        cli_suggest(&nearest, option->name);
    if (nearest.nearest)
        return cli_misuse(context, err, "unknown option '--%s'; did you mean '--%s'?", name,
                          nearest.nearest);
    return cli_misuse(context, err, "unknown option '--%s'", name);
}

/* What getopt_long returned is no option: say why. */
static lls_err bad_option(cli_context *context, int got, char **argv, lls_error *err)
{
    const cli_option *option = NULL;

    if (optopt >= GETOPT_BASE)
        option = cli_command_option_at(context->command, (size_t)(optopt - GETOPT_BASE));
    if (got == ':')
        return cli_misuse(context, err, "option '%s' needs a value",
                          option ? argv[optind - 1] : (char[]){'-', (char)optopt, '\0'});
    if (option)
        return cli_misuse(context, err, "option '--%s' takes no value", option->name);
    if (optopt)
        return cli_misuse(context, err, "unknown option '-%c'", optopt);
    return unknown_option(context, argv[optind - 1], err);
}

/*
 * Read the options of `context->command`. `*used` is how much of argv that took. After a mistake
 * the others are read all the same: they say how to complain.
 */
static lls_err read_options(cli_context *context, int argc, char **argv, int *used, lls_error *err)
{
    getopt_tables tables = {0};
    lls_err e = LLS_OK;
    int got;

    make_tables(context->command, &tables);
    optind = 0; // begin anew: getopt_long is called once for each word of the command
    opterr = 0;
    while ((got = getopt_long(argc, argv, tables.letters, tables.longs, NULL)) != -1) {
        const cli_option *option =
            got >= GETOPT_BASE
                ? cli_command_option_at(context->command, (size_t)(got - GETOPT_BASE))
                : option_of_letter(context->command, got);

        if (got != ':' && got != '?' && option)
            context->args.values[option->id] = option->argument ? optarg : "";
        else if (e == LLS_OK)
            e = bad_option(context, got, argv, err);
    }
    *used = optind;
    return e;
}

static lls_err unknown_command(cli_context *context, const char *word, lls_error *err)
{
    const cli_command *group = context->command;
    cli_suggestion nearest = {.word = word};
    const cli_command *command;
    const char *last;

    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        if (cli_command_is_in(command, group, &last))
            cli_suggest(&nearest, last);
    if (nearest.nearest)
        return cli_misuse(context, err, "unknown command '%s'; did you mean '%s'?", word,
                          nearest.nearest);
    return cli_misuse(context, err, "unknown command '%s'", word);
}

static lls_err check_complete(cli_context *context, lls_error *err)
{
    const cli_command *command = context->command;
    const cli_args *args = &context->args;

    for (const cli_option *option = command->options; option && option->name; option++)
        if (option->required && !args->values[option->id])
            return cli_misuse(context, err, "missing option '--%s %s'", option->name,
                              option->argument);
    if (args->word_count < command->min_words)
        return cli_misuse(context, err, "missing argument: %s", command->words);
    if (args->word_count > command->max_words)
        return cli_misuse(context, err, "unexpected argument '%s'",
                          args->words[command->max_words]);
    return LLS_OK;
}

static bool wants_no_command(const cli_args *args)
{
    return args->values[CLI_HELP] || args->values[CLI_VERSION];
}

lls_err cli_args_parse(cli_context *context, int argc, char **argv, lls_error *err)
{
    cli_args *args = &context->args;
    int used;

    context->command = cli_command_at(0);
    while (!context->command->run) {
        const cli_command *next;

        LLS_TRY(read_options(context, argc, argv, &used, err));
        if (wants_no_command(args))
            return LLS_OK;
        if (used >= argc)
            return cli_misuse(context, err, "missing command");
        next = cli_command_find(context->command, argv[used]);
        if (!next)
            return unknown_command(context, argv[used], err);
        context->command = next;
        argc -= used;
        argv += used;
    }
    LLS_TRY(read_options(context, argc, argv, &used, err));
    args->words = argv + used;
    args->word_count = (size_t)(argc - used);
    return wants_no_command(args) ? LLS_OK : check_complete(context, err);
}

lls_err cli_args_number(cli_context *context, cli_option_id id, uint64_t *number, lls_error *err)
{
    const char *given = context->args.values[id];
    const cli_option *option = context->command->options;

    if (!given || cli_parse_number(given, number))
        return LLS_OK;
    while (option->id != id)
        option++;
    return cli_misuse(context, err, "option '--%s' needs a whole number, not '%s'", option->name,
                      given);
}

lls_err cli_args_key(cli_context *context, const char *word, lls_buf *key, lls_error *err)
{
    if (!context->args.values[CLI_KEY_BASE64])
        lls_buf_add_text(key, word);
    else if (!cli_base64_decode(word, key))
        return cli_misuse(context, err, "not Base64: '%s'", word);
    return lls_buf_status(key, err);
}

lls_err cli_wrap_key(lls_error *err, lls_err e, const char *component, lls_bytes key)
{
    LLS_AUTO(lls_buf) shown = {0};

    cli_escape(key, &shown);
    return lls_wrap(err, e, "%s '%s'", component, lls_buf_cstr(&shown));
}
