/**
 * output.h - results go to stdout, everything else to stderr: what a script reads is never mixed
 * with what a person is told.
 */
#ifndef CLI_OUTPUT_H
#define CLI_OUTPUT_H

#include "cli/command.h"

/** Decide how to talk. Errors: LLS_E_INVALID for a --output or --color that there is not. */
lls_err cli_output_init(cli_output *out, const cli_args *args, lls_error *err) LLS_CHECKED;

/** A line for the person, on stderr; nothing with --quiet, and in JSON nothing either. */
void cli_say(const cli_output *out, const char *fmt, ...) LLS_PRINTF(2, 3);

/** A warning, on stderr, also with --quiet; in JSON it is in the result instead. */
void cli_warn(const cli_output *out, const char *fmt, ...) LLS_PRINTF(2, 3);

/** The one message of a call that failed, and advice unless `hint` is NULL. */
void cli_complain(const cli_output *out, const lls_error *err, const char *hint);

/** Bytes to stdout as they are. What could not be written is noticed by cli_output_finish. */
void cli_write(lls_bytes bytes);

/** Flush stdout. Errors: LLS_E_IO, with `sys`, when any of the results did not get there. */
lls_err cli_output_finish(lls_error *err) LLS_CHECKED;

/** Whether stdout takes no more: a reader went away, or the disk is full. */
bool cli_output_failed(void);

#endif
