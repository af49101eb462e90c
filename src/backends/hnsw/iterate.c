/** iterate.c - scans: over the numbers that a collection had, or over a base. */
#include "backends/hnsw/store.h"

#include "base/alloc.h"
#include "base/scope.h"

#include <assert.h>

typedef struct coll_iter {
    lls_kv_iter base;
    hnsw_coll *coll; /* NULL: there is none */
    uint32_t *docs;
    size_t count;
    size_t next;
    lls_buf value;
} coll_iter;

static const lls_kv_iter_ops coll_ops;

static coll_iter *coll_of(lls_kv_iter *it)
{
    assert(it->ops == &coll_ops); // the ops pointer is the type tag
    return LLS_OUTER(it, coll_iter, base);
}

static lls_err coll_next(lls_kv_iter *base, lls_kv_item *item, lls_error *err)
{
    coll_iter *it = coll_of(base);
    hnsw_record record;

    if (it->next == it->count)
        return LLS_END;
    hnsw_coll_record(it->coll, it->docs[it->next], &record);
    lls_buf_clear(&it->value);
    lls_err e = hnsw_coll_value(it->coll, &record, &it->value, err);
    if (e == LLS_OK || e == LLS_E_CORRUPT)
        it->next++; // a damaged one is passed
    LLS_TRY(e);
    *item = (lls_kv_item){record.id, lls_buf_view(&it->value), record.meta};
    return LLS_OK;
}

static void coll_close(lls_kv_iter *base)
{
    coll_iter *it = coll_of(base);

    hnsw_coll_drop(it->coll);
    lls_free(it->docs);
    lls_buf_fini(&it->value);
    lls_free(it);
}

static const lls_kv_iter_ops coll_ops = {.next = coll_next, .close = coll_close};

lls_err hnsw_scan_coll(hnsw_coll *coll, lls_kv_range range, lls_kv_iter **out, lls_error *err)
{
    coll_iter *it = lls_alloc(sizeof(*it));

    if (!it)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    it->base.ops = &coll_ops;
    if (coll) {
        lls_err e = hnsw_coll_sorted(coll, range, &it->docs, &it->count, err);
        if (e != LLS_OK) {
            lls_free(it);
            return e;
        }
        it->coll = hnsw_coll_hold(coll);
    }
    *out = &it->base;
    return LLS_OK;
}

typedef struct base_iter {
    lls_kv_iter base;
    hnsw_base *file;
    uint32_t next;
    lls_buf value;
} base_iter;

static const lls_kv_iter_ops base_ops;

static base_iter *base_of(lls_kv_iter *it)
{
    assert(it->ops == &base_ops);
    return LLS_OUTER(it, base_iter, base);
}

static lls_err base_next(lls_kv_iter *base, lls_kv_item *item, lls_error *err)
{
    base_iter *it = base_of(base);
    hnsw_row row;

    if (!it->file || it->next == it->file->records)
        return LLS_END;
    hnsw_base_row(it->file, it->next, &row);
    lls_buf_clear(&it->value);
    lls_err e = hnsw_base_value(it->file, &row, &it->value, err);
    if (e == LLS_OK || e == LLS_E_CORRUPT)
        it->next++;
    LLS_TRY(e);
    *item = (lls_kv_item){row.id, lls_buf_view(&it->value), row.meta};
    return LLS_OK;
}

static void base_close(lls_kv_iter *base)
{
    base_iter *it = base_of(base);

    hnsw_base_drop(it->file);
    lls_buf_fini(&it->value);
    lls_free(it);
}

static const lls_kv_iter_ops base_ops = {.next = base_next, .close = base_close};

lls_err hnsw_scan_base(hnsw_base *file, lls_kv_iter **out, lls_error *err)
{
    base_iter *it = lls_alloc(sizeof(*it));

    if (!it) {
        hnsw_base_drop(file);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    it->base.ops = &base_ops;
    it->file = file;
    *out = &it->base;
    return LLS_OK;
}
