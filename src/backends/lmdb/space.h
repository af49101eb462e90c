/**
 * space.h - which number the records of a collection of a tenant stand under, and what is kept
 * about numbers that are staged or dead. docs/FORMATS.md, "LMDB".
 *
 * A number is given out once and never again. Whoever changes what a collection holds as a whole
 * changes its number, in one small write; the records of the old one are collected afterwards.
 */
#ifndef LLS_BACKENDS_LMDB_SPACE_H
#define LLS_BACKENDS_LMDB_SPACE_H

#include "backends/lmdb/env.h"
#include "base/big.h"

enum { LMDB_KEY_MAX = 4 + LLS_KEY_MAX };

/* Keys of records begin with this and the number of their space, so that they stand behind the
 * names of the tables, and new spaces grow at the end. */
#define LMDB_RECORD 0x80000000U

/** What `spaces` says of one (tenant, collection). */
typedef struct lmdb_space {
    uint32_t id;
    uint32_t watchers; /* prepared stages that count on `changes` */
    uint64_t changes;  /* writes since there are watchers */
} lmdb_space;

/** Find the entry in a transaction. LLS_E_NOTFOUND without a message when there is none. */
lls_err lmdb_space_find(lmdb_env *env, MDB_txn *txn, lls_kv_space space, lmdb_space *out,
                        lls_error *err) LLS_CHECKED;

/** The number alone, from the reader's memory if nothing was written since it looked. */
lls_err lmdb_space_id(lmdb_env *env, lmdb_reader *reader, lls_kv_space space, uint32_t *out,
                      lls_error *err) LLS_CHECKED;

lls_err lmdb_space_store(lmdb_txn *txn, lls_kv_space space, const lmdb_space *entry,
                         lls_error *err) LLS_CHECKED;
lls_err lmdb_space_remove(lmdb_txn *txn, lls_kv_space space, lls_error *err) LLS_CHECKED;

/** Give out the next number. */
lls_err lmdb_space_new_id(lmdb_txn *txn, uint32_t *out, lls_error *err) LLS_CHECKED;

/** Leave the records of `id` to be collected. 0 is fine. */
lls_err lmdb_space_bury(lmdb_txn *txn, uint32_t id, lls_error *err) LLS_CHECKED;

/* `meta` holds: "format", "next", "dead" NUL id (4 bytes), "stage" NUL run NUL tenant NUL coll. */
#define LMDB_META_FORMAT "format"
#define LMDB_META_NEXT "next"
#define LMDB_META_DEAD "dead\0"
#define LMDB_META_STAGE "stage\0"
enum { LMDB_META_DEAD_LEN = 5, LMDB_META_STAGE_LEN = 6 };

/** Write a number of `meta`; `flags` are those of mdb_put. Gives what LMDB says. */
int lmdb_meta_set(lmdb_env *env, MDB_txn *txn, const char *name, uint32_t number, unsigned flags);

/** The first `len` bytes of a text, as LMDB wants them. */
static inline MDB_val lmdb_text(const char *text, size_t len)
{
    return (MDB_val){len, (void *)(uintptr_t)text};
}

/** Write `id` and `key`, of LLS_KEY_MAX bytes at most, to `out`, which has LMDB_KEY_MAX. */
static inline MDB_val lmdb_key_make(uint8_t *out, uint32_t id, lls_bytes key)
{
    lls_big_set_u32(out, LMDB_RECORD | id);
    if (key.len)
        memcpy(out + 4, key.data, key.len);
    return (MDB_val){4 + key.len, out};
}

/** The number of the space that a stored key is of; 0: it is no record's. */
static inline uint32_t lmdb_key_space(const MDB_val *key)
{
    uint32_t head = key->mv_size >= 4 ? lls_big_get_u32(key->mv_data) : 0;

    return head & LMDB_RECORD ? head ^ LMDB_RECORD : 0;
}

/** Whether a stored key is of the space `id`. */
static inline bool lmdb_key_is_of(const MDB_val *key, uint32_t id)
{
    return key->mv_size >= 4 && lls_big_get_u32(key->mv_data) == (LMDB_RECORD | id);
}

/** The key as the port knows it. */
static inline lls_bytes lmdb_key_of(const MDB_val *key)
{
    return (lls_bytes){(const uint8_t *)key->mv_data + 4, key->mv_size - 4};
}

static inline lls_bytes lmdb_bytes(const MDB_val *val)
{
    return (lls_bytes){val->mv_data, val->mv_size};
}

#endif
