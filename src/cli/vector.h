/** vector.h - an embedding as it is given on the command line. */
#ifndef CLI_VECTOR_H
#define CLI_VECTOR_H

#include <llmspell/embedding.h>

/**
 * Read a JSON array of numbers: `given` itself when it begins with '[', stdin for "-", else the
 * file of that name. The floats go into `floats`, `out` points to them.
 *
 * Errors: LLS_E_PARSE when it is no such array; LLS_E_IO and the like for the file.
 */
lls_err cli_read_vector(const char *given, lls_buf *floats, lls_embedding *out,
                        lls_error *err) LLS_CHECKED;

#endif
