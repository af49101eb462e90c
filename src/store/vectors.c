#include "store/vectors.h"

#include "base/scope.h"
#include "store/route.h"

static lls_err find(lls_store *store, const lls_component_def *component, lls_route **out,
                    lls_error *err)
{
    return lls_route_find(store, lls_str_of(component->name), out, err);
}

static lls_err hold(lls_store *store, lls_route *route, lls_vectors *out, lls_error *err)
{
    lls_served *served = NULL;

    LLS_TRY(lls_route_hold(store, route, &served, err));
    *out = (lls_vectors){served->backend->vec, lls_route_space(store, route), served};
    return LLS_OK;
}

lls_err lls_vectors_hold(lls_store *store, const lls_component_def *component, lls_vectors *out,
                         lls_error *err)
{
    lls_route *route;

    LLS_TRY(find(store, component, &route, err));
    return hold(store, route, out, err);
}

void lls_vectors_release(lls_vectors *vectors)
{
    lls_served_drop(vectors->served);
    *vectors = (lls_vectors){0};
}

lls_err lls_vectors_tend(lls_store *store, const lls_component_def *component, lls_error *err)
{
    LLS_AUTO(lls_vectors) of = {0};

    LLS_TRY(lls_vectors_hold(store, component, &of, err));
    return lls_vec_tend(of.vec, of.coll, err);
}

lls_err lls_vectors_apply(lls_store *store, const lls_component_def *component,
                          const lls_vec_write *writes, size_t count, lls_error *err)
{
    LLS_AUTO(lls_vectors) to = {0};
    lls_route *route;

    LLS_TRY(find(store, component, &route, err));
    lls_gate_enter(&route->gate);
    lls_err e = hold(store, route, &to, err);
    if (e == LLS_OK)
        e = lls_vec_apply(to.vec, to.coll, writes, count, err);
    // Captured also when it failed: of a lost answer nobody knows whether it was written.
    for (size_t i = 0; route->capture && i < count; i++)
        lls_capture_add(route->capture, writes[i].item.id);
    lls_gate_leave(&route->gate);
    return e;
}

lls_err lls_vectors_remove(lls_store *store, const lls_component_def *component,
                           const lls_filter *filter, uint64_t *removed, lls_error *err)
{
    LLS_AUTO(lls_vectors) to = {0};
    lls_route *route;

    LLS_TRY(find(store, component, &route, err));
    lls_gate_enter(&route->gate);
    lls_err e = hold(store, route, &to, err);
    if (e == LLS_OK)
        e = lls_vec_remove(to.vec, to.coll, filter, removed, err);
    if (route->capture)
        lls_capture_lose(route->capture);
    lls_gate_leave(&route->gate);
    return e;
}
