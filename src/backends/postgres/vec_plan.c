#include "backends/postgres/vec_plan.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/scope.h"
#include "ports/record.h"

#include <stdlib.h>

/* What a change does, whichever port it came through. */
typedef enum verb { PUT, CREATE, REPLACE, PATCH, DELETE, SWEEP, RESTORE } verb;

static verb verb_of(const lls_pg_change *change)
{
    static const verb of_vec[] = {
        [LLS_VEC_PUT] = PUT,     [LLS_VEC_CREATE] = CREATE, [LLS_VEC_REPLACE] = REPLACE,
        [LLS_VEC_PATCH] = PATCH, [LLS_VEC_DELETE] = DELETE, [LLS_VEC_RESTORE] = RESTORE,
    };
    static const verb of_kv[] = {
        [LLS_KV_PUT] = PUT,       [LLS_KV_CREATE] = CREATE, [LLS_KV_REPLACE] = REPLACE,
        [LLS_KV_DELETE] = DELETE, [LLS_KV_SWEEP] = SWEEP,   [LLS_KV_RESTORE] = RESTORE,
    };

    return change->vec ? of_vec[change->vec->verb] : of_kv[change->kv->verb];
}

static const lls_kv_meta *meta_of(const lls_pg_change *change)
{
    return change->vec ? &change->vec->item.meta : &change->kv->meta;
}

lls_bytes lls_pg_change_id(const lls_pg_change *change)
{
    return change->vec ? change->vec->item.id : change->kv->key;
}

bool lls_pg_change_is_in(const lls_pg_change *change, lls_str coll)
{
    return change->vec || lls_str_eq(change->kv->coll, coll);
}

bool lls_pg_change_may_repeat(const lls_pg_change *change)
{
    verb v = verb_of(change);

    return v == RESTORE || v == SWEEP || (v == DELETE && meta_of(change)->version == 0);
}

lls_err lls_pg_change_item(const lls_pg_change *change, lls_buf *floats, lls_vec_item *out,
                           lls_error *err)
{
    lls_error why = {0};

    if (change->vec) {
        *out = change->vec->item;
        return LLS_OK;
    }
    lls_kv_item item = {change->kv->key, change->kv->value, change->kv->meta};
    lls_err e = lls_vec_record_decode(&item, floats, out, &why);
    if (e == LLS_E_CORRUPT) // the caller's mistake, not the store's
        return lls_fail(err, LLS_E_INVALID, "%s", why.msg);
    if (e != LLS_OK && err)
        *err = why;
    return e;
}

static int by_id(const void *a, const void *b)
{
    const lls_pg_vec_state *left = a;
    const lls_pg_vec_state *right = b;

    return lls_bytes_cmp(left->id, right->id);
}

lls_err lls_pg_plan_begin(lls_pg_vec_plan *plan, lls_kv_space coll, const lls_pg_change *changes,
                          size_t count, lls_error *err)
{
    size_t distinct = 0;

    *plan = (lls_pg_vec_plan){.coll = coll};
    plan->states = lls_alloc((count + 1) * sizeof(*plan->states));
    plan->used = lls_alloc((count + 1) * sizeof(*plan->used));
    if (!plan->states || !plan->used)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu writes", count);
    for (size_t i = 0; i < count; i++)
        if (lls_pg_change_is_in(&changes[i], coll.coll))
            plan->states[plan->count++].id = lls_pg_change_id(&changes[i]);
    qsort(plan->states, plan->count, sizeof(*plan->states), by_id);
    for (size_t i = 0; i < plan->count; i++)
        if (i == 0 || !lls_bytes_eq(plan->states[i].id, plan->states[distinct - 1].id))
            plan->states[distinct++].id = plan->states[i].id;
    plan->count = distinct;
    return LLS_OK;
}

static lls_pg_vec_state *find(const lls_pg_vec_plan *plan, lls_bytes id)
{
    lls_pg_vec_state wanted = {.id = id};

    return bsearch(&wanted, plan->states, plan->count, sizeof(*plan->states), by_id);
}

