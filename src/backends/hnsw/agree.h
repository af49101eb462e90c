/**
 * agree.h - whether what a batch leaves in the embedding spaces of collections agrees. A batch is
 * judged by its result: first all records leave that it replaces or removes, then those come that
 * it brings. A space that all have left may be declared anew.
 */
#ifndef LLS_BACKENDS_HNSW_AGREE_H
#define LLS_BACKENDS_HNSW_AGREE_H

#include "backends/hnsw/coll.h"

/** One space that a batch touches. */
typedef struct hnsw_touched {
    lls_str coll;
    uint32_t known;      /**< Its number in the collection; HNSW_NONE: it is new. */
    uint64_t stay;       /**< Records that were in it, and are. */
    lls_vec_space space; /**< As it is declared, or will be. */
    bool anew;           /**< Not what it was declared as. */
} hnsw_touched;

/** Zeroed is empty. Views in it are those that it was given. */
typedef struct hnsw_agreement {
    hnsw_touched *spaces;
    size_t count;
    size_t cap;
} hnsw_agreement;

/** A record that is in space `number` of `coll` is replaced or removed; HNSW_NONE is fine. */
lls_err hnsw_agree_leave(hnsw_agreement *a, const hnsw_coll *coll, uint32_t number,
                         lls_error *err) LLS_CHECKED;

/**
 * After all that leave: a record comes into `space` of the collection `name`; `coll` is NULL when
 * that is new. Errors: LLS_E_MISMATCH; LLS_E_FULL when there are too many spaces.
 */
lls_err hnsw_agree_come(hnsw_agreement *a, lls_str name, const hnsw_coll *coll,
                        const lls_vec_space *space, lls_error *err) LLS_CHECKED;

/** Whether space `number` of the collection becomes another one. */
bool hnsw_agree_anew(const hnsw_agreement *a, lls_str coll, uint32_t number);

void hnsw_agreement_fini(hnsw_agreement *a);

#endif
