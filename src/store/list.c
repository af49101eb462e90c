/* Walking the records of a component. An open list keeps the backend that it began on. */
#include "base/alloc.h"
#include "base/scope.h"
#include "store/route.h"

struct lls_store_list {
    lls_served *served;
    lls_kv_iter *it;
    const lls_component_def *component;
};

lls_err lls_store_list_open(lls_store *store, lls_str component, lls_bytes prefix, lls_bytes after,
                            lls_store_list **out, lls_error *err)
{
    lls_route *route;

    LLS_TRY(lls_route_find(store, component, &route, err));
    lls_store_list *list = lls_alloc(sizeof(*list));
    if (!list)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    list->component = route->component;
    lls_err e = lls_route_hold(store, route, &list->served, err);
    if (e == LLS_OK)
        e = lls_kv_scan(lls_route_records(route, list->served), lls_route_space(store, route),
                        (lls_kv_range){prefix, after}, LLS_KV_LIVE, &list->it, err);
    if (e == LLS_OK)
        *out = list;
    else
        lls_store_list_close(list);
    return e;
}

lls_err lls_store_list_next(lls_store_list *list, lls_record *record, lls_error *err)
{
    lls_kv_item item;
    lls_err e = lls_kv_iter_next(list->it, &item, err);

    if (e == LLS_OK)
        *record = (lls_record){
            .component = lls_str_of(list->component->name),
            .key = item.key,
            .value = item.value,
            .version = item.meta.version,
            .created_usec = item.meta.created_usec,
            .updated_usec = item.meta.updated_usec,
            .expires_usec = item.meta.expires_usec,
        };
    return e;
}

void lls_store_list_close(lls_store_list *list)
{
    if (!list)
        return;
    lls_kv_iter_close(list->it);
    lls_served_drop(list->served);
    lls_free(list);
}
