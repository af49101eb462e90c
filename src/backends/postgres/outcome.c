#include "backends/postgres/outcome.h"

#include "backends/postgres/error.h"
#include "base/scope.h"

#include <time.h>

enum { TAG_STATUS, TAG_WITNESS };
enum { STATUS_TRIES = 50, STATUS_PAUSE_MS = 100 };

typedef struct inquiry {
    int64_t xact;
    const lls_pg_witness *witness;
    char status[16];
    bool seen; /* the witness bears the transaction's number */
} inquiry;

static lls_err keep_status(void *user, int tag, const PGresult *result, lls_error *err)
{
    inquiry *q = user;
    (void)err;

    if (tag == TAG_WITNESS) {
        q->seen = PQntuples(result) > 0;
    } else if (!PQgetisnull(result, 0, 0)) {
        size_t len = (size_t)PQgetlength(result, 0, 0);
        if (len >= sizeof(q->status))
            len = sizeof(q->status) - 1;
        memcpy(q->status, PQgetvalue(result, 0, 0), len);
        q->status[len] = '\0';
    }
    return LLS_OK;
}

static lls_err inquire(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    inquiry *q = user;
    lls_pg_params xact = {0};

    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, q->witness->space.tenant, err));
    if (q->witness->key.len) {
        lls_pg_params row = lls_pg_space_params(q->witness->space);
        lls_pg_add_bytes(&row, q->witness->key);
        lls_pg_add_int8(&row, q->xact);
        LLS_TRY(lls_pg_pipeline_add(&pipeline, q->witness->statement, &row, TAG_WITNESS, err));
    }
    lls_pg_add_int8(&xact, q->xact);
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_XACT_STATUS), &xact,
                                TAG_STATUS, err));
    return lls_pg_pipeline_finish(&pipeline, keep_status, q, err);
}

/*
 * LLS_END: it was committed. LLS_OK: it was not.
 *
 * A transaction's number that no log record mentioned is given out again after a crash, so
 * "committed" alone could be somebody else's: the row that was written has to bear the number.
 */
static lls_err look_up(lls_pg_pool *pool, inquiry *q, lls_error *err)
{
    lls_pg_work work = {.run = inquire, .user = q};
    struct timespec pause = {.tv_nsec = STATUS_PAUSE_MS * 1000000L};

    for (int i = 0; i < STATUS_TRIES; i++) {
        lls_err e = lls_pg_run(pool, &work, err);
        if (e != LLS_OK && lls_pg_is(err, "22023")) // in the future: it was lost with a crash
            return LLS_OK;
        LLS_TRY(e);
        if (strcmp(q->status, "aborted") == 0)
            return LLS_OK;
        if (strcmp(q->status, "committed") == 0 && q->seen)
            return LLS_END;
        if (strcmp(q->status, "in progress") != 0)
            break;
        (void)nanosleep(&pause, NULL); // the server has not noticed yet that we are gone
    }
    return LLS_E_UNAVAILABLE;
}

lls_err lls_pg_outcome_after_loss(const lls_pg_outcome *outcome, lls_pg_pool *pool,
                                  const lls_pg_witness *witness, lls_error *err)
{
    inquiry q = {.xact = outcome->xact, .witness = witness};
    lls_error why = {0};

    if (!outcome->commit_sent)
        return LLS_OK;
    lls_err e = outcome->xact ? look_up(pool, &q, &why) : LLS_E_UNAVAILABLE;
    if (e == LLS_OK || e == LLS_END)
        return e;
    return lls_wrap(err, LLS_E_UNAVAILABLE, "the outcome is not known");
}
