/**
 * layout.h - how a database that this library made keeps spaces and records.
 *
 * The tree `llmspell:format` marks it. All the rest is in one tree, `llmspell:records`, because
 * the engine's batches are of one tree: so a batch over several spaces, and a stage that becomes
 * visible, are atomic. Each key there begins with a number of 8 bytes, big-endian. Number 0 is the
 * directory; a space has a number of its own, which the directory tells, and a record's key stands
 * behind the number of its space. docs/formats/sled.md has the bytes.
 */
#ifndef LLS_BACKENDS_SLED_LAYOUT_H
#define LLS_BACKENDS_SLED_LAYOUT_H

#include "ports/kv.h"

#define SLED_FORMAT_TREE "llmspell:format"
#define SLED_FORMAT_KEY "format" /* its value is the number, as decimal text */
#define SLED_FORMAT "1"
#define SLED_RECORDS_TREE "llmspell:records"

enum {
    SLED_HEADER = 33, /* bytes in front of a value */
    SLED_NUMBER = 8,  /* bytes in front of a key */
};

/** Replace `out` by the directory's key of a space; its value is the number. */
void sled_layout_space(lls_kv_space space, lls_buf *out);

/** The same of a stage of `run`. Without a collection: what the keys of its stages begin with. */
void sled_layout_stage(lls_str run, lls_kv_space space, lls_buf *out);

/** The same for a number whose records wait to be removed. With 0: what all such begin with. */
void sled_layout_dead(uint64_t number, lls_buf *out);

/** The same for the greatest number that was given out. */
void sled_layout_greatest(lls_buf *out);

/** Replace `out` by what `key` stands under. An empty key: what all of `number` begin with. */
void sled_layout_key(uint64_t number, lls_bytes key, lls_buf *out);

/** The key behind the number. Errors: LLS_E_CORRUPT when there is none. */
lls_err sled_layout_key_of(lls_bytes stored, lls_bytes *key, lls_error *err) LLS_CHECKED;

/** A number as a value of the directory. Errors: LLS_E_CORRUPT. */
lls_err sled_layout_number(lls_bytes value, uint64_t *out, lls_error *err) LLS_CHECKED;

/** Append header and value. */
void sled_layout_encode(const lls_kv_meta *meta, lls_bytes value, lls_buf *out);

/** Take `stored` apart; `value` is a view into it. Errors: LLS_E_CORRUPT naming the key. */
lls_err sled_layout_decode(lls_bytes key, lls_bytes stored, lls_kv_meta *meta, lls_bytes *value,
                           lls_error *err) LLS_CHECKED;

#endif
