/**
 * history.h - earlier versions of a record: each is a record of its own, under the key
 * `<key>@<version>` with the version in 20 digits, and with the version and the times that it had.
 *
 * A version is put there in the same apply that replaces it, and those that are too old leave in
 * that apply as well. A record that is deleted takes its history along.
 */
#ifndef LLS_STORE_HISTORY_H
#define LLS_STORE_HISTORY_H

#include "ports/kv.h"

enum { LLS_HISTORY_SUFFIX = 21 }; /**< '@' and the digits. */

/** Append the key of an earlier version. */
void lls_history_key(lls_bytes key, uint64_t version, lls_buf *out);

/** Take such a key apart. False: it is none. */
bool lls_history_split(lls_bytes history_key, lls_bytes *key, uint64_t *version);

#endif
