/**
 * name.h - under which key a row that no component understands is carried along.
 *
 * A row of the default tree keeps its key, if that has 1 to LLS_KEY_MAX bytes and does not begin
 * with 0xff, and its value. Any other row has a key that begins with 0xff, in the order of trees
 * and keys as long as it fits, and its value stands in an envelope with the tree and the key.
 */
#ifndef LLS_BACKENDS_SLED_NAME_H
#define LLS_BACKENDS_SLED_NAME_H

#include "base/hash.h"
#include "ports/kv.h"

typedef enum sled_name {
    SLED_NAME_PLAIN, /**< The key itself. */
    SLED_NAME_TREE,  /**< ff 01, the tree (00 as 00 ff), 00 01, the key. */
    SLED_NAME_LONG,  /**< ff 02, then 16 bytes: a digest of tree and key. */
} sled_name;

sled_name sled_name_form(lls_bytes tree, lls_bytes key);

/** Replace `out` by the key under which the row is carried. */
void sled_name_write(lls_bytes tree, lls_bytes key, lls_buf *out);

/** The other way round for SLED_NAME_TREE: false when `name` is none. Both are replaced. */
bool sled_name_read(lls_bytes name, lls_buf *tree, lls_buf *key);

/** Append an envelope: 1, the lengths of tree and key (4 bytes each, little-endian), both, value.
 */
void sled_envelope_write(lls_bytes tree, lls_bytes key, lls_bytes value, lls_buf *out);

#endif
