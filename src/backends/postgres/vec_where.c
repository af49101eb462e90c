#include "backends/postgres/vec_where.h"

#include "base/json.h"
#include "base/scope.h"

static lls_buf *next_array(lls_pg_where *where)
{
    return &where->arrays[where->used++];
}

/* $n for the parameter that was added last. */
static int last(const lls_pg_params *params)
{
    return params->count;
}

static lls_err add_scopes(lls_pg_where *where, const lls_filter *filter, lls_pg_params *params,
                          lls_error *err)
{
    lls_buf *scopes = next_array(where);

    lls_pg_array(scopes, LLS_PG_TEXT, filter->scope_count);
    for (size_t i = 0; i < filter->scope_count; i++)
        lls_pg_field_bytes(scopes, lls_bytes_of(filter->scopes[i]));
    LLS_TRY(lls_buf_status(scopes, err));
    lls_pg_add_bytes(params, lls_buf_view(scopes));
    lls_buf_printf(&where->sql, " AND r.scope = ANY ($%d::text[])", last(params));
    return LLS_OK;
}

static void add_times(lls_pg_where *where, const char *column, lls_time_range range,
                      lls_pg_params *params)
{
    if (range.from_usec) {
        lls_pg_add_time(params, range.from_usec);
        lls_buf_printf(&where->sql, " AND r.%s >= $%d::timestamptz", column, last(params));
    }
    if (range.to_usec) {
        lls_pg_add_time(params, range.to_usec);
        lls_buf_printf(&where->sql, " AND r.%s <= $%d::timestamptz", column, last(params));
    }
}

static lls_err place_of(lls_kv_space coll, lls_str path, lls_digest *out, lls_error *err)
{
    LLS_AUTO(lls_buf) token = {0};

    *out = lls_pg_place_root(coll);
    if (path.len == 0 || path.data[0] != '/') {
        *out = lls_pg_place_below(*out, path);
        return LLS_OK;
    }
    for (size_t at = 1; at <= path.len; at++) { // a JSON Pointer: RFC 6901
        if (at < path.len && path.data[at] != '/') {
            char c = path.data[at];
            if (c == '~')
                c = path.data[++at] == '0' ? '~' : '/';
            lls_buf_add(&token, (lls_bytes){(const uint8_t *)&c, 1});
            continue;
        }
        LLS_TRY(lls_buf_status(&token, err));
        *out = lls_pg_place_below(*out, lls_buf_str(&token));
        lls_buf_clear(&token);
    }
    return LLS_OK;
}

/* Any of these facets, or "anything". */
static lls_err add_group(lls_pg_where *where, lls_kv_space coll, const lls_filter_term *term,
                         lls_digest place, lls_buf *array, lls_error *err)
{
    size_t count = term->op == LLS_FILTER_EXISTS ? 1 : term->value_count;
    int64_t size = (int64_t)count + 1;
    int64_t facet = lls_pg_facet_anything(coll);

    lls_pg_array(array, LLS_PG_INT8, (size_t)size);
    lls_pg_field_int8(array, facet);
    lls_buf_add(&where->sizes, (lls_bytes){(const uint8_t *)&size, sizeof(size)});
    lls_buf_add(&where->groups, (lls_bytes){(const uint8_t *)&facet, sizeof(facet)});
    for (size_t i = 0; i < count; i++) {
        lls_str value = term->op == LLS_FILTER_EXISTS ? (lls_str){0} : term->values[i];
        LLS_TRY(lls_pg_facet(place, term->op, value, &facet, err));
        lls_pg_field_int8(array, facet);
        lls_buf_add(&where->groups, (lls_bytes){(const uint8_t *)&facet, sizeof(facet)});
    }
    return lls_buf_status(array, err);
}

static lls_err add_facets(lls_pg_where *where, lls_kv_space coll, const lls_filter_term *term,
                          lls_digest place, lls_pg_params *params, lls_error *err)
{
    lls_buf *array = next_array(where);

    LLS_TRY(add_group(where, coll, term, place, array, err));
    lls_pg_add_bytes(params, lls_buf_view(array));
    lls_buf_printf(&where->sql, " AND r.facets && $%d::bigint[]", last(params));
    return LLS_OK;
}

