/** read_all.h - a whole file or pipe into a buffer. */
#ifndef CLI_READ_ALL_H
#define CLI_READ_ALL_H

#include <llmspell/bytes.h>

/** Append all that `fd` gives. `name` is for the message. Errors: LLS_E_FULL above `out->max`. */
lls_err cli_read_all(int fd, const char *name, lls_buf *out, lls_error *err) LLS_CHECKED;

#endif
