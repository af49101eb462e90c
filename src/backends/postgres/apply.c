/*
 * A batch of writes: one transaction, one round trip.
 *
 * BEGIN, who we are, the shared locks, the writes, COMMIT are sent together. A write whose
 * condition does not hold fails on the server and with it the rest of the pipeline, so nothing
 * has to come back to us in between.
 *
 * When the connection dies before COMMIT was answered, the transaction's id, which the server was
 * asked to tell at once, is looked up on a new connection: committed is success, aborted is tried
 * again. Without the id a batch that may be repeated is repeated; any other is reported as what
 * it is, a write whose outcome is not known.
 */
#include "backends/postgres/bulk.h"
#include "backends/postgres/error.h"
#include "backends/postgres/kv.h"
#include "base/scope.h"
#include "base/time.h"
#include "ports/record.h"

#include <assert.h>
#include <time.h>

enum { TAG_LOCK = 0, TAG_COMMIT = 1, TAG_FIRST = 2, STATUS_TRIES = 50, STATUS_PAUSE_MS = 100 };

typedef struct batch {
    lls_str tenant;
    int64_t now_usec;
    const lls_kv_write *writes;
    size_t count;
    int64_t xact;     /* 0: not known */
    bool commit_sent; /* from here on it may be done without our knowing */
    bool committed;   /* said the server; whatever happened after that */
} batch;

/* The collections that a batch touches, each once. */
static lls_err collect_locks(const batch *b, lls_buf *locks, lls_error *err)
{
    LLS_AUTO(lls_buf) colls = {0};
    size_t count = 0;

    for (size_t i = 0; i < b->count; i++) {
        bool known = false;
        for (size_t j = count; j > 0 && !known; j--)
            known = lls_str_eq(((const lls_str *)(void *)colls.data)[j - 1], b->writes[i].coll);
        if (known)
            continue;
        lls_buf_add(&colls, (lls_bytes){(const uint8_t *)&b->writes[i].coll, sizeof(lls_str)});
        count++;
        LLS_TRY(lls_buf_status(&colls, err));
    }
    return lls_pg_locks(b->tenant, (const lls_str *)(void *)colls.data, count, locks, err);
}

/* No record has this version: asking for one over the largest is a conflict like any other. */
static int64_t wanted_version(uint64_t version)
{
    return version <= INT64_MAX ? (int64_t)version : -1;
}

static lls_pg_verb single_verb(const lls_kv_write *w)
{
    switch (w->verb) {
    case LLS_KV_PUT:
        return LLS_PG_PUT;
    case LLS_KV_CREATE:
        return LLS_PG_CREATE;
    case LLS_KV_REPLACE:
        return LLS_PG_REPLACE;
    case LLS_KV_DELETE:
        return w->meta.version ? LLS_PG_DELETE_VERSION : LLS_PG_DELETE;
    case LLS_KV_SWEEP:
        return LLS_PG_SWEEP;
    case LLS_KV_RESTORE:
        break;
    }
    return LLS_PG_RESTORE;
}

/* The parameters from $4 on, as table.c describes them. */
static void add_single_params(lls_pg_params *params, const lls_kv_write *w, int64_t now_usec)
{
    bool restores = w->verb == LLS_KV_RESTORE;

    if (w->verb == LLS_KV_DELETE) {
        if (w->meta.version) {
            lls_pg_add_int8(params, wanted_version(w->meta.version));
            lls_pg_add_time(params, now_usec);
        }
        return;
    }
    if (w->verb == LLS_KV_SWEEP) {
        lls_pg_add_time(params, now_usec);
        return;
    }
    lls_pg_add_value(params, w->value);
    lls_pg_add_time(params, restores ? w->meta.updated_usec : now_usec);
    lls_pg_add_expiry(params, w->meta.expires_usec);
    if (restores || w->verb == LLS_KV_REPLACE)
        lls_pg_add_int8(params, wanted_version(w->meta.version));
    if (restores)
        lls_pg_add_time(params, w->meta.created_usec);
}

static lls_err add_writes(lls_pg_pipeline *pipeline, const batch *b, lls_error *err)
{
    LLS_AUTO(lls_pg_run_finder) finder = {0};
    LLS_AUTO(lls_pg_arrays) arrays = {0};
    size_t run;

    LLS_TRY(lls_pg_run_finder_init(&finder, b->count, err));
    for (size_t i = 0; i < b->count; i += run) {
        const lls_kv_write *w = &b->writes[i];
        lls_pg_params params = lls_pg_space_params((lls_kv_space){b->tenant, w->coll});
        lls_pg_verb verb = single_verb(w);

        run = lls_pg_run_length(&finder, w, b->count - i);
        if (run > 1) {
            verb = verb == LLS_PG_PUT ? LLS_PG_PUT_MANY : LLS_PG_RESTORE_MANY;
            LLS_TRY(lls_pg_arrays_fill(&arrays, w, run, b->now_usec, &params, err));
        } else {
            lls_pg_add_bytes(&params, w->key);
            add_single_params(&params, w, b->now_usec);
        }
        LLS_TRY(lls_pg_pipeline_add(pipeline, lls_pg_table_statement(w->coll, verb), &params,
                                    TAG_FIRST + (int)i, err));
    }
    return LLS_OK;
}

static lls_err keep_progress(void *user, int tag, const PGresult *result, lls_error *err)
{
    batch *b = user;
    (void)err;

    if (tag == TAG_LOCK)
        b->xact = lls_pg_get_int8(result, 0, 0);
    else if (tag == TAG_COMMIT)
        b->committed = true;
    return LLS_OK;
}

