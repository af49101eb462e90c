/**
 * layout.h - how a database that this library made keeps spaces and records.
 *
 * The tree `llmspell:format` marks it. Each space is a tree of its own, `llmspell:COLL:TENANT`; a
 * value is a header and the record's value. docs/formats/sled.md has the bytes.
 */
#ifndef LLS_BACKENDS_SLED_LAYOUT_H
#define LLS_BACKENDS_SLED_LAYOUT_H

#include "ports/kv.h"

#define SLED_FORMAT_TREE "llmspell:format"
#define SLED_FORMAT_KEY "format" /* its value is the number, as decimal text */
#define SLED_FORMAT "1"

enum { SLED_HEADER = 33 }; /* bytes in front of a value */

/** Replace `out` by the name of the tree of `space`. */
void sled_layout_tree(lls_kv_space space, lls_buf *out);

/** Append header and value. */
void sled_layout_encode(const lls_kv_meta *meta, lls_bytes value, lls_buf *out);

/** Take `stored` apart; `value` is a view into it. Errors: LLS_E_CORRUPT naming the key. */
lls_err sled_layout_decode(lls_bytes key, lls_bytes stored, lls_kv_meta *meta, lls_bytes *value,
                           lls_error *err) LLS_CHECKED;

#endif
