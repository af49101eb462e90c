/**
 * lmdb.c - the embedded default: one folder, no server, several processes at once.
 */
#include "backends/lmdb/kv.h"

#include "base/alloc.h"
#include "base/scope.h"

/* Dead records are collected in batches; an opening does a bounded share of it. */
enum { BATCHES_AT_OPEN = 16 };

static const lls_option options[] = {
    LLS_OPTION(lmdb_conf, path, LLS_OPT_PATH, "{data}/lmdb", "the folder of the store",
               .choices = NULL),
    LLS_OPTION(lmdb_conf, map_size, LLS_OPT_SIZE, "64GiB",
               "address space to begin with, in bytes; neither memory nor disk", .min = 1 << 20,
               .max = UINT64_MAX / 4),
    LLS_OPTION(lmdb_conf, map_max, LLS_OPT_SIZE, "1TiB",
               "the most bytes that the store may grow to", .min = 1 << 20, .max = UINT64_MAX / 4),
    LLS_OPTION(lmdb_conf, growth_timeout, LLS_OPT_DURATION, "5s",
               "how long a write that needs a larger map waits for open scans", .min = 0,
               .max = 3600000),
    LLS_OPTION(lmdb_conf, maxreaders, LLS_OPT_COUNT, "510",
               "read transactions at once, all processes together", .min = 8, .max = 65536),
    LLS_OPTION(lmdb_conf, durability, LLS_OPT_CHOICE, "full",
               "full: a write is on the disk when it returns; relaxed: power loss, not a crash of "
               "the process, may take back the last writes",
               .choices = "full|relaxed"),
    LLS_OPTION(lmdb_conf, allow_network_fs, LLS_OPT_BOOL, "false",
               "whether the folder may be on NFS and the like", .choices = NULL),
    {0},
};

static lls_err lmdb_open(const void *given, const lls_backend_params *params, lls_backend **out,
                         lls_error *err)
{
    const lmdb_conf *conf = given;
    lmdb_store *store = lls_alloc(sizeof(*store));

    if (!store)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    store->writable = params->access == LLS_READ_WRITE;
    lls_err e = lmdb_env_acquire(conf, store->writable, &store->env, err);
    if (e != LLS_OK) {
        lls_free(store);
        return e;
    }
    if (store->writable)
        lmdb_collect(store->env, BATCHES_AT_OPEN);
    store->kv.ops = &lmdb_kv_ops;
    store->base.kv = &store->kv;
    *out = &store->base;
    return LLS_OK;
}

static void lmdb_close(lls_backend *backend)
{
    lmdb_store *store = LLS_OUTER(backend, lmdb_store, base);

    lmdb_env_release(store->env);
    lls_free(store);
}

const lls_backend_def lls_backend_lmdb = {
    .name = "lmdb",
    .summary = "one folder, no server: the embedded default (LMDB)",
    .options = options,
    .conf_size = sizeof(lmdb_conf),
    .ports = LLS_HAS(LLS_PORT_KV),
    .characteristics = {.persistent = true,
                        .transactional = true,
                        .prefix_scan = true,
                        .atomic_ops = true,
                        .multi_process = true,
                        .read_usec = 1,
                        .write_usec = 500},
    .open = lmdb_open,
    .close = lmdb_close,
    .facts = lmdb_facts,
    .check = lmdb_check,
    .ready = lmdb_ready,
};
