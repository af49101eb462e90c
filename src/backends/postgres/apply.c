/*
 * A batch of writes: one transaction, one round trip.
 *
 * BEGIN, who we are, the shared locks, the writes, COMMIT are sent together. A write whose
 * condition does not hold fails on the server and with it the rest of the pipeline, so nothing
 * has to come back to us in between.
 *
 * When the connection dies before COMMIT was answered, a batch that may be repeated is repeated; of
 * any other outcome.h finds out what became of it.
 */
#include "backends/postgres/bulk.h"
#include "backends/postgres/error.h"
#include "backends/postgres/kv.h"
#include "backends/postgres/outcome.h"
#include "base/scope.h"
#include "base/time.h"
#include "ports/record.h"

#include <assert.h>

enum { TAG_LOCK = 0, TAG_COMMIT = 1, TAG_FIRST = 2 };

typedef struct batch {
    lls_str tenant;
    int64_t now_usec;
    const lls_kv_write *writes;
    size_t count;
    lls_pg_outcome outcome;
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
        b->outcome.xact = lls_pg_get_int8(result, 0, 0);
    else if (tag == TAG_COMMIT)
        b->outcome.committed = true;
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

    b->outcome = (lls_pg_outcome){0};
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
    b->outcome.commit_sent = true;
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_COMMIT), NULL, TAG_COMMIT,
                                err));
    lls_err e = lls_pg_pipeline_finish(&pipeline, keep_progress, b, err);
    if (e == LLS_OK || b->outcome.committed)
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

static lls_err after_loss(lls_pg_pool *pool, void *user, lls_error *err)
{
    const batch *b = user;
    lls_pg_witness witness = {.space.tenant = b->tenant};

    if (may_repeat(b))
        return LLS_OK;
    for (size_t i = 0; i < b->count; i++) {
        const lls_kv_write *w = &b->writes[i];
        if (w->verb == LLS_KV_DELETE || w->verb == LLS_KV_SWEEP)
            continue;
        witness.statement = lls_pg_table_statement(w->coll, LLS_PG_WROTE);
        witness.space.coll = w->coll;
        witness.key = w->key;
    }
    return lls_pg_outcome_after_loss(&b->outcome, pool, &witness, err);
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
