#include "store/route.h"

#include "base/alloc.h"
#include "base/scope.h"
#include "store/open.h"

lls_kv_space lls_route_space(const lls_store *store, const lls_route *route)
{
    return (lls_kv_space){lls_str_of(lls_config_tenant(store->config)),
                          lls_str_of(route->component->collection)};
}

lls_err lls_route_find(lls_store *store, lls_str component, lls_route **out, lls_error *err)
{
    const lls_component_def *def;

    LLS_TRY(lls_component_find(component, &def, err));
    for (size_t i = 0; i < store->route_count; i++)
        if (store->routes[i].component == def)
            *out = &store->routes[i];
    return LLS_OK;
}

void lls_served_drop(lls_served *served)
{
    if (!served || atomic_fetch_sub(&served->refs, 1) != 1)
        return;
    lls_backend_close(served->backend);
    lls_free(served);
}

/* A backend that some route has open under that name, with one more reference; or NULL. */
static lls_served *find_served(lls_store *store, const char *name)
{
    for (size_t i = 0; i < store->route_count; i++) {
        lls_served *served = store->routes[i].served;
        if (served && strcmp(served->name, name) == 0) {
            (void)atomic_fetch_add(&served->refs, 1);
            return served;
        }
    }
    return NULL;
}

static lls_err open_served(lls_store *store, const char *name, lls_served **out, lls_error *err)
{
    const lls_backend_choice choice = {.name = name};
    lls_served *served = lls_alloc(sizeof(*served) + strlen(name) + 1);

    if (!served)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    memcpy(served->name, name, strlen(name) + 1);
    served->refs = 1;
    lls_err e =
        lls_config_open_backend(store->config, &choice, &store->params, &served->backend, err);
    if (e == LLS_OK && !served->backend->kv) {
        lls_backend_close(served->backend);
        e = lls_fail(err, LLS_E_UNSUPPORTED, "backend '%s' keeps no keys and values", name);
    }
    if (e == LLS_OK)
        *out = served;
    else
        lls_free(served);
    return e;
}

lls_err lls_served_open(lls_store *store, const char *name, lls_served **out, lls_error *err)
{
    lls_err e = LLS_OK;

    (void)pthread_mutex_lock(&store->lock);
    lls_served *served = find_served(store, name);
    if (served)
        *out = served;
    else
        e = open_served(store, name, out, err);
    (void)pthread_mutex_unlock(&store->lock);
    return e;
}

lls_err lls_route_hold(lls_store *store, lls_route *route, lls_served **out, lls_error *err)
{
    const char *name = lls_config_route(store->config, route->component->name);
    lls_err e = LLS_OK;

    (void)pthread_mutex_lock(&store->lock);
    if (!route->served) {
        route->served = find_served(store, name);
        if (!route->served)
            e = open_served(store, name, &route->served, err);
    }
    if (e == LLS_OK) {
        (void)atomic_fetch_add(&route->served->refs, 1);
        *out = route->served;
    }
    (void)pthread_mutex_unlock(&store->lock);
    return e;
}

static lls_err apply(lls_store *store, lls_route *route, const lls_kv_write *writes, size_t count,
                     lls_error *err)
{
    LLS_AUTO(lls_served_ref) served = NULL;

    LLS_TRY(lls_route_hold(store, route, &served, err));
    lls_err e =
        lls_kv_apply(served->backend->kv, lls_route_space(store, route).tenant, writes, count, err);
    // Captured also when it failed: of a lost answer nobody knows whether it was written.
    for (size_t i = 0; route->capture && i < count; i++)
        lls_capture_add(route->capture, writes[i].key);
    return e;
}

lls_err lls_route_apply(lls_store *store, lls_route *route, const lls_kv_write *writes,
                        size_t count, lls_error *err)
{
    lls_gate_enter(&route->gate);
    lls_err e = apply(store, route, writes, count, err);
    lls_gate_leave(&route->gate);
    return e;
}
