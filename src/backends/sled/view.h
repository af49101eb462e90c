/** view.h - the key/value port over the reader, for databases that this library made. */
#ifndef LLS_BACKENDS_SLED_VIEW_H
#define LLS_BACKENDS_SLED_VIEW_H

#include "backends/sled/reader.h"
#include "ports/kv.h"

/** Whether the database has the mark of this library. */
bool sled_view_is_ours(const sled_db *db);

/**
 * Open the records of `db`, which stays the caller's and outlives `*out`.
 *
 * Owns: the caller closes `*out` with sled_view_close. Errors: LLS_E_NEWER for another format.
 */
lls_err sled_view_open(const sled_db *db, lls_kv **out, lls_error *err) LLS_CHECKED;
void sled_view_close(lls_kv *kv); /**< NULL is fine. */

#endif
