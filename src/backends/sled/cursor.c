/** cursor.c - entries in order, and one by its key. */
#include "backends/sled/db.h"
#include "backends/sled/seek.h"
#include "base/alloc.h"
#include "base/scope.h"

struct sled_cursor {
    sled_leaf leaf;
    size_t index; /* of the next entry */
    bool done;
    lls_buf key;     /* where keys are put together */
    lls_error fault; /* repeats */
};

lls_err sled_cursor_open(const sled_db *db, lls_bytes tree, lls_bytes from, sled_cursor **out,
                         lls_error *err)
{
    const sled_tree *found = sled_tree_find(db, tree);
    sled_cursor *cursor = lls_alloc(sizeof(*cursor));

    if (!cursor)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    cursor->leaf.source = &db->source;
    cursor->key.max = SLED_PAYLOAD_MAX;
    if (!found || found->root == 0) {
        cursor->done = true;
        *out = cursor;
        return LLS_OK;
    }
    cursor->leaf.root = found->root;
    lls_err e = sled_leaf_seek(&cursor->leaf, from, err);
    if (e != LLS_OK) {
        sled_cursor_close(cursor);
        return e;
    }
    cursor->index = sled_node_find(&cursor->leaf.node, from);
    *out = cursor;
    return LLS_OK;
}

void sled_cursor_close(sled_cursor *cursor)
{
    if (!cursor)
        return;
    sled_leaf_fini(&cursor->leaf);
    lls_buf_fini(&cursor->key);
    lls_free(cursor);
}

/* The whole key. What has no prefix is not copied. */
static lls_err whole_key(sled_cursor *cursor, const sled_entry *entry, lls_bytes *out,
                         lls_error *err)
{
    const sled_node *node = &cursor->leaf.node;

    if (node->prefix.len == 0) {
        *out = entry->key;
        return LLS_OK;
    }
    lls_buf_clear(&cursor->key);
    lls_buf_add(&cursor->key, node->prefix);
    lls_buf_add(&cursor->key, entry->key);
    LLS_TRY(lls_buf_status(&cursor->key, err));
    *out = lls_buf_view(&cursor->key);
    return LLS_OK;
}

static lls_err advance(sled_cursor *cursor, lls_error *err)
{
    while (cursor->index >= cursor->leaf.node.count) {
        LLS_TRY(sled_leaf_next(&cursor->leaf, err));
        cursor->index = 0;
    }
    return LLS_OK;
}

lls_err sled_cursor_next(sled_cursor *cursor, lls_bytes *key, lls_bytes *value, lls_error *err)
{
    lls_error fault = {0};

    if (cursor->done && cursor->fault.code == LLS_OK)
        return LLS_END;
    lls_err e = cursor->done ? cursor->fault.code : advance(cursor, &fault);
    const sled_entry *entry = e == LLS_OK ? &cursor->leaf.node.entries[cursor->index] : NULL;
    lls_bytes whole;
    if (e == LLS_OK)
        e = whole_key(cursor, entry, &whole, &fault);
    if (e == LLS_OK) {
        *key = whole;
        *value = entry->value;
        cursor->index++;
        return LLS_OK;
    }
    if (!cursor->done)
        cursor->fault = fault;
    cursor->done = true;
    if (e != LLS_END && err)
        *err = cursor->fault;
    return e;
}

lls_err sled_get(const sled_db *db, lls_bytes tree, lls_bytes key, lls_buf *out, lls_error *err)
{
    LLS_AUTO(sled_leaf) leaf = {.source = &db->source};
    const sled_tree *found = sled_tree_find(db, tree);

    if (!found || found->root == 0)
        return LLS_E_NOTFOUND;
    leaf.root = found->root;
    lls_err e = sled_leaf_seek(&leaf, key, err);
    if (e != LLS_OK)
        return e;
    size_t at = sled_node_find(&leaf.node, key);
    if (at == leaf.node.count || sled_node_cmp(&leaf.node, leaf.node.entries[at].key, key) != 0)
        return LLS_E_NOTFOUND;
    size_t before = out->len;
    lls_buf_add(out, leaf.node.entries[at].value);
    e = lls_buf_status(out, err);
    if (e != LLS_OK) {
        out->len = before;
        out->status = LLS_OK;
    }
    return e;
}
