/** coll_open.c - a collection as its files leave it. */
#include "backends/hnsw/coll.h"

#include "backends/hnsw/derived.h"
#include "base/alloc.h"
#include "base/scope.h"

enum { SEED = 1 };

hnsw_params hnsw_space_params(const hnsw_conf *conf, const lls_vec_space *space)
{
    return (hnsw_params){
        .dim = space->dim,
        .metric = space->metric,
        .code = strcmp(conf->code, "int4") == 0 ? HNSW_CODE_INT4 : HNSW_CODE_INT8,
        .m = (uint32_t)conf->m,
        .ef_construction = (uint32_t)conf->ef_construction,
        .flat_max = (uint32_t)conf->flat_max,
        .seed = SEED,
    };
}

static lls_err open_space(hnsw_coll *coll, uint32_t number, lls_error *err)
{
    hnsw_space *space = lls_alloc(sizeof(*space));
    hnsw_base_space declared;

    if (!space)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    coll->spaces[coll->space_count++] = space;
    hnsw_base_space_at(coll->base, number, &declared);
    space->space = declared.space;
    memcpy(space->model, declared.space.model.data, declared.space.model.len);
    space->space.model.data = space->model;
    space->count = space->base_slots = declared.count;
    const hnsw_part *docs = hnsw_sections_find(&coll->base->head, HNSW_BASE_DOCS, number);
    space->base_docs = (uint32_t *)(void *)(coll->base->own + docs->offset);
    if (coll->base->length <= HNSW_CHECKED_AT_OPEN)
        space->damaged = !hnsw_base_check_space(coll->base, number);
    return hnsw_derived_attach(coll, number, err);
}

static lls_err open_base(hnsw_coll *coll, const char *derived, lls_error *err)
{
    hnsw_base *base = coll->base;

    coll->count = base->records;
    coll->live_words = (size_t)base->records / 64 + 1;
    coll->live = lls_alloc(coll->live_words * sizeof(*coll->live));
    coll->spaces = lls_alloc((base->space_count + 1) * sizeof(hnsw_space *));
    if (!coll->live || !coll->spaces)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    memset(coll->live, 0xff, coll->live_words * sizeof(*coll->live));
    coll->live[base->records / 64] = (UINT64_C(1) << (base->records % 64)) - 1;
    for (uint32_t doc = 0; doc < base->records; doc++) {
        hnsw_row row;
        hnsw_base_row(base, doc, &row);
        coll->expiring += row.meta.expires_usec != 0;
    }
    hnsw_derived_map(coll, derived);
    for (uint32_t i = 0; i < base->space_count; i++)
        LLS_TRY(open_space(coll, i, err));
    return LLS_OK;
}

lls_err hnsw_coll_open(const hnsw_conf *conf, lls_str name, hnsw_base *base, const char *derived,
                       hnsw_coll **out, lls_error *err)
{
    hnsw_coll *coll = lls_alloc(sizeof(*coll));

    if (!coll) {
        hnsw_base_drop(base);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    atomic_store(&coll->refs, 1);
    (void)pthread_mutex_init(&coll->making, NULL);
    memcpy(coll->name, name.data, name.len);
    coll->conf = conf;
    coll->base = base;
    coll->base_sequence = base ? base->head.sequence : 0;
    lls_err e = base ? open_base(coll, derived, err) : LLS_OK;
    if (e == LLS_OK)
        *out = coll;
    else
        hnsw_coll_drop(coll);
    return e;
}
