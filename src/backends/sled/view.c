#include "backends/sled/view.h"

#include "backends/sled/layout.h"
#include "backends/sled/writer.h"
#include "base/alloc.h"
#include "base/scope.h"

typedef struct view {
    lls_kv kv;
    const sled_db *db;
} view;

typedef struct walk {
    lls_kv_iter it;
    sled_cursor *cursor;
    lls_buf prefix;
    lls_buf after;
} walk;

bool sled_view_is_ours(const sled_db *db)
{
    return sled_tree_exists(db, lls_bytes_of(LLS_STR(SLED_FORMAT_TREE)));
}

static lls_err find_records(const sled_db *db, lls_bytes key, lls_buf *out, lls_error *err)
{
    return sled_get(db, lls_bytes_of(LLS_STR(SLED_RECORDS_TREE)), key, out, err);
}

/* The number of a space. LLS_E_NOTFOUND when nothing was ever written to it. */
static lls_err find_number(const sled_db *db, lls_kv_space space, uint64_t *out, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    LLS_AUTO(lls_buf) value = {0};

    sled_layout_space(space, &key);
    LLS_TRY(lls_buf_status(&key, err));
    LLS_TRY(find_records(db, lls_buf_view(&key), &value, err));
    return sled_layout_number(lls_buf_view(&value), out, err);
}

static lls_err get(lls_kv *kv, lls_kv_space space, lls_bytes key, lls_buf *out, lls_kv_meta *meta,
                   lls_error *err)
{
    const view *v = LLS_OUTER(kv, view, kv);
    LLS_AUTO(lls_buf) full = {0};
    LLS_AUTO(lls_buf) stored = {0};
    lls_bytes value;
    uint64_t number;

    LLS_TRY(find_number(v->db, space, &number, err));
    sled_layout_key(number, key, &full);
    LLS_TRY(lls_buf_status(&full, err));
    LLS_TRY(find_records(v->db, lls_buf_view(&full), &stored, err));
    LLS_TRY(sled_layout_decode(key, lls_buf_view(&stored), meta, &value, err));
    lls_buf_add(out, value);
    return LLS_OK;
}

static lls_err refuse_apply(lls_kv *kv, lls_str tenant, int64_t now_usec,
                            const lls_kv_write *writes, size_t count, lls_error *err)
{
    (void)tenant;
    (void)now_usec;
    (void)writes;
    (void)count;
    return sled_writer_refuse(sled_path(LLS_OUTER(kv, view, kv)->db), err);
}

static lls_err refuse_clear(lls_kv *kv, lls_kv_space space, lls_error *err)
{
    (void)space;
    return sled_writer_refuse(sled_path(LLS_OUTER(kv, view, kv)->db), err);
}

static lls_err next(lls_kv_iter *it, lls_kv_item *item, lls_error *err)
{
    walk *w = LLS_OUTER(it, walk, it);
    lls_bytes full;
    lls_bytes stored;

    if (!w->cursor)
        return LLS_END; // the space was never written to
    do
        LLS_TRY(sled_cursor_next(w->cursor, &full, &stored, err));
    while (lls_bytes_eq(full, lls_buf_view(&w->after)));
    if (!lls_bytes_has_prefix(full, lls_buf_view(&w->prefix)))
        return LLS_END; // the keys rise, and the walk began at the prefix
    LLS_TRY(sled_layout_key_of(full, &item->key, err));
    return sled_layout_decode(item->key, stored, &item->meta, &item->value, err);
}

static void close_walk(lls_kv_iter *it)
{
    walk *w = LLS_OUTER(it, walk, it);

    sled_cursor_close(w->cursor);
    lls_buf_fini(&w->prefix);
    lls_buf_fini(&w->after);
    lls_free(w);
}

static const lls_kv_iter_ops walk_ops = {.next = next, .close = close_walk};

static lls_err open_walk(const view *v, lls_kv_space space, lls_kv_range range, walk *w,
                         lls_error *err)
{
    bool behind = lls_bytes_cmp(range.after, range.prefix) > 0;
    uint64_t number;

    lls_err e = find_number(v->db, space, &number, err);
    if (e == LLS_E_NOTFOUND)
        return LLS_OK;
    LLS_TRY(e);
    sled_layout_key(number, range.prefix, &w->prefix);
    sled_layout_key(number, range.after, &w->after);
    LLS_TRY(lls_buf_status(&w->prefix, err));
    LLS_TRY(lls_buf_status(&w->after, err));
    return sled_cursor_open(v->db, lls_bytes_of(LLS_STR(SLED_RECORDS_TREE)),
                            lls_buf_view(behind ? &w->after : &w->prefix), &w->cursor, err);
}

static lls_err scan(lls_kv *kv, lls_kv_space space, lls_kv_range range, lls_kv_iter **out,
                    lls_error *err)
{
    walk *w = lls_alloc(sizeof(*w));

    if (!w)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    w->it.ops = &walk_ops;
    lls_err e = open_walk(LLS_OUTER(kv, view, kv), space, range, w, err);
    if (e == LLS_OK)
        *out = &w->it;
    else
        close_walk(&w->it);
    return e;
}

static const lls_kv_ops view_ops = {
    .get = get,
    .apply = refuse_apply,
    .scan = scan,
    .clear = refuse_clear,
};

static lls_err check_format(const sled_db *db, lls_error *err)
{
    LLS_AUTO(lls_buf) format = {0};

    lls_err e = sled_get(db, lls_bytes_of(LLS_STR(SLED_FORMAT_TREE)),
                         lls_bytes_of(LLS_STR(SLED_FORMAT_KEY)), &format, err);
    if (e == LLS_E_NOTFOUND ||
        (e == LLS_OK && lls_str_eq(lls_buf_str(&format), LLS_STR(SLED_FORMAT))))
        return LLS_OK; // killed before its format was written: nothing else was, either
    return e != LLS_OK ? e
                       : lls_fail(err, LLS_E_NEWER, "'%s' has format %s, this version knows %s",
                                  sled_path(db), lls_buf_cstr(&format), SLED_FORMAT);
}

lls_err sled_view_open(const sled_db *db, lls_kv **out, lls_error *err)
{
    LLS_TRY(check_format(db, err));
    view *v = lls_alloc(sizeof(*v));
    if (!v)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    v->kv.ops = &view_ops;
    v->db = db;
    *out = &v->kv;
    return LLS_OK;
}

void sled_view_close(lls_kv *kv)
{
    if (kv)
        lls_free(LLS_OUTER(kv, view, kv));
}
