/** scan.c - walking a space: one read transaction from open to close, so the view is stable. */
#include "backends/lmdb/kv.h"

#include "backends/lmdb/space.h"
#include "backends/lmdb/value.h"
#include "base/alloc.h"
#include "base/scope.h"

typedef struct scan {
    lls_kv_iter base;
    lmdb_env *env;
    lmdb_reader *reader;
    MDB_cursor *cursor; /* NULL: there is nothing to see */
    uint32_t id;
    bool begun;
    int ahead; /* what LMDB said of the next record, which is looked at one early */
    MDB_val key;
    MDB_val val;
    uintptr_t page; /* whose records were asked for */
    lls_err failed; /* repeats */
    lmdb_trail trail;
    size_t prefix_len;
    size_t start_len;
    bool skip_start; /* `start` itself is not wanted */
    char coll[LLS_COLL_MAX + 1];
    uint8_t prefix[LLS_KEY_MAX];
    uint8_t start[LMDB_KEY_MAX];
} scan;

static const lls_kv_iter_ops iter_ops;

static int first(scan *s, MDB_val *key, MDB_val *val)
{
    *key = (MDB_val){s->start_len, s->start};
    int rc = mdb_cursor_get(s->cursor, key, val, MDB_SET_RANGE);
    if (rc == 0 && s->skip_start && key->mv_size == s->start_len &&
        memcmp(key->mv_data, s->start, s->start_len) == 0)
        rc = mdb_cursor_get(s->cursor, key, val, MDB_NEXT);
    return rc;
}

/* Take the record that was looked at, and look at the one behind it, so that it is on its way from
   memory while the caller is busy with this one. */
static int step(scan *s, MDB_val *key, MDB_val *val)
{
    if (!s->cursor)
        return MDB_NOTFOUND;
    if (!s->begun)
        s->ahead = first(s, &s->key, &s->val);
    s->begun = true;
    if (s->ahead != 0)
        return s->ahead;
    *key = s->key;
    *val = s->val;
    s->ahead = mdb_cursor_get(s->cursor, &s->key, &s->val, MDB_NEXT);
    if (s->ahead == 0) {
        lmdb_fetch_page(s->env, s->key.mv_data, &s->page);
        lmdb_fetch_record(lmdb_bytes(&s->val));
    }
    return 0;
}

/* A value stands behind its key, unless it is so large that it has pages of its own. */
static void note(scan *s, const MDB_val *key, const MDB_val *val)
{
    bool adjacent = (const char *)key->mv_data + key->mv_size == (const char *)val->mv_data;

    lmdb_trail_note(&s->trail, key->mv_data, key->mv_size + (adjacent ? val->mv_size : 0));
    if (!adjacent)
        lmdb_trail_note(&s->trail, val->mv_data, val->mv_size);
}

static lls_err next(lls_kv_iter *it, lls_kv_item *item, lls_error *err)
{
    scan *s = LLS_OUTER(it, scan, base);
    MDB_val key;
    MDB_val val;

    if (s->failed == LLS_E_IO)
        return lls_fail(err, s->failed, "the scan of '%s' failed before", s->coll);
    if (s->failed != LLS_OK)
        return s->failed;
    int rc = step(s, &key, &val);
    if (rc != 0 && rc != MDB_NOTFOUND) {
        s->failed = LLS_E_IO;
        return lmdb_fail(rc, err, "scan collection '%s'", s->coll);
    }
    lls_bytes prefix = {s->prefix, s->prefix_len};
    if (rc != 0 || !lmdb_key_is_of(&key, s->id) ||
        !lls_bytes_has_prefix(lmdb_key_of(&key), prefix)) {
        s->failed = LLS_END;
        return LLS_END;
    }
    // before the item is handed out: giving the pages back does not take them away from anybody
    note(s, &key, &val);
    item->key = lmdb_key_of(&key);
    lls_err e = lmdb_value_decode(item->key, lmdb_bytes(&val), &item->meta, &item->value, err);
    return e == LLS_OK ? LLS_OK : lls_wrap(err, e, "collection '%s'", s->coll);
}

static void close_scan(lls_kv_iter *it)
{
    scan *s = LLS_OUTER(it, scan, base);

    if (s->reader && *s->env->alive) {
        lmdb_trail_end(&s->trail);
        if (s->cursor)
            mdb_cursor_close(s->cursor);
        lmdb_read_end(s->env, s->reader, LMDB_SCAN);
    }
    lls_free(s);
}

static const lls_kv_iter_ops iter_ops = {.next = next, .close = close_scan};

static void set_range(scan *s, uint32_t id, lls_kv_range range)
{
    bool after = range.after.len > 0 && lls_bytes_cmp(range.after, range.prefix) >= 0;
    lls_bytes from = after ? range.after : range.prefix;
    if (from.len > LLS_KEY_MAX) // what is behind it is behind the part of it that a key can have
        from.len = LLS_KEY_MAX;
    MDB_val start = lmdb_key_make(s->start, id, from);

    s->id = id;
    s->start_len = start.mv_size;
    s->skip_start = after;
    s->prefix_len = range.prefix.len;
    if (range.prefix.len)
        memcpy(s->prefix, range.prefix.data, range.prefix.len);
}

/* Take the view. */
static lls_err look(scan *s, lls_kv_space space, uint32_t id, lls_kv_range range, lls_error *err)
{
    lls_err e = LLS_OK;

    if (id == 0)
        e = lmdb_space_id(s->env, s->reader, space, &id, err);
    if (e == LLS_E_NOTFOUND)
        return LLS_OK; // an empty scan
    LLS_TRY(e);
    set_range(s, id, range);
    int rc = mdb_cursor_open(s->reader->raw, s->env->records, &s->cursor);
    return rc ? lmdb_fail(rc, err, "scan collection '%s'", s->coll) : LLS_OK;
}

static lls_err start(scan *s, lls_kv_space space, uint32_t id, lls_kv_range range, lls_error *err)
{
    LLS_TRY(lmdb_read_begin(s->env, LMDB_SCAN, &s->reader, err));
    lls_err e = look(s, space, id, range, err);
    if (e != LLS_OK)
        lmdb_read_end(s->env, s->reader, LMDB_SCAN);
    return e;
}

lls_err lmdb_scan_open(lmdb_env *env, lls_kv_space space, uint32_t id, lls_kv_range range,
                       lls_kv_iter **out, lls_error *err)
{
    scan *s = lls_alloc(sizeof(*s));

    if (!s)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    s->base.ops = &iter_ops;
    s->env = env;
    memcpy(s->coll, space.coll.data, space.coll.len);
    if (range.prefix.len <= LLS_KEY_MAX) {
        lls_err e = start(s, space, id, range, err);
        if (e != LLS_OK) {
            lls_free(s);
            return e;
        }
    } // no key begins with more than a key has
    *out = &s->base;
    return LLS_OK;
}

lls_err lmdb_kv_scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                     lls_error *err)
{
    return lmdb_scan_open(lmdb_store_of(kv)->env, space, 0, range, out, err);
}
