/** load.c - records gathered in memory and written to the end of a tree, many in a transaction. */
#include "backends/lmdb/stage.h"

#include "backends/lmdb/value.h"
#include "base/scope.h"

typedef struct frame {
    uint32_t index;
    uint32_t id;
    uint32_t key_len;
    uint32_t stored_len;
} frame;

enum { KEEP_BYTES = 2 * LMDB_LOAD_BYTES }; /* of the buffer, once it is empty */

lls_err lmdb_load_add(lmdb_load *load, size_t index, uint32_t id, const lls_kv_item *item,
                      lls_error *err)
{
    size_t stored_len = lmdb_value_size(&item->meta, item->value);
    frame head = {(uint32_t)index, id, (uint32_t)item->key.len, (uint32_t)stored_len};
    lls_buf *buf = &load->frames;
    size_t before = buf->len;

    lls_buf_reserve(buf, sizeof(head) + item->key.len + stored_len);
    lls_buf_add(buf, (lls_bytes){(const uint8_t *)&head, sizeof(head)});
    lls_buf_add(buf, item->key);
    lls_err e = lls_buf_status(buf, err);
    if (e != LLS_OK) {
        buf->len = before;
        buf->status = LLS_OK;
        return e;
    }
    lmdb_value_encode(item->key, &item->meta, item->value, buf->data + buf->len);
    buf->len += stored_len;
    load->count++;
    return LLS_OK;
}

bool lmdb_load_is_full(const lmdb_load *load)
{
    return load->frames.len >= LMDB_LOAD_BYTES;
}

/* Where the frames of one space go. */
typedef struct sink {
    MDB_cursor *cursor;
    uint32_t id;
    unsigned flags;
} sink;

/* The space with the greatest number grows at the end, which LMDB does without splitting
   pages; once a younger one has records, this one must insert. */
static int open_sink(MDB_txn *txn, MDB_dbi records, uint32_t id, sink *out)
{
    MDB_val key;
    MDB_val val;

    *out = (sink){.id = id, .flags = MDB_APPEND};
    int rc = mdb_cursor_open(txn, records, &out->cursor);
    if (rc != 0)
        return rc;
    rc = mdb_cursor_get(out->cursor, &key, &val, MDB_LAST);
    if (rc == 0 && lmdb_key_space(&key) > id)
        out->flags = MDB_NOOVERWRITE;
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static void close_sink(sink *s)
{
    if (s->cursor)
        mdb_cursor_close(s->cursor);
    *s = (sink){0};
}

static lls_err put(lmdb_txn *txn, const sink *s, lls_bytes key, lls_bytes stored, lls_error *err)
{
    uint8_t bytes[LMDB_KEY_MAX];
    MDB_val full = lmdb_key_make(bytes, s->id, key);
    MDB_val val = {stored.len, (void *)(uintptr_t)stored.data};

    int rc = mdb_cursor_put(s->cursor, &full, &val, s->flags);
    if (rc == MDB_KEYEXIST)
        return lls_fail(err, LLS_E_INTERNAL, "keys for the stage do not rise");
    return rc ? lmdb_txn_fail(txn, rc, err, "write to the stage") : LLS_OK;
}

static lls_err write_frames(lmdb_txn *txn, lmdb_stage *stage, uint64_t *added, sink *s,
                            lls_error *err)
{
    const uint8_t *at = stage->load.frames.data;
    const uint8_t *end = at + stage->load.frames.len;
    frame head;

    while (at < end) {
        memcpy(&head, at, sizeof(head));
        at += sizeof(head);
        lmdb_stage_coll *coll = &stage->colls[head.index];
        if (!s->cursor || s->id != head.id) {
            close_sink(s);
            int rc = open_sink(txn->raw, txn->env->records, head.id, s);
            if (rc != 0)
                return lmdb_txn_fail(txn, rc, err, "write to the stage");
        }
        lls_bytes key = {at, head.key_len};
        lls_bytes stored = {at + head.key_len, head.stored_len};
        LLS_TRY(put(txn, s, key, stored, err));
        at += head.key_len + head.stored_len;
        added[head.index] += head.id == coll->entry.staged;
    }
    return LLS_OK;
}

static lls_err count_added(lmdb_txn *txn, lmdb_stage *stage, const uint64_t *added, lls_error *err)
{
    lls_str run = lls_str_of(stage->run);

    for (size_t i = 0; i < stage->count; i++) {
        lls_kv_space space = lmdb_stage_space(stage, i);
        lmdb_staged entry;
        if (added[i] == 0)
            continue;
        LLS_TRY(lmdb_staged_find(txn->env, txn->raw, run, space, &entry, err));
        if (entry.staged != stage->colls[i].entry.staged)
            return lls_fail(err, LLS_E_CONFLICT, "the stage of the run '%s' was discarded",
                            stage->run);
        entry.count += added[i];
        LLS_TRY(lmdb_staged_store(txn, run, space, &entry, err));
    }
    return LLS_OK;
}

static lls_err write_in(lmdb_txn *txn, void *user, lls_error *err)
{
    lmdb_stage *stage = user;
    uint64_t added[LMDB_STAGE_COLLS] = {0}; // a stage cannot have more
    sink s = {0};

    lls_err e = write_frames(txn, stage, added, &s, err);
    close_sink(&s);
    return e == LLS_OK ? count_added(txn, stage, added, err) : e;
}

lls_err lmdb_load_write(lmdb_stage *stage, lls_error *err)
{
    lmdb_load *load = &stage->load;

    if (load->count == 0)
        return LLS_OK;
    LLS_TRY(lmdb_write(stage->store->env, LMDB_TAKES, write_in, stage, err));
    load->count = 0;
    lls_buf_clear(&load->frames);
    if (load->frames.cap > KEEP_BYTES)
        lls_buf_fini(&load->frames);
    return LLS_OK;
}
