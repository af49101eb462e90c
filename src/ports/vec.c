#include "ports/vec.h"

#include "base/alloc.h"
#include "base/json.h"
#include "base/scope.h"
#include "ports/space.h"
#include "ports/vec_record.h"

#include <assert.h>
#include <math.h>

static int64_t now_of(const lls_vec *vec)
{
    return lls_clock_now(vec->clock);
}

static lls_err check_id(lls_bytes id, lls_error *err)
{
    if (id.len == 0)
        return lls_fail(err, LLS_E_INVALID, "empty id");
    if (id.len > LLS_VEC_ID_MAX)
        return lls_fail(err, LLS_E_INVALID, "id of %zu bytes is over the limit of %d", id.len,
                        LLS_VEC_ID_MAX);
    return LLS_OK;
}

static lls_err check_patch(const lls_vec_item *item, lls_error *err)
{
    lls_json_value object;

    LLS_TRY(check_id(item->id, err));
    if (item->metadata.len > LLS_VEC_METADATA_MAX)
        return lls_fail(err, LLS_E_INVALID, "a patch of more than 1 MiB");
    if (lls_json_check(item->metadata, &object, NULL) != LLS_OK || object.type != LLS_JSON_OBJECT)
        return lls_fail(err, LLS_E_INVALID, "a patch that is not a JSON object");
    return LLS_OK;
}

static lls_err check_write(const lls_vec_write *w, lls_error *err)
{
    switch (w->verb) {
    case LLS_VEC_DELETE:
        return check_id(w->item.id, err);
    case LLS_VEC_PATCH:
        return check_patch(&w->item, err);
    case LLS_VEC_PUT:
    case LLS_VEC_CREATE:
    case LLS_VEC_REPLACE:
    case LLS_VEC_RESTORE:
        LLS_TRY(lls_vec_item_check(&w->item, err));
        return lls_kv_meta_check(&w->item.meta, w->verb == LLS_VEC_RESTORE, err);
    }
    return lls_fail(err, LLS_E_INVALID, "an unknown verb");
}

/* What a write leaves out. */
static lls_vec_write complete(lls_vec_write w, int64_t now_usec)
{
    if (w.verb == LLS_VEC_PATCH || w.verb == LLS_VEC_DELETE)
        return w;
    if (w.item.scope.len == 0)
        w.item.scope = LLS_STR("global");
    if (w.item.metadata.len == 0)
        w.item.metadata = LLS_STR("{}");
    if (w.item.event_usec == 0 && w.verb != LLS_VEC_RESTORE)
        w.item.event_usec = now_usec;
    return w;
}

lls_err lls_vec_apply(lls_vec *vec, lls_kv_space coll, const lls_vec_write *writes, size_t count,
                      lls_error *err)
{
    assert(vec);

    LLS_TRY(lls_space_check(coll, err));
    for (size_t i = 0; i < count; i++)
        LLS_TRY(check_write(&writes[i], err));
    if (count == 0)
        return LLS_OK;

    int64_t now_usec = now_of(vec);
    lls_vec_write *whole = lls_alloc(count * sizeof(*whole));
    if (!whole)
        return lls_fail(err, LLS_E_NOMEM, "no memory for %zu writes", count);
    for (size_t i = 0; i < count; i++)
        whole[i] = complete(writes[i], now_usec);
    lls_err e = vec->ops->apply(vec, coll, now_usec, whole, count, err);
    lls_free(whole);
    return e;
}

lls_err lls_vec_put(lls_vec *vec, lls_kv_space coll, const lls_vec_item *item, lls_error *err)
{
    lls_vec_write write = {.verb = LLS_VEC_PUT, .item = *item};

    return lls_vec_apply(vec, coll, &write, 1, err);
}

/* Let go of what a search found before it failed. */
static lls_err settled(lls_err e, lls_vec_hits *out, size_t count)
{
    if (e != LLS_OK)
        for (size_t i = 0; i < count; i++)
            lls_vec_hits_fini(&out[i]);
    return e;
}

