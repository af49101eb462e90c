#include <llmspell/store.h>

#include "base/alloc.h"
#include "base/scope.h"
#include "store/config.h"
#include "store/open.h"
#include "store/route.h"

static lls_err check_options(const lls_store_options *options, lls_error *err)
{
    if (options && options->abi != LLS_ABI)
        return lls_fail(err, LLS_E_INVALID, "lls_store_options.abi is %u, this library's is %u",
                        options->abi, LLS_ABI);
    return LLS_OK;
}

static size_t component_count(void)
{
    size_t n = 0;

    while (lls_components()[n])
        n++;
    return n;
}

/* Pair a component with the one that keeps its earlier versions, if there is one. */
static void link_history(lls_store *store, lls_route *route)
{
    LLS_AUTO(lls_buf) name = {0};
    const lls_component_def *history = lls_component_history(route->component);

    for (size_t i = 0; history && i < store->route_count; i++) {
        if (store->routes[i].component == history) {
            route->history = &store->routes[i];
            route->history->leader = route;
        }
    }
    lls_buf_printf(&name, "storage.%s.history", route->component->name);
    const char *keep = route->history ? lls_config_raw(store->config, lls_buf_cstr(&name)) : NULL;
    route->keep = keep ? strtoull(keep, NULL, 10) : 0; // the configuration has checked it
}

lls_err lls_store_open(const lls_config *config, const lls_store_options *options, lls_store **out,
                       lls_error *err)
{
    size_t count = component_count();

    LLS_TRY(check_options(options, err));
    lls_store *store = lls_alloc(sizeof(*store) + count * sizeof(store->routes[0]));
    if (!store)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    store->config = lls_config_hold(config);
    store->params.access =
        options && options->mode == LLS_OPEN_READ ? LLS_READ_ONLY : LLS_READ_WRITE;
    if (options && options->now_usec) {
        store->clock = (lls_clock){options->now_usec, options->user};
        store->params.clock = &store->clock;
    }
    lls_served_table_init(&store->served);
    store->route_count = count;
    for (size_t i = 0; i < count; i++) {
        store->routes[i].component = lls_components()[i];
        lls_gate_init(&store->routes[i].gate);
        (void)pthread_mutex_init(&store->routes[i].swap, NULL);
    }
    for (size_t i = 0; i < count; i++)
        link_history(store, &store->routes[i]);
    *out = store;
    return LLS_OK;
}

void lls_store_close(lls_store *store)
{
    if (!store)
        return;
    for (size_t i = 0; i < store->route_count; i++) {
        lls_served_drop(store->routes[i].served);
        lls_gate_fini(&store->routes[i].gate);
        (void)pthread_mutex_destroy(&store->routes[i].swap);
    }
    lls_served_table_fini(&store->served);
    lls_config_free(store->config);
    lls_free(store);
}

lls_str lls_store_tenant(const lls_store *store)
{
    return lls_str_of(lls_config_tenant(store->config));
}

const char *lls_store_backend_of(lls_store *store, lls_str component)
{
    lls_route *route;

    if (lls_route_find(store, component, &route, NULL) != LLS_OK)
        return NULL;
    if (route->leader)
        route = route->leader;
    (void)pthread_mutex_lock(&store->served.lock);
    const lls_backend_def *def = route->served ? route->served->backend->def : NULL;
    (void)pthread_mutex_unlock(&store->served.lock);
    if (def)
        return def->name;

    const char *name = lls_config_route(store->config, route->component);
    const char *type = name;
    if (lls_config_backend_type(store->config, name, &type, NULL) != LLS_OK)
        return name; // not in this build: opening it says so
    return type;
}

lls_err lls_store_get(lls_store *store, lls_str component, lls_bytes key, lls_buf *value,
                      lls_record *meta, lls_error *err)
{
    LLS_AUTO(lls_served_ref) served = NULL;
    lls_kv_meta found;
    lls_route *route;

    LLS_TRY(lls_route_find(store, component, &route, err));
    LLS_TRY(lls_route_hold(store, route, &served, err));
    LLS_TRY(lls_kv_get(lls_route_records(route, served), lls_route_space(store, route), key, value,
                       &found, err));
    if (meta)
        *meta = (lls_record){
            .component = component,
            .key = key,
            .version = found.version,
            .created_usec = found.created_usec,
            .updated_usec = found.updated_usec,
            .expires_usec = found.expires_usec,
        };
    return LLS_OK;
}

lls_err lls_store_put(lls_store *store, const lls_record *record, lls_put_mode mode, lls_error *err)
{
    static const lls_kv_verb verbs[] = {
        [LLS_PUT_ANY] = LLS_KV_PUT,
        [LLS_PUT_CREATE] = LLS_KV_CREATE,
        [LLS_PUT_REPLACE] = LLS_KV_REPLACE,
    };
    lls_route *route;

    if ((size_t)mode >= LLS_COUNT(verbs))
        return lls_fail(err, LLS_E_INVALID, "%d is no lls_put_mode", (int)mode);
    LLS_TRY(lls_route_find(store, record->component, &route, err));
    LLS_TRY(route->component->check_key(record->key, err));
    LLS_TRY(route->component->check_value(record->value, err));
    lls_kv_write write = {
        .verb = verbs[mode],
        .coll = lls_str_of(route->component->collection),
        .key = record->key,
        .value = record->value,
        .meta = {.version = record->version, .expires_usec = record->expires_usec},
    };
    if (route->keep > 0)
        return lls_history_put(store, route, &write, err);
    return lls_route_apply(store, route, &write, 1, err);
}

lls_err lls_store_delete(lls_store *store, lls_str component, lls_bytes key, lls_error *err)
{
    LLS_AUTO(lls_buf) value = {0};
    lls_record seen;
    lls_route *route;
    lls_err e;

    LLS_TRY(lls_route_find(store, component, &route, err));
    if (route->history)
        return lls_history_delete(store, route, key, err);
    do { // only who removes what is there may say that it was there
        lls_buf_clear(&value);
        LLS_TRY(lls_store_get(store, component, key, &value, &seen, err));
        lls_kv_write write = {
            .verb = LLS_KV_DELETE,
            .coll = lls_str_of(route->component->collection),
            .key = key,
            .meta = {.version = seen.version},
        };
        e = lls_route_apply(store, route, &write, 1, err);
    } while (e == LLS_E_CONFLICT);
    return e;
}

lls_err lls_store_sweep(lls_store *store, lls_str component, uint64_t *removed, lls_error *err)
{
    LLS_AUTO(lls_served_ref) served = NULL;
    lls_route *route;

    LLS_TRY(lls_route_find(store, component, &route, err));
    // Under the gate: a sweep writes, and what it removes is expired on both sides of a swap.
    lls_gate *gate = route->leader ? &route->leader->gate : &route->gate;
    lls_gate_enter(gate);
    lls_err e = lls_route_hold(store, route, &served, err);
    if (e == LLS_OK)
        e = lls_kv_sweep(lls_route_records(route, served), lls_route_space(store, route), removed,
                         err);
    lls_gate_leave(gate);
    return e;
}
