/** meta.c - the two pages that are no nodes: the trees with their roots, and the counter. */
#include "backends/sled/db.h"

#include "backends/sled/wire.h"
#include "base/alloc.h"
#include "base/scope.h"

enum { META_PAGE = 0, COUNTER_PAGE = 1, FIRST_NODE = 2 };

static lls_err fail_meta(sled_db *db, const char *what, lls_error *err)
{
    return sled_page_damage(&db->meta, &db->source, 0, what, err);
}

static lls_err add_tree(sled_db *db, size_t *cap, sled_tree tree, lls_error *err)
{
    if (db->tree_count == *cap) {
        size_t more = *cap ? *cap * 2 : 8;
        sled_tree *moved = lls_resize(db->trees, more * sizeof(*moved));
        if (!moved)
            return lls_fail(err, LLS_E_NOMEM, "out of memory for the trees of '%s'",
                            db->folder.path);
        db->trees = moved;
        *cap = more;
    }
    db->trees[db->tree_count++] = tree;
    return LLS_OK;
}

/* The engine makes the default tree whenever it opens a database, so it is always there. */
static lls_err add_default(sled_db *db, size_t *cap, lls_error *err)
{
    lls_bytes name = lls_bytes_of(LLS_STR(SLED_DEFAULT_TREE));

    if (sled_tree_find(db, name))
        return LLS_OK;
    LLS_TRY(add_tree(db, cap, (sled_tree){.name = name}, err));
    size_t at = db->tree_count - 1;
    for (; at > 0 && lls_bytes_cmp(db->trees[at - 1].name, name) > 0; at--)
        db->trees[at] = db->trees[at - 1];
    db->trees[at] = (sled_tree){.name = name};
    return LLS_OK;
}

static lls_err take_trees(sled_db *db, size_t *cap, lls_error *err)
{
    sled_wire wire = sled_wire_of(sled_page_payload(&db->meta, 0));
    sled_kind kind = (sled_kind)db->meta.items[0].part->kind;

    if (db->meta.count != 1 || (kind != SLED_META && kind != SLED_META_BLOB))
        return fail_meta(db, "it is no list of trees", err);
    while (sled_wire_left(&wire) > 0) {
        sled_tree tree = {.name = sled_wire_bytes(&wire)};
        tree.root = sled_wire_varint(&wire);
        if (wire.bad || tree.root < FIRST_NODE)
            return fail_meta(db, "the list of trees is malformed", err);
        if (db->tree_count > 0 && lls_bytes_cmp(db->trees[db->tree_count - 1].name, tree.name) >= 0)
            return fail_meta(db, "the trees are out of order", err);
        LLS_TRY(add_tree(db, cap, tree, err));
    }
    return LLS_OK;
}

static lls_err take_counter(sled_db *db, lls_error *err)
{
    LLS_AUTO(sled_page) page = {0};
    lls_err e = sled_page_load(&page, &db->source, COUNTER_PAGE, err);

    if (e == LLS_E_NOTFOUND)
        return LLS_OK;
    LLS_TRY(e);
    sled_wire wire = sled_wire_of(sled_page_payload(&page, 0));
    uint64_t counter = sled_wire_varint(&wire);
    if (page.count != 1 || page.items[0].part->kind != SLED_COUNTER || !sled_wire_done(&wire))
        return sled_page_damage(&page, &db->source, 0, "it is no counter", err);
    db->facts.counter = counter;
    return LLS_OK;
}

lls_err sled_meta_load(sled_db *db, lls_error *err)
{
    size_t cap = 0;
    lls_err e = sled_page_load(&db->meta, &db->source, META_PAGE, err);

    if (e == LLS_OK)
        LLS_TRY(take_trees(db, &cap, err));
    else if (e != LLS_E_NOTFOUND)
        return e;
    LLS_TRY(add_default(db, &cap, err));
    db->facts.trees = db->tree_count;
    return take_counter(db, err);
}

const sled_tree *sled_tree_find(const sled_db *db, lls_bytes name)
{
    size_t low = 0;
    size_t high = db->tree_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int c = lls_bytes_cmp(db->trees[middle].name, name);
        if (c == 0)
            return &db->trees[middle];
        if (c < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}
