/*
 * What a plan comes to, as statements. What is replaced is deleted and inserted anew, since a
 * record may move to the table of another dimension; metadata alone is updated in place.
 *
 * Rows of one dimension go through one statement, parsed once: nothing waits for an answer.
 */
#include "backends/postgres/vec_plan.h"
#include "base/scope.h"

/* What the rows of a plan are built in. Zero is empty. */
typedef struct sending {
    const lls_pg_vec_plan *plan;
    lls_pg_pipeline *pipeline;
    lls_pg_derived derived;
    lls_buf floats;
    lls_buf embedding;
} sending;

static void sending_auto(sending *s)
{
    lls_pg_derived_fini(&s->derived);
    lls_buf_fini(&s->floats);
    lls_buf_fini(&s->embedding);
}

static lls_err add(lls_pg_pipeline *pipeline, lls_pg_common common, const lls_pg_params *params,
                   lls_error *err)
{
    return lls_pg_pipeline_add(pipeline, lls_pg_common_statement(common), params, LLS_PG_NO_TAG,
                               err);
}

static lls_err declare_spaces(const sending *s, lls_error *err)
{
    for (size_t i = 0; i < s->plan->used_count; i++) {
        const lls_vec_space *space = &s->plan->used[i].space;
        lls_pg_params params = {0};

        if (s->plan->used[i].is_declared)
            continue;
        lls_pg_add_text(&params, s->plan->coll.coll);
        lls_pg_add_text(&params, space->model);
        lls_pg_add_int8(&params, space->dim);
        lls_pg_add_int8(&params, space->metric);
        lls_pg_add_int8(&params, space->normalised);
        LLS_TRY(add(s->pipeline, LLS_PG_VEC_DECLARE, &params, err));
    }
    return LLS_OK;
}

static bool is_replaced(const lls_pg_vec_state *state)
{
    return state->is_stored && (state->source || !state->is_there);
}

static bool is_gone(const lls_pg_vec_state *state)
{
    return state->is_stored && !state->is_there;
}

/* The ids of the states that `wanted` picks, as an array; gives how many. */
static size_t add_ids(const lls_pg_vec_plan *plan, bool (*wanted)(const lls_pg_vec_state *),
                      lls_buf *out)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->count; i++)
        count += wanted(&plan->states[i]);
    lls_pg_array(out, LLS_PG_BYTEA, count);
    for (size_t i = 0; i < plan->count; i++)
        if (wanted(&plan->states[i]))
            lls_pg_field_bytes(out, plan->states[i].id);
    return count;
}

static lls_err delete_rows(const sending *s, bool *any, lls_error *err)
{
    LLS_AUTO(lls_buf) replaced = {0};
    LLS_AUTO(lls_buf) gone = {0};
    lls_pg_params rows = lls_pg_space_params(s->plan->coll);
    lls_pg_params terms = {0};

    *any = add_ids(s->plan, is_replaced, &replaced) > 0;
    if (!*any)
        return LLS_OK;
    LLS_TRY(lls_buf_status(&replaced, err));
    lls_pg_add_bytes(&rows, lls_buf_view(&replaced));
    LLS_TRY(add(s->pipeline, LLS_PG_VEC_DELETE, &rows, err));
    if (add_ids(s->plan, is_gone, &gone) == 0)
        return LLS_OK;
    LLS_TRY(lls_buf_status(&gone, err));
    lls_pg_add_text(&terms, s->plan->coll.coll);
    lls_pg_add_bytes(&terms, lls_buf_view(&gone));
    return add(s->pipeline, LLS_PG_VEC_DROP_TERMS, &terms, err);
}

static void insert_sql(uint32_t dim, lls_buf *sql)
{
    lls_buf_printf(sql,
                   "WITH w AS (INSERT INTO llmspell.vector_embeddings_%u (tenant_id, collection,"
                   " id, dim, space_id, scope, content, content_raw, metadata, event_at, version,"
                   " created_at, updated_at, expires_at, facets, ordered%s)"
                   " VALUES ($1::text, $2::text, $3::bytea, %u, (SELECT s.id"
                   " FROM llmspell.vector_spaces AS s WHERE s.tenant_id = $1::text"
                   " AND s.collection = $2::text AND s.model = $4::text AND s.dim = %u),"
                   " $5::text, $6::text, $7::bytea, $8::json, $9::timestamptz, $10::bigint,"
                   " $11::timestamptz, $12::timestamptz, $13::timestamptz, $14::bigint[],"
                   " $15::text::jsonb%s))"
                   " SELECT llmspell.vector_terms_put($2::text, $3::bytea, $14::bigint[],"
                   " $16::bigint[], $17::integer[], $18::bigint::integer)",
                   dim, dim ? ", embedding" : "", dim, dim, dim ? ", $19::float4[]" : "");
}

static void add_ordered(const sending *s, lls_pg_params *params)
{
    if (s->derived.ordered.len)
        lls_pg_add_bytes(params, lls_buf_view(&s->derived.ordered));
    else
        lls_pg_add_null(params);
}

static void add_content(lls_str text, lls_pg_params *params)
{
    bool fits = !text.len || !memchr(text.data, '\0', text.len); // no text of PostgreSQL has a NUL

    if (!fits)
        lls_pg_add_null(params);
    lls_pg_add_text(params, text);
    if (fits)
        lls_pg_add_null(params);
}

