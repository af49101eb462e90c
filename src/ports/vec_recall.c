#include "ports/vec_recall.h"

#include "base/scope.h"

/* Neighbours of a vector beside itself; and one more, which is itself. */
enum { K = 10 };

typedef struct measuring {
    lls_vec *vec;
    lls_kv_space coll;
    const lls_vec_space *space;
    const volatile int *cancel;
    uint64_t wanted; /* true neighbours */
    uint64_t found;  /* of these */
    uint32_t asked;
} measuring;

static bool is_in(const lls_vec_hits *hits, lls_bytes id)
{
    for (size_t i = 0; i < hits->count; i++)
        if (lls_bytes_eq(hits->hits[i].item.id, id))
            return true;
    return false;
}

/* A neighbour that is as near as the last true one is as good: equals have no order. */
static void compare(measuring *m, lls_bytes self, const lls_vec_hits *truth,
                    const lls_vec_hits *found)
{
    float farthest = truth->count ? truth->hits[truth->count - 1].distance : 0;
    uint64_t wanted = 0;
    uint64_t got = 0;

    for (size_t i = 0; i < truth->count; i++)
        wanted += !lls_bytes_eq(truth->hits[i].item.id, self);
    for (size_t i = 0; i < found->count; i++)
        if (!lls_bytes_eq(found->hits[i].item.id, self))
            got += is_in(truth, found->hits[i].item.id) || found->hits[i].distance <= farthest;
    m->wanted += wanted;
    m->found += got < wanted ? got : wanted;
    m->asked++;
}

static lls_err ask(measuring *m, const lls_vec_item *item, lls_error *err)
{
    LLS_AUTO(lls_vec_hits) truth = {0};
    LLS_AUTO(lls_vec_hits) found = {0};
    lls_vec_query query = {
        .model = m->space->model, .vector = item->vector, .dim = m->space->dim, .k = K + 1};

    LLS_TRY(lls_vec_search(m->vec, m->coll, &query, &found, err));
    query.exact = true;
    LLS_TRY(lls_vec_search(m->vec, m->coll, &query, &truth, err));
    compare(m, item->id, &truth, &found);
    return LLS_OK;
}

static bool is_of_space(const measuring *m, const lls_vec_item *item)
{
    return item->space.dim == m->space->dim && lls_str_eq(item->space.model, m->space->model);
}

static lls_err ask_page(measuring *m, const lls_vec_list *list, lls_error *err)
{
    LLS_AUTO(lls_vec_hits) page = {0};

    LLS_TRY(lls_vec_list_page(m->vec, m->coll, list, &page, err));
    for (size_t i = 0; i < page.count; i++) {
        if (m->cancel && *m->cancel)
            return lls_fail(err, LLS_E_CANCELLED, "cancelled");
        if (is_of_space(m, &page.hits[i].item))
            LLS_TRY(ask(m, &page.hits[i].item, err));
    }
    return LLS_OK;
}

lls_err lls_vec_recall_of(lls_vec *vec, lls_kv_space coll, const lls_vec_space *space,
                          uint32_t sample, const volatile int *cancel, lls_vec_recall *out,
                          lls_error *err)
{
    measuring m = {.vec = vec, .coll = coll, .space = space, .cancel = cancel};
    lls_vec_list list = {
        .order = LLS_VEC_BY_EVENT, .limit = sample / 3 + 1, .fields = LLS_VEC_VECTOR};

    LLS_TRY(ask_page(&m, &list, err));
    list.newest_first = true;
    LLS_TRY(ask_page(&m, &list, err));
    list = (lls_vec_list){.order = LLS_VEC_BY_ID, .limit = list.limit, .fields = LLS_VEC_VECTOR};
    LLS_TRY(ask_page(&m, &list, err));
    *out = (lls_vec_recall){m.wanted ? (double)m.found / (double)m.wanted : 1, m.asked};
    return LLS_OK;
}
