/**
 * route.h - which backend serves a component now, and how that changes under running programs.
 *
 * A reader takes a reference to the backend of this moment and keeps it as long as it reads. A
 * writer also holds the gate, so that a swap can close it for the short moment in which the last
 * changes are carried over and the route flips. While a swap is on its way, every key that is
 * written is captured.
 */
#ifndef LLS_STORE_ROUTE_H
#define LLS_STORE_ROUTE_H

#include "store/capture.h"
#include "store/component.h"
#include "store/gate.h"
#include "store/served.h"

#include <llmspell/store.h>

#include <pthread.h>

typedef struct lls_route {
    const lls_component_def *component;
    struct lls_route *leader;  /**< Of earlier versions: the route of the records themselves, whose
                                    gate and backend they share. NULL: it goes its own way. */
    struct lls_route *history; /**< The route whose leader this one is, or NULL. */
    uint64_t keep;             /**< Earlier versions to keep of a record; 0: none. */
    lls_gate gate;             /**< Writers pass it; closed for the flip. */
    lls_served *served;        /**< NULL before the first use; under the table's lock. */
    lls_capture *capture;      /**< NULL: no swap is on its way; changes under the closed gate. */
    pthread_mutex_t swap;      /**< One swap of a component at a time. */
} lls_route;

struct lls_store {
    lls_config *config; /**< Held. */
    lls_backend_params params;
    lls_clock clock;
    lls_served_table served;
    size_t route_count;
    lls_route routes[];
};

/** The route of `component`. LLS_E_INVALID with the names that there are. */
lls_err lls_route_find(lls_store *store, lls_str component, lls_route **out,
                       lls_error *err) LLS_CHECKED;

/**
 * Take a reference to the backend that serves `route` now, opening it if nobody has. It has the
 * port that the component lives on. Errors: LLS_E_UNSUPPORTED when it does not.
 */
lls_err lls_route_hold(lls_store *store, lls_route *route, lls_served **out,
                       lls_error *err) LLS_CHECKED;

/** Put `write` (PUT, CREATE or REPLACE) and keep what it replaces, as `route->keep` says. */
lls_err lls_history_put(lls_store *store, lls_route *route, const lls_kv_write *write,
                        lls_error *err) LLS_CHECKED;

/** Remove a record and its earlier versions. LLS_E_NOTFOUND. */
lls_err lls_history_delete(lls_store *store, lls_route *route, lls_bytes key,
                           lls_error *err) LLS_CHECKED;

/** Apply `writes` where `route` leads now, and let a swap that is on its way know. */
lls_err lls_route_apply(lls_store *store, lls_route *route, const lls_kv_write *writes,
                        size_t count, lls_error *err) LLS_CHECKED;

/** The records of `route`'s port in a backend that lls_route_hold gave. */
lls_kv *lls_route_records(const lls_route *route, const lls_served *served);

/** The space of `route` for the store's tenant. */
lls_kv_space lls_route_space(const lls_store *store, const lls_route *route);

#endif