/* Say which key it was that is there, or was changed. */
static lls_err name_key(const batch *b, int tag, lls_err e, lls_error *err)
{
    LLS_AUTO(lls_buf) key = {0};
    bool is_ours = err && (lls_pg_is(err, LLS_PG_EXISTS) || lls_pg_is(err, LLS_PG_CONFLICT));

    if (!is_ours || tag < TAG_FIRST)
        return e;
    lls_key_show(b->writes[tag - TAG_FIRST].key, &key);
    if (e == LLS_E_EXISTS)
        return lls_fail(err, e, "key '%s' is there already", lls_buf_cstr(&key));
    return lls_fail(err, e, "key '%s' was changed by another writer", lls_buf_cstr(&key));
}

static lls_err run_batch(lls_pg_pool *pool, lls_pg_connection *connection, void *user,
                         lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    LLS_AUTO(lls_buf) locks = {0};
    lls_pg_params lock = {0};
    batch *b = user;

    b->xact = 0;
    b->commit_sent = b->committed = false;
    LLS_TRY(collect_locks(b, &locks, err));
    lls_pg_add_bytes(&lock, lls_buf_view(&locks));
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_BEGIN), NULL,
                                LLS_PG_NO_TAG, err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, b->tenant, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_LOCK_SHARED), &lock,
                                TAG_LOCK, err));
    LLS_TRY(lls_pg_pipeline_ask(&pipeline, err));
    LLS_TRY(add_writes(&pipeline, b, err));
    b->commit_sent = true;
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_COMMIT), NULL, TAG_COMMIT,
                                err));
    lls_err e = lls_pg_pipeline_finish(&pipeline, keep_progress, b, err);
    if (e == LLS_OK || b->committed)
        return LLS_OK;
    return name_key(b, pipeline.failed_tag, e, err);
}

/* Doing it twice leaves the same as doing it once. */
static bool may_repeat(const batch *b)
{
    for (size_t i = 0; i < b->count; i++) {
        const lls_kv_write *w = &b->writes[i];
        bool harmless = w->verb == LLS_KV_RESTORE || w->verb == LLS_KV_SWEEP ||
                        (w->verb == LLS_KV_DELETE && w->meta.version == 0);
        if (!harmless)
            return false;
    }
    return true;
}

/* What the server knows about the transaction of a batch. */
typedef struct inquiry {
    const batch *batch;
    const lls_kv_write *witness; /* a write that left a row, unless a later one changed it */
    char status[16];
    bool seen;
} inquiry;

static lls_err keep_status(void *user, int tag, const PGresult *result, lls_error *err)
{
    inquiry *q = user;
    (void)err;

    if (tag == 1) {
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
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, q->batch->tenant, err));
    if (q->witness) {
        lls_kv_space space = {q->batch->tenant, q->witness->coll};
        lls_pg_params row = lls_pg_space_params(space);
        lls_pg_add_bytes(&row, q->witness->key);
        lls_pg_add_int8(&row, q->batch->xact);
        LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_table_statement(space.coll, LLS_PG_WROTE),
                                    &row, 1, err));
    }
    lls_pg_add_int8(&xact, q->batch->xact);
    LLS_TRY(
        lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_XACT_STATUS), &xact, 0, err));
    return lls_pg_pipeline_finish(&pipeline, keep_status, q, err);
}

/*
 * LLS_END: it was committed. LLS_OK: it was not.
 *
 * A transaction's number that no log record mentioned is given out again after a crash, so
 * "committed" alone could be somebody else's: the row that the batch wrote has to bear the number.
 */
static lls_err look_up(lls_pg_pool *pool, const batch *b, lls_error *err)
{
    inquiry q = {.batch = b};
    lls_pg_work work = {.run = inquire, .user = &q};
    struct timespec pause = {.tv_nsec = STATUS_PAUSE_MS * 1000000L};

    for (size_t i = 0; i < b->count; i++)
        if (b->writes[i].verb != LLS_KV_DELETE && b->writes[i].verb != LLS_KV_SWEEP)
            q.witness = &b->writes[i];
    for (int i = 0; i < STATUS_TRIES; i++) {
        lls_err e = lls_pg_run(pool, &work, err);
        if (e != LLS_OK && lls_pg_is(err, "22023")) // in the future: it was lost with a crash
            return LLS_OK;
        LLS_TRY(e);
        if (strcmp(q.status, "aborted") == 0)
            return LLS_OK;
        if (strcmp(q.status, "committed") == 0 && q.seen)
            return LLS_END;
        if (strcmp(q.status, "in progress") != 0)
            break;
        (void)nanosleep(&pause, NULL); // the server has not noticed yet that we are gone
    }
    return LLS_E_UNAVAILABLE;
}

static lls_err after_loss(lls_pg_pool *pool, void *user, lls_error *err)
{
    lls_error why = {0};
    batch *b = user;

    if (!b->commit_sent || may_repeat(b))
        return LLS_OK;
    lls_err e = b->xact ? look_up(pool, b, &why) : LLS_E_UNAVAILABLE;
    if (e == LLS_OK || e == LLS_END)
        return e;
    return lls_wrap(err, LLS_E_UNAVAILABLE, "the outcome is not known");
}

lls_err lls_pg_apply(lls_kv *kv, lls_str tenant, int64_t now_usec, const lls_kv_write *writes,
                     size_t count, lls_error *err)
{
    lls_pg_pool *pool = &lls_pg_downcast(kv)->pool;
    batch b = {.tenant = tenant, .now_usec = now_usec, .writes = writes, .count = count};
    lls_pg_work work = {.run = run_batch, .user = &b, .lost = after_loss};

    if (pool->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    if (count > INT32_MAX - TAG_FIRST)
        return lls_fail(err, LLS_E_INVALID, "a batch of %zu writes", count);
    return lls_pg_run(pool, &work, err);
}
