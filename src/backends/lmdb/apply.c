/** apply.c - a batch of writes in one LMDB transaction. */
#include "backends/lmdb/kv.h"

#include "backends/lmdb/space.h"
#include "backends/lmdb/value.h"
#include "base/scope.h"
#include "ports/record.h"

/* Collections whose space is remembered while a batch goes back and forth between them. */
enum { SLOTS = 8 };

typedef struct slot {
    lls_str name;
    uint32_t id; /* of the space; 0: the tenant has none yet */
} slot;

typedef struct batch {
    lls_str tenant;
    int64_t now_usec;
    const lls_kv_write *writes;
    size_t count;
    MDB_cursor *cursor; /* of this attempt's transaction */
    slot slots[SLOTS];
    size_t used;
} batch;

/* What the store holds for a key, as the verbs see it. */
typedef struct old_record {
    bool stored;    /* something stands there, */
    bool there;     /* and it is a good record that has not expired */
    lls_err damage; /* why it is not good */
    lls_kv_meta meta;
} old_record;

static lls_err fail_key(lls_err code, const lls_kv_write *w, const char *what, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    lls_key_show(w->key, &key);
    return lls_fail(err, code, "key '%s' of '" LLS_FMT "' %s", lls_buf_cstr(&key), LLS_ARG(w->coll),
                    what);
}

/* Look the space up once in each transaction, and count the change for whoever watches. */
static lls_err enter_space(lmdb_txn *txn, batch *b, slot *s, lls_error *err)
{
    lls_kv_space space = {b->tenant, s->name};
    lmdb_space entry;

    lls_err e = lmdb_space_find(txn->env, txn->raw, space, &entry, err);
    if (e == LLS_E_NOTFOUND)
        return LLS_OK;
    LLS_TRY(e);
    s->id = entry.id;
    if (entry.watchers == 0)
        return LLS_OK;
    entry.changes++;
    return lmdb_space_store(txn, space, &entry, err);
}

static lls_err make_space(lmdb_txn *txn, batch *b, slot *s, lls_error *err)
{
    lmdb_space entry = {0};

    LLS_TRY(lmdb_space_new_id(txn, &entry.id, err));
    LLS_TRY(lmdb_space_store(txn, (lls_kv_space){b->tenant, s->name}, &entry, err));
    s->id = entry.id;
    return LLS_OK;
}

static lls_err slot_of(lmdb_txn *txn, batch *b, lls_str name, slot **out, lls_error *err)
{
    for (size_t i = 0; i < b->used; i++) {
        if (lls_str_eq(b->slots[i].name, name)) {
            *out = &b->slots[i];
            return LLS_OK;
        }
    }
    if (b->used == SLOTS)
        b->used--;
    b->slots[b->used++] = (slot){.name = name};
    *out = &b->slots[b->used - 1];
    return enter_space(txn, b, *out, err);
}

static lls_err look(lmdb_txn *txn, const batch *b, const slot *s, MDB_val *key,
                    const lls_kv_write *w, old_record *old, lls_error *err)
{
    MDB_val val;
    lls_bytes value;

    *old = (old_record){0};
    if (s->id == 0)
        return LLS_OK;
    int rc = mdb_cursor_get(b->cursor, key, &val, MDB_SET);
    if (rc == MDB_NOTFOUND)
        return LLS_OK;
    if (rc != 0)
        return lmdb_txn_fail(txn, rc, err, "read before a write");
    old->stored = true;
    lmdb_fetch_record(lmdb_bytes(&val));
    old->damage = lmdb_value_decode(w->key, lmdb_bytes(&val), &old->meta, &value, NULL);
    old->there = old->damage == LLS_OK && !lls_kv_expired(&old->meta, b->now_usec);
    return LLS_OK;
}

