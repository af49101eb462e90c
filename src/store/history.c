#include "store/history.h"

#include "base/scope.h"
#include "ports/batch.h"
#include "ports/record.h"
#include "store/route.h"

#include <inttypes.h>

enum { DIGITS = LLS_HISTORY_SUFFIX - 1 };

void lls_history_key(lls_bytes key, uint64_t version, lls_buf *out)
{
    lls_buf_add(out, key);
    lls_buf_printf(out, "@%020" PRIu64, version);
}

bool lls_history_split(lls_bytes history_key, lls_bytes *key, uint64_t *version)
{
    uint64_t n = 0;

    if (history_key.len <= LLS_HISTORY_SUFFIX)
        return false;
    size_t len = history_key.len - LLS_HISTORY_SUFFIX;
    const uint8_t *digits = history_key.data + len + 1;
    for (int i = 0; i < DIGITS; i++) {
        if (digits[i] < '0' || digits[i] > '9' || n > INT64_MAX / 10)
            return false;
        n = n * 10 + (uint64_t)(digits[i] - '0');
    }
    if (digits[-1] != '@' || n == 0 || n > INT64_MAX)
        return false;
    *key = (lls_bytes){history_key.data, len};
    *version = n;
    return true;
}

/* One change of a record and what it does to the history, before it is applied at once. */
typedef struct change {
    lls_store *store;
    lls_route *route;
    lls_kv *records;
    lls_bytes key;
    bool found;
    lls_kv_meta old; /* of the record as it is */
    lls_buf value;
    lls_batch batch;
} change;

static void change_auto(change *c)
{
    lls_buf_fini(&c->value);
    lls_batch_fini(&c->batch);
}

static lls_err look(change *c, lls_error *err)
{
    lls_batch_clear(&c->batch);
    lls_buf_clear(&c->value);
    lls_err e = lls_kv_get(c->records, lls_route_space(c->store, c->route), c->key, &c->value,
                           &c->old, err);
    c->found = e == LLS_OK;
    return e == LLS_E_NOTFOUND ? LLS_OK : e;
}

/* Remove the versions up to `last`, oldest first, and stop at the first that stays. */
static lls_err drop_up_to(change *c, uint64_t last, lls_error *err)
{
    LLS_AUTO(lls_kv_iter_ref) it = NULL;
    LLS_AUTO(lls_buf) prefix = {0};
    lls_kv_item item;
    lls_err e;

    lls_buf_add(&prefix, c->key);
    lls_buf_add_text(&prefix, "@");
    LLS_TRY(lls_buf_status(&prefix, err));
    lls_kv_range range = {.prefix = lls_buf_view(&prefix)};
    LLS_TRY(lls_kv_scan(c->records, lls_route_space(c->store, c->route->history), range, LLS_KV_ALL,
                        &it, err));
    while ((e = lls_kv_iter_next(it, &item, err)) == LLS_OK) {
        lls_bytes key;
        uint64_t version;
        if (!lls_history_split(item.key, &key, &version) || !lls_bytes_eq(key, c->key))
            continue; // of another record, whose key begins like this one
        if (version > last)
            return LLS_OK;
        lls_kv_write write = {.verb = LLS_KV_DELETE,
                              .coll = lls_str_of(c->route->history->component->collection),
                              .key = item.key};
        LLS_TRY(lls_batch_add(&c->batch, &write, err));
    }
    return e == LLS_END ? LLS_OK : e;
}

static lls_err keep_old(change *c, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};

    lls_history_key(c->key, c->old.version, &key);
    LLS_TRY(lls_buf_status(&key, err));
    if (key.len > LLS_KEY_MAX)
        return lls_fail(err, LLS_E_INVALID,
                        "a key of %zu bytes is too long to keep a history: at most %d", c->key.len,
                        LLS_KEY_MAX - LLS_HISTORY_SUFFIX);
    lls_kv_write write = {.verb = LLS_KV_RESTORE,
                          .coll = lls_str_of(c->route->history->component->collection),
                          .key = lls_buf_view(&key),
                          .value = lls_buf_view(&c->value),
                          .meta = c->old};
    write.meta.expires_usec = 0;
    LLS_TRY(lls_batch_add(&c->batch, &write, err));
    return c->old.version > c->route->keep ? drop_up_to(c, c->old.version - c->route->keep, err)
                                           : LLS_OK;
}

