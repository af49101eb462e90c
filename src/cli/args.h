/** args.h - from argv to a command, its options and its words. */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli/command.h"

/**
 * Find the command that `argv` calls and read its options. `context->command` is set also on
 * failure, to the command or group where parsing stopped.
 *
 * Errors: LLS_E_INVALID, with `context->misused`. Texts point into `argv`, which is permuted.
 */
lls_err cli_args_parse(cli_context *context, int argc, char **argv, lls_error *err) LLS_CHECKED;

/** Record that the program was not called as it should be. Returns LLS_E_INVALID. */
lls_err cli_misuse(cli_context *context, lls_error *err, const char *fmt, ...) LLS_PRINTF(3, 4);

/** The whole number that `option` was given as. Not given: `*number` is left as it is. */
lls_err cli_args_number(cli_context *context, cli_option_id option, uint64_t *number,
                        lls_error *err) LLS_CHECKED;

/** Append the key that `word` says: as it is, or decoded with --key-base64. */
lls_err cli_args_key(cli_context *context, const char *word, lls_buf *key,
                     lls_error *err) LLS_CHECKED;

/** Put the component and the key before the message, and return `e`. */
lls_err cli_wrap_key(lls_error *err, lls_err e, const char *component, lls_bytes key);

/** A comma-separated list, cut into texts. Zeroed, it is empty. */
typedef struct cli_names {
    const char **names;
    size_t count;
    char *memory;
} cli_names;

/** Cut up `list`; NULL is empty. Owns: the caller frees `out` with cli_names_fini. */
lls_err cli_names_split(const char *list, cli_names *out, lls_error *err) LLS_CHECKED;
/** Add one more name, a constant, if it is not there. */
lls_err cli_names_add(cli_names *names, const char *name, lls_error *err) LLS_CHECKED;
void cli_names_fini(cli_names *names);

static inline void cli_names_auto(cli_names *names)
{
    cli_names_fini(names);
}

#endif
