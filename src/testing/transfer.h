/** transfer.h - imports from a text and exports into one, for tests. */
#ifndef LLS_TESTING_TRANSFER_H
#define LLS_TESTING_TRANSFER_H

#include "testing/check.h"

#include <llmspell/transfer.h>

/** An open file without a name; the caller closes it. */
int lls_temporary_file(void);

/** lls_import of `text`. */
lls_err lls_import_text(lls_store *store, lls_str component, lls_bytes text,
                        const lls_transfer_options *options, uint64_t *records, lls_error *err);

/** Assert that an export gives exactly `want`, and counts its lines. */
void lls_assert_export(lls_store *store, lls_str component, const lls_transfer_options *options,
                       lls_bytes want);

#endif
