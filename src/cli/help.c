#include "cli/help.h"

#include "cli/args.h"
#include "cli/catalogue.h"
#include "cli/commands.h"
#include "cli/scope.h"

#include <ctype.h>
#include <stdio.h>

#define MEANING_COLUMN 30

static void heading(const char *text, const cli_output *out)
{
    printf(out->color_results ? "\n\033[1m%s:\033[0m\n" : "\n%s:\n", text);
}

static void print_synopsis(const cli_command *command)
{
    printf("Usage: llmspell%s%s", command->path[0] ? " " : "", command->path);
    for (const cli_option *option = command->options; option && option->name; option++)
        if (option->required)
            printf(" --%s %s", option->name, option->argument);
    printf(" [OPTION]...");
    if (!command->run)
        printf(" COMMAND");
    else if (command->words)
        printf(" %s", command->words);
    printf("\n\n%c%s.\n", toupper((unsigned char)command->summary[0]), command->summary + 1);
    if (command->description)
        printf("\n%s\n", command->description);
}

static void print_option(const cli_option *option)
{
    char name[64];
    int len;

    if (option->letter)
        len = snprintf(name, sizeof name, "  -%c, --%s", option->letter, option->name);
    else
        len = snprintf(name, sizeof name, "      --%s", option->name);
    if (option->argument && len > 0 && (size_t)len < sizeof name)
        len += snprintf(name + len, sizeof name - (size_t)len, " %s", option->argument);
    if (len >= MEANING_COLUMN)
        printf("%s\n%*s%s\n", name, MEANING_COLUMN, "", option->meaning);
    else
        printf("%-*s%s\n", MEANING_COLUMN, name, option->meaning);
}

static void print_options(const cli_command *command, const cli_option *list, const char *title,
                          const cli_output *out)
{
    const cli_option *option;
    bool begun = false;

    for (size_t i = 0; (option = cli_command_option_at(command, i)) != NULL; i++) {
        bool listed = false;

        for (const cli_option *one = list; one && one->name; one++)
            listed = listed || one == option;
        if (listed && !begun)
            heading(title, out);
        if (listed)
            print_option(option);
        begun = begun || listed;
    }
}

static void print_commands(const cli_command *group, const cli_output *out)
{
    const cli_command *command;
    const char *word;

    heading("Commands", out);
    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++)
        if (cli_command_is_in(command, group, &word))
            printf("  %-12s%s\n", word, command->summary);
}

static void print_examples(const char *examples, const cli_output *out)
{
    heading("Examples", out);
    while (*examples) {
        size_t len = strcspn(examples, "\n");

        printf("  %.*s\n", (int)len, examples);
        examples += len + (examples[len] == '\n');
    }
}

void cli_help_print(const cli_command *command, const cli_output *out)
{
    print_synopsis(command);
    if (!command->run)
        print_commands(command, out);
    print_options(command, command->options, "Options", out);
    if (command->takes_backend)
        print_options(command, cli_backend_options, "Where the store is", out);
    print_options(command, cli_global_options, "Options of every command", out);
    print_examples(command->examples, out);
    printf("\nThe manual: man llmspell-storage\n");
}

/* What the completions and the check of the manual are made from: one option a line. */
static void print_table(void)
{
    const cli_command *command;
    const cli_option *option;

    for (size_t i = 0; (command = cli_command_at(i)) != NULL; i++) {
        printf("command\t%s\t%s\t%s\t%s\n", command->path, command->run ? "run" : "group",
               command->words ? command->words : "-", command->summary);
        for (size_t j = 0; (option = cli_command_option_at(command, j)) != NULL; j++)
            printf("option\t%s\t--%s\t%c\t%s\t%s\n", command->path, option->name,
                   option->letter ? option->letter : '-', option->argument ? option->argument : "-",
                   option->meaning);
    }
}

static lls_err run_help(cli_context *context, lls_error *err)
{
    const cli_command *command = cli_command_at(0);

    if (context->args.values[CLI_TABLE]) {
        print_table();
        return LLS_OK;
    }
    for (size_t i = 0; i < context->args.word_count; i++) {
        command = cli_command_find(command, context->args.words[i]);
        if (!command)
            return cli_misuse(context, err, "there is no help for '%s'", context->args.words[i]);
    }
    cli_help_print(command, &context->out);
    return LLS_OK;
}

static const cli_option options[] = {
    {"table", CLI_TABLE, 0, false, NULL, "print every command and option, for scripts"},
    {0},
};

const cli_command cli_help_command = {
    .path = "help",
    .summary = "print the help of a command",
    .words = "[COMMAND]...",
    .max_words = 8,
    .options = options,
    .examples = "llmspell help storage migrate plan\n",
    .run = run_help,
};
