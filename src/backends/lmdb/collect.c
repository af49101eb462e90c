/**
 * collect.c - removing the records of dead spaces, in transactions of bounded size: LMDB keeps the
 * pages that a transaction changes in memory. Whatever ends it in between, the next one goes on.
 */
#include "backends/lmdb/kv.h"

#include "backends/lmdb/space.h"
#include "backends/lmdb/value.h"
#include "base/scope.h"

enum {
    BATCH_KEYS = 2000,
    BATCH_BYTES = 4 << 20,
    SCARCE_KEYS = 4, /* on a full disk: each small batch frees the pages that the next one needs */
};

typedef struct corpse {
    uint32_t id;
    unsigned keys; /* most records to delete at once */
} corpse;

/* A record costs the rewriting of its neighbours, or, with pages of its own, the look at them. */
static size_t cost(const MDB_val *key, const MDB_val *val)
{
    return key->mv_size + (val->mv_size < 2048 ? val->mv_size : 8192);
}

/* The first dead space. MDB_NOTFOUND: there is none. */
static int first_dead(lmdb_env *env, MDB_txn *txn, corpse *out)
{
    MDB_cursor *cursor;
    MDB_val key = lmdb_text(LMDB_META_DEAD, LMDB_META_DEAD_LEN);
    MDB_val val;

    int rc = mdb_cursor_open(txn, env->meta, &cursor);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
    mdb_cursor_close(cursor);
    if (rc != 0)
        return rc;
    if (key.mv_size != LMDB_META_DEAD_LEN + 4 ||
        memcmp(key.mv_data, LMDB_META_DEAD, LMDB_META_DEAD_LEN) != 0)
        return MDB_NOTFOUND;
    *out = (corpse){.id = lls_big_get_u32((const uint8_t *)key.mv_data + LMDB_META_DEAD_LEN)};
    return 0;
}

/* Note where in the map the records of the next batch lie. Only a read transaction may tell: in one
   that writes, a record may lie in changed pages outside the map. */
static int note_batch(MDB_cursor *cursor, uint32_t id, lmdb_trail *trail)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val key = lmdb_key_make(bytes, id, (lls_bytes){0});
    MDB_val val;
    size_t size = 0;

    int rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
    for (int n = 0; rc == 0 && n < BATCH_KEYS && size < BATCH_BYTES; n++) {
        if (!lmdb_key_is_of(&key, id))
            break;
        size += cost(&key, &val);
        lmdb_trail_note(trail, key.mv_data, key.mv_size);
        rc = mdb_cursor_get(cursor, &key, &val, MDB_NEXT);
    }
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Find the next dead space, and give back the pages of the batch before, if they are still there.
 */
static lls_err look(lmdb_env *env, corpse *out, lmdb_trail *trail, unsigned *moves, lls_error *err)
{
    lmdb_reader *reader;
    MDB_cursor *cursor;

    LLS_TRY(lmdb_read_begin(env, LMDB_SCAN, &reader, err));
    if (*moves == env->moves)
        lmdb_trail_drop(trail);
    *trail = (lmdb_trail){0};
    *moves = env->moves;
    int rc = first_dead(env, reader->raw, out);
    if (rc == 0)
        rc = mdb_cursor_open(reader->raw, env->records, &cursor);
    if (rc == 0) {
        rc = note_batch(cursor, out->id, trail);
        mdb_cursor_close(cursor);
    }
    lmdb_read_end(env, reader, LMDB_SCAN);
    if (rc == MDB_NOTFOUND)
        return LLS_END;
    return rc ? lmdb_fail(rc, err, "look for dead records") : LLS_OK;
}

static int delete_some(MDB_cursor *cursor, const corpse *dead, bool *empty)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val val;
    size_t size = 0;
    int rc = 0;

    *empty = false;
    for (unsigned n = 0; rc == 0 && n < dead->keys && size < BATCH_BYTES; n++) {
        MDB_val key = lmdb_key_make(bytes, dead->id, (lls_bytes){0});
        rc = mdb_cursor_get(cursor, &key, &val, MDB_SET_RANGE);
        *empty = rc == MDB_NOTFOUND || (rc == 0 && !lmdb_key_is_of(&key, dead->id));
        if (*empty)
            return 0;
        if (rc == 0) {
            size += cost(&key, &val);
            rc = mdb_cursor_del(cursor, 0);
        }
    }
    return rc;
}

static lls_err delete_batch(lmdb_txn *txn, void *user, lls_error *err)
{
    const corpse *dead = user;
    uint8_t bytes[LMDB_META_DEAD_LEN + 4] = LMDB_META_DEAD;
    MDB_val key = {sizeof(bytes), bytes};
    MDB_cursor *cursor;
    bool empty;

    int rc = mdb_cursor_open(txn->raw, txn->env->records, &cursor);
    if (rc == 0) {
        rc = delete_some(cursor, dead, &empty);
        mdb_cursor_close(cursor);
    }
    lls_big_set_u32(bytes + LMDB_META_DEAD_LEN, dead->id);
    if (rc == 0 && empty)
        rc = mdb_del(txn->raw, txn->env->meta, &key, NULL);
    return rc && rc != MDB_NOTFOUND ? lmdb_txn_fail(txn, rc, err, "collect dead records") : LLS_OK;
}

static lls_err collect_batch(lmdb_env *env, lmdb_trail *trail, unsigned *moves)
{
    corpse dead = {0};

    LLS_TRY(look(env, &dead, trail, moves, NULL));
    dead.keys = BATCH_KEYS;
    lls_err e = lmdb_write(env, LMDB_FREES, delete_batch, &dead, NULL);
    if (e == LLS_E_FULL) {
        dead.keys = SCARCE_KEYS;
        e = lmdb_write(env, LMDB_FREES, delete_batch, &dead, NULL);
    }
    return e;
}

void lmdb_collect(lmdb_env *env, unsigned batches)
{
    lmdb_trail trail = {0};
    unsigned moves = 0;
    lls_err e = LLS_OK;

    // a failure leaves the rest to the next one: nobody sees these records
    for (unsigned n = 0; e == LLS_OK && (batches == 0 || n < batches); n++)
        e = collect_batch(env, &trail, &moves);
}
