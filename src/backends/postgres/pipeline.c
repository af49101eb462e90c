#include "backends/postgres/pipeline.h"

#include "backends/postgres/error.h"
#include "base/scope.h"

/* Sent in pieces of about this size, so that libpq's copy of a large batch stays small. */
enum { PIECE_BYTES = 256 << 10 };

typedef struct lls_pg_expected {
    int tag;
    int statement; /* this result is that of preparing it; -1: of executing one */
} lls_pg_expected;

lls_err lls_pg_pipeline_begin(lls_pg_pipeline *pipeline, lls_pg_pool *pool,
                              lls_pg_connection *connection, lls_error *err)
{
    *pipeline =
        (lls_pg_pipeline){.pool = pool, .connection = connection, .failed_tag = LLS_PG_NO_TAG};
    if (PQenterPipelineMode(connection->pg) != 1)
        return lls_fail(err, LLS_E_INTERNAL, "the connection is busy");
    return LLS_OK;
}

void lls_pg_pipeline_fini(lls_pg_pipeline *pipeline)
{
    lls_buf_fini(&pipeline->expected);
}

static void expect(lls_pg_pipeline *pipeline, int tag, int statement)
{
    lls_pg_expected next = {tag, statement};

    lls_buf_add(&pipeline->expected, (lls_bytes){(const uint8_t *)&next, sizeof(next)});
}

static lls_err send_piece(lls_pg_pipeline *pipeline, size_t bytes, lls_error *err)
{
    pipeline->unsent += bytes;
    if (pipeline->unsent < PIECE_BYTES)
        return LLS_OK;
    pipeline->unsent = 0;
    return lls_pg_flush(pipeline->connection, err);
}

static bool is_prepared(const lls_pg_connection *connection, int statement)
{
    return connection->prepared[statement / 64] >> (statement % 64) & 1;
}

static lls_err prepare(lls_pg_pipeline *pipeline, int statement, lls_error *err)
{
    const lls_pg_statement *s = &pipeline->pool->statements.all[statement];
    PGconn *pg = pipeline->connection->pg;
    static const Oid types[] = {LLS_PG_TEXT, LLS_PG_TEXT}; // not every table uses the collection

    if (is_prepared(pipeline->connection, statement))
        return LLS_OK;
    int typed = statement < lls_pg_common_statement(LLS_PG_BEGIN) ? 2 : 0;
    if (PQsendPrepare(pg, s->name, s->sql, typed, types) != 1)
        return lls_pg_fail_connection(pg, err);
    expect(pipeline, LLS_PG_NO_TAG, statement);
    // Counted as prepared at once: it may be used again before the answer is there.
    pipeline->connection->prepared[statement / 64] |= UINT64_C(1) << (statement % 64);
    return LLS_OK;
}

static lls_err execute(lls_pg_pipeline *pipeline, int statement, const lls_pg_params *params,
                       lls_error *err)
{
    const lls_pg_statement *s = &pipeline->pool->statements.all[statement];
    PGconn *pg = pipeline->connection->pg;
    const char *values[LLS_PG_PARAMS_MAX];
    Oid types[LLS_PG_PARAMS_MAX] = {0};
    int formats[LLS_PG_PARAMS_MAX];
    int sent;

    for (int i = 0; i < params->count; i++) {
        values[i] = params->is_number[i] ? (const char *)params->numbers[i] : params->values[i];
        formats[i] = 1;
    }
    if (!atomic_load(&pipeline->pool->unnamed)) {
        LLS_TRY(prepare(pipeline, statement, err));
        sent = PQsendQueryPrepared(pg, s->name, params->count, values, params->lengths, formats, 1);
    } else {
        if (statement < lls_pg_common_statement(LLS_PG_BEGIN))
            types[0] = types[1] = LLS_PG_TEXT;
        sent = PQsendQueryParams(pg, s->sql, params->count, types, values, params->lengths, formats,
                                 1);
    }
    return sent == 1 ? LLS_OK : lls_pg_fail_connection(pg, err);
}

lls_err lls_pg_pipeline_add(lls_pg_pipeline *pipeline, int statement, const lls_pg_params *params,
                            int tag, lls_error *err)
{
    static const lls_pg_params none = {0};
    size_t bytes = 64;

    if (!params)
        params = &none;
    for (int i = 0; i < params->count; i++)
        bytes += (size_t)params->lengths[i];
    // All that can fail here comes first: once COMMIT is sent, nothing of ours may stop it.
    lls_buf_reserve(&pipeline->expected, 2 * sizeof(lls_pg_expected));
    LLS_TRY(lls_buf_status(&pipeline->expected, err));
    LLS_TRY(execute(pipeline, statement, params, err));
    expect(pipeline, tag, -1);
    return send_piece(pipeline, bytes, err);
}

lls_err lls_pg_pipeline_parse(lls_pg_pipeline *pipeline, const char *sql, lls_error *err)
{
    lls_buf_reserve(&pipeline->expected, sizeof(lls_pg_expected));
    LLS_TRY(lls_buf_status(&pipeline->expected, err));
    if (PQsendPrepare(pipeline->connection->pg, "", sql, 0, NULL) != 1)
        return lls_pg_fail_connection(pipeline->connection->pg, err);
    expect(pipeline, LLS_PG_NO_TAG, -1);
    return send_piece(pipeline, strlen(sql), err);
}

