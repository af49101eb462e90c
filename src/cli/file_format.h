/** file_format.h - the options of import and export that say what a file is like. */
#ifndef CLI_FILE_FORMAT_H
#define CLI_FILE_FORMAT_H

#include "cli/command.h"

/** --file-format, --model and --metric into `options`. Errors: LLS_E_INVALID for another one. */
lls_err cli_read_file_format(cli_context *context, lls_transfer_options *options,
                             lls_error *err) LLS_CHECKED;

#endif
