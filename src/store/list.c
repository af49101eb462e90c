/* Walking the records of a component. An open list keeps the backend that it began on. */
#include "base/alloc.h"
#include "base/scope.h"
#include "store/history.h"
#include "store/route.h"

struct lls_store_list {
    lls_served *served;
    lls_kv_iter *it;
    const lls_component_def *component;
    lls_buf key; /* the record whose earlier versions are listed; empty: all records */
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

lls_err lls_store_history_open(lls_store *store, lls_str component, lls_bytes key,
                               lls_store_list **out, lls_error *err)
{
    LLS_AUTO(lls_buf) prefix = {0};
    lls_store_list *list = NULL;
    lls_route *route;

    LLS_TRY(lls_route_find(store, component, &route, err));
    if (!route->history)
        return lls_fail(err, LLS_E_UNSUPPORTED, "component '%s' keeps no earlier versions",
                        route->component->name);
    lls_buf_add(&prefix, key);
    lls_buf_add_text(&prefix, "@");
    LLS_TRY(lls_buf_status(&prefix, err));
    LLS_TRY(lls_store_list_open(store, lls_str_of(route->history->component->name),
                                lls_buf_view(&prefix), (lls_bytes){0}, &list, err));
    list->component = route->component;
    lls_buf_add(&list->key, key);
    lls_err e = lls_buf_status(&list->key, err);
    if (e == LLS_OK)
        *out = list;
    else
        lls_store_list_close(list);
    return e;
}

/* The next item; of a history under the key of the record. */
static lls_err next(lls_store_list *list, lls_kv_item *item, lls_error *err)
{
    for (;;) {
        lls_bytes key;
        uint64_t version;
        LLS_TRY(lls_kv_iter_next(list->it, item, err));
        if (list->key.len == 0)
            return LLS_OK;
        if (!lls_history_split(item->key, &key, &version) ||
            !lls_bytes_eq(key, lls_buf_view(&list->key)))
            continue; // of another record, whose key begins like this one
        item->key = key;
        return LLS_OK;
    }
}

lls_err lls_store_list_next(lls_store_list *list, lls_record *record, lls_error *err)
{
    lls_kv_item item;
    lls_err e = next(list, &item, err);

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
    lls_buf_fini(&list->key);
    lls_served_drop(list->served);
    lls_free(list);
}