static lls_err insert_row(sending *s, const lls_pg_vec_state *state, lls_error *err)
{
    lls_pg_params params = lls_pg_space_params(s->plan->coll);
    lls_kv_space coll = s->plan->coll;
    lls_vec_item item;

    LLS_TRY(lls_pg_change_item(state->source, &s->floats, &item, err));
    if (state->is_patched)
        item.metadata = lls_buf_str(&state->metadata);
    LLS_TRY(lls_pg_derive_metadata(&s->derived, coll, item.metadata, err));
    LLS_TRY(lls_pg_derive_words(&s->derived, coll, item.text, err));
    lls_pg_add_bytes(&params, state->id);
    lls_pg_add_text(&params, item.space.model);
    lls_pg_add_text(&params, item.scope);
    add_content(item.text, &params);
    lls_pg_add_text(&params, item.metadata);
    lls_pg_add_time(&params, item.event_usec);
    lls_pg_add_int8(&params, (int64_t)state->meta.version);
    lls_pg_add_time(&params, state->meta.created_usec);
    lls_pg_add_time(&params, state->meta.updated_usec);
    lls_pg_add_expiry(&params, state->meta.expires_usec);
    lls_pg_add_bytes(&params, lls_buf_view(&s->derived.facets));
    add_ordered(s, &params);
    lls_pg_add_bytes(&params, lls_buf_view(&s->derived.words));
    lls_pg_add_bytes(&params, lls_buf_view(&s->derived.counts));
    lls_pg_add_int8(&params, s->derived.total);
    if (state->dim) {
        lls_pg_vector_write(false, item.vector, state->dim, &s->embedding);
        LLS_TRY(lls_buf_status(&s->embedding, err));
        lls_pg_add_bytes(&params, lls_buf_view(&s->embedding));
    }
    return lls_pg_pipeline_bind(s->pipeline, &params, LLS_PG_NO_TAG, err);
}

/* The smallest dimension of rows to insert that is at least `from`; false when there is none. */
static bool next_dim(const lls_pg_vec_plan *plan, uint32_t from, uint32_t *out)
{
    uint32_t least = UINT32_MAX;

    for (size_t i = 0; i < plan->count; i++) {
        const lls_pg_vec_state *state = &plan->states[i];
        if (state->source && state->dim >= from && state->dim < least)
            least = state->dim;
    }
    *out = least;
    return least != UINT32_MAX;
}

static lls_err insert_rows(sending *s, lls_error *err)
{
    uint32_t dim;

    for (uint32_t from = 0; next_dim(s->plan, from, &dim); from = dim + 1) {
        LLS_AUTO(lls_buf) sql = {0};

        insert_sql(dim, &sql);
        LLS_TRY(lls_buf_status(&sql, err));
        LLS_TRY(lls_pg_pipeline_parse(s->pipeline, lls_buf_cstr(&sql), err));
        for (size_t i = 0; i < s->plan->count; i++)
            if (s->plan->states[i].source && s->plan->states[i].dim == dim)
                LLS_TRY(insert_row(s, &s->plan->states[i], err));
    }
    return LLS_OK;
}

static lls_err patch_row(sending *s, const lls_pg_vec_state *state, lls_error *err)
{
    lls_pg_params params = lls_pg_space_params(s->plan->coll);
    lls_str metadata = lls_buf_str(&state->metadata);

    LLS_TRY(lls_pg_derive_metadata(&s->derived, s->plan->coll, metadata, err));
    lls_pg_add_bytes(&params, state->id);
    lls_pg_add_text(&params, metadata);
    lls_pg_add_bytes(&params, lls_buf_view(&s->derived.facets));
    add_ordered(s, &params);
    lls_pg_add_int8(&params, (int64_t)state->meta.version);
    lls_pg_add_time(&params, state->meta.updated_usec);
    return add(s->pipeline, LLS_PG_VEC_PATCH, &params, err);
}

static lls_err patch_rows(sending *s, lls_error *err)
{
    for (size_t i = 0; i < s->plan->count; i++) {
        const lls_pg_vec_state *state = &s->plan->states[i];
        if (state->is_patched && !state->source)
            LLS_TRY(patch_row(s, state, err));
    }
    return LLS_OK;
}

/* Forget the spaces that no record lies in. */
static lls_err tidy_spaces(const sending *s, lls_error *err)
{
    lls_pg_params coll = {0};

    lls_pg_add_text(&coll, s->plan->coll.coll);
    return add(s->pipeline, LLS_PG_VEC_TIDY, &coll, err);
}

/* Rows are deleted before spaces are declared: one that is empty then may be another. */
lls_err lls_pg_plan_send(const lls_pg_vec_plan *plan, lls_pg_pipeline *pipeline, lls_error *err)
{
    LLS_AUTO(sending) s = {.plan = plan, .pipeline = pipeline};
    bool any = false;

    LLS_TRY(delete_rows(&s, &any, err));
    if (plan->has_anew)
        LLS_TRY(tidy_spaces(&s, err));
    LLS_TRY(declare_spaces(&s, err));
    LLS_TRY(insert_rows(&s, err));
    LLS_TRY(patch_rows(&s, err));
    return any ? tidy_spaces(&s, err) : LLS_OK;
}
