/*
 * A batch of changes to vector records: one transaction of two round trips. The first takes the
 * locks and asks what is there; then the verbs are carried out here (vec_plan.h), and the second
 * sends what they come to, and COMMIT.
 */
#include "backends/postgres/outcome.h"
#include "backends/postgres/vec_plan.h"
#include "base/alloc.h"
#include "base/scope.h"

enum { TAG_LOCK = 0, TAG_FIRST = 1, TAGS_A_PLAN = 2 };

typedef struct batch {
    lls_str tenant;
    int64_t now_usec;
    const lls_pg_change *changes;
    size_t count;
    lls_str *colls;         /* each once */
    lls_pg_vec_plan *plans; /* one a collection */
    size_t plan_count;
    lls_pg_outcome outcome;
} batch;

static void forget_plans(batch *b)
{
    for (size_t i = 0; i < b->plan_count; i++)
        lls_pg_plan_fini(&b->plans[i]);
}

static void batch_auto(batch *b)
{
    forget_plans(b);
    lls_free(b->plans);
    lls_free(b->colls);
}

static lls_err collect_colls(batch *b, lls_kv_space only, lls_error *err)
{
    b->colls = lls_alloc(b->count * sizeof(*b->colls));
    b->plans = lls_alloc(b->count * sizeof(*b->plans));
    if (!b->colls || !b->plans)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu writes", b->count);
    for (size_t i = 0; i < b->count; i++) {
        lls_str coll = b->changes[i].kv ? b->changes[i].kv->coll : only.coll;
        bool known = false;
        for (size_t j = b->plan_count; j > 0 && !known; j--)
            known = lls_str_eq(b->colls[j - 1], coll);
        if (!known)
            b->colls[b->plan_count++] = coll;
    }
    return LLS_OK;
}

static lls_err begin_plans(batch *b, lls_error *err)
{
    forget_plans(b); // of a try before this one
    for (size_t i = 0; i < b->plan_count; i++)
        LLS_TRY(lls_pg_plan_begin(&b->plans[i], (lls_kv_space){b->tenant, b->colls[i]}, b->changes,
                                  b->count, err));
    return LLS_OK;
}

static lls_err keep_answer(void *user, int tag, const PGresult *result, lls_error *err)
{
    batch *b = user;

    if (tag == TAG_LOCK) {
        b->outcome.xact = lls_pg_get_int8(result, 0, 0);
        return LLS_OK;
    }
    lls_pg_vec_plan *plan = &b->plans[(tag - TAG_FIRST) / TAGS_A_PLAN];
    if ((tag - TAG_FIRST) % TAGS_A_PLAN == 0)
        return lls_pg_spaces_keep(&plan->spaces, result, err);
    return lls_pg_plan_keep_rows(plan, result, err);
}

static lls_err ask(batch *b, lls_pg_pool *pool, lls_pg_connection *connection, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    LLS_AUTO(lls_buf) locks = {0};
    lls_pg_params lock = {0};

    LLS_TRY(lls_pg_locks(b->tenant, b->colls, b->plan_count, &locks, err));
    lls_pg_add_bytes(&lock, lls_buf_view(&locks));
    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_BEGIN), NULL,
                                LLS_PG_NO_TAG, err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, b->tenant, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_LOCK_EXCLUSIVE), &lock,
                                TAG_LOCK, err));
    for (size_t i = 0; i < b->plan_count; i++)
        LLS_TRY(lls_pg_plan_ask(&b->plans[i], &pipeline, b->changes, b->count,
                                TAG_FIRST + TAGS_A_PLAN * (int)i, err));
    return lls_pg_pipeline_finish(&pipeline, keep_answer, b, err);
}

static lls_err keep_commit(void *user, int tag, const PGresult *result, lls_error *err)
{
    bool *committed = user;
    (void)tag;
    (void)result;
    (void)err;

    *committed = true;
    return LLS_OK;
}

static lls_err send(batch *b, lls_pg_pool *pool, lls_pg_connection *connection, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};

    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    for (size_t i = 0; i < b->plan_count; i++)
        LLS_TRY(lls_pg_plan_send(&b->plans[i], &pipeline, err));
    b->outcome.commit_sent = true;
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_COMMIT), NULL, 0, err));
    lls_err e = lls_pg_pipeline_finish(&pipeline, keep_commit, &b->outcome.committed, err);
    return b->outcome.committed ? LLS_OK : e;
}

static lls_err run(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    batch *b = user;

    b->outcome = (lls_pg_outcome){0};
    LLS_TRY(begin_plans(b, err));
    LLS_TRY(ask(b, pool, connection, err));
    for (size_t i = 0; i < b->plan_count; i++)
        LLS_TRY(lls_pg_plan_make(&b->plans[i], b->changes, b->count, b->now_usec, err));
    lls_err e = send(b, pool, connection, err);
    for (size_t i = 0; e == LLS_E_MISMATCH && i < b->plan_count; i++)
        LLS_TRY(lls_pg_plan_explain(&b->plans[i], err));
    return e;
}

static bool may_repeat(const batch *b)
{
    for (size_t i = 0; i < b->count; i++)
        if (!lls_pg_change_may_repeat(&b->changes[i]))
            return false;
    return true;
}

static lls_err after_loss(lls_pg_pool *pool, void *user, lls_error *err)
{
    const batch *b = user;
    lls_pg_witness witness = {.statement = lls_pg_common_statement(LLS_PG_VEC_WROTE),
                              .space.tenant = b->tenant};

    if (may_repeat(b))
        return LLS_OK;
    for (size_t i = 0; i < b->plan_count; i++) {
        const lls_pg_vec_plan *plan = &b->plans[i];
        for (size_t j = 0; j < plan->count; j++) {
            if (!plan->states[j].is_there ||
                (!plan->states[j].source && !plan->states[j].is_patched))
                continue;
            witness.space = plan->coll;
            witness.key = plan->states[j].id;
        }
    }
    return lls_pg_outcome_after_loss(&b->outcome, pool, &witness, err);
}

lls_err lls_pg_vec_change(lls_pg_pool *pool, lls_kv_space only, int64_t now_usec,
                          const lls_pg_change *changes, size_t count, lls_error *err)
{
    LLS_AUTO(batch)
    b = {.tenant = only.tenant, .now_usec = now_usec, .changes = changes, .count = count};
    lls_pg_work work = {.run = run, .user = &b, .lost = after_loss};

    if (pool->read_only)
        return lls_fail(err, LLS_E_DENIED, "the store is open for reading only");
    LLS_TRY(collect_colls(&b, only, err));
    return lls_pg_run(pool, &work, err);
}
