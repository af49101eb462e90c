/**
 * vec_hits.h - how a backend fills the hits of a search: it appends views, which are copied.
 */
#ifndef LLS_PORTS_VEC_HITS_H
#define LLS_PORTS_VEC_HITS_H

#include "ports/vec.h"

/**
 * Append a hit. Of `item`, the fields in `fields` are copied, and always the id, scope and times.
 * Errors: LLS_E_NOMEM; `hits` keeps what it had.
 */
lls_err lls_vec_hits_add(lls_vec_hits *hits, const lls_vec_item *item, unsigned fields,
                         float distance, float score, lls_error *err) LLS_CHECKED;

/** Sort by distance (or by falling score), then id, and keep the best `k`. */
void lls_vec_hits_rank(lls_vec_hits *hits, bool by_distance, size_t k);

/** Forget the hits, keep the room. */
void lls_vec_hits_clear(lls_vec_hits *hits);

#endif
