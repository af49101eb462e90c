/**
 * vectors.h - components that live on the vector port reach it through here: the route is held
 * while they read, writers pass the gate, and a swap that is on its way hears of every change.
 */
#ifndef LLS_STORE_VECTORS_H
#define LLS_STORE_VECTORS_H

#include "ports/vec.h"
#include "store/component.h"

#include <llmspell/store.h>

typedef struct lls_served lls_served;

/** The vectors of a component as they are served now. Zeroed, it may be let go. */
typedef struct lls_vectors {
    lls_vec *vec;
    lls_kv_space coll;
    lls_served *served; /* what is held */
} lls_vectors;

/** Hold the backend that serves `component` for reading. Let go of it with lls_vectors_release. */
lls_err lls_vectors_hold(lls_store *store, const lls_component_def *component, lls_vectors *out,
                         lls_error *err) LLS_CHECKED;
void lls_vectors_release(lls_vectors *vectors);
static inline void lls_vectors_auto(lls_vectors *vectors)
{
    lls_vectors_release(vectors);
}

/** As lls_vec_tend. */
lls_err lls_vectors_tend(lls_store *store, const lls_component_def *component,
                         lls_error *err) LLS_CHECKED;

/** As lls_vec_apply. */
lls_err lls_vectors_apply(lls_store *store, const lls_component_def *component,
                          const lls_vec_write *writes, size_t count, lls_error *err) LLS_CHECKED;

/** As lls_vec_remove. */
lls_err lls_vectors_remove(lls_store *store, const lls_component_def *component,
                           const lls_filter *filter, uint64_t *removed, lls_error *err) LLS_CHECKED;

#endif
