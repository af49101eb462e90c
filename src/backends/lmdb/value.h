/**
 * value.h - the bytes of a record in LMDB: a header, then the value. docs/FORMATS.md, "LMDB".
 */
#ifndef LLS_BACKENDS_LMDB_VALUE_H
#define LLS_BACKENDS_LMDB_VALUE_H

#include "base/little.h"
#include "ports/kv.h"

enum { LMDB_HEADER_MAX = 40 };

/** How many bytes the record takes. */
size_t lmdb_value_size(const lls_kv_meta *meta, lls_bytes value);

/** Write them to `out`. */
void lmdb_value_encode(lls_bytes key, const lls_kv_meta *meta, lls_bytes value, uint8_t *out);

/**
 * Read the header and verify the checksum; `value` is a view into `stored`.
 *
 * Errors: LLS_E_CORRUPT, LLS_E_NEWER; the message names the key.
 */
lls_err lmdb_value_decode(lls_bytes key, lls_bytes stored, lls_kv_meta *meta, lls_bytes *value,
                          lls_error *err) LLS_CHECKED;

/** Whether it has expired, by its header alone; false when that makes no sense. */
bool lmdb_value_expired(lls_bytes stored, int64_t now_usec);

#endif