lls_err lls_vec_get_many(lls_vec *vec, lls_kv_space coll, const lls_bytes *ids, size_t count,
                         unsigned fields, lls_vec_hits *out, lls_error *err)
{
    assert(vec && out);

    *out = (lls_vec_hits){0};
    LLS_TRY(lls_space_check(coll, err));
    for (size_t i = 0; i < count; i++)
        LLS_TRY(check_id(ids[i], err));
    lls_err e = vec->ops->get(vec, coll, now_of(vec), ids, count, fields, out, err);
    out->exact = true;
    return settled(e, out, 1);
}

lls_err lls_vec_get(lls_vec *vec, lls_kv_space coll, lls_bytes id, unsigned fields,
                    lls_vec_hits *out, lls_error *err)
{
    LLS_TRY(lls_vec_get_many(vec, coll, &id, 1, fields, out, err));
    if (out->count == 1)
        return LLS_OK;
    lls_vec_hits_fini(out);
    return LLS_E_NOTFOUND;
}

static lls_err check_k(uint32_t k, lls_error *err)
{
    if (k == 0 || k > LLS_VEC_K_MAX)
        return lls_fail(err, LLS_E_INVALID, "%u hits asked for; 1 to %d can be had", k,
                        LLS_VEC_K_MAX);
    return LLS_OK;
}

static lls_err check_query(const lls_vec_query *query, lls_error *err)
{
    LLS_TRY(check_k(query->k, err));
    if (query->dim == 0 || query->dim > LLS_VEC_DIM_MAX)
        return lls_fail(err, LLS_E_INVALID, "a query of %u dimensions; 1 to %d can be had",
                        query->dim, LLS_VEC_DIM_MAX);
    for (uint32_t i = 0; i < query->dim; i++)
        if (!isfinite(query->vector[i]))
            return lls_fail(err, LLS_E_INVALID,
                            "the query has a component that is not a finite number");
    if (query->has_within && isnan(query->within))
        return lls_fail(err, LLS_E_INVALID, "the greatest distance is not a number");
    return lls_filter_check(query->filter, err);
}

lls_err lls_vec_search_many(lls_vec *vec, lls_kv_space coll, const lls_vec_query *queries,
                            size_t count, lls_vec_hits *out, lls_error *err)
{
    assert(vec && (out || count == 0));

    for (size_t i = 0; i < count; i++)
        out[i] = (lls_vec_hits){0};
    LLS_TRY(lls_space_check(coll, err));
    for (size_t i = 0; i < count; i++)
        LLS_TRY(check_query(&queries[i], err));
    if (count == 0)
        return LLS_OK;
    return settled(vec->ops->search(vec, coll, now_of(vec), queries, count, out, err), out, count);
}

lls_err lls_vec_search(lls_vec *vec, lls_kv_space coll, const lls_vec_query *query,
                       lls_vec_hits *out, lls_error *err)
{
    return lls_vec_search_many(vec, coll, query, 1, out, err);
}

lls_err lls_vec_match(lls_vec *vec, lls_kv_space coll, const lls_vec_words *words,
                      lls_vec_hits *out, lls_error *err)
{
    assert(vec && out);

    *out = (lls_vec_hits){0};
    LLS_TRY(lls_space_check(coll, err));
    LLS_TRY(check_k(words->k, err));
    LLS_TRY(lls_filter_check(words->filter, err));
    if (!lls_utf8_check(lls_bytes_of(words->words)))
        return lls_fail(err, LLS_E_INVALID, "the words to search for are not UTF-8");
    return settled(vec->ops->words(vec, coll, now_of(vec), words, out, err), out, 1);
}

lls_err lls_vec_list_page(lls_vec *vec, lls_kv_space coll, const lls_vec_list *list,
                          lls_vec_hits *out, lls_error *err)
{
    assert(vec && out);

    *out = (lls_vec_hits){0};
    LLS_TRY(lls_space_check(coll, err));
    LLS_TRY(check_k(list->limit, err));
    LLS_TRY(lls_filter_check(list->filter, err));
    if (list->after)
        LLS_TRY(check_id(list->after->id, err));
    lls_err e = vec->ops->list(vec, coll, now_of(vec), list, out, err);
    out->exact = true;
    return settled(e, out, 1);
}

