/**
 * outcome.h - whether a transaction was committed whose COMMIT was never answered.
 *
 * Its id, which the server was asked to tell at once, is looked up on a new connection: committed
 * is success, aborted is tried again. Without the id it is reported as what it is, a write whose
 * outcome is not known.
 */
#ifndef LLS_BACKENDS_POSTGRES_OUTCOME_H
#define LLS_BACKENDS_POSTGRES_OUTCOME_H

#include "backends/postgres/kv.h"

/** What is known of a transaction. Zero: nothing was sent. */
typedef struct lls_pg_outcome {
    int64_t xact;     /* 0: not known */
    bool commit_sent; /* from here on it may be done without our knowing */
    bool committed;   /* said the server; whatever happened after that */
} lls_pg_outcome;

/** A row that the transaction left, unless a later one changed it. */
typedef struct lls_pg_witness {
    int statement; /* of table.h: $1 tenant, $2 collection, $3 key, $4 transaction */
    lls_kv_space space;
    lls_bytes key; /* empty: there is none */
} lls_pg_witness;

/**
 * For lls_pg_work.lost: LLS_OK to repeat the transaction, LLS_END when it was committed. Errors:
 * LLS_E_UNAVAILABLE when nobody can tell.
 */
lls_err lls_pg_outcome_after_loss(const lls_pg_outcome *outcome, lls_pg_pool *pool,
                                  const lls_pg_witness *witness, lls_error *err) LLS_CHECKED;

#endif
