/**
 * convert.c - a store of format 1 becomes one of format 2. There each collection had a named table
 * of its own, "kv:" and its name, whose keys are those of today without LMDB_RECORD.
 *
 * All happens in one transaction: whatever ends it leaves the store as it was.
 */
#include "backends/lmdb/open.h"

#include "backends/lmdb/space.h"
#include "base/scope.h"

#include <errno.h>
#include <stdio.h>

#define TABLE "kv:"
enum { TABLE_LEN = 3, TABLE_NAME_MAX = TABLE_LEN + LLS_COLL_MAX + 1 };

/* The first table that is left. MDB_NOTFOUND: there is none. */
static int first_table(lmdb_txn *txn, char name[TABLE_NAME_MAX])
{
    MDB_val key = lmdb_text(TABLE, TABLE_LEN);
    MDB_val val;
    MDB_cursor *cursor;

    int rc = mdb_cursor_open(txn->raw, txn->env->records, &cursor);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
    if (rc == 0 && (key.mv_size >= TABLE_NAME_MAX || key.mv_size < TABLE_LEN ||
                    memcmp(key.mv_data, TABLE, TABLE_LEN) != 0))
        rc = MDB_NOTFOUND;
    if (rc == 0)
        (void)snprintf(name, TABLE_NAME_MAX, "%.*s", (int)key.mv_size, (const char *)key.mv_data);
    mdb_cursor_close(cursor);
    return rc;
}

/* `copied` is room for a value, which LMDB gives only until the next change. */
static int move_record(lmdb_txn *txn, const MDB_val *key, const MDB_val *val, lls_buf *copied)
{
    uint8_t bytes[LMDB_KEY_MAX];

    if (key->mv_size < 5 || key->mv_size > LMDB_KEY_MAX)
        return MDB_CORRUPTED;
    lls_buf_clear(copied);
    lls_buf_add(copied, (lls_bytes){val->mv_data, val->mv_size});
    if (lls_buf_status(copied, NULL) != LLS_OK)
        return ENOMEM;
    lls_bytes rest = {(const uint8_t *)key->mv_data + 4, key->mv_size - 4};
    MDB_val to = lmdb_key_make(bytes, lls_big_get_u32(key->mv_data), rest);
    MDB_val stored = {copied->len, copied->data};
    return mdb_put(txn->raw, txn->env->records, &to, &stored, MDB_NOOVERWRITE);
}

static int move_table(lmdb_txn *txn, const char *name)
{
    LLS_AUTO(lls_buf) copied = {0};
    MDB_cursor *cursor;
    MDB_val key;
    MDB_val val;
    MDB_dbi table;

    int rc = mdb_dbi_open(txn->raw, name, 0, &table);
    if (rc == 0)
        rc = mdb_cursor_open(txn->raw, table, &cursor);
    if (rc != 0)
        return rc;
    while ((rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT)) == 0)
        if ((rc = move_record(txn, &key, &val, &copied)) != 0)
            break;
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? mdb_drop(txn->raw, table, 1) : rc;
}

/* Another process may have been faster: then there is no such table, and the format is today's. */
static lls_err convert_in(lmdb_txn *txn, void *user, lls_error *err)
{
    char name[TABLE_NAME_MAX];
    int rc;

    (void)user;
    while ((rc = first_table(txn, name)) == 0)
        if ((rc = move_table(txn, name)) != 0)
            break;
    if (rc == MDB_NOTFOUND)
        rc = lmdb_meta_set(txn->env, txn->raw, LMDB_META_FORMAT, LMDB_FORMAT, 0);
    return rc ? lmdb_txn_fail(txn, rc, err, "make a store of format 1 one of format 2") : LLS_OK;
}

lls_err lmdb_convert(lmdb_env *env, lls_error *err)
{
    return env->format == LMDB_FORMAT ? LLS_OK : lmdb_write(env, LMDB_TAKES, convert_in, NULL, err);
}
