/* Rows as items of the vector port, and embeddings in PostgreSQL's binary formats. */
#include "backends/postgres/vec.h"
#include "base/scope.h"

enum {
    ID,
    DIM,
    SPACE,
    SCOPE,
    EVENT,
    ROW_VERSION,
    CREATED,
    UPDATED,
    EXPIRES,
    METADATA,
    CONTENT,
    CONTENT_RAW,
    EMBEDDING,
};

_Static_assert(EMBEDDING + 1 == LLS_PG_ROW_COLUMNS, "one name a column");

enum {
    VECTOR_HEAD = 4, /* int16 dimension, int16 unused */
    ARRAY_HEAD = 20, /* int32: dimensions, whether NULLs, type, length, first index */
};

static void add_view(lls_buf *sql, lls_str text)
{
    lls_buf_add_str(sql, text);
}

void lls_pg_row_vector(const lls_pg_vec_space *space, const char *alias, lls_buf *sql)
{
    add_view(sql, space->schema);
    lls_buf_printf(
        sql, space->is_vector ? ".vector_send(%s.embedding)" : ".array_send(%s.embedding)", alias);
}

/* Whether a space before this one has its dimension. */
static bool is_repeated(const lls_pg_vec_spaces *spaces, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (spaces->all[i].space.dim == spaces->all[index].space.dim)
            return true;
    return false;
}

/* Rows of one dimension, with their embedding as bytes. */
static void add_part(const lls_pg_vec_space *space, lls_buf *sql)
{
    lls_buf_add_text(sql, "SELECT t.tenant_id, t.collection, t.id, t.dim, t.space_id, t.scope,"
                          " t.content, t.content_raw, t.metadata, t.event_at, t.version,"
                          " t.created_at, t.updated_at, t.expires_at, t.facets, t.ordered, ");
    if (space)
        lls_pg_row_vector(space, "t", sql);
    else
        lls_buf_add_text(sql, "NULL::bytea");
    lls_buf_printf(sql, " AS vector FROM llmspell.vector_embeddings_%u AS t",
                   space ? space->space.dim : 0);
}

void lls_pg_row_source(const lls_pg_vec_spaces *spaces, const lls_pg_vec_space *in, unsigned fields,
                       lls_buf *sql)
{
    if (in) {
        lls_buf_printf(sql, "llmspell.vector_embeddings_%u AS r", in->space.dim);
    } else if (!(fields & LLS_VEC_VECTOR)) {
        lls_buf_add_text(sql, "llmspell.vector_embeddings AS r");
    } else {
        lls_buf_add_text(sql, "(");
        add_part(NULL, sql);
        for (size_t i = 0; i < spaces->count; i++) {
            if (is_repeated(spaces, i))
                continue;
            lls_buf_add_text(sql, " UNION ALL ");
            add_part(&spaces->all[i], sql);
        }
        lls_buf_add_text(sql, ") AS r");
    }
}

void lls_pg_row_columns(const lls_pg_vec_space *in, unsigned fields, lls_buf *sql)
{
    lls_buf_add_text(sql, "r.id, r.dim::bigint, r.space_id, r.scope, r.event_at, r.version,"
                          " r.created_at, r.updated_at, r.expires_at");
    lls_buf_add_text(sql, fields & LLS_VEC_METADATA ? ", r.metadata" : ", NULL::json");
    lls_buf_add_text(sql, fields & LLS_VEC_TEXT ? ", r.content, r.content_raw"
                                                : ", NULL::text, NULL::bytea");
    if (!(fields & LLS_VEC_VECTOR)) {
        lls_buf_add_text(sql, ", NULL::bytea");
    } else if (in) {
        lls_buf_add_text(sql, ", ");
        lls_pg_row_vector(in, "r", sql);
    } else {
        lls_buf_add_text(sql, ", r.vector");
    }
}

static lls_err bad_format(lls_error *err)
{
    return lls_fail(err, LLS_E_CORRUPT, "an embedding in another format than its table says");
}