lls_err lls_pg_pipeline_bind(lls_pg_pipeline *pipeline, const lls_pg_params *params, int tag,
                             lls_error *err)
{
    const char *values[LLS_PG_PARAMS_MAX];
    int formats[LLS_PG_PARAMS_MAX];
    size_t bytes = 64;

    for (int i = 0; i < params->count; i++) {
        values[i] = params->is_number[i] ? (const char *)params->numbers[i] : params->values[i];
        formats[i] = 1;
        bytes += (size_t)params->lengths[i];
    }
    lls_buf_reserve(&pipeline->expected, sizeof(lls_pg_expected));
    LLS_TRY(lls_buf_status(&pipeline->expected, err));
    if (PQsendQueryPrepared(pipeline->connection->pg, "", params->count, values, params->lengths,
                            formats, 1) != 1)
        return lls_pg_fail_connection(pipeline->connection->pg, err);
    expect(pipeline, tag, -1);
    return send_piece(pipeline, bytes, err);
}

lls_err lls_pg_pipeline_sql(lls_pg_pipeline *pipeline, const char *sql, const lls_pg_params *params,
                            int tag, lls_error *err)
{
    static const lls_pg_params none = {0};

    LLS_TRY(lls_pg_pipeline_parse(pipeline, sql, err));
    return lls_pg_pipeline_bind(pipeline, params ? params : &none, tag, err);
}

lls_err lls_pg_pipeline_enter(lls_pg_pipeline *pipeline, lls_str tenant, lls_error *err)
{
    lls_pg_params params = {0};

    lls_pg_add_text(&params, tenant);
    return lls_pg_pipeline_add(pipeline, lls_pg_common_statement(LLS_PG_ENTER), &params,
                               LLS_PG_NO_TAG, err);
}

lls_err lls_pg_pipeline_ask(lls_pg_pipeline *pipeline, lls_error *err)
{
    if (PQsendFlushRequest(pipeline->connection->pg) != 1)
        return lls_pg_fail_connection(pipeline->connection->pg, err);
    return LLS_OK;
}

/* The result at the head, and the NULL that ends it. */
static lls_err read_one(lls_pg_pipeline *pipeline, PGresult **out, lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) result = NULL;
    LLS_AUTO(lls_pg_result_ref) end = NULL;
    PGconn *pg = pipeline->connection->pg;

    LLS_TRY(lls_pg_result(pipeline->connection, &result, err));
    if (!result)
        return lls_pg_fail_connection(pg, err);
    if (PQresultStatus(result) != PGRES_PIPELINE_SYNC)
        LLS_TRY(lls_pg_result(pipeline->connection, &end, err));
    *out = result;
    result = NULL;
    return LLS_OK;
}

/* What was counted as prepared when it was sent, but failed or was skipped. */
static void forget_prepared(lls_pg_pipeline *pipeline, lls_pg_expected expected)
{
    if (expected.statement >= 0)
        pipeline->connection->prepared[expected.statement / 64] &=
            ~(UINT64_C(1) << (expected.statement % 64));
}

/* Look at one result: tell it, or record that it is the first failure. */
static lls_err judge(lls_pg_pipeline *pipeline, lls_pg_expected expected, const PGresult *result,
                     lls_pg_each_fn each, void *user, lls_error *err)
{
    ExecStatusType status = PQresultStatus(result);
    bool is_good = status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK;

    if (!is_good)
        forget_prepared(pipeline, expected);
    if (is_good)
        return expected.tag != LLS_PG_NO_TAG && each ? each(user, expected.tag, result, err)
                                                     : LLS_OK;
    pipeline->failed_tag = expected.tag;
    if (status == PGRES_PIPELINE_ABORTED)
        return lls_fail(err, LLS_E_INTERNAL, "the server skipped a statement");
    return lls_pg_fail(result, err);
}

static lls_err read_all(lls_pg_pipeline *pipeline, lls_pg_each_fn each, void *user, lls_error *err)
{
    size_t count = pipeline->expected.len / sizeof(lls_pg_expected);
    lls_err first = LLS_OK;

    for (size_t i = 0; i < count; i++) {
        LLS_AUTO(lls_pg_result_ref) result = NULL;
        lls_error ignored;
        lls_pg_expected expected;

        memcpy(&expected, pipeline->expected.data + i * sizeof(expected), sizeof(expected));
        lls_err e = read_one(pipeline, &result, first == LLS_OK ? err : &ignored);
        if (e != LLS_OK)
            return first == LLS_OK ? e : first;
        if (first == LLS_OK)
            first = judge(pipeline, expected, result, each, user, err);
        else
            forget_prepared(pipeline, expected);
    }
    return first;
}

lls_err lls_pg_pipeline_finish(lls_pg_pipeline *pipeline, lls_pg_each_fn each, void *user,
                               lls_error *err)
{
    LLS_AUTO(lls_pg_result_ref) sync = NULL;
    PGconn *pg = pipeline->connection->pg;

    if (PQpipelineSync(pg) != 1)
        return lls_pg_fail_connection(pg, err);
    lls_err e = read_all(pipeline, each, user, err);
    if (lls_pg_is_lost(pipeline->connection))
        return e != LLS_OK ? e : lls_pg_fail_connection(pg, err);
    lls_error ignored;
    lls_err end = read_one(pipeline, &sync, e == LLS_OK ? err : &ignored);
    if (end == LLS_OK && PQresultStatus(sync) != PGRES_PIPELINE_SYNC)
        end = lls_pg_fail(sync, e == LLS_OK ? err : &ignored);
    if (end == LLS_OK && PQexitPipelineMode(pg) != 1)
        end = lls_pg_fail_connection(pg, e == LLS_OK ? err : &ignored);
    return e != LLS_OK ? e : end;
}
