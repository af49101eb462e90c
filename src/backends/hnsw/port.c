/** port.c - the vector port: records by id, counts, statistics, and writes. */
#include "backends/hnsw/port.h"

#include "backends/hnsw/choose.h"
#include "backends/hnsw/keeper.h"
#include "backends/hnsw/words.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_hits.h"

#include <assert.h>
#include <stdio.h>

hnsw_store *hnsw_store_of(lls_vec *vec)
{
    assert(vec->ops == &hnsw_vec_ops); // the ops pointer is the type tag
    return LLS_OUTER(vec, hnsw_store, vec);
}

static lls_err apply(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_write *writes,
                     size_t count, lls_error *err)
{
    hnsw_write *taken = lls_alloc(count * sizeof(*taken));

    if (!taken)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < count; i++)
        taken[i] = (hnsw_write){.coll = coll.coll, .verb = writes[i].verb, .item = writes[i].item};
    lls_err e = hnsw_apply(hnsw_store_of(vec), coll.tenant, now_usec, taken, count, err);
    lls_free(taken);
    return e;
}

static lls_err get_one(const hnsw_coll *coll, lls_bytes id, int64_t now_usec, unsigned fields,
                       lls_vec_hits *out, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    uint32_t doc = hnsw_coll_find(coll, id);
    hnsw_record record;
    lls_vec_item item;

    if (doc == HNSW_NONE)
        return LLS_OK;
    hnsw_coll_record(coll, doc, &record);
    if (lls_kv_expired(&record.meta, now_usec))
        return LLS_OK;
    LLS_TRY(hnsw_coll_item(coll, &record, fields & LLS_VEC_VECTOR, &floats, &item, err));
    return lls_vec_hits_add(out, &item, fields, 0, 0, err);
}

static lls_err get(lls_vec *vec, lls_kv_space space, int64_t now_usec, const lls_bytes *ids,
                   size_t count, unsigned fields, lls_vec_hits *out, lls_error *err)
{
    hnsw_tenant *tenant;
    lls_err e = LLS_OK;

    LLS_TRY(hnsw_enter(hnsw_store_of(vec), space.tenant, &tenant, err));
    const hnsw_coll *coll = hnsw_tenant_coll(tenant, space.coll);
    for (size_t i = 0; e == LLS_OK && coll && i < count; i++)
        e = get_one(coll, ids[i], now_usec, fields, out, err);
    hnsw_leave(tenant);
    return e;
}

static lls_err words(lls_vec *vec, lls_kv_space space, int64_t now_usec, const lls_vec_words *asked,
                     lls_vec_hits *out, lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_enter(hnsw_store_of(vec), space.tenant, &tenant, err));
    hnsw_coll *coll = hnsw_tenant_coll(tenant, space.coll);
    lls_err e = coll ? hnsw_words_search(coll, now_usec, asked, out, err) : LLS_OK;
    out->exact = true;
    hnsw_leave(tenant);
    return e;
}

static lls_err count(lls_vec *vec, lls_kv_space space, int64_t now_usec, const lls_filter *filter,
                     uint64_t *out, lls_error *err)
{
    hnsw_choice choice = {0};
    hnsw_tenant *tenant;
    lls_err e = LLS_OK;

    LLS_TRY(hnsw_enter(hnsw_store_of(vec), space.tenant, &tenant, err));
    hnsw_coll *coll = hnsw_tenant_coll(tenant, space.coll);
    if (coll)
        e = hnsw_choose(coll, filter, now_usec, &choice, err);
    if (e == LLS_OK)
        *out = choice.count;
    hnsw_choice_fini(&choice);
    hnsw_leave(tenant);
    return e;
}

static lls_err remove_chosen(lls_vec *vec, lls_kv_space space, int64_t now_usec,
                             const lls_filter *filter, uint64_t *removed, lls_error *err)
{
    return hnsw_remove(hnsw_store_of(vec), space, now_usec, filter, removed, err);
}

/* ---- statistics ---- */

static void tell_space(const hnsw_coll *coll, const hnsw_space *space, lls_vec_stats_fn each,
                       void *user)
{
    hnsw_params params = hnsw_space_params(coll->conf, &space->space);
    lls_vec_stats told = {.space = space->space, .count = space->count};
    const char *code = params.code == HNSW_CODE_INT4 ? "int4" : "int8";
    hnsw_stats stats;

    hnsw_index_stats(space->index, &stats);
    told.bytes = (uint64_t)space->space.dim * sizeof(float) * space->count + stats.hot_bytes;
    told.hot_bytes = stats.hot_bytes;
    told.exact =
        space->space.metric == LLS_VEC_L1 || (!stats.graph && params.code == HNSW_CODE_INT8);
    if (space->space.metric == LLS_VEC_L1)
        (void)snprintf(told.index, sizeof(told.index), "none");
    else if (stats.graph)
        (void)snprintf(told.index, sizeof(told.index), "hnsw %s, m %u", code, params.m);
    else
        (void)snprintf(told.index, sizeof(told.index), "flat %s", code);
    each(user, &told);
}

static int by_name(const hnsw_space *a, const hnsw_space *b)
{
    int c = lls_bytes_cmp(lls_bytes_of(a->space.model), lls_bytes_of(b->space.model));

    return c ? c : (a->space.dim > b->space.dim) - (a->space.dim < b->space.dim);
}

/* The space that comes behind `last` in order, or NULL. */
static const hnsw_space *next_space(const hnsw_coll *coll, const hnsw_space *last)
{
    const hnsw_space *best = NULL;

    for (uint32_t i = 0; i < coll->space_count; i++) {
        const hnsw_space *space = coll->spaces[i];
        if (space->count && (!last || by_name(space, last) > 0) &&
            (!best || by_name(space, best) < 0))
            best = space;
    }
    return best;
}

static void tell_all(const hnsw_coll *coll, lls_vec_stats_fn each, void *user)
{
    uint64_t without = coll->count;
    const hnsw_space *space = NULL;

    for (uint32_t i = 0; i < coll->space_count; i++)
        without -= coll->spaces[i]->count;
    if (without) {
        lls_vec_stats told = {.count = without, .exact = true, .index = "none"};
        each(user, &told);
    }
    while ((space = next_space(coll, space)) != NULL)
        tell_space(coll, space, each, user);
}

static lls_err stats(lls_vec *vec, lls_kv_space space, lls_vec_stats_fn each, void *user,
                     lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_enter(hnsw_store_of(vec), space.tenant, &tenant, err));
    const hnsw_coll *coll = hnsw_tenant_coll(tenant, space.coll);
    if (coll)
        tell_all(coll, each, user);
    hnsw_leave(tenant);
    return LLS_OK;
}

static lls_err tend(lls_vec *vec, lls_kv_space space, lls_error *err)
{
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_enter(hnsw_store_of(vec), space.tenant, &tenant, err));
    hnsw_leave(tenant);
    bool owner = hnsw_is_owner(hnsw_store_of(vec));
    if (owner)
        LLS_TRY(hnsw_audit(tenant, space.coll, err));
    LLS_TRY(hnsw_build(tenant, space.coll, NULL, err));
    if (!owner)
        return LLS_OK; // whoever writes does the rest
    return hnsw_compact(tenant, err);
}

const lls_vec_ops hnsw_vec_ops = {
    .apply = apply,
    .get = get,
    .search = hnsw_port_search,
    .words = words,
    .list = hnsw_port_list,
    .count = count,
    .remove = remove_chosen,
    .stats = stats,
    .tend = tend,
};
