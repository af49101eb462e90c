/** nearest.c - searches by nearness: the filter becomes a set of slots, the index does the rest. */
#include "backends/hnsw/port.h"

#include "backends/hnsw/choose.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_hits.h"
#include "ports/vec_record.h"

typedef struct search {
    hnsw_coll *coll;
    uint32_t space;
    const lls_vec_query *query;
    hnsw_choice choice;
    uint64_t *allowed;
    uint32_t allowed_slots;
    uint32_t allowed_count;
    hnsw_hit *hits;
    size_t count;
} search;

static lls_err add_hits(const search *s, lls_vec_hits *out, lls_error *err)
{
    const hnsw_space *space = s->coll->spaces[s->space];
    LLS_AUTO(lls_buf) floats = {0};
    unsigned fields = s->query->fields;
    hnsw_record record;
    lls_vec_item item;

    for (size_t i = 0; i < s->count; i++) {
        uint32_t doc = hnsw_space_doc(space, s->hits[i].slot);
        if (doc == HNSW_NONE)
            return lls_fail(err, LLS_E_INTERNAL, "slot %u has no record", s->hits[i].slot);
        hnsw_coll_record(s->coll, doc, &record);
        LLS_TRY(hnsw_coll_item(s->coll, &record, fields & LLS_VEC_VECTOR, &floats, &item, err));
        LLS_TRY(lls_vec_hits_add(out, &item, fields, s->hits[i].distance,
                                 lls_vec_score(space->space.metric, s->hits[i].distance), err));
    }
    lls_vec_hits_rank(out, true, s->query->k);
    return LLS_OK;
}

enum { TIES = 8 }; /* how much more is asked for, each time, while equals may be missing */

static lls_err ask(search *s, const hnsw_query *query, bool *exact, lls_error *err)
{
    hnsw_hit *hits = lls_resize(s->hits, query->k * sizeof(*hits));

    if (!hits)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %u hits", query->k);
    s->hits = hits;
    return hnsw_index_search(s->coll->spaces[s->space]->index, query, hits, &s->count, exact, err);
}

/* Whether none of those that are as far as the last that is wanted can be missing. */
static bool is_settled(const search *s, const hnsw_query *query, uint64_t all)
{
    uint32_t k = s->query->k;

    return s->count <= k || s->count < query->k || query->k >= all ||
           s->hits[s->count - 1].distance > s->hits[k - 1].distance;
}

/*
 * The index settles equals by slot, the port by id. So one more is asked for; if that is as far as
 * the last, there may be others. What is found approximately is not asked for again: which equals
 * are found is then as open as which neighbours are.
 */
static lls_err ask_with_ties(search *s, hnsw_query *query, uint64_t all, bool *exact,
                             lls_error *err)
{
    uint64_t want = (uint64_t)s->query->k + 1;

    for (;; want *= TIES) {
        query->k = want < all ? (uint32_t)want : (uint32_t)all;
        LLS_TRY(ask(s, query, exact, err));
        if (!*exact || is_settled(s, query, all))
            break;
    }
    while (s->count > s->query->k &&
           s->hits[s->count - 1].distance > s->hits[s->query->k - 1].distance)
        s->count--; // those that only showed that there are no more
    return LLS_OK;
}

static lls_err find(search *s, uint64_t ef, lls_vec_hits *out, lls_error *err)
{
    const lls_vec_query *query = s->query;
    hnsw_space *space = s->coll->spaces[s->space];
    hnsw_query q = {
        .vector = query->vector,
        .ef = query->effort ? query->effort : (uint32_t)ef,
        .exact = query->exact,
        .has_within = query->has_within,
        .within = query->within,
        .allowed = s->allowed,
        .allowed_slots = s->allowed_slots,
        .allowed_count = s->allowed_count,
    };

    out->exact = true;
    if (space->count == 0 || (s->allowed && s->allowed_count == 0))
        return LLS_OK;
    LLS_TRY(ask_with_ties(s, &q, space->count, &out->exact, err));
    return add_hits(s, out, err);
}

static bool has_length(const lls_vec_query *query)
{
    for (uint32_t i = 0; i < query->dim; i++)
        if (query->vector[i] != 0)
            return true;
    return false;
}

static lls_err check(const search *s, lls_error *err)
{
    const lls_vec_space *space = &s->coll->spaces[s->space]->space;

    if (s->coll->spaces[s->space]->damaged)
        return lls_fail(err, LLS_E_CORRUPT, "'%s': vectors of space '" LLS_FMT "' are damaged",
                        s->coll->base->path, LLS_ARG(space->model));
    if (space->dim != s->query->dim)
        return lls_fail(err, LLS_E_MISMATCH,
                        "a query of %u dimensions; the vectors of '" LLS_FMT "' have %u",
                        s->query->dim, LLS_ARG(space->model), space->dim);
    if (space->metric == LLS_VEC_COSINE && !has_length(s->query))
        return lls_fail(err, LLS_E_INVALID, "a query of length 0 has no cosine");
    return LLS_OK;
}

static lls_err search_one(hnsw_coll *coll, int64_t now_usec, const lls_vec_query *query,
                          lls_vec_hits *out, lls_error *err)
{
    search s = {.coll = coll, .query = query};

    out->exact = true;
    s.space = coll ? hnsw_coll_space(coll, query->model, query->dim) : HNSW_NONE;
    if (s.space == HNSW_NONE || coll->spaces[s.space]->count == 0)
        return LLS_OK;
    LLS_TRY(check(&s, err));
    lls_err e = hnsw_choose(coll, query->filter, now_usec, &s.choice, err);
    if (e == LLS_OK && !s.choice.all)
        e = hnsw_choice_slots(&s.choice, s.space, &s.allowed, &s.allowed_slots, &s.allowed_count,
                              err);
    if (e == LLS_OK)
        e = find(&s, coll->conf->ef_search, out, err);
    hnsw_choice_fini(&s.choice);
    lls_free(s.allowed);
    lls_free(s.hits);
    return e;
}

lls_err hnsw_port_search(lls_vec *vec, lls_kv_space space, int64_t now_usec,
                         const lls_vec_query *queries, size_t count, lls_vec_hits *out,
                         lls_error *err)
{
    hnsw_tenant *tenant;
    lls_err e = LLS_OK;

    LLS_TRY(hnsw_enter(hnsw_store_of(vec), space.tenant, &tenant, err));
    hnsw_coll *coll = hnsw_tenant_coll(tenant, space.coll);
    for (size_t i = 0; e == LLS_OK && i < count; i++)
        e = search_one(coll, now_usec, &queries[i], &out[i], err);
    hnsw_leave(tenant);
    return e;
}
