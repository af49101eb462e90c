/**
 * route.h - the way from a component to the backend that serves it now, for code in this library
 * that needs more than <llmspell/store.h> offers: batches, and the port itself.
 *
 * A hot swap may change the way at any moment. So reads hold what they read from, and every write
 * goes through here: the swap sees it, and carries it to the new backend.
 */
#ifndef LLS_STORE_ROUTE_H
#define LLS_STORE_ROUTE_H

#include "ports/kv.h"

#include <llmspell/store.h>

typedef struct lls_opened lls_opened;

/** What serves a component at the moment it was taken; it stays open while it is held. */
typedef struct lls_route_hold {
    lls_kv *kv; /**< For reading only. */
    lls_kv_space space;
    lls_store *store;
    lls_opened *opened;
} lls_route_hold;

/**
 * Hold what serves `component`, and open it when it is not open yet.
 *
 * Owns: the caller lets go of `*out` with lls_route_release, before the store is closed.
 * Errors: LLS_E_INVALID for an unknown component or backend; whatever opening reports.
 */
lls_err lls_route_acquire(lls_store *store, lls_str component, lls_route_hold *out,
                          lls_error *err) LLS_CHECKED;

void lls_route_release(lls_route_hold *hold); /**< A zeroed one is fine; leaves zero. */

static inline void lls_route_hold_auto(lls_route_hold *hold)
{
    lls_route_release(hold);
}

/**
 * Do `count` writes to the collection of `component`, all or none. Keys and values are not looked
 * at: that is the caller's business (lls_component_def). Borrows `writes`.
 *
 * Errors: as lls_kv_apply; LLS_E_DENIED on a store that is open for reading.
 */
lls_err lls_route_apply(lls_store *store, lls_str component, const lls_kv_write *writes,
                        size_t count, lls_error *err) LLS_CHECKED;

/** Remove the records that have expired; `removed` may be NULL. */
lls_err lls_route_sweep(lls_store *store, lls_str component, uint64_t *removed,
                        lls_error *err) LLS_CHECKED;

#endif
