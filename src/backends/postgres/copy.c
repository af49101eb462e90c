#include "backends/postgres/copy.h"

#include "backends/postgres/error.h"
#include "backends/postgres/value.h"
#include "base/scope.h"

#include <inttypes.h>

enum {
    PIECE_BYTES = 128 << 10, /* what libpq is given at once */
    AHEAD_BYTES = 2 << 20,   /* what may wait in libpq while the server is busy */
    FULL_BYTES = 8 << 20,
    FULL_ROWS = 20000,
    COLUMNS = 7,
};

/* Signature, flags and the length of an extension: the header of the binary format. */
static const char header[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0";

/*
 * Statements in one simple query are one transaction: with the end of the data it is committed,
 * and no round trip of its own is needed for that.
 */
lls_err lls_pg_copy_begin(lls_pg_copy *copy, lls_pg_pool *pool, int64_t id, lls_error *err)
{
    LLS_AUTO(lls_buf) sql = {0};
    LLS_AUTO(lls_pg_result_ref) result = NULL;
    const char *become = pool->statements.all[lls_pg_common_statement(LLS_PG_BECOME)].sql;

    lls_buf_printf(&sql, "%sCOPY llmspell_stage.%s%" PRId64 " (%s) FROM STDIN (FORMAT binary)",
                   become, copy->kind->table, id, copy->kind->columns);
    LLS_TRY(lls_buf_status(&sql, err));
    LLS_TRY(lls_pg_acquire(pool, &copy->connection, err));
    PGconn *pg = copy->connection->pg;
    lls_err e = LLS_OK;
    if (PQsendQuery(pg, lls_buf_cstr(&sql)) != 1)
        e = lls_pg_fail_connection(pg, err);
    while (e == LLS_OK && (!result || PQresultStatus(result) == PGRES_COMMAND_OK)) {
        PQclear(result);
        result = NULL;
        e = lls_pg_result(copy->connection, &result, err);
        if (e == LLS_OK && !result)
            e = lls_pg_fail_connection(pg, err);
    }
    if (e == LLS_OK && PQresultStatus(result) != PGRES_COPY_IN)
        e = lls_pg_fail(result, err);
    if (e != LLS_OK) {
        lls_pg_copy_abandon(copy, pool);
        return e;
    }
    lls_buf_clear(&copy->rows);
    lls_buf_add(&copy->rows, (lls_bytes){(const uint8_t *)header, sizeof(header) - 1});
    copy->queued = copy->bytes = copy->count = 0;
    return LLS_OK;
}

bool lls_pg_copy_is_full(const lls_pg_copy *copy)
{
    return copy->bytes >= FULL_BYTES || copy->count >= FULL_ROWS;
}

/* Hand the rows to libpq. It sends what the socket takes; only when it lags far behind we wait. */
static lls_err hand_over(lls_pg_copy *copy, lls_error *err)
{
    PGconn *pg = copy->connection->pg;

    LLS_TRY(lls_buf_status(&copy->rows, err));
    if (PQputCopyData(pg, (const char *)copy->rows.data, (int)copy->rows.len) != 1)
        return lls_pg_fail_connection(pg, err);
    copy->queued += copy->rows.len;
    copy->bytes += copy->rows.len;
    lls_buf_clear(&copy->rows);
    int left = PQflush(pg);
    if (left < 0)
        return lls_pg_fail_connection(pg, err);
    if (left == 0)
        copy->queued = 0;
    if (copy->queued < AHEAD_BYTES)
        return LLS_OK;
    copy->queued = 0;
    return lls_pg_flush(copy->connection, err);
}

static lls_err add_row(void *state, lls_kv_space space, const lls_kv_item *item, lls_buf *out,
                       lls_error *err)
{
    (void)state;
    (void)space;
    (void)err;

    lls_pg_put_int16(out, COLUMNS);
    lls_pg_field_bytes(out, item->key);
    lls_pg_field_value(out, item->value);
    lls_pg_field_int8(out, (int64_t)item->meta.version);
    lls_pg_field_time(out, item->meta.created_usec);
    lls_pg_field_time(out, item->meta.updated_usec);
    lls_pg_field_expiry(out, item->meta.expires_usec);
    return LLS_OK;
}

const lls_pg_copy_kind lls_pg_kv_copy = {
    .table = "s_",
    .columns = "key, value, value_raw, version, created_at, updated_at, expires_at",
    .add_row = add_row,
};

lls_err lls_pg_copy_add(lls_pg_copy *copy, lls_pg_pool *pool, const lls_kv_item *items,
                        size_t count, lls_error *err)
{
    lls_err e = LLS_OK;

    for (size_t i = 0; e == LLS_OK && i < count; i++) {
        e = copy->kind->add_row(copy->state, copy->space, &items[i], &copy->rows, err);
        if (e == LLS_OK && copy->rows.len >= PIECE_BYTES)
            e = hand_over(copy, err);
    }
    copy->count += count;
    if (e == LLS_OK)
        return lls_buf_status(&copy->rows, err);
    lls_pg_copy_abandon(copy, pool);
    return e;
}

lls_err lls_pg_copy_finish(lls_pg_copy *copy, lls_pg_pool *pool, lls_error *err)
{
    if (!copy->connection)
        return LLS_OK;
    lls_pg_put_int16(&copy->rows, -1); // the end
    lls_err e = hand_over(copy, err);
    if (e == LLS_OK && PQputCopyEnd(copy->connection->pg, NULL) != 1)
        e = lls_pg_fail_connection(copy->connection->pg, err);
    if (e == LLS_OK)
        e = lls_pg_drain(copy->connection, err);
    lls_pg_release(pool, copy->connection);
    copy->connection = NULL;
    return e;
}

void lls_pg_copy_abandon(lls_pg_copy *copy, lls_pg_pool *pool)
{
    if (copy->connection)
        lls_pg_release(pool, copy->connection);
    copy->connection = NULL;
}
