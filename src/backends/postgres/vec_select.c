#include "backends/postgres/vec_select.h"

#include "backends/postgres/rows.h"
#include "base/scope.h"

#include <inttypes.h>

/* What the statement is made of, and what its parameters point into. */
typedef struct statement {
    lls_buf sql;
    lls_pg_where where;
    lls_pg_params params;
} statement;

static void statement_auto(statement *s)
{
    lls_buf_fini(&s->sql);
    lls_pg_where_fini(&s->where);
}

static lls_err write_statement(const lls_pg_select *select, const lls_pg_vec_spaces *spaces,
                               statement *s, lls_error *err)
{
    unsigned fields = select->fields;

    s->params = lls_pg_space_params(select->coll);
    if (select->bind)
        LLS_TRY(select->bind(select->user, &s->params, err));
    if (!select->everything)
        LLS_TRY(lls_pg_where_make(&s->where, select->coll, select->filter, select->now_usec,
                                  &s->params, err));
    if (s->where.recheck)
        fields |= LLS_VEC_METADATA;
    lls_buf_add_text(&s->sql, "SELECT ");
    lls_pg_row_columns(select->in, fields, &s->sql);
    lls_buf_add_text(&s->sql, select->more ? select->more : "");
    lls_buf_add_text(&s->sql, " FROM ");
    lls_pg_row_source(spaces, select->in, fields, &s->sql);
    lls_buf_add_text(&s->sql, select->join ? select->join : "");
    lls_buf_add_text(&s->sql, " WHERE r.tenant_id = $1::text AND r.collection = $2::text");
    if (select->in)
        lls_buf_printf(&s->sql, " AND r.space_id = %" PRId64, select->in->id);
    lls_buf_add_str(&s->sql, lls_buf_str(&s->where.sql));
    if (select->end)
        LLS_TRY(select->end(select->user, !s->where.recheck, &s->params, &s->sql, err));
    return lls_buf_status(&s->sql, err);
}

static lls_err take_row(const lls_pg_select *select, const lls_pg_vec_spaces *spaces, bool recheck,
                        const PGresult *row, lls_buf *floats, lls_error *err)
{
    lls_vec_item item;
    bool match = true;

    LLS_TRY(lls_pg_row_read(spaces, row, 0, floats, &item, err));
    if (recheck)
        LLS_TRY(lls_pg_row_matches(select->filter, &item, select->now_usec, &match, err));
    return match ? select->each(select->user, &item, row, err) : LLS_OK;
}

lls_err lls_pg_select_on(const lls_pg_select *select, lls_pg_connection *connection,
                         const lls_pg_vec_spaces *spaces, lls_error *err)
{
    LLS_AUTO(statement) s = {0};
    LLS_AUTO(lls_pg_rows) rows = {0};
    LLS_AUTO(lls_buf) floats = {0};

    LLS_TRY(write_statement(select, spaces, &s, err));
    LLS_TRY(lls_pg_rows_send(&rows, connection, lls_buf_cstr(&s.sql), &s.params, err));
    for (;;) {
        lls_err e = lls_pg_rows_next(&rows, err);
        if (e == LLS_OK)
            e = take_row(select, spaces, s.where.recheck, rows.row, &floats, err);
        else if (e == LLS_END)
            lls_pg_rows_finish(&rows);
        if (e != LLS_OK)
            return e == LLS_END ? LLS_OK : e;
    }
}

typedef struct running {
    const lls_pg_select *select;
    void (*restart)(void *user);
} running;

static lls_err run(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err)
{
    LLS_AUTO(lls_pg_vec_spaces) spaces = {0};
    const running *r = user;

    if (r->restart)
        r->restart(r->select->user);
    LLS_TRY(lls_pg_vec_begin_read(pool, connection, r->select->coll, &spaces, err));
    return lls_pg_select_on(r->select, connection, &spaces, err);
}

lls_err lls_pg_select_run(const lls_pg_select *select, lls_pg_pool *pool,
                          void (*restart)(void *user), lls_error *err)
{
    running r = {select, restart};
    lls_pg_work work = {.run = run, .user = &r};

    return lls_pg_run(pool, &work, err);
}
