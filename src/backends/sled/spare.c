#include "backends/sled/spare.h"

#include "base/alloc.h"
#include "base/scope.h"

typedef enum stage {
    PLAIN, /* the default tree, rows under their own key */
    TREES, /* rows in envelopes, tree by tree */
    LONGS, /* rows with keys that are too long */
    OVER,
} stage;

struct sled_spare {
    const sled_db *db;
    const sled_rows *rows;
    stage stage;
    size_t tree; /* of TREES; of LONGS the number of the row */
    sled_cursor *cursor;
    lls_buf from;
    lls_buf name;
    lls_buf value;
};

static lls_bytes default_tree(void)
{
    return lls_bytes_of(LLS_STR(SLED_DEFAULT_TREE));
}

/* Whether a component has the row: as a record, or as a part of one. */
static bool is_taken(const sled_rows *rows, lls_bytes key)
{
    const sled_row *row = sled_rows_find(rows, key);

    return row && !row->lost;
}

lls_err sled_spare_open(const sled_db *db, const sled_rows *rows, lls_bytes from, sled_spare **out,
                        lls_error *err)
{
    sled_spare *spare = lls_alloc(sizeof(*spare));

    if (!spare)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    spare->db = db;
    spare->rows = rows;
    lls_buf_add(&spare->from, from);
    lls_err e = lls_buf_status(&spare->from, err);
    if (e == LLS_OK)
        e = sled_cursor_open(db, default_tree(), from, &spare->cursor, err);
    if (e == LLS_OK)
        *out = spare;
    else
        sled_spare_close(spare);
    return e;
}

void sled_spare_close(sled_spare *spare)
{
    if (!spare)
        return;
    sled_cursor_close(spare->cursor);
    lls_buf_fini(&spare->from);
    lls_buf_fini(&spare->name);
    lls_buf_fini(&spare->value);
    lls_free(spare);
}

static lls_err next_plain(sled_spare *s, lls_bytes *key, lls_bytes *value, lls_error *err)
{
    lls_err e;

    while ((e = sled_cursor_next(s->cursor, key, value, err)) == LLS_OK)
        if (sled_name_form(default_tree(), *key) == SLED_NAME_PLAIN && !is_taken(s->rows, *key))
            return LLS_OK;
    return e;
}

static lls_err next_in_trees(sled_spare *s, lls_bytes *key, lls_bytes *value, lls_error *err)
{
    lls_bytes tree;
    lls_bytes raw;
    lls_bytes plain;

    for (;;) {
        if (sled_tree_at(s->db, s->tree, &tree) == LLS_END)
            return LLS_END;
        if (!s->cursor)
            LLS_TRY(sled_cursor_open(s->db, tree, (lls_bytes){0}, &s->cursor, err));
        lls_err e = sled_cursor_next(s->cursor, &raw, &plain, err);
        if (e == LLS_END) {
            sled_cursor_close(s->cursor);
            s->cursor = NULL;
            s->tree++;
            continue;
        }
        LLS_TRY(e);
        if (sled_name_form(tree, raw) != SLED_NAME_TREE)
            continue;
        sled_name_write(tree, raw, &s->name);
        lls_buf_clear(&s->value);
        sled_envelope_write(tree, raw, plain, &s->value);
        LLS_TRY(lls_buf_status(&s->name, err));
        LLS_TRY(lls_buf_status(&s->value, err));
        *key = lls_buf_view(&s->name);
        *value = lls_buf_view(&s->value);
        return LLS_OK;
    }
}

/* The envelope of a row with a long key, replaced. */
static lls_err fetch_long(const sled_db *db, const sled_rows *rows, const sled_long_row *row,
                          lls_buf *name, lls_buf *value, lls_error *err)
{
    LLS_AUTO(lls_buf) plain = {0};
    lls_bytes key = {rows->keys.data + row->key_at, row->key_len};
    lls_bytes tree = {0};

    (void)!sled_tree_at(db, row->tree, &tree); // it was there when the row was found
    LLS_TRY(sled_get(db, tree, key, &plain, err));
    sled_name_write(tree, key, name);
    lls_buf_clear(value);
    sled_envelope_write(tree, key, lls_buf_view(&plain), value);
    LLS_TRY(lls_buf_status(name, err));
    return lls_buf_status(value, err);
}

