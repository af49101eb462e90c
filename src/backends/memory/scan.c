#include "backends/memory/memory.h"

#include "base/alloc.h"
#include "base/scope.h"

/* A walk over one version of a tree, which it holds. */
typedef struct memory_iter {
    lls_kv_iter base;
    memory_tree tree;
    lls_buf prefix;
    lls_buf after;             /* where to begin */
    const memory_record *last; /* the record given last; part of `tree` */
    bool ended;
} memory_iter;

static const memory_record *first(const memory_iter *it)
{
    lls_bytes prefix = lls_buf_view(&it->prefix);
    lls_bytes after = lls_buf_view(&it->after);

    if (lls_bytes_cmp(after, prefix) < 0)
        return memory_tree_next(it->tree, prefix, MEMORY_FROM);
    return memory_tree_next(it->tree, after, after.len ? MEMORY_AFTER : MEMORY_FROM);
}

static lls_err next(lls_kv_iter *base, lls_kv_item *item, lls_error *err)
{
    memory_iter *it = LLS_OUTER(base, memory_iter, base);

    (void)err;
    if (it->ended)
        return LLS_END;
    const memory_record *record =
        it->last ? memory_tree_next(it->tree, it->last->item.key, MEMORY_AFTER) : first(it);
    if (!record || !lls_bytes_has_prefix(record->item.key, lls_buf_view(&it->prefix))) {
        it->ended = true;
        return LLS_END;
    }
    it->last = record;
    *item = record->item;
    return LLS_OK;
}

static void close_iter(lls_kv_iter *base)
{
    memory_iter *it = LLS_OUTER(base, memory_iter, base);

    memory_tree_drop(it->tree);
    lls_buf_fini(&it->prefix);
    lls_buf_fini(&it->after);
    lls_free(it);
}

static const lls_kv_iter_ops ops = {.next = next, .close = close_iter};

lls_err memory_scan_tree(memory_tree tree, lls_kv_range range, lls_kv_iter **out, lls_error *err)
{
    memory_iter *it = lls_alloc(sizeof(*it));

    if (!it) {
        memory_tree_drop(tree);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    *it = (memory_iter){.base.ops = &ops, .tree = tree};
    lls_buf_add(&it->prefix, range.prefix);
    lls_buf_add(&it->after, range.after);
    if (it->prefix.status != LLS_OK || it->after.status != LLS_OK) {
        close_iter(&it->base);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    *out = &it->base;
    return LLS_OK;
}
