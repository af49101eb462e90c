/**
 * rows.h - which rows of another program's database became which clean record: an index in memory,
 * made by one walk through the database. It holds keys, not values.
 */
#ifndef LLS_BACKENDS_SLED_ROWS_H
#define LLS_BACKENDS_SLED_ROWS_H

#include "backends/sled/kinds.h"
#include "backends/sled/name.h"
#include "backends/sled/reader.h"
#include "base/hash.h"

enum { SLED_COLLECTIONS = 3 };

/** A row that is a record, or a part of one. Texts are in the index. */
typedef struct sled_row {
    uint64_t raw_at; /* the row's key */
    uint64_t clean_at;
    uint32_t raw_len;
    uint32_t clean_len; /* 0: a part of another record */
    int64_t updated_usec;
    sled_kind kind;
    bool packed; /* a session that was MessagePack: rows about it go into it */
    bool lost;   /* another row became the record of this key: this one is not understood */
} sled_row;

/** A row whose key is too long for any key that this library keeps. */
typedef struct sled_long_row {
    lls_digest digest;
    size_t tree; /* number of the tree */
    uint64_t key_at;
    uint32_t key_len;
} sled_long_row;

typedef struct sled_rows {
    sled_row *rows; /**< In the order of the rows' keys. */
    size_t count;
    size_t cap;
    uint32_t *order[SLED_COLLECTIONS]; /**< Numbers of rows, in the order of the clean keys. */
    size_t counts[SLED_COLLECTIONS];
    sled_long_row *longs; /**< In the order of their digests. */
    size_t long_count;
    size_t long_cap;
    uint64_t unrecognised[SLED_KINDS]; /**< How many rows nobody understands, by kind. */
    uint64_t doubled;                  /**< Rows that are lost. */
    lls_buf keys;
} sled_rows;

/** Walk through `db`. Errors: LLS_E_CORRUPT, LLS_E_NOMEM. */
lls_err sled_rows_build(const sled_db *db, sled_rows *out, lls_error *err) LLS_CHECKED;
void sled_rows_fini(sled_rows *rows);

/** The number of the collection in `order`, or -1. */
int sled_rows_collection(lls_str coll);

lls_bytes sled_row_raw(const sled_rows *rows, const sled_row *row);
lls_bytes sled_row_clean(const sled_rows *rows, const sled_row *row);

/** The first place in `order[collection]` whose key is not less than `key`. */
size_t sled_rows_seek(const sled_rows *rows, int collection, lls_bytes key);

/** The row with this raw key, or NULL. */
const sled_row *sled_rows_find(const sled_rows *rows, lls_bytes raw);

#endif
