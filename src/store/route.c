#include "store/route.h"

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

static lls_route *leader_of(lls_route *route)
{
    return route->leader ? route->leader : route;
}

/* The backend that serves `route` by now, with one more reference. `fresh` is it, if none does. */
static lls_served *settle(lls_store *store, lls_route *route, lls_served *fresh)
{
    (void)pthread_mutex_lock(&store->served.lock);
    if (!route->served && fresh) {
        route->served = fresh;
        (void)atomic_fetch_add(&fresh->refs, 1);
    }
    lls_served *served = route->served;
    if (served)
        (void)atomic_fetch_add(&served->refs, 1);
    (void)pthread_mutex_unlock(&store->served.lock);
    return served;
}

static lls_err has_port(const lls_route *route, const lls_served *served, lls_error *err)
{
    lls_kv *records;
    lls_err e = lls_backend_records(served->backend, route->component->port, &records, err);

    return e == LLS_OK ? e : lls_wrap(err, e, "%s", route->component->name);
}

lls_err lls_route_hold(lls_store *store, lls_route *route, lls_served **out, lls_error *err)
{
    LLS_AUTO(lls_served_ref) fresh = NULL;

    route = leader_of(route);
    lls_served *served = settle(store, route, NULL);

    if (!served) {
        const char *name = lls_config_route(store->config, route->component);
        LLS_TRY(lls_served_open(store, name, &fresh, err));
        LLS_TRY(has_port(route, fresh, err));
        served = settle(store, route, fresh);
    }
    *out = served;
    return LLS_OK;
}

lls_kv *lls_route_records(const lls_route *route, const lls_served *served)
{
    lls_kv *records = NULL;

    (void)!lls_backend_records(served->backend, route->component->port, &records, NULL);
    return records; // it was asked for when the route was settled
}

/* Earlier versions are written together with the records, into a collection of their own. */
static lls_capture *capture_of(const lls_route *route, lls_str coll)
{
    if (lls_str_eq(coll, lls_str_of(route->component->collection)))
        return route->capture;
    return route->history->capture;
}

static lls_err apply(lls_store *store, lls_route *route, const lls_kv_write *writes, size_t count,
                     lls_error *err)
{
    LLS_AUTO(lls_served_ref) served = NULL;

    LLS_TRY(lls_route_hold(store, route, &served, err));
    lls_err e = lls_kv_apply(lls_route_records(route, served), lls_route_space(store, route).tenant,
                             writes, count, err);
    // Captured also when it failed: of a lost answer nobody knows whether it was written.
    for (size_t i = 0; route->capture && i < count; i++)
        lls_capture_add(capture_of(route, writes[i].coll), writes[i].key);
    return e;
}

lls_err lls_route_apply(lls_store *store, lls_route *route, const lls_kv_write *writes,
                        size_t count, lls_error *err)
{
    route = leader_of(route);
    lls_gate_enter(&route->gate);
    lls_err e = apply(store, route, writes, count, err);
    lls_gate_leave(&route->gate);
    return e;
}