static lls_err next_long(sled_spare *s, lls_bytes *key, lls_bytes *value, lls_error *err)
{
    const sled_rows *rows = s->rows;

    if (s->tree == rows->long_count)
        return LLS_END;
    size_t i = s->tree++;
    if (i > 0 && lls_digest_eq(rows->longs[i].digest, rows->longs[i - 1].digest))
        return lls_fail(err, LLS_E_CORRUPT, "two long keys with one digest");
    LLS_TRY(fetch_long(s->db, rows, &rows->longs[i], &s->name, &s->value, err));
    *key = lls_buf_view(&s->name);
    *value = lls_buf_view(&s->value);
    return LLS_OK;
}

static lls_err next_of_stage(sled_spare *s, lls_bytes *key, lls_bytes *value, lls_error *err)
{
    switch (s->stage) {
    case PLAIN:
        return next_plain(s, key, value, err);
    case TREES:
        return next_in_trees(s, key, value, err);
    case LONGS:
        return next_long(s, key, value, err);
    case OVER:
        break;
    }
    return LLS_END;
}

lls_err sled_spare_next(sled_spare *s, lls_bytes *key, lls_bytes *value, lls_error *err)
{
    while (s->stage != OVER) {
        lls_err e = next_of_stage(s, key, value, err);
        if (e == LLS_OK && lls_bytes_cmp(*key, lls_buf_view(&s->from)) < 0)
            continue;
        if (e != LLS_END)
            return e;
        sled_cursor_close(s->cursor);
        s->cursor = NULL;
        s->tree = 0;
        s->stage++;
    }
    return LLS_END;
}

static lls_err get_in_tree(const sled_db *db, lls_bytes key, lls_buf *out, lls_error *err)
{
    LLS_AUTO(lls_buf) tree = {0};
    LLS_AUTO(lls_buf) raw = {0};
    LLS_AUTO(lls_buf) plain = {0};

    if (!sled_name_read(key, &tree, &raw))
        return LLS_E_NOTFOUND;
    LLS_TRY(lls_buf_status(&tree, err));
    LLS_TRY(lls_buf_status(&raw, err));
    if (sled_name_form(lls_buf_view(&tree), lls_buf_view(&raw)) != SLED_NAME_TREE)
        return LLS_E_NOTFOUND;
    LLS_TRY(sled_get(db, lls_buf_view(&tree), lls_buf_view(&raw), &plain, err));
    sled_envelope_write(lls_buf_view(&tree), lls_buf_view(&raw), lls_buf_view(&plain), out);
    return lls_buf_status(out, err);
}

static lls_err get_long(const sled_db *db, const sled_rows *rows, lls_bytes key, lls_buf *out,
                        lls_error *err)
{
    LLS_AUTO(lls_buf) name = {0};
    LLS_AUTO(lls_buf) value = {0};

    for (size_t i = 0; i < rows->long_count; i++) {
        LLS_TRY(fetch_long(db, rows, &rows->longs[i], &name, &value, err));
        if (lls_bytes_eq(lls_buf_view(&name), key)) {
            lls_buf_add(out, lls_buf_view(&value));
            return lls_buf_status(out, err);
        }
    }
    return LLS_E_NOTFOUND;
}

lls_err sled_spare_get(const sled_db *db, const sled_rows *rows, lls_bytes key, lls_buf *out,
                       lls_error *err)
{
    if (key.data[0] != 0xff)
        return is_taken(rows, key) ? LLS_E_NOTFOUND : sled_get(db, default_tree(), key, out, err);
    if (key.len > 1 && key.data[1] == 1)
        return get_in_tree(db, key, out, err);
    return get_long(db, rows, key, out, err);
}