/* Whether the write may be done. What depends on a damaged record may not. */
static lls_err allowed(const lls_kv_write *w, const old_record *old, lls_error *err)
{
    bool conditional = w->verb == LLS_KV_CREATE || w->verb == LLS_KV_REPLACE ||
                       (w->verb == LLS_KV_DELETE && w->meta.version != 0);

    if (conditional && old->damage != LLS_OK)
        return fail_key(old->damage, w, "is damaged: only an unconditional write replaces it", err);
    if (w->verb == LLS_KV_CREATE && old->there)
        return fail_key(LLS_E_EXISTS, w, "already exists", err);
    if (!conditional || w->verb == LLS_KV_CREATE)
        return LLS_OK;
    if (!old->there)
        return fail_key(LLS_E_CONFLICT, w, "is gone", err);
    if (old->meta.version != w->meta.version)
        return fail_key(LLS_E_CONFLICT, w, "has another version", err);
    return LLS_OK;
}

static lls_kv_meta new_meta(const batch *b, const lls_kv_write *w, const old_record *old)
{
    if (w->verb == LLS_KV_RESTORE)
        return w->meta;
    return (lls_kv_meta){
        .version = old->there ? old->meta.version + 1 : 1,
        .created_usec = old->there ? old->meta.created_usec : b->now_usec,
        .updated_usec = b->now_usec,
        .expires_usec = w->meta.expires_usec,
    };
}

static lls_err remove_old(lmdb_txn *txn, const batch *b, const lls_kv_write *w,
                          const old_record *old, lls_error *err)
{
    if (!old->stored)
        return LLS_OK;
    if (w->verb == LLS_KV_SWEEP &&
        (old->damage != LLS_OK || !lls_kv_expired(&old->meta, b->now_usec)))
        return LLS_OK;
    int rc = mdb_cursor_del(b->cursor, 0);
    return rc ? lmdb_txn_fail(txn, rc, err, "delete") : LLS_OK;
}

static lls_err do_write(lmdb_txn *txn, batch *b, const lls_kv_write *w, lls_error *err)
{
    uint8_t bytes[LMDB_KEY_MAX];
    old_record old;
    slot *s = NULL;

    LLS_TRY(slot_of(txn, b, w->coll, &s, err));
    MDB_val key = lmdb_key_make(bytes, s->id, w->key);
    LLS_TRY(look(txn, b, s, &key, w, &old, err));
    LLS_TRY(allowed(w, &old, err));
    if (w->verb == LLS_KV_DELETE || w->verb == LLS_KV_SWEEP)
        return remove_old(txn, b, w, &old, err);

    if (s->id == 0) {
        LLS_TRY(make_space(txn, b, s, err));
        key = lmdb_key_make(bytes, s->id, w->key);
    }
    lls_kv_meta meta = new_meta(b, w, &old);
    MDB_val val = {lmdb_value_size(&meta, w->value), NULL};
    int rc = mdb_cursor_put(b->cursor, &key, &val, MDB_RESERVE);
    if (rc != 0)
        return lmdb_txn_fail(txn, rc, err, "write");
    lmdb_value_encode(w->key, &meta, w->value, val.mv_data);
    return LLS_OK;
}

static lls_err apply_in(lmdb_txn *txn, void *user, lls_error *err)
{
    batch *b = user;
    lls_err e = LLS_OK;

    b->used = 0; // what an attempt before this one remembered ended with its transaction
    int rc = mdb_cursor_open(txn->raw, txn->env->records, &b->cursor);
    if (rc != 0)
        return lmdb_txn_fail(txn, rc, err, "write");
    for (size_t i = 0; i < b->count && e == LLS_OK; i++)
        e = do_write(txn, b, &b->writes[i], err);
    mdb_cursor_close(b->cursor);
    return e;
}

lls_err lmdb_kv_apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                      size_t count, lls_error *err)
{
    lmdb_store *store = lmdb_store_of(kv);
    batch b = {.tenant = tenant, .now_usec = now_usec, .writes = writes, .count = count};
    lmdb_room room = LMDB_FREES;

    LLS_TRY(lmdb_must_write(store, err));
    for (size_t i = 0; i < count; i++)
        if (writes[i].verb != LLS_KV_DELETE && writes[i].verb != LLS_KV_SWEEP)
            room = LMDB_TAKES;
    return lmdb_write(store->env, room, apply_in, &b, err);
}
