/** exit.h - the exit statuses, in one table. The manual page lists them. */
#ifndef CLI_EXIT_H
#define CLI_EXIT_H

#include <llmspell/error.h>

#define CLI_EXIT_FAILURE 1
#define CLI_EXIT_USAGE 2
#define CLI_EXIT_PIPE 141 /* 128 + SIGPIPE, what a shell reports when a reader went away */

int cli_exit_status(lls_err code);

/** The name of a failure in JSON: "not_found". */
const char *cli_exit_name(lls_err code);

#endif