/* One side of a range. A bound that the server cannot compare is left to the recheck. */
static lls_err add_bound(lls_pg_where *where, lls_str bound, const char *op, int anything,
                         lls_pg_params *params, lls_error *err)
{
    lls_buf *value = next_array(where);
    bool is_text = bound.len > 0 && lls_pg_bound_is_text(bound);
    int name = anything + 1;

    if (bound.len == 0 || !lls_pg_ordered_value(bound, value))
        return LLS_OK;
    LLS_TRY(lls_buf_status(value, err));
    lls_pg_add_bytes(params, lls_buf_view(value));
    // CASE, so that nothing is cast that is of another type
    lls_buf_printf(&where->sql,
                   " AND (r.facets @> $%d::bigint[] OR CASE jsonb_typeof(r.ordered -> $%d::text)"
                   " WHEN '%s' THEN (r.ordered ->> $%d::text)%s %s $%d::text%s ELSE false END)",
                   anything, name, is_text ? "string" : "number", name,
                   is_text ? " COLLATE \"C\"" : "::float8", op, last(params),
                   is_text ? "" : "::float8");
    return LLS_OK;
}

static lls_err add_range(lls_pg_where *where, lls_kv_space coll, const lls_filter_term *term,
                         lls_digest place, lls_pg_params *params, lls_error *err)
{
    lls_filter_term exists = {.op = LLS_FILTER_EXISTS};
    lls_buf unsent = {0};
    lls_buf *array = next_array(where);
    char *name = where->names[where->named++];

    // So that records without it need not be looked at: not a condition of its own on the row.
    lls_err e = add_group(where, coll, &exists, place, &unsent, err);
    lls_buf_fini(&unsent);
    LLS_TRY(e);
    lls_pg_array(array, LLS_PG_INT8, 1);
    lls_pg_field_int8(array, lls_pg_facet_anything(coll));
    LLS_TRY(lls_buf_status(array, err));
    lls_pg_ordered_name(place, name);
    lls_pg_add_bytes(params, lls_buf_view(array));
    int anything = last(params);
    lls_pg_add_text(params, lls_str_of(name));
    LLS_TRY(add_bound(where, term->low, ">=", anything, params, err));
    return add_bound(where, term->high, "<=", anything, params, err);
}

static lls_err add_terms(lls_pg_where *where, lls_kv_space coll, const lls_filter *filter,
                         lls_pg_params *params, lls_error *err)
{
    for (size_t i = 0; i < filter->term_count && i < LLS_PG_TERMS_MAX; i++) {
        const lls_filter_term *term = &filter->terms[i];
        lls_digest place;

        LLS_TRY(place_of(coll, term->path, &place, err));
        if (term->op == LLS_FILTER_RANGE)
            LLS_TRY(add_range(where, coll, term, place, params, err));
        else
            LLS_TRY(add_facets(where, coll, term, place, params, err));
    }
    return LLS_OK;
}

lls_err lls_pg_where_make(lls_pg_where *where, lls_kv_space coll, const lls_filter *filter,
                          int64_t now_usec, lls_pg_params *params, lls_error *err)
{
    static const lls_filter everything = {0};

    if (!filter)
        filter = &everything;
    if (!filter->include_expired) {
        lls_pg_add_time(params, now_usec);
        lls_buf_printf(&where->sql,
                       " AND (r.expires_at IS NULL OR r.expires_at > $%d::timestamptz)",
                       last(params));
    }
    if (filter->scope_count)
        LLS_TRY(add_scopes(where, filter, params, err));
    add_times(where, "event_at", filter->event, params);
    add_times(where, "created_at", filter->ingestion, params);
    where->recheck = filter->term_count > 0;
    LLS_TRY(add_terms(where, coll, filter, params, err));
    LLS_TRY(lls_buf_status(&where->groups, err));
    LLS_TRY(lls_buf_status(&where->sizes, err));
    return lls_buf_status(&where->sql, err);
}

void lls_pg_where_fini(lls_pg_where *where)
{
    lls_buf_fini(&where->sql);
    for (size_t i = 0; i < LLS_COUNT(where->arrays); i++)
        lls_buf_fini(&where->arrays[i]);
    lls_buf_fini(&where->groups);
    lls_buf_fini(&where->sizes);
}
