/**
 * writer.h - databases that are written. engine_open.c has it where the engine is built, and
 * engine_absent.c, which says what to do, where it is not.
 */
#ifndef LLS_BACKENDS_SLED_WRITER_H
#define LLS_BACKENDS_SLED_WRITER_H

#include "backends/sled/store.h"

/** Whether this build has the engine. */
bool sled_writer_is_built(void);

/**
 * Open a database of this library for writing, or make it. `found` is what the reader saw; NULL:
 * there is no database, or one with nothing in it.
 *
 * Owns: the caller closes `*out` with sled_writer_close. Errors: LLS_E_UNSUPPORTED without the
 * engine; LLS_E_BUSY while another has it open; LLS_E_INVALID for a folder with other things in it.
 */
lls_err sled_writer_open(const sled_options *conf, const sled_facts *found, lls_kv **out,
                         lls_error *err) LLS_CHECKED;
void sled_writer_close(lls_kv *kv);

/** Why a database of this library that was opened by the reader takes no write. */
lls_err sled_writer_refuse(const char *path, lls_error *err);

#endif
