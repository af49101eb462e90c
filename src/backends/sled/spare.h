/**
 * spare.h - the walk over what no component understands, in the order of the keys under which it is
 * carried: rows of the default tree under their own key, then those of other trees, then those
 * with keys that are too long.
 */
#ifndef LLS_BACKENDS_SLED_SPARE_H
#define LLS_BACKENDS_SLED_SPARE_H

#include "backends/sled/rows.h"

typedef struct sled_spare sled_spare;

/** Begin at the first key that is not less than `from`. Owns: close with sled_spare_close. */
lls_err sled_spare_open(const sled_db *db, const sled_rows *rows, lls_bytes from, sled_spare **out,
                        lls_error *err) LLS_CHECKED;

/** LLS_OK with an entry whose views live until the next call, LLS_END, or a failure. */
lls_err sled_spare_next(sled_spare *spare, lls_bytes *key, lls_bytes *value,
                        lls_error *err) LLS_CHECKED;
void sled_spare_close(sled_spare *spare); /**< NULL is fine. */

/** Append the value that is carried under `key`. Errors: LLS_E_NOTFOUND; LLS_E_CORRUPT. */
lls_err sled_spare_get(const sled_db *db, const sled_rows *rows, lls_bytes key, lls_buf *out,
                       lls_error *err) LLS_CHECKED;

#endif
