#include "backends/memory/vec.h"
#include "backends/memory/vec_best.h"
#include "backends/memory/vec_declared.h"
#include "backends/memory/vec_words.h"
#include "base/scope.h"
#include "ports/vec_hits.h"
#include "ports/vec_record.h"

/* A walk that keeps the best of what it meets. */
typedef struct walk {
    int64_t now_usec;
    const lls_filter *filter;
    memory_best best;

    const lls_vec_query *query; /* by nearness, or NULL */
    lls_vec_metric metric;
    lls_buf floats;

    const lls_vec_list *list; /* a page, or NULL */
} walk;

static void walk_fini(walk *w)
{
    memory_best_fini(&w->best);
    lls_buf_fini(&w->floats);
}

static lls_err keep_if_matching(walk *w, const memory_ranked *r, lls_error *err)
{
    bool match = false;

    if (!memory_best_wants(&w->best, r))
        return LLS_OK;
    LLS_TRY(memory_vec_match(r->record, w->filter, w->now_usec, &match, err));
    return match ? memory_best_keep(&w->best, r, err) : LLS_OK;
}

/* ---- by nearness ---- */

static bool is_in_space(const lls_vec_item *item, const lls_vec_query *query)
{
    return item->space.dim == query->dim && lls_str_eq(item->space.model, query->model);
}

static lls_err visit_near(void *user, const memory_record *record, lls_error *err)
{
    walk *w = user;
    memory_ranked r = {.record = record};
    lls_vec_item item;
    const uint8_t *vector;

    lls_vec_record_view(&record->item, &item, &vector);
    if (!is_in_space(&item, w->query))
        return LLS_OK;
    LLS_TRY(memory_vec_item(record, LLS_VEC_VECTOR, &w->floats, &item, err));
    r.distance = (float)lls_vec_distance(w->metric, w->query->vector, item.vector, w->query->dim);
    if (w->query->has_within && r.distance > w->query->within)
        return LLS_OK;
    return keep_if_matching(w, &r, err);
}

static bool is_zero(const lls_vec_query *query)
{
    for (uint32_t i = 0; i < query->dim; i++)
        if (query->vector[i] != 0)
            return false;
    return true;
}

static lls_err check_query(const lls_vec_query *query, const lls_vec_space *space, lls_error *err)
{
    if (query->dim != space->dim)
        return lls_fail(err, LLS_E_MISMATCH,
                        "a query of %u dimensions; the space '" LLS_FMT "' has %u", query->dim,
                        LLS_ARG(space->model), space->dim);
    if (space->metric == LLS_VEC_COSINE && is_zero(query))
        return lls_fail(err, LLS_E_INVALID, "the query has length 0, which has no cosine");
    return LLS_OK;
}

static lls_err add_hits(walk *w, unsigned fields, lls_vec_hits *out, lls_error *err)
{
    lls_vec_item item;

    memory_best_sort(&w->best);
    for (size_t i = 0; i < w->best.count; i++) {
        const memory_ranked *r = &w->best.kept[i];
        float score = w->query ? lls_vec_score(w->metric, r->distance) : 0;
        LLS_TRY(memory_vec_item(r->record, fields, &w->floats, &item, err));
        LLS_TRY(lls_vec_hits_add(out, &item, fields, r->distance, score, err));
    }
    return LLS_OK;
}

static lls_err search_one(memory_version version, int64_t now_usec, const lls_vec_query *query,
                          lls_vec_hits *out, lls_error *err)
{
    memory_declared declared;
    walk w = {.now_usec = now_usec, .filter = query->filter, .query = query};

    out->exact = true;
    if (!memory_declared_find(version.declared, query->model, query->dim, &declared))
        return LLS_OK;
    LLS_TRY(check_query(query, &declared.space, err));
    w.metric = declared.space.metric;
    w.best.limit = query->k;
    lls_err e = memory_tree_each(version.records, visit_near, &w, err);
    if (e == LLS_OK)
        e = add_hits(&w, query->fields, out, err);
    walk_fini(&w);
    return e;
}

lls_err memory_vec_search(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                          const lls_vec_query *queries, size_t count, lls_vec_hits *out,
                          lls_error *err)
{
    memory_version version;
    lls_err e = LLS_OK;

    LLS_TRY(memory_hold_space(&memory_vec_downcast(vec)->records, coll, &version, err));
    for (size_t i = 0; i < count && e == LLS_OK; i++)
        e = search_one(version, now_usec, &queries[i], &out[i], err);
    memory_version_drop(version);
    return e;
}

/* ---- pages ---- */

/* Whether a record is behind the one to begin behind. */
static bool is_behind(const lls_vec_list *list, const memory_ranked *r)
{
    const lls_vec_item *after = list->after;
    int order = 0;

    if (!after)
        return true;
    if (list->order == LLS_VEC_BY_EVENT)
        order = (r->event_usec > after->event_usec) - (r->event_usec < after->event_usec);
    if (order == 0)
        order = lls_bytes_cmp(r->record->item.key, after->id);
    return list->newest_first ? order < 0 : order > 0;
}

static lls_err visit_listed(void *user, const memory_record *record, lls_error *err)
{
    walk *w = user;
    memory_ranked r = {.record = record};
    lls_vec_item item;
    const uint8_t *vector;

    if (w->list->order == LLS_VEC_BY_EVENT) {
        lls_vec_record_view(&record->item, &item, &vector);
        r.event_usec = item.event_usec;
    } else if (!w->list->newest_first && w->best.count == w->best.limit) {
        return LLS_END; // records come in this order: no better one follows
    }
    return is_behind(w->list, &r) ? keep_if_matching(w, &r, err) : LLS_OK;
}

lls_err memory_vec_list(lls_vec *vec, lls_kv_space coll, int64_t now_usec, const lls_vec_list *list,
                        lls_vec_hits *out, lls_error *err)
{
    memory_version version;
    walk w = {.now_usec = now_usec, .filter = list->filter, .list = list};

    LLS_TRY(memory_hold_space(&memory_vec_downcast(vec)->records, coll, &version, err));
    w.best.limit = list->limit;
    w.best.reversed = list->newest_first;
    lls_err e = memory_tree_each(version.records, visit_listed, &w, err);
    if (e == LLS_OK || e == LLS_END)
        e = add_hits(&w, list->fields, out, err);
    walk_fini(&w);
    memory_version_drop(version);
    return e;
}

/* ---- by words ---- */

typedef struct matching {
    int64_t now_usec;
    const lls_vec_words *words;
    lls_vec_hits *out;
    lls_buf floats;
} matching;

static lls_err may_be_found(void *user, const memory_record *record, bool *out, lls_error *err)
{
    const matching *m = user;

    return memory_vec_match(record, m->words->filter, m->now_usec, out, err);
}

static lls_err add_found(void *user, const memory_record *record, float score, lls_error *err)
{
    matching *m = user;
    lls_vec_item item;

    LLS_TRY(memory_vec_item(record, m->words->fields, &m->floats, &item, err));
    return lls_vec_hits_add(m->out, &item, m->words->fields, 0, score, err);
}

lls_err memory_vec_words(lls_vec *vec, lls_kv_space coll, int64_t now_usec,
                         const lls_vec_words *words, lls_vec_hits *out, lls_error *err)
{
    matching m = {.now_usec = now_usec, .words = words, .out = out};
    const memory_words_search search = {words->words, words->k, may_be_found, add_found, &m};

    out->exact = true;
    lls_err e = memory_words_find(&memory_vec_downcast(vec)->records, coll, &search, err);
    lls_buf_fini(&m.floats);
    return e;
}
