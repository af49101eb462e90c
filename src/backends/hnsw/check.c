/**
 * check.c - whether a store is sound beyond its records: the sections of its bases, the derived
 * parts beside them, the graphs, and how good their answers are.
 */
#include "backends/hnsw/tour.h"

#include "backends/hnsw/derived.h"
#include "backends/hnsw/mapping.h"
#include "base/alloc.h"
#include "base/plural.h"
#include "base/scope.h"

#include <inttypes.h>

enum { SAMPLES = 50, NEAREST = 10, UNREACHED_SHARE = 100 };

#define RECALL_MIN 0.9 /* of what a sound graph gives, a good deal less */

typedef struct checking {
    hnsw_store *store;
    hnsw_teller teller;
} checking;

/* ---- files ---- */

static const char *const base_parts[] = {
    [HNSW_BASE_SPACES] = "table of spaces",
    [HNSW_BASE_ROWS] = "table of records",
    [HNSW_BASE_IDS] = "ids",
    [HNSW_BASE_BODIES] = "bodies",
    [HNSW_BASE_DOCS] = "table of slots",
    [HNSW_BASE_ORIGINALS] = "vectors",
};

static void check_base(const checking *c, const hnsw_base *base)
{
    for (size_t i = 0; base && i < base->head.count; i++) {
        const hnsw_part *part = &base->head.parts[i];
        if (hnsw_part_is_whole(part, base->bytes))
            continue;
        const char *name = part->kind && part->kind < LLS_COUNT(base_parts) ? base_parts[part->kind]
                                                                            : "unknown section";
        hnsw_tell(&c->teller, "base", "'%s': its section '%s' of space %" PRIu32 " is damaged",
                  base->path, name, part->space);
    }
}

/* The file, and not what this process made in its place. One that is not there is no fault. */
static void check_derived(const checking *c, const char *path)
{
    const uint8_t *bytes;
    size_t length;

    if (hnsw_map(path, HNSW_MAP_SHARED, &bytes, &length, NULL) != LLS_OK)
        return;
    const char *damage = hnsw_derived_damage((lls_bytes){bytes, length});
    hnsw_unmap(bytes, length);
    if (damage)
        hnsw_tell(&c->teller, "index",
                  "'%s': its section '%s' is damaged: the next process that writes makes it again",
                  path, damage);
}

/* ---- indexes ---- */

static lls_err check_graph(const checking *c, const hnsw_coll *coll, const hnsw_space *space,
                           lls_error *err)
{
    hnsw_health health;
    double recall = 1;

    LLS_TRY(hnsw_index_inspect(space->index, &health, err));
    if (health.astray || health.lost)
        hnsw_tell(&c->teller, "graph",
                  "collection '%s', model '%s': %" PRIu64 " link%s lead astray", coll->name,
                  space->model, health.astray + health.lost,
                  lls_plural(health.astray + health.lost));
    if ((health.count - health.reached) * UNREACHED_SHARE > health.count)
        hnsw_tell(&c->teller, "graph",
                  "collection '%s', model '%s': %" PRIu64 " of %" PRIu64
                  " vectors cannot be reached",
                  coll->name, space->model, health.count - health.reached, health.count);
    LLS_TRY(hnsw_index_recall(space->index, SAMPLES, NEAREST, (uint32_t)coll->conf->ef_search,
                              &recall, err));
    if (recall < RECALL_MIN)
        hnsw_tell(&c->teller, "recall",
                  "collection '%s', model '%s': a search finds %.0f %% of the nearest %d",
                  coll->name, space->model, recall * 100, NEAREST);
    return LLS_OK;
}

/* ---- all of it ---- */

/* A collection as it was when its tenant was entered. Nobody waits while it is looked at. */
typedef struct held {
    hnsw_coll *coll;
    lls_buf derived; /* the path */
    hnsw_space **spaces;
    uint32_t space_count;
} held;

static void held_fini(held *h)
{
    hnsw_coll_drop(h->coll);
    lls_buf_fini(&h->derived);
    lls_free(h->spaces);
}

static lls_err hold(held *h, const hnsw_tenant *tenant, hnsw_coll *coll, lls_error *err)
{
    h->coll = hnsw_coll_hold(coll);
    h->spaces = lls_alloc((coll->space_count + 1) * sizeof(hnsw_space *));
    if (!h->spaces)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < coll->space_count; i++)
        if (coll->spaces[i]->count)
            h->spaces[h->space_count++] = coll->spaces[i];
    const hnsw_manifest_coll *entry = hnsw_manifest_find(&tenant->manifest, lls_str_of(coll->name));
    if (entry && entry->base)
        hnsw_path_derived(tenant, lls_str_of(coll->name), entry->base, &h->derived);
    return lls_buf_status(&h->derived, err);
}

static lls_err check_held(const checking *c, held *h, lls_error *err)
{
    check_base(c, h->coll->base);
    if (h->derived.len)
        check_derived(c, lls_buf_cstr(&h->derived));
    for (uint32_t i = 0; i < h->space_count; i++)
        LLS_TRY(check_graph(c, h->coll, h->spaces[i], err));
    return LLS_OK;
}

static lls_err check_colls(const checking *c, lls_str name, lls_error *err)
{
    hnsw_tenant *tenant;
    lls_err e = LLS_OK;

    LLS_TRY(hnsw_enter(c->store, name, &tenant, err)); // every frame of the log is read for that
    size_t count = tenant->coll_count;
    held *all = lls_alloc((count + 1) * sizeof(*all));
    if (!all)
        e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (size_t i = 0; e == LLS_OK && i < count; i++)
        e = hold(&all[i], tenant, tenant->colls[i], err);
    hnsw_leave(tenant);
    for (size_t i = 0; e == LLS_OK && i < count; i++)
        e = check_held(c, &all[i], err);
    for (size_t i = 0; all && i < count; i++)
        held_fini(&all[i]);
    lls_free(all);
    return e;
}

static lls_err check_tenant(void *user, lls_str name, lls_error *err)
{
    const checking *c = user;
    lls_error why = {0};

    lls_err e = check_colls(c, name, &why);
    if (e == LLS_E_CORRUPT) {
        hnsw_tell(&c->teller, "files", "%s", why.msg);
        return LLS_OK;
    }
    if (e != LLS_OK && err)
        *err = why;
    return e;
}

static lls_err tell_stage(void *user, lls_str run, lls_str tenant, uint64_t bytes, lls_error *err)
{
    const checking *c = user;

    (void)err;
    hnsw_tell(&c->teller, "stage",
              "%" PRIu64 " bytes of tenant '" LLS_FMT "' wait in the stage of run '" LLS_FMT
              "' to be published or discarded",
              bytes, LLS_ARG(tenant), LLS_ARG(run));
    return LLS_OK;
}

lls_err hnsw_check(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err)
{
    checking c = {LLS_OUTER(backend, hnsw_store, base), {each, user}};

    LLS_TRY(hnsw_tour_tenants(c.store, check_tenant, &c, err));
    return hnsw_tour_stages(c.store, tell_stage, &c, err);
}
