/** vec_space.h - the collections that the vector suite uses, and short ways to write to them. */
#ifndef LLS_TESTING_VEC_SPACE_H
#define LLS_TESTING_VEC_SPACE_H

#include "base/scope.h"
#include "ports/backend.h"
#include "ports/vec.h"
#include "testing/check.h"

static const lls_kv_space coll = {LLS_STR_INIT("tenant"), LLS_STR_INIT("vectors")};
static const lls_kv_space second = {LLS_STR_INIT("tenant"), LLS_STR_INIT("vectors2")};
static const lls_kv_space foreign = {LLS_STR_INIT("tenant2"), LLS_STR_INIT("vectors")};

static inline lls_vec *vec_of(void **state)
{
    lls_backend *backend = *state;

    return backend->vec;
}

static inline uint32_t vec_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

/** Components between -1 and 1, never all of them 0. */
static inline void vec_random_fill(uint64_t *random, float *out, uint32_t dim)
{
    for (uint32_t i = 0; i < dim; i++)
        out[i] = (float)((double)vec_random(random) / 1073741824.0 - 1);
    out[0] += out[0] == 0 ? 0.5F : 0;
}

/** Small whole numbers: sums of them are exact in any order of adding, so that ties are ties. */
static inline void vec_random_whole(uint64_t *random, float *out, uint32_t dim)
{
    for (uint32_t i = 0; i < dim; i++)
        out[i] = (float)((int)(vec_random(random) % 9) - 4);
    out[0] += out[0] == 0 ? 1.0F : 0;
}

static inline lls_vec_item vec_item(lls_bytes id, lls_str model, lls_vec_metric metric,
                                    const float *vector, uint32_t dim)
{
    return (lls_vec_item){
        .id = id, .space = {.model = model, .dim = dim, .metric = metric}, .vector = vector};
}

/** A record without a vector. */
static inline lls_vec_item vec_note(lls_bytes id, lls_str text, lls_str metadata)
{
    return (lls_vec_item){.id = id, .text = text, .metadata = metadata};
}

static inline void vec_put(lls_vec *vec, lls_vec_item item)
{
    lls_error err = {0};

    assert_ok(lls_vec_put(vec, coll, &item, &err), err);
}

static inline lls_err vec_write(lls_vec *vec, lls_vec_verb verb, lls_vec_item item,
                                uint64_t version, lls_error *err)
{
    lls_vec_write write = {.verb = verb, .item = item};

    write.item.meta.version = version;
    return lls_vec_apply(vec, coll, &write, 1, err);
}

static inline uint64_t vec_count(lls_vec *vec, lls_kv_space where)
{
    lls_error err = {0};
    uint64_t n = 0;

    assert_ok(lls_vec_count(vec, where, NULL, &n, &err), err);
    return n;
}

static inline bool vec_has(lls_vec *vec, lls_kv_space where, lls_bytes id)
{
    LLS_AUTO(lls_vec_hits) hits = {0};
    lls_error err = {0};

    lls_err e = lls_vec_get(vec, where, id, LLS_VEC_IDS, &hits, &err);
    if (e != LLS_E_NOTFOUND)
        assert_code(e, LLS_OK, err);
    return e == LLS_OK;
}

/** The ids of hits, each with a comma behind it. */
static inline lls_buf vec_ids(const lls_vec_hits *hits)
{
    lls_buf joined = {0};

    for (size_t i = 0; i < hits->count; i++) {
        lls_buf_add(&joined, hits->hits[i].item.id);
        lls_buf_add_text(&joined, ",");
    }
    return joined;
}

#define assert_ids(hits, wanted)                                                                   \
    do {                                                                                           \
        LLS_AUTO(lls_buf) ids_ = vec_ids(&(hits));                                                 \
        if (!lls_str_eq(lls_buf_str(&ids_), LLS_STR(wanted)))                                      \
            fail_msg("ids '%s', wanted '%s'", lls_buf_cstr(&ids_), wanted);                        \
    } while (0)

#endif