lls_err lls_pg_plan_ask(lls_pg_vec_plan *plan, lls_pg_pipeline *pipeline,
                        const lls_pg_change *changes, size_t count, int tag, lls_error *err)
{
    LLS_AUTO(lls_buf) ids = {0};
    LLS_AUTO(lls_buf) patched = {0};
    lls_pg_params params = lls_pg_space_params(plan->coll);
    size_t patches = 0;

    lls_pg_array(&ids, LLS_PG_BYTEA, plan->count);
    for (size_t i = 0; i < plan->count; i++)
        lls_pg_field_bytes(&ids, plan->states[i].id);
    for (size_t i = 0; i < count; i++)
        patches += verb_of(&changes[i]) == PATCH;
    lls_pg_array(&patched, LLS_PG_BYTEA, patches);
    for (size_t i = 0; i < count; i++)
        if (verb_of(&changes[i]) == PATCH)
            lls_pg_field_bytes(&patched, lls_pg_change_id(&changes[i]));
    LLS_TRY(lls_buf_status(&ids, err));
    LLS_TRY(lls_buf_status(&patched, err));
    lls_pg_add_bytes(&params, lls_buf_view(&ids));
    lls_pg_add_bytes(&params, lls_buf_view(&patched));
    LLS_TRY(lls_pg_spaces_ask(pipeline, plan->coll, tag, err));
    return lls_pg_pipeline_add(pipeline, lls_pg_common_statement(LLS_PG_VEC_ROWS), &params, tag + 1,
                               err);
}

