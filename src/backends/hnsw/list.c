#define _GNU_SOURCE // qsort_r
/** list.c - pages of what a filter lets through, in order of ids or of events. */
#include "backends/hnsw/port.h"

#include "backends/hnsw/choose.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_hits.h"

#include <stdlib.h>

typedef struct sorter {
    const hnsw_coll *coll;
    bool by_event;
    int sign; /* -1: the newest first */
} sorter;

static int compare(const sorter *s, int64_t event_a, lls_bytes a, int64_t event_b, lls_bytes b)
{
    if (s->by_event && event_a != event_b)
        return event_a < event_b ? -s->sign : s->sign;
    return s->sign * lls_bytes_cmp(a, b);
}

static int compare_docs(const sorter *s, uint32_t a, uint32_t b)
{
    hnsw_record x;
    hnsw_record y;

    hnsw_coll_record(s->coll, a, &x);
    hnsw_coll_record(s->coll, b, &y);
    return compare(s, x.event_usec, x.id, y.event_usec, y.id);
}

static int by_order(const void *a, const void *b, void *user)
{
    return compare_docs(user, *(const uint32_t *)a, *(const uint32_t *)b);
}

/* Whether a record comes behind the one that the page begins after. */
static bool is_behind(const sorter *s, const lls_vec_item *after, uint32_t doc)
{
    hnsw_record record;

    if (!after)
        return true;
    hnsw_coll_record(s->coll, doc, &record);
    return compare(s, record.event_usec, record.id, after->event_usec, after->id) > 0;
}

/* A heap whose root is the last of the page so far: the first `limit` stay. */
static void sift_down(const sorter *s, uint32_t *heap, size_t count, size_t at)
{
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count)
            return;
        if (child + 1 < count && compare_docs(s, heap[child + 1], heap[child]) > 0)
            child++;
        if (compare_docs(s, heap[child], heap[at]) <= 0)
            return;
        uint32_t swapped = heap[at];
        heap[at] = heap[child];
        heap[child] = swapped;
        at = child;
    }
}

static size_t pick(const sorter *s, const hnsw_choice *choice, const lls_vec_list *list,
                   uint32_t *page)
{
    size_t count = 0;

    for (uint32_t doc = 0; doc < choice->docs; doc++) {
        if (!hnsw_choice_has(choice, doc) || !is_behind(s, list->after, doc))
            continue;
        if (count < list->limit) {
            page[count++] = doc;
            if (count == list->limit)
                for (size_t i = count; i-- > 0;)
                    sift_down(s, page, count, i);
        } else if (compare_docs(s, doc, page[0]) < 0) {
            page[0] = doc;
            sift_down(s, page, count, 0);
        }
    }
    qsort_r(page, count, sizeof(*page), by_order, (void *)(uintptr_t)s);
    return count;
}

static lls_err add_page(const hnsw_coll *coll, const uint32_t *page, size_t count, unsigned fields,
                        lls_vec_hits *out, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    hnsw_record record;
    lls_vec_item item;

    for (size_t i = 0; i < count; i++) {
        hnsw_coll_record(coll, page[i], &record);
        LLS_TRY(hnsw_coll_item(coll, &record, fields & LLS_VEC_VECTOR, &floats, &item, err));
        LLS_TRY(lls_vec_hits_add(out, &item, fields, 0, 0, err));
    }
    return LLS_OK;
}

static lls_err list_coll(hnsw_coll *coll, int64_t now_usec, const lls_vec_list *list,
                         lls_vec_hits *out, lls_error *err)
{
    sorter s = {coll, list->order == LLS_VEC_BY_EVENT, list->newest_first ? -1 : 1};
    hnsw_choice choice = {0};

    LLS_TRY(hnsw_choose(coll, list->filter, now_usec, &choice, err));
    size_t most = list->limit < choice.count ? list->limit : choice.count;
    uint32_t *page = lls_resize(NULL, (most + 1) * sizeof(*page));
    lls_err e = page ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (e == LLS_OK) {
        size_t count = pick(&s, &choice, list, page);
        e = add_page(coll, page, count, list->fields, out, err);
    }
    lls_free(page);
    hnsw_choice_fini(&choice);
    return e;
}

lls_err hnsw_port_list(lls_vec *vec, lls_kv_space space, int64_t now_usec, const lls_vec_list *list,
                       lls_vec_hits *out, lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_enter(hnsw_store_of(vec), space.tenant, &tenant, err));
    hnsw_coll *coll = hnsw_tenant_coll(tenant, space.coll);
    lls_err e = coll ? list_coll(coll, now_usec, list, out, err) : LLS_OK;
    hnsw_leave(tenant);
    return e;
}
