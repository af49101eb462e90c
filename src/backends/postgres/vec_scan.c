/* Scans over vector records: each row as a key and a canonical value. */
#include "backends/postgres/scan.h"
#include "backends/postgres/vec.h"
#include "base/scope.h"

typedef struct scan_state {
    lls_pg_vec_spaces spaces;
    lls_buf floats;
    lls_buf value;
} scan_state;

static void fini(void *state)
{
    scan_state *s = state;

    lls_pg_spaces_fini(&s->spaces);
    lls_buf_fini(&s->floats);
    lls_buf_fini(&s->value);
}

static lls_err keep_spaces(void *user, int tag, const PGresult *result, lls_error *err)
{
    (void)tag;
    return lls_pg_spaces_keep(user, result, err);
}

static lls_err ask_spaces(scan_state *s, lls_pg_pool *pool, lls_pg_connection *connection,
                          lls_kv_space space, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};

    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_spaces_ask(&pipeline, space, 0, err));
    return lls_pg_pipeline_finish(&pipeline, keep_spaces, &s->spaces, err);
}

static lls_err send(void *state, lls_pg_rows *rows, lls_pg_pool *pool,
                    lls_pg_connection *connection, lls_kv_space space, lls_kv_range range,
                    lls_error *err)
{
    LLS_AUTO(lls_buf) upper = {0};
    LLS_AUTO(lls_buf) sql = {0};
    scan_state *s = state;
    lls_pg_params params = lls_pg_space_params(space);

    LLS_TRY(ask_spaces(s, pool, connection, space, err));
    lls_pg_upper_bound(range.prefix, &upper);
    LLS_TRY(lls_buf_status(&upper, err));
    lls_pg_add_bytes(&params, range.prefix);
    lls_pg_add_bytes(&params, range.after);
    lls_buf_add_text(&sql, "SELECT ");
    lls_pg_row_columns(NULL, LLS_VEC_WHOLE, &sql);
    lls_buf_add_text(&sql, " FROM ");
    lls_pg_row_source(&s->spaces, NULL, LLS_VEC_WHOLE, &sql);
    lls_buf_add_text(&sql, " WHERE r.tenant_id = $1::text"
                           " AND r.collection = $2::text AND r.id >= $3::bytea"
                           " AND r.id > $4::bytea");
    if (upper.len) {
        lls_pg_add_bytes(&params, lls_buf_view(&upper));
        lls_buf_add_text(&sql, " AND r.id < $5::bytea");
    }
    lls_buf_add_text(&sql, " ORDER BY r.id");
    LLS_TRY(lls_buf_status(&sql, err));
    return lls_pg_rows_send(rows, connection, lls_buf_cstr(&sql), &params, err);
}

static lls_err read(void *state, const PGresult *row, lls_kv_item *item, lls_error *err)
{
    scan_state *s = state;
    lls_vec_item found;

    LLS_TRY(lls_pg_row_read(&s->spaces, row, 0, &s->floats, &found, err));
    lls_buf_clear(&s->value);
    lls_vec_record_encode(&found, &s->value);
    LLS_TRY(lls_buf_status(&s->value, err));
    *item = (lls_kv_item){found.id, lls_buf_view(&s->value), found.meta};
    return LLS_OK;
}

const lls_pg_scan_kind lls_pg_vec_scan = {
    .state_size = sizeof(scan_state), .fini = fini, .send = send, .read = read};
