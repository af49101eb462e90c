#include "backends/hnsw/scratch.h"
#include "base/alloc.h"
#include "base/scope.h"

#define ALIGN ((size_t)64)

static size_t round_up(size_t n)
{
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static hnsw_scratch *scratch_new(const hnsw_codec *codec)
{
    size_t work = round_up(codec->padded * sizeof(float));
    size_t codes = round_up(codec->padded);
    size_t marks = HNSW_MARKS * sizeof(uint32_t);
    size_t batch = HNSW_BATCH * sizeof(uint32_t);
    hnsw_scratch *scratch = lls_alloc(sizeof(*scratch));
    uint8_t *at;

    if (!scratch)
        return NULL;
    scratch->block = lls_alloc(work + codes + marks + 2 * batch + ALIGN);
    if (!scratch->block) {
        lls_free(scratch);
        return NULL;
    }
    at = (uint8_t *)(uintptr_t)round_up((uintptr_t)scratch->block);
    scratch->work = (float *)(void *)at;
    scratch->probe.codes = (int8_t *)(at + work);
    scratch->marks = (uint32_t *)(void *)(at + work + codes);
    scratch->batch = (uint32_t *)(void *)(at + work + codes + marks);
    scratch->distances = (float *)(void *)(at + work + codes + marks + batch);
    return scratch;
}

void hnsw_scratch_free(hnsw_scratch *scratch)
{
    if (!scratch)
        return;
    lls_free(scratch->seen);
    lls_free(scratch->pool);
    lls_free(scratch->best);
    lls_free(scratch->block);
    lls_free(scratch);
}

static lls_err fit_candidates(hnsw_candidate **items, size_t *room, size_t want, lls_error *err)
{
    hnsw_candidate *grown;

    if (want <= *room)
        return LLS_OK;
    grown = lls_alloc(want * sizeof(*grown));
    if (!grown)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for %zu candidates", want);
    lls_free(*items);
    *items = grown;
    *room = want;
    return LLS_OK;
}

lls_err hnsw_scratch_fit(hnsw_scratch *scratch, size_t slots, size_t ef, size_t best,
                         lls_error *err)
{
    size_t words = slots / 64 + 1;

    LLS_TRY(fit_candidates(&scratch->pool, &scratch->pool_room, ef, err));
    LLS_TRY(fit_candidates(&scratch->best, &scratch->best_room, best, err));
    if (words > scratch->seen_words) {
        uint64_t *grown = lls_alloc(words * 2 * sizeof(*grown)); // zeroed, as it is between walks
        if (!grown)
            return lls_fail(err, LLS_E_NOMEM, "out of memory for a search");
        lls_free(scratch->seen);
        scratch->seen = grown;
        scratch->seen_words = words * 2;
    }
    return LLS_OK;
}

lls_err hnsw_scratch_take(hnsw_scratch_pool *pool, const hnsw_codec *codec, size_t slots, size_t ef,
                          size_t best, hnsw_scratch **out, lls_error *err)
{
    hnsw_scratch *scratch;
    lls_err e;

    pthread_mutex_lock(&pool->lock);
    scratch = pool->idle;
    if (scratch)
        pool->idle = scratch->next;
    pthread_mutex_unlock(&pool->lock);
    if (!scratch)
        scratch = scratch_new(codec);
    if (!scratch)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for a search");
    e = hnsw_scratch_fit(scratch, slots, ef, best, err);
    if (e != LLS_OK) {
        hnsw_scratch_give(pool, scratch);
        return e;
    }
    *out = scratch;
    return LLS_OK;
}

void hnsw_scratch_give(hnsw_scratch_pool *pool, hnsw_scratch *scratch)
{
    pthread_mutex_lock(&pool->lock);
    scratch->next = pool->idle;
    pool->idle = scratch;
    pthread_mutex_unlock(&pool->lock);
}

void hnsw_scratch_clear(hnsw_scratch *scratch)
{
    if (scratch->marked > HNSW_MARKS) {
        memset(scratch->seen, 0, scratch->seen_words * sizeof(*scratch->seen));
    } else {
        for (size_t i = 0; i < scratch->marked; i++)
            scratch->seen[scratch->marks[i] >> 6] = 0;
    }
    scratch->marked = 0;
}
