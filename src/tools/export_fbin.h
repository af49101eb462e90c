/** export_fbin.h - the vectors of one space as an .fbin file, in the order of their ids. */
#ifndef LLS_TOOLS_EXPORT_FBIN_H
#define LLS_TOOLS_EXPORT_FBIN_H

#include <llmspell/transfer.h>

/**
 * Write the vectors of the space `options->model` to `fd`, which can be sought.
 *
 * Errors: LLS_E_UNSUPPORTED for a pipe, and when the unnamed spaces have several dimensions.
 */
lls_err lls_export_fbin(lls_store *store, lls_str component, int fd,
                        const lls_transfer_options *options, uint64_t *rows,
                        lls_error *err) LLS_CHECKED;

#endif
