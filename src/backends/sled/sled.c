/**
 * sled.c - databases of Sled 0.34, read from their files by this library alone. Nothing is written.
 */
#include "backends/sled/installs.h"
#include "backends/sled/store.h"
#include "backends/sled/view.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/scope.h"

static const lls_option options[] = {
    LLS_OPTION(sled_options, path, LLS_OPT_PATH, "{data}/sled", "the folder of the database",
               .choices = NULL),
    LLS_OPTION(sled_options, torn_tail, LLS_OPT_CHOICE, "refuse",
               "accept: leave away what stands behind the end of the log, as the engine does after "
               "a crash",
               .choices = "refuse|accept"),
    {0},
};

static lls_err open_reader(sled_store *store, const sled_options *conf, lls_error *err)
{
    bool accept = strcmp(conf->torn_tail, "accept") == 0;

    LLS_TRY(sled_open(conf->path, accept ? SLED_TAIL_ACCEPT : SLED_TAIL_REFUSE, &store->db, err));
    if (sled_view_is_ours(store->db)) {
        store->kind = "this library";
        store->close_kv = sled_view_close;
        return sled_view_open(store->db, &store->kv, err);
    }
    store->kind = "another program";
    store->close_kv = sled_installs_close;
    return sled_installs_open(store->db, &store->kv, err);
}

/* A database that is there is read, whatever was asked for: a write to it says why it cannot be. */
static lls_err open_kv(sled_store *store, const sled_options *conf, lls_access access,
                       lls_error *err)
{
    if (access == LLS_READ_WRITE && !sled_is_database(conf->path))
        return lls_fail(err, LLS_E_UNSUPPORTED,
                        "there is no Sled database in '%s', and this library reads them and makes "
                        "none: use another backend, such as the default",
                        conf->path);
    return open_reader(store, conf, err);
}

static void sled_store_close(lls_backend *backend)
{
    sled_store *store = LLS_OUTER(backend, sled_store, base);

    if (store->kv)
        store->close_kv(store->kv);
    sled_close(store->db);
    lls_free(store);
}

static lls_err sled_store_open(const void *given, const lls_backend_params *params,
                               lls_backend **out, lls_error *err)
{
    sled_store *store = lls_alloc(sizeof(*store));

    if (!store)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    lls_err e = open_kv(store, given, params->access, err);
    if (e != LLS_OK) {
        sled_store_close(&store->base);
        return e;
    }
    store->base.kv = store->kv;
    *out = &store->base;
    return LLS_OK;
}

const lls_backend_def lls_backend_sled = {
    .name = "sled",
    .summary = "databases of Sled 0.34, read from their files alone and not written",
    .options = options,
    .conf_size = sizeof(sled_options),
    .ports = LLS_HAS(LLS_PORT_KV),
    .characteristics = {.persistent = true,
                        .transactional = true,
                        .prefix_scan = true,
                        .atomic_ops = true,
                        .read_usec = 10},
    .open = sled_store_open,
    .close = sled_store_close,
    .facts = sled_store_facts,
    .check = sled_store_check,
};