lls_err lls_pg_vector_read(const lls_pg_vec_space *space, lls_bytes bytes, lls_buf *floats,
                           lls_error *err)
{
    size_t head = space->is_vector ? VECTOR_HEAD : ARRAY_HEAD;
    size_t step = space->is_vector ? 4 : 8; // an array's elements have lengths
    size_t dim = space->space.dim;

    if (bytes.len != head + step * dim)
        return bad_format(err);
    lls_buf_clear(floats);
    lls_buf_reserve(floats, dim * sizeof(float));
    LLS_TRY(lls_buf_status(floats, err));
    const uint8_t *at = bytes.data + head + (step - 4);
    float *out = (float *)(void *)floats->data;
    for (size_t i = 0; i < dim; i++, at += step)
        out[i] = lls_pg_float4(at);
    floats->len = dim * sizeof(float);
    return LLS_OK;
}

void lls_pg_vector_write(bool is_vector, const float *vector, uint32_t dim, lls_buf *out)
{
    lls_buf_clear(out);
    lls_buf_reserve(out, ARRAY_HEAD + 8 * (size_t)dim);
    if (is_vector) {
        lls_pg_put_int16(out, (int16_t)dim);
        lls_pg_put_int16(out, 0);
    } else {
        lls_pg_array(out, LLS_PG_FLOAT4, dim);
    }
    for (uint32_t i = 0; i < dim; i++) {
        uint32_t bits;
        memcpy(&bits, &vector[i], sizeof(bits));
        if (!is_vector)
            lls_pg_put_int32(out, 4);
        lls_pg_put_int32(out, (int32_t)bits);
    }
}

static lls_err read_embedding(const lls_pg_vec_spaces *spaces, const PGresult *result, int row,
                              lls_buf *floats, lls_vec_item *out, lls_error *err)
{
    int64_t id = PQgetisnull(result, row, SPACE) ? 0 : lls_pg_get_int8(result, row, SPACE);
    const lls_pg_vec_space *space = lls_pg_spaces_by_id(spaces, id);

    if (!space) // of a space that was declared since: not in this snapshot
        return lls_fail(err, LLS_E_CORRUPT, "a vector record in a space that is not declared");
    out->space = space->space;
    if (PQgetisnull(result, row, EMBEDDING))
        return LLS_OK; // not asked for
    LLS_TRY(lls_pg_vector_read(space, lls_pg_get_bytes(result, row, EMBEDDING), floats, err));
    out->vector = (const float *)(const void *)floats->data;
    return LLS_OK;
}

lls_err lls_pg_row_read(const lls_pg_vec_spaces *spaces, const PGresult *result, int row,
                        lls_buf *floats, lls_vec_item *out, lls_error *err)
{
    lls_vec_item item = {0};

    if (PQnfields(result) < LLS_PG_ROW_COLUMNS)
        return lls_fail(err, LLS_E_INTERNAL, "the server answered in another format than asked");
    item.id = lls_pg_get_bytes(result, row, ID);
    item.scope = lls_pg_get_text(result, row, SCOPE);
    item.event_usec = lls_pg_get_time(result, row, EVENT);
    item.meta.version = (uint64_t)lls_pg_get_int8(result, row, ROW_VERSION);
    item.meta.created_usec = lls_pg_get_time(result, row, CREATED);
    item.meta.updated_usec = lls_pg_get_time(result, row, UPDATED);
    item.meta.expires_usec = lls_pg_get_time(result, row, EXPIRES);
    item.metadata = lls_pg_get_text(result, row, METADATA);
    item.text =
        lls_pg_get_text(result, row, PQgetisnull(result, row, CONTENT) ? CONTENT_RAW : CONTENT);
    if (lls_pg_get_int8(result, row, DIM) != 0)
        LLS_TRY(read_embedding(spaces, result, row, floats, &item, err));
    *out = item;
    return LLS_OK;
}

lls_err lls_pg_row_matches(const lls_filter *filter, const lls_vec_item *item, int64_t now_usec,
                           bool *match, lls_error *err)
{
    lls_filter_subject subject = {.scope = item->scope,
                                  .metadata = item->metadata,
                                  .event_usec = item->event_usec,
                                  .ingestion_usec = item->meta.created_usec,
                                  .expires_usec = item->meta.expires_usec};

    return lls_filter_match(filter, &subject, now_usec, match, err);
}
