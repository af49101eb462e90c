/* The spaces of a collection, and what the server has to search them with. */
#include "backends/postgres/vec.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <stdio.h>

enum { ID, MODEL, DIM, METRIC, NORMALISED, INDEXED, TYPE, SCHEMA, IS_VECTOR, VERSION, COLUMNS };

lls_err lls_pg_spaces_ask(lls_pg_pipeline *pipeline, lls_kv_space coll, int tag, lls_error *err)
{
    lls_pg_params params = lls_pg_space_params(coll);

    return lls_pg_pipeline_add(pipeline, lls_pg_common_statement(LLS_PG_VEC_SPACES), &params, tag,
                               err);
}

/* "0.8.0" as 800. */
static int version_of(const char *text)
{
    int part[3] = {0};

    (void)sscanf(text, "%d.%d.%d", &part[0], &part[1], &part[2]);
    return part[0] * 10000 + part[1] * 100 + part[2];
}

static lls_pg_vec_space read_space(const PGresult *rows, int row)
{
    lls_pg_vec_space space = {
        .id = lls_pg_get_int8(rows, row, ID),
        .space = {.model = lls_pg_get_text(rows, row, MODEL),
                  .dim = (uint32_t)lls_pg_get_int8(rows, row, DIM),
                  .metric = (lls_vec_metric)lls_pg_get_int8(rows, row, METRIC),
                  .normalised = lls_pg_get_int8(rows, row, NORMALISED) != 0},
        .indexed = lls_pg_get_text(rows, row, INDEXED),
        .type = lls_pg_get_text(rows, row, TYPE),
        .schema = lls_pg_get_text(rows, row, SCHEMA),
        .is_vector = lls_pg_get_int8(rows, row, IS_VECTOR) != 0,
    };

    return space;
}

lls_err lls_pg_spaces_keep(lls_pg_vec_spaces *spaces, const PGresult *result, lls_error *err)
{
    lls_pg_vec_spaces kept = {.count = (size_t)PQntuples(result)};

    if (PQnfields(result) != COLUMNS)
        return lls_fail(err, LLS_E_INTERNAL, "the server answered in another format than asked");
    kept.rows = PQcopyResult(result, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    kept.all = lls_alloc((kept.count + 1) * sizeof(*kept.all));
    if (!kept.rows || !kept.all) {
        lls_pg_spaces_fini(&kept);
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    }
    for (size_t i = 0; i < kept.count; i++)
        kept.all[i] = read_space(kept.rows, (int)i);
    if (kept.count)
        kept.version = version_of(PQgetvalue(kept.rows, 0, VERSION));
    lls_pg_spaces_fini(spaces);
    *spaces = kept;
    return LLS_OK;
}

const lls_pg_vec_space *lls_pg_spaces_find(const lls_pg_vec_spaces *spaces, lls_str model,
                                           uint32_t dim)
{
    for (size_t i = 0; i < spaces->count; i++) {
        const lls_vec_space *space = &spaces->all[i].space;
        if (lls_str_eq(space->model, model) && (model.len > 0 || space->dim == dim))
            return &spaces->all[i];
    }
    return NULL;
}

const lls_pg_vec_space *lls_pg_spaces_by_id(const lls_pg_vec_spaces *spaces, int64_t id)
{
    for (size_t i = 0; i < spaces->count; i++)
        if (spaces->all[i].id == id)
            return &spaces->all[i];
    return NULL;
}

void lls_pg_spaces_fini(lls_pg_vec_spaces *spaces)
{
    PQclear(spaces->rows);
    lls_free(spaces->all);
    *spaces = (lls_pg_vec_spaces){0};
}

static lls_err keep(void *user, int tag, const PGresult *result, lls_error *err)
{
    (void)tag;
    return lls_pg_spaces_keep(user, result, err);
}

lls_err lls_pg_vec_begin_read(lls_pg_pool *pool, lls_pg_connection *connection, lls_kv_space coll,
                              lls_pg_vec_spaces *spaces, lls_error *err)
{
    LLS_AUTO(lls_pg_pipeline) pipeline = {0};
    const int none = LLS_PG_NO_TAG;

    LLS_TRY(lls_pg_pipeline_begin(&pipeline, pool, connection, err));
    LLS_TRY(lls_pg_pipeline_add(&pipeline, lls_pg_common_statement(LLS_PG_BEGIN_READ), NULL, none,
                                err));
    LLS_TRY(lls_pg_pipeline_enter(&pipeline, coll.tenant, err));
    LLS_TRY(lls_pg_spaces_ask(&pipeline, coll, 0, err));
    return lls_pg_pipeline_finish(&pipeline, keep, spaces, err);
}