static lls_err conflict(const change *c, uint64_t wanted, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(c->key, &shown);
    return lls_fail(err, LLS_E_CONFLICT, "key '%s' has version %" PRIu64 ", not %" PRIu64,
                    lls_buf_cstr(&shown), c->old.version, wanted);
}

/* What is replaced must be what was kept: a write of any version becomes one of the version read.
 */
static lls_err add_put(change *c, const lls_kv_write *wanted, lls_error *err)
{
    lls_kv_write write = *wanted;

    if (write.verb == LLS_KV_REPLACE && c->found && c->old.version != write.meta.version)
        return conflict(c, write.meta.version, err);
    if (write.verb == LLS_KV_PUT) {
        write.verb = c->found ? LLS_KV_REPLACE : LLS_KV_CREATE;
        write.meta.version = c->found ? c->old.version : 0;
    }
    LLS_TRY(lls_batch_add(&c->batch, &write, err));
    if (!c->found)
        return drop_up_to(c, UINT64_MAX, err); // of one that expired: versions begin again
    return write.verb == LLS_KV_REPLACE ? keep_old(c, err) : LLS_OK;
}

static lls_err apply(change *c, lls_error *err)
{
    return lls_route_apply(c->store, c->route, lls_batch_writes(&c->batch), c->batch.count, err);
}

lls_err lls_history_put(lls_store *store, lls_route *route, const lls_kv_write *write,
                        lls_error *err)
{
    LLS_AUTO(lls_served_ref) served = NULL;
    LLS_AUTO(change) c = {.store = store, .route = route, .key = write->key};
    lls_err e;

    do {
        lls_served_drop(served);
        served = NULL;
        LLS_TRY(lls_route_hold(store, route, &served, err));
        c.records = lls_route_records(route, served);
        LLS_TRY(look(&c, err));
        LLS_TRY(add_put(&c, write, err));
        e = apply(&c, err);
    } while (write->verb == LLS_KV_PUT && (e == LLS_E_CONFLICT || e == LLS_E_EXISTS));
    return e;
}

lls_err lls_history_delete(lls_store *store, lls_route *route, lls_bytes key, lls_error *err)
{
    LLS_AUTO(lls_served_ref) served = NULL;
    LLS_AUTO(change) c = {.store = store, .route = route, .key = key};
    lls_err e;

    do { // only who removes what is there may say that it was there
        lls_served_drop(served);
        served = NULL;
        LLS_TRY(lls_route_hold(store, route, &served, err));
        c.records = lls_route_records(route, served);
        LLS_TRY(look(&c, err));
        if (!c.found)
            return lls_fail(err, LLS_E_NOTFOUND, "no such key");
        lls_kv_write write = {.verb = LLS_KV_DELETE,
                              .coll = lls_str_of(route->component->collection),
                              .key = key,
                              .meta = {.version = c.old.version}};
        LLS_TRY(lls_batch_add(&c.batch, &write, err));
        LLS_TRY(drop_up_to(&c, UINT64_MAX, err));
        e = apply(&c, err);
    } while (e == LLS_E_CONFLICT);
    return e;
}

lls_err lls_store_get_version(lls_store *store, lls_str component, lls_bytes key, uint64_t version,
                              lls_buf *value, lls_record *meta, lls_error *err)
{
    LLS_AUTO(lls_buf) old_key = {0};
    lls_record found = {0};
    size_t before = value->len;
    lls_route *route;

    LLS_TRY(lls_route_find(store, component, &route, err));
    lls_err e = lls_store_get(store, component, key, value, &found, err);
    if (e == LLS_OK && found.version != version) {
        value->len = before;
        if (!route->history)
            return lls_fail(err, LLS_E_NOTFOUND, "no such version");
        lls_history_key(key, version, &old_key);
        LLS_TRY(lls_buf_status(&old_key, err));
        if (old_key.len > LLS_KEY_MAX || version > found.version)
            return lls_fail(err, LLS_E_NOTFOUND, "no such version");
        e = lls_store_get(store, lls_str_of(route->history->component->name),
                          lls_buf_view(&old_key), value, &found, err);
        if (e == LLS_E_NOTFOUND)
            return lls_fail(err, e, "no such version");
    }
    LLS_TRY(e);
    if (meta) {
        *meta = found;
        meta->component = component;
        meta->key = key;
    }
    return LLS_OK;
}
