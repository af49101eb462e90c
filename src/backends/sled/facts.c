/* What `info` tells of a database, and what `validate` looks for beyond its records. */
#include "backends/sled/installs.h"
#include "backends/sled/store.h"
#include "backends/sled/view.h"
#include "base/scope.h"

#include <inttypes.h>

static lls_err tell_number(lls_fact_fn each, void *user, const char *name, uint64_t number,
                           lls_error *err)
{
    LLS_AUTO(lls_buf) text = {0};

    lls_buf_printf(&text, "%" PRIu64, number);
    const char *shown = lls_buf_cstr(&text);
    LLS_TRY(lls_buf_status(&text, err));
    each(user, name, shown);
    return LLS_OK;
}

lls_err sled_store_facts(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err)
{
    const sled_store *store = LLS_OUTER(backend, sled_store, base);

    each(user, "made_by", store->kind);
    each(user, "access", store->db ? "this library's reader" : "the engine, sled 0.34.7");
    if (!store->db)
        return LLS_OK;
    const sled_facts *facts = sled_facts_of(store->db);
    each(user, "path", sled_path(store->db));
    each(user, "compression", facts->compressed ? "zstd" : "none");
    each(user, "snapshot", facts->has_snapshot ? facts->snapshot : "none");
    LLS_TRY(tell_number(each, user, "segment_bytes", facts->segment_bytes, err));
    LLS_TRY(tell_number(each, user, "db_bytes", facts->db_bytes, err));
    LLS_TRY(tell_number(each, user, "segments", facts->segments, err));
    LLS_TRY(tell_number(each, user, "trees", facts->trees, err));
    LLS_TRY(tell_number(each, user, "live_pages", facts->live_pages, err));
    LLS_TRY(tell_number(each, user, "free_pages", facts->free_pages, err));
    LLS_TRY(tell_number(each, user, "blobs", facts->live_blobs, err));
    LLS_TRY(tell_number(each, user, "tip_lsn", (uint64_t)facts->tip_lsn, err));
    if (facts->torn)
        each(user, "torn_tail", facts->torn_text);
    return sled_view_is_ours(store->db) ? LLS_OK : sled_installs_facts(store->kv, each, user, err);
}

/* Every page, link and bound of a tree is looked at by a walk through it. */
static lls_err check_tree(const sled_db *db, lls_bytes tree, lls_error *err)
{
    LLS_AUTO(sled_cursor_ref) cursor = NULL;
    lls_bytes key;
    lls_bytes value;
    lls_err e;

    LLS_TRY(sled_cursor_open(db, tree, (lls_bytes){0}, &cursor, err));
    while ((e = sled_cursor_next(cursor, &key, &value, err)) == LLS_OK)
        continue;
    return e == LLS_END ? LLS_OK : e;
}

lls_err sled_store_check(lls_backend *backend, lls_fact_fn each, void *user, lls_error *err)
{
    const sled_store *store = LLS_OUTER(backend, sled_store, base);
    lls_bytes tree;

    if (!store->db)
        return LLS_OK;
    if (sled_facts_of(store->db)->torn)
        each(user, "torn tail", sled_facts_of(store->db)->torn_text);
    for (size_t i = 0; sled_tree_at(store->db, i, &tree) == LLS_OK; i++) {
        lls_error why = {0};
        lls_err e = check_tree(store->db, tree, &why);
        if (e == LLS_E_CORRUPT)
            each(user, "tree", why.msg);
        else if (e != LLS_OK)
            return lls_fail(err, e, "%s", why.msg);
    }
    return LLS_OK;
}