lls_err lls_pg_plan_keep_rows(lls_pg_vec_plan *plan, const PGresult *result, lls_error *err)
{
    PQclear(plan->stored);
    plan->stored = PQcopyResult(result, PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
    if (!plan->stored)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (int row = 0; row < PQntuples(plan->stored); row++) {
        lls_pg_vec_state *state = find(plan, lls_pg_get_bytes(plan->stored, row, 0));
        if (!state)
            continue;
        state->is_stored = state->is_there = true;
        state->meta.version = (uint64_t)lls_pg_get_int8(plan->stored, row, 1);
        state->meta.created_usec = lls_pg_get_time(plan->stored, row, 2);
        state->meta.updated_usec = lls_pg_get_time(plan->stored, row, 3);
        state->meta.expires_usec = lls_pg_get_time(plan->stored, row, 4);
        state->stored_metadata = lls_pg_get_text(plan->stored, row, 5);
    }
    return LLS_OK;
}

static lls_err exists(lls_bytes id, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(id, &shown);
    return lls_fail(err, LLS_E_EXISTS, "key '%s' is there already", lls_buf_cstr(&shown));
}

static lls_err conflict(lls_bytes id, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(id, &shown);
    return lls_fail(err, LLS_E_CONFLICT, "key '%s' was changed by another writer",
                    lls_buf_cstr(&shown));
}

static lls_err not_found(lls_bytes id, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(id, &shown);
    return lls_fail(err, LLS_E_NOTFOUND, "there is no record '%s'", lls_buf_cstr(&shown));
}

/* The record is there anew, with content from `change`. */
static lls_err take(lls_pg_vec_state *state, const lls_pg_change *change, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item item;

    LLS_TRY(lls_pg_change_item(change, &floats, &item, err));
    state->is_there = true;
    state->source = change;
    state->dim = item.space.dim;
    state->is_patched = false;
    return LLS_OK;
}

static void renew(lls_pg_vec_state *state, bool is_live, int64_t expires_usec, int64_t now_usec)
{
    if (!is_live)
        state->meta = (lls_kv_meta){.created_usec = now_usec};
    state->meta.version++;
    state->meta.updated_usec = now_usec;
    state->meta.expires_usec = expires_usec;
}

static lls_err patch(lls_pg_vec_state *state, const lls_pg_change *change, int64_t now_usec,
                     lls_error *err)
{
    LLS_AUTO(lls_buf) merged = {0};
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item item = {.metadata = state->stored_metadata};
    lls_json_value target;
    lls_json_value with;

    if (state->source)
        LLS_TRY(lls_pg_change_item(state->source, &floats, &item, err));
    lls_str before = state->is_patched ? lls_buf_str(&state->metadata) : item.metadata;
    LLS_TRY(lls_json_check(before.len ? before : LLS_STR("{}"), &target, err));
    LLS_TRY(lls_json_check(change->vec->item.metadata, &with, err));
    LLS_TRY(lls_json_merge(target, with, &merged, err));
    LLS_TRY(lls_buf_status(&merged, err));
    if (merged.len > LLS_VEC_METADATA_MAX)
        return lls_fail(err, LLS_E_INVALID, "the patched metadata has more than 1 MiB");
    lls_buf_clear(&state->metadata);
    lls_buf_add(&state->metadata, lls_buf_view(&merged));
    state->is_patched = true;
    state->meta.version++;
    state->meta.updated_usec = now_usec;
    return lls_buf_status(&state->metadata, err);
}

static void forget(lls_pg_vec_state *state)
{
    state->is_there = false;
    state->source = NULL;
    state->is_patched = false;
}

static lls_err carry_out(lls_pg_vec_plan *plan, const lls_pg_change *change, int64_t now_usec,
                         lls_error *err)
{
    lls_pg_vec_state *state = find(plan, lls_pg_change_id(change));
    const lls_kv_meta *meta = meta_of(change);
    bool is_live = state->is_there && !lls_kv_expired(&state->meta, now_usec);
    bool has_version = is_live && state->meta.version == meta->version;

    switch (verb_of(change)) {
    case CREATE:
        if (is_live)
            return exists(state->id, err);
        break;
    case REPLACE:
        if (!has_version)
            return conflict(state->id, err);
        break;
    case PATCH:
        if (!is_live)
            return not_found(state->id, err);
        if (meta->version && !has_version)
            return conflict(state->id, err);
        return patch(state, change, now_usec, err);
    case DELETE:
        if (meta->version && !has_version)
            return conflict(state->id, err);
        forget(state);
        return LLS_OK;
    case SWEEP:
        if (state->is_there && !is_live)
            forget(state);
        return LLS_OK;
    case RESTORE:
        state->meta = *meta;
        return take(state, change, err);
    case PUT:
        break;
    }
    renew(state, is_live, meta->expires_usec, now_usec);
    return take(state, change, err);
}

/* ---- spaces: a batch is judged by what it leaves */

static const lls_vec_space *find_used(const lls_pg_vec_plan *plan, const lls_vec_space *like)
{
    for (size_t i = plan->used_count; i > 0; i--) {
        const lls_vec_space *used = &plan->used[i - 1].space;
        if (lls_str_eq(used->model, like->model) && (like->model.len > 0 || used->dim == like->dim))
            return used;
    }
    return NULL;
}

/* A space that records come into is declared as they say, or will be: anew, if all that are in it
 * leave it. Whether they do the server says when it forgets the spaces that are empty. */
static lls_err settle_space(lls_pg_vec_plan *plan, const lls_pg_vec_state *state, lls_error *err)
{
    LLS_AUTO(lls_buf) floats = {0};
    lls_vec_item item;

    LLS_TRY(lls_pg_change_item(state->source, &floats, &item, err));
    if (item.space.dim == 0)
        return LLS_OK;
    const lls_vec_space *used = find_used(plan, &item.space);
    if (used)
        return lls_vec_space_agree(used, &item.space, err);
    const lls_pg_vec_space *declared =
        lls_pg_spaces_find(&plan->spaces, item.space.model, item.space.dim);
    bool agrees = declared && lls_vec_space_agree(&declared->space, &item.space, NULL) == LLS_OK;
    plan->has_anew |= declared && !agrees;
    // Of a canonical value the model is a view into the caller's bytes: it stays.
    plan->used[plan->used_count++] = (lls_pg_vec_used){.space = item.space, .is_declared = agrees};
    return LLS_OK;
}

lls_err lls_pg_plan_make(lls_pg_vec_plan *plan, const lls_pg_change *changes, size_t count,
                         int64_t now_usec, lls_error *err)
{
    for (size_t i = 0; i < count; i++)
        if (lls_pg_change_is_in(&changes[i], plan->coll.coll))
            LLS_TRY(carry_out(plan, &changes[i], now_usec, err));
    for (size_t i = 0; i < plan->count; i++)
        if (plan->states[i].source)
            LLS_TRY(settle_space(plan, &plan->states[i], err));
    return LLS_OK;
}

lls_err lls_pg_plan_explain(const lls_pg_vec_plan *plan, lls_error *err)
{
    for (size_t i = 0; i < plan->used_count; i++) {
        const lls_vec_space *used = &plan->used[i].space;
        const lls_pg_vec_space *declared =
            lls_pg_spaces_find(&plan->spaces, used->model, used->dim);
        if (declared)
            LLS_TRY(lls_vec_space_agree(&declared->space, used, err));
    }
    return LLS_OK;
}

void lls_pg_plan_fini(lls_pg_vec_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        lls_buf_fini(&plan->states[i].metadata);
    lls_free(plan->states);
    lls_free(plan->used);
    lls_pg_spaces_fini(&plan->spaces);
    PQclear(plan->stored);
    *plan = (lls_pg_vec_plan){0};
}
