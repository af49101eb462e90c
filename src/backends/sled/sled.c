/**
 * sled.c - databases of Sled 0.34: read from their files by this library alone, and written by the
 * real engine, where that was built, when they are this library's own.
 */
#include "backends/sled/installs.h"
#include "backends/sled/store.h"
#include "backends/sled/view.h"
#include "backends/sled/writer.h"

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
    LLS_OPTION(sled_options, cache, LLS_OPT_SIZE, "128MiB",
               "how much of the database the engine may hold in memory while it writes",
               .min = 1 << 20, .max = UINT64_MAX / 4),
    LLS_OPTION(sled_options, compression, LLS_OPT_BOOL, "false",
               "whether a new database is compressed (zstd); one that is there stays as it is",
               .choices = NULL),
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

static lls_err open_writer(sled_store *store, const sled_options *conf, const sled_facts *found,
                           lls_error *err)
{
    store->kind = "this library";
    store->close_kv = sled_writer_close;
    return sled_writer_open(conf, found, &store->kv, err);
}

/* Whether a database may become ours: what a kill leaves of one that was being made. */
static lls_err is_empty(const sled_db *db, bool *out, lls_error *err)
{
    lls_bytes tree;
    lls_err e = LLS_END;

    for (size_t i = 0; e == LLS_END && sled_tree_at(db, i, &tree) == LLS_OK; i++) {
        LLS_AUTO(sled_cursor_ref) cursor = NULL;
        lls_bytes key;
        lls_bytes value;
        LLS_TRY(sled_cursor_open(db, tree, (lls_bytes){0}, &cursor, err));
        e = sled_cursor_next(cursor, &key, &value, err);
    }
    *out = e == LLS_END;
    return e == LLS_END ? LLS_OK : e;
}

/* The reader looks first: it refuses damage that the engine would repair, and so lose. What a crash
 * may leave behind the end of the log is no reason to refuse, since nobody was told of it. */
static lls_err look(const sled_options *conf, sled_facts *found, bool *ours, lls_error *err)
{
    LLS_AUTO(sled_db_ref) db = NULL;

    LLS_TRY(sled_open(conf->path, SLED_TAIL_ACCEPT, &db, err));
    *found = *sled_facts_of(db);
    *ours = sled_view_is_ours(db);
    return *ours ? LLS_OK : is_empty(db, ours, err);
}

static lls_err open_kv(sled_store *store, const sled_options *conf, lls_access access,
                       lls_error *err)
{
    sled_facts found;
    bool ours;

    if (access == LLS_READ_ONLY)
        return open_reader(store, conf, err);
    if (!sled_is_database(conf->path) || sled_holds_nothing(conf->path))
        return open_writer(store, conf, NULL, err);
    if (!sled_writer_is_built())
        return open_reader(store, conf, err); // a write to it says why it cannot be
    LLS_TRY(look(conf, &found, &ours, err));
    return ours ? open_writer(store, conf, &found, err) : open_reader(store, conf, err);
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
    .summary = "one folder of Sled 0.34; what other programs left in one is read",
    .options = options,
    .conf_size = sizeof(sled_options),
    .ports = LLS_HAS(LLS_PORT_KV),
    .characteristics = {.persistent = true,
                        .transactional = true,
                        .prefix_scan = true,
                        .atomic_ops = true,
                        .read_usec = 10,
                        .write_usec = 1000},
    .open = sled_store_open,
    .close = sled_store_close,
    .facts = sled_store_facts,
    .check = sled_store_check,
};
