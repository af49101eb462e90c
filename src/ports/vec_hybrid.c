#include "base/alloc.h"
#include "base/scope.h"
#include "ports/vec_hits.h"

#include <stdlib.h>

/* The constant of reciprocal rank fusion; 60 is what its authors found to do well. */
enum { RRF = 60, DEPTH_TIMES = 4, DEPTH_MIN = 50 };

typedef struct fused {
    lls_bytes id;
    double score;
} fused;

static uint32_t depth_of(uint32_t k, uint32_t depth)
{
    if (depth == 0)
        depth = k > LLS_VEC_K_MAX / DEPTH_TIMES ? LLS_VEC_K_MAX : k * DEPTH_TIMES;
    if (depth < DEPTH_MIN)
        depth = DEPTH_MIN;
    if (depth < k)
        depth = k;
    return depth > LLS_VEC_K_MAX ? LLS_VEC_K_MAX : depth;
}

static int by_id(const void *a, const void *b)
{
    return lls_bytes_cmp(((const fused *)a)->id, ((const fused *)b)->id);
}

static int by_score_then_id(const void *a, const void *b)
{
    const fused *x = a;
    const fused *y = b;

    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return by_id(a, b);
}

/* Both lists as one, without doubles, best first. */
static size_t fuse(const lls_vec_hits lists[2], fused *all)
{
    size_t count = 0;

    for (size_t l = 0; l < 2; l++)
        for (size_t i = 0; i < lists[l].count; i++)
            all[count++] = (fused){lists[l].hits[i].item.id, 1.0 / (double)(RRF + i + 1)};
    if (count == 0)
        return 0;
    qsort(all, count, sizeof(*all), by_id);
    size_t kept = 0;
    for (size_t i = 1; i < count; i++) {
        if (lls_bytes_eq(all[kept].id, all[i].id))
            all[kept].score += all[i].score;
        else
            all[++kept] = all[i];
    }
    count = kept + 1;
    qsort(all, count, sizeof(*all), by_score_then_id);
    return count;
}

/* Give the hits of `found` (in the order of `all`, some may have gone) their fused scores. */
static void score(lls_vec_hits *found, const fused *all, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < found->count; i++) {
        while (at < count && !lls_bytes_eq(all[at].id, found->hits[i].item.id))
            at++;
        found->hits[i].score = at < count ? (float)all[at].score : 0;
        found->hits[i].distance = 0;
    }
}

static lls_err fetch(lls_vec *vec, lls_kv_space coll, const fused *all, size_t count,
                     unsigned fields, lls_vec_hits *out, lls_error *err)
{
    lls_bytes *ids = lls_alloc((count + 1) * sizeof(*ids));

    if (!ids)
        return lls_fail(err, LLS_E_NOMEM, "no memory for the hits of a search");
    for (size_t i = 0; i < count; i++)
        ids[i] = all[i].id;
    lls_err e = lls_vec_get_many(vec, coll, ids, count, fields, out, err);
    lls_free(ids);
    if (e == LLS_OK)
        score(out, all, count);
    return e;
}

lls_err lls_vec_hybrid(lls_vec *vec, lls_kv_space coll, const lls_vec_query *query, lls_str words,
                       uint32_t depth, lls_vec_hits *out, lls_error *err)
{
    lls_vec_hits lists[2] = {{0}, {0}};
    lls_vec_query near = *query;
    fused *all = NULL;

    *out = (lls_vec_hits){0};
    near.fields = LLS_VEC_IDS;
    if (near.k > 0 && near.k <= LLS_VEC_K_MAX)
        near.k = depth_of(query->k, depth);
    lls_vec_words by_words = {words, near.k, query->filter, LLS_VEC_IDS};

    lls_err e = lls_vec_search(vec, coll, &near, &lists[0], err);
    if (e == LLS_OK)
        e = lls_vec_match(vec, coll, &by_words, &lists[1], err);
    if (e == LLS_OK) {
        all = lls_alloc((lists[0].count + lists[1].count + 1) * sizeof(*all));
        e = all ? LLS_OK : lls_fail(err, LLS_E_NOMEM, "no memory for the hits of a search");
    }
    if (e == LLS_OK) {
        size_t count = fuse(lists, all);
        e = fetch(vec, coll, all, count > query->k ? query->k : count, query->fields, out, err);
        out->exact = e == LLS_OK && lists[0].exact && lists[1].exact;
    }
    lls_free(all);
    lls_vec_hits_fini(&lists[0]);
    lls_vec_hits_fini(&lists[1]);
    return e;
}
