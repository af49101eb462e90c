/**
 * command.h - what a command of the program is: its words, its options, its help and what it does.
 *
 * Each command is one table in a file of its own. Parsing, --help, the completions and the check of
 * the manual pages all read that table, so they cannot say different things.
 */
#ifndef CLI_COMMAND_H
#define CLI_COMMAND_H

#include <llmspell/storage.h>

/** What an option means to the commands; two options of one id are two names for one thing. */
typedef enum cli_option_id {
    CLI_HELP,
    CLI_VERSION,
    CLI_TABLE,
    CLI_CONFIG,
    CLI_TENANT,
    CLI_BACKEND,
    CLI_PATH,
    CLI_CONNECTION,
    CLI_FORMAT,
    CLI_QUIET,
    CLI_COLOR,
    CLI_FROM,
    CLI_TO,
    CLI_COMPONENTS,
    CLI_FILE,
    CLI_FROM_PATH,
    CLI_TO_PATH,
    CLI_FROM_CONNECTION,
    CLI_TO_CONNECTION,
    CLI_BATCH_SIZE,
    CLI_BACKUP_PATH,
    CLI_PLAN,
    CLI_DRY_RUN,
    CLI_FORCE,
    CLI_BACKUP,
    CLI_KEY_BASE64,
    CLI_IF_ABSENT,
    CLI_IF_VERSION,
    CLI_TTL,
    CLI_PREFIX,
    CLI_AFTER,
    CLI_LIMIT,
    CLI_LONG,
    CLI_KEEP_EXISTING,
    CLI_FULL,
    CLI_ORIGIN,
    CLI_VECTOR,
    CLI_MODEL,
    CLI_LIKE,
    CLI_SESSION,
    CLI_ROLE,
    CLI_WHERE,
    CLI_SINCE,
    CLI_UNTIL,
    CLI_UNPROCESSED,
    CLI_WITHIN,
    CLI_EXACT,
    CLI_RECALL,
    CLI_FILE_FORMAT,
    CLI_INCLUDE_UNKNOWN,
    CLI_METRIC,
    CLI_OF_VERSION,
    CLI_OPTION_COUNT,
} cli_option_id;

/** One option. A list of them ends with one that has no name. */
typedef struct cli_option {
    const char *name; /**< "from" for --from. */
    cli_option_id id;
    char letter;          /**< 'c' for -c; 0: none. */
    bool required;        /**< The command cannot do without. */
    const char *argument; /**< What --help calls it, "text|json" for a choice; NULL: a switch. */
    const char *meaning;  /**< One line. */
} cli_option;

/** The options and words of one call. The texts are argv's. */
typedef struct cli_args {
    const char *values[CLI_OPTION_COUNT]; /**< NULL: not given. A switch that was given is "". */
    char **words;
    size_t word_count;
} cli_args;

typedef enum cli_format {
    CLI_TEXT,
    CLI_JSON,
} cli_format;

/** How this call talks: decided once, from the options, the environment and the terminal. */
typedef struct cli_output {
    cli_format format;
    bool quiet;
    bool utf8;
    bool color;         /**< For messages, which go to stderr. */
    bool color_results; /**< For results, which go to stdout. */
    bool stdout_is_tty;
    bool stderr_is_tty; /**< And one that can move its cursor. */
    const char *tick;   /**< "✓", or what stands for it in ASCII; so are the next. */
    const char *arrow;
    const char *micro;
} cli_output;

typedef struct cli_command cli_command;

/** All that a command gets to know. */
typedef struct cli_context {
    const cli_command *command;
    cli_args args;
    cli_output out;
    bool misused; /**< The failure is in how the program was called: exit status 2. */
    lls_buf hint; /**< Advice for this very failure; empty: hint.c knows a general one, or none. */
} cli_context;

typedef lls_err (*cli_run)(cli_context *context, lls_error *err);

/** A command, or a group of commands, which has no `run`. */
struct cli_command {
    const char *path;        /**< "storage migrate plan"; "" is the program. */
    const char *summary;     /**< One line, no final stop. */
    const char *description; /**< Paragraphs for --help, or NULL. */
    const char *words;       /**< "COMPONENT KEY", or NULL. */
    size_t min_words;
    size_t max_words;
    const cli_option *options; /**< NULL: none of its own. */
    bool takes_backend;        /**< --backend, --path and --connection choose the store. */
    const char *examples;      /**< Lines, for --help and the manual page. */
    cli_run run;
};

extern const cli_option cli_global_options[];  /**< Every command takes them. */
extern const cli_option cli_backend_options[]; /**< Those with `takes_backend` do. */

#endif
