/** facts.c - what a store can say of itself: settings, sizes, who writes, whether there is room. */
#include "backends/hnsw/tour.h"

#include "base/plural.h"
#include "base/scope.h"

#include <errno.h>
#include <inttypes.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum { FORMAT = 1 }; /* of the manifest, and so of the store */

/* ---- facts ---- */

typedef struct sums {
    hnsw_store *store;
    const hnsw_teller *teller;
    uint64_t tenants;
    uint64_t records;
    uint64_t log_records; /* of all, also those that were written again */
    uint64_t graphs;
    uint64_t unlinked; /* vectors that a graph lacks yet */
    uint64_t base_bytes;
    uint64_t index_bytes;
    uint64_t log_bytes;
    uint64_t memory_bytes;
    uint64_t stages;
    uint64_t stage_bytes;
    const char *kernel;
} sums;

static void add_coll(sums *s, const hnsw_coll *coll)
{
    hnsw_stats stats;

    s->records += coll->count;
    s->log_records += coll->tail_count;
    s->base_bytes += coll->base ? coll->base->length : 0;
    s->index_bytes += coll->derived_length;
    s->memory_bytes += hnsw_coll_memory(coll);
    for (uint32_t i = 0; i < coll->space_count; i++) {
        hnsw_index_stats(coll->spaces[i]->index, &stats);
        s->kernel = stats.kernel;
        s->graphs += stats.graph || stats.unlinked;
        s->unlinked += stats.unlinked;
    }
}

/* All logs that are there, and not only the one of now. */
static void add_logs(sums *s, const hnsw_tenant *tenant)
{
    LLS_AUTO(lls_buf) path = {0};
    struct stat st;

    for (uint64_t i = tenant->manifest.first_log; i && i <= tenant->manifest.last_log; i++) {
        hnsw_path_log(tenant, i, &path);
        if (path.status == LLS_OK && stat(lls_buf_cstr(&path), &st) == 0)
            s->log_bytes += (uint64_t)st.st_size;
    }
}

static lls_err add_tenant(void *user, lls_str name, lls_error *err)
{
    sums *s = user;
    hnsw_tenant *tenant;

    LLS_TRY(hnsw_enter(s->store, name, &tenant, err));
    s->tenants++;
    add_logs(s, tenant);
    for (size_t i = 0; i < tenant->coll_count; i++)
        add_coll(s, tenant->colls[i]);
    hnsw_leave(tenant);
    return LLS_OK;
}

static lls_err add_stage(void *user, lls_str run, lls_str tenant, uint64_t bytes, lls_error *err)
{
    sums *s = user;

    (void)run;
    (void)tenant;
    (void)err;
    s->stages++;
    s->stage_bytes += bytes;
    return LLS_OK;
}

static void tell_settings(hnsw_store *store, const hnsw_teller *t)
{
    const hnsw_conf *conf = &store->conf;
    long writer = hnsw_store_writer(store);

    hnsw_tell(t, "path", "%s", store->path);
    hnsw_tell(t, "format", "%d", FORMAT);
    hnsw_tell(t, "durability", "%s", conf->sync);
    hnsw_tell(t, "codes", "%s", conf->code);
    hnsw_tell(t, "graphs",
              "m %" PRIu64 ", ef_construction %" PRIu64 ", ef_search %" PRIu64 ", from %" PRIu64
              " vectors on",
              (uint64_t)conf->m, (uint64_t)conf->ef_construction, (uint64_t)conf->ef_search,
              (uint64_t)conf->flat_max + 1);
    if (writer > 0)
        hnsw_tell(t, "writer", "process %ld", writer);
    else
        hnsw_tell(t, "writer", "%s", writer ? "a process" : "none");
}

lls_err hnsw_facts(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err)
{
    const hnsw_teller t = {each, user};
    sums s = {.store = LLS_OUTER(backend, hnsw_store, base), .teller = &t};

    tell_settings(s.store, &t);
    LLS_TRY(hnsw_tour_tenants(s.store, add_tenant, &s, err));
    LLS_TRY(hnsw_tour_stages(s.store, add_stage, &s, err));
    if (s.kernel)
        hnsw_tell(&t, "kernel", "%s", s.kernel);
    hnsw_tell(&t, "tenants", "%" PRIu64, s.tenants);
    hnsw_tell(&t, "records of all collections", "%" PRIu64, s.records);
    hnsw_tell(&t, "records in logs", "%" PRIu64, s.log_records);
    if (s.graphs)
        hnsw_tell(&t, "graphs built", "%" PRIu64 ", %" PRIu64 " vector%s to be linked", s.graphs,
                  s.unlinked, lls_plural(s.unlinked));
    hnsw_tell(&t, "bytes on disk", "%" PRIu64, hnsw_folder_bytes(s.store->path));
    hnsw_tell(&t, "bytes of bases", "%" PRIu64, s.base_bytes);
    hnsw_tell(&t, "bytes of indexes", "%" PRIu64, s.index_bytes);
    hnsw_tell(&t, "bytes of logs", "%" PRIu64, s.log_bytes);
    hnsw_tell(&t, "bytes in memory", "%" PRIu64, s.memory_bytes);
    if (s.stages)
        hnsw_tell(&t, "stages", "%" PRIu64 " of %" PRIu64 " bytes", s.stages, s.stage_bytes);
    return LLS_OK;
}

/* ---- ready ---- */

/* A preflight may come to a store that it reads only, and before there is anything in it. */
static lls_err check_writer(hnsw_store *store, lls_error *err)
{
    long writer = hnsw_store_writer(store);

    if (writer && !hnsw_is_owner(store))
        return lls_fail(err, LLS_E_BUSY,
                        "'%s' is being written to by process %ld: end it, or wait for it",
                        store->path, writer);
    if (access(store->path, W_OK | X_OK) != 0)
        return lls_fail_sys(err, errno, "write to '%s'", store->path);
    return LLS_OK;
}

lls_err hnsw_ready(lls_backend *backend, uint64_t bytes_to_come, lls_error *err)
{
    hnsw_store *store = LLS_OUTER(backend, hnsw_store, base);
    struct statvfs fs;

    LLS_TRY(check_writer(store, err));
    if (statvfs(store->path, &fs) != 0)
        return lls_fail_sys(err, errno, "'%s'", store->path);
    // what is staged, what it is merged into, and that in the order of its index, with the index;
    // what is there already may be merged too
    uint64_t there = bytes_to_come ? hnsw_folder_bytes(store->path) : 0;
    uint64_t most = UINT64_MAX / 8;
    uint64_t needed =
        bytes_to_come > most || there > most ? most * 8 : bytes_to_come * 4 + there * 2;
    uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (room < needed)
        return lls_fail(err, LLS_E_FULL,
                        "'%s' has %" PRIu64 " bytes of room; %" PRIu64 " are needed", store->path,
                        room, needed);
    return LLS_OK;
}
