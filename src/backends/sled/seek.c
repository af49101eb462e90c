#include "backends/sled/seek.h"

#include "base/scope.h"

/*
 * Only the chain of siblings from the leftmost leaf on is right at every moment: a split or a merge
 * that was cut short leaves index entries that are stale or not there yet. So an index is asked for
 * a hint, and the leaf itself says whether the hint was good.
 */
enum {
    DEPTH_MAX = 64,  /* of a tree; each level has at least a few children */
    STEPS_MAX = 256, /* to the right, on one level, before the hint is given up */
};

void sled_leaf_fini(sled_leaf *leaf)
{
    sled_page_fini(&leaf->page);
    sled_node_fini(&leaf->node);
    lls_buf_fini(&leaf->hi);
    *leaf = (sled_leaf){0};
}

static lls_err load(sled_leaf *leaf, uint64_t number, lls_error *err)
{
    return sled_node_load(&leaf->node, &leaf->page, leaf->source, number, err);
}

static lls_err fail(const sled_leaf *leaf, const char *what, lls_error *err)
{
    return sled_page_damage(&leaf->page, leaf->source, 0, what, err);
}

static bool is_left_of(const sled_node *node, lls_bytes key)
{
    return node->hi.len > 0 && lls_bytes_cmp(node->hi, key) <= 0;
}

/* The child that `key` should be in: the last one that does not begin behind it. */
static uint64_t child_for(const sled_node *node, lls_bytes key)
{
    size_t at = sled_node_find(node, key);

    if (at == node->count || sled_node_cmp(node, node->entries[at].key, key) > 0) {
        if (at == 0)
            return 0;
        at--;
    }
    if (at > 0 && node->entries[at].child == node->merging_child)
        at--;
    return node->entries[at].child;
}

/* Follow the index. Whatever is odd on the way is LLS_E_MISMATCH; want of memory is not. */
static lls_err follow_hint(sled_leaf *leaf, lls_bytes key)
{
    uint64_t number = leaf->root;
    int steps = 0;

    for (int depth = 0; depth < DEPTH_MAX;) {
        lls_error ignored = {0};
        lls_err e = load(leaf, number, &ignored);
        if (e != LLS_OK)
            return e == LLS_E_NOMEM ? e : LLS_E_MISMATCH;
        const sled_node *node = &leaf->node;
        if (node->merging || lls_bytes_cmp(node->lo, key) > 0)
            return LLS_E_MISMATCH;
        if (is_left_of(node, key)) {
            number = node->next;
            if (number == 0 || ++steps > STEPS_MAX)
                return LLS_E_MISMATCH;
            continue;
        }
        if (!node->index)
            return LLS_OK;
        number = child_for(node, key);
        steps = 0;
        depth++;
    }
    return LLS_E_MISMATCH;
}

/* A leftmost child is never merged away, so this way is always right. */
static lls_err go_leftmost(sled_leaf *leaf, lls_error *err)
{
    uint64_t number = leaf->root;

    for (int depth = 0; depth < DEPTH_MAX; depth++) {
        uint64_t parent = leaf->page.number;
        lls_err e = load(leaf, number, err);
        if (e == LLS_E_NOTFOUND)
            return lls_fail(err, LLS_E_CORRUPT,
                            "'%s/db': page %llu, the first child of page %llu, is not there",
                            leaf->source->folder->path, (unsigned long long)number,
                            (unsigned long long)parent);
        LLS_TRY(e);
        if (leaf->node.lo.len > 0)
            return fail(leaf, "the leftmost node has a lower limit", err);
        if (!leaf->node.index)
            return LLS_OK;
        if (leaf->node.entries[0].key.len > 0)
            return fail(leaf, "the leftmost index begins with a key", err);
        number = leaf->node.entries[0].child;
    }
    return fail(leaf, "the tree is deeper than any", err);
}

lls_err sled_leaf_seek(sled_leaf *leaf, lls_bytes key, lls_error *err)
{
    if (key.len > 0) {
        lls_err e = follow_hint(leaf, key);
        if (e == LLS_OK)
            return LLS_OK;
        if (e == LLS_E_NOMEM)
            return lls_fail(err, e, "out of memory for a page");
    }
    LLS_TRY(go_leftmost(leaf, err));
    while (is_left_of(&leaf->node, key)) {
        lls_err e = sled_leaf_next(leaf, err);
        if (e != LLS_OK)
            return e;
    }
    return LLS_OK;
}

lls_err sled_leaf_next(sled_leaf *leaf, lls_error *err)
{
    uint64_t next = leaf->node.next;

    if (next == 0)
        return leaf->node.hi.len == 0
                   ? LLS_END
                   : fail(leaf, "the last leaf has an upper limit, so a sibling is lost", err);
    if (leaf->node.hi.len == 0)
        return fail(leaf, "a leaf without an upper limit has a sibling", err);
    leaf->hi.max = SLED_PAYLOAD_MAX;
    lls_buf_clear(&leaf->hi);
    lls_buf_add(&leaf->hi, leaf->node.hi);
    LLS_TRY(lls_buf_status(&leaf->hi, err));
    uint64_t before = leaf->page.number;
    lls_err e = load(leaf, next, err);
    if (e == LLS_E_NOTFOUND)
        return lls_fail(
            err, LLS_E_CORRUPT, "'%s/db': page %llu, the sibling of page %llu, is not there",
            leaf->source->folder->path, (unsigned long long)next, (unsigned long long)before);
    LLS_TRY(e);
    if (leaf->node.index)
        return fail(leaf, "an index is the sibling of a leaf", err);
    if (!lls_bytes_eq(leaf->node.lo, lls_buf_view(&leaf->hi)))
        return fail(leaf, "it does not begin where its left sibling ends", err);
    return LLS_OK;
}
