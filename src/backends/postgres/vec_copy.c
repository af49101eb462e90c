/* Vector records on their way into a staging table, with all that is derived from them. */
#include "backends/postgres/stage.h"
#include "backends/postgres/vec_plan.h"
#include "base/scope.h"

enum { COLUMNS = 20, JSONB_FORMAT = 1 };

/* What a row is built in. */
typedef struct row_state {
    lls_pg_derived derived;
    lls_buf floats;
    lls_buf embedding;
    lls_buf ordered;
} row_state;

static void fini(void *state)
{
    row_state *s = state;

    lls_pg_derived_fini(&s->derived);
    lls_buf_fini(&s->floats);
    lls_buf_fini(&s->embedding);
    lls_buf_fini(&s->ordered);
}

static void field_int4(lls_buf *out, int32_t number)
{
    lls_pg_put_int32(out, 4);
    lls_pg_put_int32(out, number);
}

static void field_text(lls_buf *out, lls_str text)
{
    lls_pg_field_bytes(out, lls_bytes_of(text));
}

static void add_space(lls_buf *out, const lls_vec_space *space)
{
    const uint8_t normalised = space->normalised;

    if (space->dim == 0) {
        lls_pg_field_null(out);
        field_int4(out, 0);
        lls_pg_field_null(out);
        lls_pg_field_null(out);
        return;
    }
    field_text(out, space->model);
    field_int4(out, (int32_t)space->dim);
    lls_pg_put_int32(out, 2);
    lls_pg_put_int16(out, (int16_t)space->metric);
    lls_pg_field_bytes(out, (lls_bytes){&normalised, 1});
}

static void add_content(lls_buf *out, lls_str text)
{
    bool fits = !text.len || !memchr(text.data, '\0', text.len);

    if (!fits)
        lls_pg_field_null(out);
    field_text(out, text);
    if (fits)
        lls_pg_field_null(out);
}

/* jsonb has the number of its format in front of the text. */
static lls_err add_ordered(row_state *s, lls_buf *out, lls_error *err)
{
    const uint8_t format = JSONB_FORMAT;

    if (s->derived.ordered.len == 0) {
        lls_pg_field_null(out);
        return LLS_OK;
    }
    lls_buf_clear(&s->ordered);
    lls_buf_add(&s->ordered, (lls_bytes){&format, 1});
    lls_buf_add(&s->ordered, lls_buf_view(&s->derived.ordered));
    lls_pg_field_bytes(out, lls_buf_view(&s->ordered));
    return lls_buf_status(&s->ordered, err);
}

static lls_err add_row(void *state, lls_kv_space space, const lls_kv_item *item, lls_buf *out,
                       lls_error *err)
{
    const lls_kv_write write = {.key = item->key, .value = item->value, .meta = item->meta};
    const lls_pg_change change = {.kv = &write};
    row_state *s = state;
    lls_vec_item record;

    LLS_TRY(lls_pg_change_item(&change, &s->floats, &record, err));
    LLS_TRY(lls_pg_derive_metadata(&s->derived, space, record.metadata, err));
    LLS_TRY(lls_pg_derive_words(&s->derived, space, record.text, err));
    lls_pg_put_int16(out, COLUMNS);
    lls_pg_field_bytes(out, item->key);
    add_space(out, &record.space);
    field_text(out, record.scope);
    add_content(out, record.text);
    field_text(out, record.metadata);
    lls_pg_field_time(out, record.event_usec);
    lls_pg_field_int8(out, (int64_t)item->meta.version);
    lls_pg_field_time(out, item->meta.created_usec);
    lls_pg_field_time(out, item->meta.updated_usec);
    lls_pg_field_expiry(out, item->meta.expires_usec);
    lls_pg_field_bytes(out, lls_buf_view(&s->derived.facets));
    LLS_TRY(add_ordered(s, out, err));
    lls_pg_field_bytes(out, lls_buf_view(&s->derived.words));
    lls_pg_field_bytes(out, lls_buf_view(&s->derived.counts));
    field_int4(out, (int32_t)s->derived.total);
    if (record.space.dim == 0) {
        lls_pg_field_null(out);
        return LLS_OK;
    }
    lls_pg_vector_write(false, record.vector, record.space.dim, &s->embedding);
    LLS_TRY(lls_buf_status(&s->embedding, err));
    lls_pg_field_bytes(out, lls_buf_view(&s->embedding));
    return LLS_OK;
}

const lls_pg_copy_kind lls_pg_vec_copy = {
    .table = "v_",
    .columns = "id, model, dim, metric, normalised, scope, content, content_raw, metadata,"
               " event_at, version, created_at, updated_at, expires_at, facets, ordered, words,"
               " counts, total, embedding",
    .add_row = add_row,
};

const lls_pg_stage_kind lls_pg_vec_stage = {
    .open = LLS_PG_VEC_STAGE_OPEN,
    .last = LLS_PG_VEC_STAGE_LAST,
    .fill = LLS_PG_VEC_STAGE_FILL,
    .publish = LLS_PG_VEC_STAGE_PUBLISH,
    .discard = LLS_PG_VEC_STAGE_DISCARD,
    .is_published = LLS_PG_VEC_STAGE_IS_PUBLISHED,
    .copy = &lls_pg_vec_copy,
    .scan = &lls_pg_vec_scan,
    .state_size = sizeof(row_state),
    .state_fini = fini,
};
