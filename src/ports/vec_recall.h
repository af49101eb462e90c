/**
 * vec_recall.h - how much an approximate search finds of what an exact one would: the share of the
 * ten true neighbours among the ten that are found, over a sample of stored vectors.
 */
#ifndef LLS_PORTS_VEC_RECALL_H
#define LLS_PORTS_VEC_RECALL_H

#include "ports/vec.h"

typedef struct lls_vec_recall {
    double recall;  /**< 0 to 1; 1 where nothing was compared. */
    uint32_t asked; /**< Vectors of the sample that were searched for. */
} lls_vec_recall;

/**
 * Measure it in the space of `model` and `dim` with about `sample` vectors: the oldest, the newest
 * and the first by id, a third each. Each is searched for without counting itself.
 *
 * Errors: LLS_E_CANCELLED when `cancel` is not NULL and becomes not 0.
 */
lls_err lls_vec_recall_of(lls_vec *vec, lls_kv_space coll, const lls_vec_space *space,
                          uint32_t sample, const volatile int *cancel, lls_vec_recall *out,
                          lls_error *err) LLS_CHECKED;

#endif