lls_err lls_vec_count(lls_vec *vec, lls_kv_space coll, const lls_filter *filter, uint64_t *out,
                      lls_error *err)
{
    assert(vec && out);

    LLS_TRY(lls_space_check(coll, err));
    LLS_TRY(lls_filter_check(filter, err));
    return vec->ops->count(vec, coll, now_of(vec), filter, out, err);
}

lls_err lls_vec_remove(lls_vec *vec, lls_kv_space coll, const lls_filter *filter, uint64_t *removed,
                       lls_error *err)
{
    uint64_t count = 0;

    assert(vec);

    LLS_TRY(lls_space_check(coll, err));
    if (!filter)
        return lls_fail(err, LLS_E_INVALID, "removing without a filter would remove everything");
    LLS_TRY(lls_filter_check(filter, err));
    LLS_TRY(vec->ops->remove(vec, coll, now_of(vec), filter, &count, err));
    if (removed)
        *removed = count;
    return LLS_OK;
}

lls_err lls_vec_stats_of(lls_vec *vec, lls_kv_space coll, lls_vec_stats_fn each, void *user,
                         lls_error *err)
{
    assert(vec && each);

    LLS_TRY(lls_space_check(coll, err));
    return vec->ops->stats(vec, coll, each, user, err);
}

lls_err lls_vec_tend(lls_vec *vec, lls_kv_space coll, lls_error *err)
{
    assert(vec);

    LLS_TRY(lls_space_check(coll, err));
    return vec->ops->tend ? vec->ops->tend(vec, coll, err) : LLS_OK;
}

float lls_vec_score(lls_vec_metric metric, float distance)
{
    switch (metric) {
    case LLS_VEC_COSINE:
        return 1 - distance;
    case LLS_VEC_IP:
        return -distance;
    case LLS_VEC_L2:
    case LLS_VEC_L1:
        break;
    }
    return 1 / (1 + distance);
}

static double cosine_distance(const float *a, const float *b, uint32_t dim)
{
    double dot = 0;
    double aa = 0;
    double bb = 0;

    for (uint32_t i = 0; i < dim; i++) {
        dot += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return aa > 0 && bb > 0 ? 1 - dot / sqrt(aa) / sqrt(bb) : 1;
}

double lls_vec_distance(lls_vec_metric metric, const float *a, const float *b, uint32_t dim)
{
    double sum = 0;

    if (metric == LLS_VEC_COSINE)
        return cosine_distance(a, b, dim);
    for (uint32_t i = 0; i < dim; i++) {
        double difference = (double)a[i] - (double)b[i];
        if (metric == LLS_VEC_IP)
            sum -= (double)a[i] * (double)b[i];
        else
            sum += metric == LLS_VEC_L2 ? difference * difference : fabs(difference);
    }
    return metric == LLS_VEC_L2 ? sqrt(sum) : sum;
}

static const char *const metric_names[] = {
    [LLS_VEC_COSINE] = "cosine",
    [LLS_VEC_L2] = "l2",
    [LLS_VEC_IP] = "ip",
    [LLS_VEC_L1] = "l1",
};

const char *lls_vec_metric_name(lls_vec_metric metric)
{
    return metric_names[metric];
}

lls_err lls_vec_metric_find(lls_str name, lls_vec_metric *out, lls_error *err)
{
    for (size_t i = 0; i < sizeof(metric_names) / sizeof(*metric_names); i++) {
        if (lls_str_eq(name, lls_str_of(metric_names[i]))) {
            *out = (lls_vec_metric)i;
            return LLS_OK;
        }
    }
    return lls_fail(err, LLS_E_INVALID, "no metric '" LLS_FMT "' (there are: cosine, l2, ip, l1)",
                    LLS_ARG(name));
}
