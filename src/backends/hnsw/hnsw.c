/**
 * hnsw.c - vector files: one folder, a log of what was written, and what is derived from it. One
 * process writes, any number read.
 */
#include "backends/hnsw/port.h"

#include "backends/hnsw/keeper.h"
#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

#include <errno.h>
#include <unistd.h>

static const lls_option options[] = {
    LLS_OPTION(hnsw_conf, path, LLS_OPT_PATH, "{data}/vectors", "the folder of the store",
               .choices = NULL),
    LLS_OPTION(hnsw_conf, code, LLS_OPT_CHOICE, "int8",
               "how vectors are kept for the walk; the best are compared exactly in any case",
               .choices = "int8|int4"),
    LLS_OPTION(hnsw_conf, sync, LLS_OPT_CHOICE, "full",
               "full: a write is on the disk when it returns; relaxed: power loss, not a crash of "
               "the process, may take back the last writes",
               .choices = "full|relaxed"),
    LLS_OPTION(hnsw_conf, m, LLS_OPT_COUNT, "16", "links of a vector in the graph", .min = 4,
               .max = 64),
    LLS_OPTION(hnsw_conf, ef_construction, LLS_OPT_COUNT, "200",
               "breadth of the search when a vector is linked", .min = 8, .max = 4096),
    LLS_OPTION(hnsw_conf, ef_search, LLS_OPT_COUNT, "64", "breadth of a search that asks for none",
               .min = 1, .max = 4096),
    LLS_OPTION(hnsw_conf, flat_max, LLS_OPT_COUNT, "8192",
               "up to how many vectors a space is scanned, without a graph", .min = 0,
               .max = 1 << 20),
    LLS_OPTION(hnsw_conf, memory_limit, LLS_OPT_SIZE, "0B",
               "bytes that the indexes may take; 0: no limit", .min = 0, .max = UINT64_MAX / 4),
    LLS_OPTION(hnsw_conf, log_limit, LLS_OPT_SIZE, "64MiB",
               "bytes of log that are folded into a base by themselves; 0: never", .min = 0,
               .max = UINT64_MAX / 4),
    {0},
};

static void release(hnsw_store *store)
{
    hnsw_keeper_end(store->keeper);
    for (size_t i = 0; i < store->tenant_count; i++)
        hnsw_tenant_free(store->tenants[i]);
    lls_free(store->tenants);
    if (store->lock_fd >= 0)
        (void)close(store->lock_fd);
    (void)pthread_mutex_destroy(&store->lock);
    lls_free(store->path);
    lls_free(store);
}

/* The folder is made when something is written; who only reads must find it. */
static lls_err find_folder(const hnsw_store *store, lls_error *err)
{
    if (store->writable)
        return lls_file_mkdirs(store->path, err);
    if (access(store->path, R_OK | X_OK) == 0)
        return LLS_OK;
    if (errno == ENOENT)
        return lls_fail(err, LLS_E_NOTFOUND, "no store in '%s'", store->path);
    return lls_fail_sys(err, errno, "'%s'", store->path);
}

static lls_err hnsw_open(const void *given, const lls_backend_params *params, lls_backend **out,
                         lls_error *err)
{
    const hnsw_conf *conf = given;
    hnsw_store *store = lls_alloc(sizeof(*store));
    char *path = lls_alloc(strlen(conf->path) + 1);

    if (!store || !path) {
        lls_free(store);
        lls_free(path);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    store->conf = *conf;
    store->path = strcpy(path, conf->path);
    store->conf.path = store->path;
    store->writable = params->access == LLS_READ_WRITE;
    store->full_sync = strcmp(conf->sync, "full") == 0;
    store->conf.sync = store->full_sync ? "full" : "relaxed";
    store->conf.code = strcmp(conf->code, "int4") == 0 ? "int4" : "int8";
    store->lock_fd = -1;
    (void)pthread_mutex_init(&store->lock, NULL);
    store->kv.ops = &hnsw_kv_ops;
    store->kv.port = LLS_PORT_VEC;
    store->vec.ops = &hnsw_vec_ops;
    store->vec.records = &store->kv;
    store->base.vec = &store->vec;
    lls_err e = find_folder(store, err);
    if (e != LLS_OK) {
        release(store);
        return e;
    }
    *out = &store->base;
    return LLS_OK;
}

static void hnsw_close(lls_backend *backend)
{
    release(LLS_OUTER(backend, hnsw_store, base));
}

const lls_backend_def lls_backend_hnsw = {
    .name = "hnsw",
    .summary = "vector files with an index of their own: the embedded default for vectors",
    .options = options,
    .conf_size = sizeof(hnsw_conf),
    .ports = LLS_HAS(LLS_PORT_VEC),
    .characteristics = {.persistent = true,
                        .transactional = true,
                        .prefix_scan = true,
                        .atomic_ops = true,
                        .read_usec = 5,
                        .write_usec = 1000},
    .open = hnsw_open,
    .close = hnsw_close,
    .facts = hnsw_facts,
    .check = hnsw_check,
    .ready = hnsw_ready,
};
