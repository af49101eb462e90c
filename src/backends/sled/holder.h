/** holder.h - who has a database open, told to the person who has to wait. */
#ifndef LLS_BACKENDS_SLED_HOLDER_H
#define LLS_BACKENDS_SLED_HOLDER_H

#include <llmspell/error.h>

/**
 * LLS_E_BUSY: "'PATH' is open in another program: process 123 (name)". Without the process where
 * the system does not tell.
 */
lls_err sled_holder_fail(int db, const char *path, lls_error *err);

#endif
