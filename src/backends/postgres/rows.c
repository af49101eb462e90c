#include "backends/postgres/rows.h"

#include "backends/postgres/error.h"
#include "base/scope.h"

lls_err lls_pg_rows_send(lls_pg_rows *rows, lls_pg_connection *connection, const char *sql,
                         const lls_pg_params *params, lls_error *err)
{
    static const Oid types[LLS_PG_PARAMS_MAX] = {LLS_PG_TEXT, LLS_PG_TEXT};
    const char *values[LLS_PG_PARAMS_MAX];
    int formats[LLS_PG_PARAMS_MAX];

    *rows = (lls_pg_rows){.connection = connection};
    for (int i = 0; i < params->count; i++) {
        values[i] = params->is_number[i] ? (const char *)params->numbers[i] : params->values[i];
        formats[i] = 1;
    }
    if (PQsendQueryParams(connection->pg, sql, params->count, types, values, params->lengths,
                          formats, 1) != 1 ||
        PQsetSingleRowMode(connection->pg) != 1)
        return lls_pg_fail_connection(connection->pg, err);
    return lls_pg_flush(connection, err);
}

lls_err lls_pg_rows_next(lls_pg_rows *rows, lls_error *err)
{
    if (rows->is_done)
        return LLS_END;
    PQclear(rows->row);
    rows->row = NULL;
    LLS_TRY(lls_pg_result(rows->connection, &rows->row, err));
    rows->is_done = !rows->row || PQresultStatus(rows->row) == PGRES_TUPLES_OK;
    if (!rows->row)
        return LLS_END;
    if (rows->is_done) { // no more rows
        PQclear(rows->row);
        rows->row = NULL;
        return lls_pg_result(rows->connection, &rows->row, err) == LLS_OK ? LLS_END
                                                                          : LLS_E_UNAVAILABLE;
    }
    return PQresultStatus(rows->row) == PGRES_SINGLE_TUPLE ? LLS_OK : lls_pg_fail(rows->row, err);
}

void lls_pg_rows_finish(lls_pg_rows *rows)
{
    lls_error ignored;

    if (!rows->connection)
        return;
    while (lls_pg_rows_next(rows, &ignored) == LLS_OK) {
    }
    // libpq 15 would leave the next pipeline in single-row mode; an empty query ends that.
    (void)lls_pg_command(rows->connection, "", NULL);
}

void lls_pg_rows_fini(lls_pg_rows *rows)
{
    PQclear(rows->row);
    rows->row = NULL;
}
