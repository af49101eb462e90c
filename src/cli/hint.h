/** hint.h - advice. The library says what happened; what to do about it is said here. */
#ifndef CLI_HINT_H
#define CLI_HINT_H

#include "cli/command.h"

/** What to do about `err`, or NULL. Lives as long as `context`. */
const char *cli_hint(cli_context *context, const lls_error *err);

#endif
