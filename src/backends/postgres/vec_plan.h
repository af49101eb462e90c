/**
 * vec_plan.h - what a batch of changes comes to: for each record that it touches, the state that
 * it leaves. The verbs are carried out here, in order, against what the server says is there; what
 * is sent then is only the outcome.
 */
#ifndef LLS_BACKENDS_POSTGRES_VEC_PLAN_H
#define LLS_BACKENDS_POSTGRES_VEC_PLAN_H

#include "backends/postgres/vec.h"

/** One record of the batch. */
typedef struct lls_pg_vec_state {
    lls_bytes id;
    bool is_stored;              /* a row is there, maybe an expired one */
    bool is_there;               /* a row will be there */
    lls_kv_meta meta;            /* of the row that is, or will be, there */
    const lls_pg_change *source; /* what its content is from; NULL: it stays as it is stored */
    uint32_t dim;                /* of that content; 0: it has no vector */
    lls_str stored_metadata;     /* known only when it is going to be patched */
    bool is_patched;
    lls_buf metadata; /* with `is_patched` */
} lls_pg_vec_state;

/** A space that records of the outcome lie in. */
typedef struct lls_pg_vec_used {
    lls_vec_space space; /* `model` is a view into the changes */
    bool is_declared;    /* just like this */
} lls_pg_vec_used;

/** The outcome in one collection. Zero is empty. */
typedef struct lls_pg_vec_plan {
    lls_kv_space coll;
    lls_pg_vec_state *states; /* in the order of their ids; owned */
    size_t count;
    lls_pg_vec_spaces spaces; /* that are declared; owned */
    lls_pg_vec_used *used;    /* that records come into; owned */
    size_t used_count;
    bool has_anew;    /* one of them was declared otherwise: it must be empty by then */
    PGresult *stored; /* what views of states point into */
} lls_pg_vec_plan;

/** Make room for the changes of `coll` among `count`; those of others are passed over. */
lls_err lls_pg_plan_begin(lls_pg_vec_plan *plan, lls_kv_space coll, const lls_pg_change *changes,
                          size_t count, lls_error *err) LLS_CHECKED;

/** Add the statements that ask what is there: with tag `tag` the spaces, with `tag` + 1 the rows.
 */
lls_err lls_pg_plan_ask(lls_pg_vec_plan *plan, lls_pg_pipeline *pipeline,
                        const lls_pg_change *changes, size_t count, int tag,
                        lls_error *err) LLS_CHECKED;

/** Keep what is there. */
lls_err lls_pg_plan_keep_rows(lls_pg_vec_plan *plan, const PGresult *result,
                              lls_error *err) LLS_CHECKED;

/** Carry out the changes. Errors: as lls_vec_apply. */
lls_err lls_pg_plan_make(lls_pg_vec_plan *plan, const lls_pg_change *changes, size_t count,
                         int64_t now_usec, lls_error *err) LLS_CHECKED;

/** After the server found a space mixed: LLS_E_MISMATCH saying which, and with what. */
lls_err lls_pg_plan_explain(const lls_pg_vec_plan *plan, lls_error *err) LLS_CHECKED;

void lls_pg_plan_fini(lls_pg_vec_plan *plan);

/** Add the statements that bring the outcome about. In vec_send.c. */
lls_err lls_pg_plan_send(const lls_pg_vec_plan *plan, lls_pg_pipeline *pipeline,
                         lls_error *err) LLS_CHECKED;

/** The id that a change is about, and whether it is about a record of `coll`. */
lls_bytes lls_pg_change_id(const lls_pg_change *change);
bool lls_pg_change_is_in(const lls_pg_change *change, lls_str coll);

/** Whether doing it twice leaves the same as doing it once. */
bool lls_pg_change_may_repeat(const lls_pg_change *change);

/** The record that a change brings; of a canonical value the vector is put into `floats`. */
lls_err lls_pg_change_item(const lls_pg_change *change, lls_buf *floats, lls_vec_item *out,
                           lls_error *err) LLS_CHECKED;

#endif
