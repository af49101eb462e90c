#include "backends/hnsw/index.h"
#include "backends/hnsw/build.h"
#include "backends/hnsw/tend.h"
#include "base/alloc.h"
#include "base/scope.h"

#include <math.h>

#define CAPACITY_MIN 64u

static lls_err fill_defaults(hnsw_params *params, lls_error *err)
{
    if (params->m == 0)
        params->m = 16;
    if (params->ef_construction == 0)
        params->ef_construction = 200;
    if (params->flat_max == 0)
        params->flat_max = 8192;
    if (params->dim < 1 || params->dim > LLS_VEC_DIM_MAX)
        return lls_fail(err, LLS_E_INVALID, "a dimension of %u is not from 1 to %d", params->dim,
                        LLS_VEC_DIM_MAX);
    if (params->m < 4 || params->m > 64)
        return lls_fail(err, LLS_E_INVALID, "m is %u, not from 4 to 64", params->m);
    if (params->ef_construction < params->m || params->ef_construction > 4096)
        return lls_fail(err, LLS_E_INVALID, "ef_construction is %u, not from m to 4096",
                        params->ef_construction);
    return LLS_OK;
}

// A steady stream of searches must not keep the writer out for ever.
static void init_locks(hnsw_index *index)
{
    pthread_rwlockattr_t fair;

    pthread_mutex_init(&index->writer, NULL);
    pthread_mutex_init(&index->scratch.lock, NULL);
    pthread_rwlockattr_init(&fair);
#if defined(__GLIBC__)
    pthread_rwlockattr_setkind_np(&fair, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
#endif
    pthread_rwlock_init(&index->gate, &fair);
    pthread_rwlockattr_destroy(&fair);
}

static lls_err prepare(hnsw_index *index, lls_error *err)
{
    LLS_TRY(fill_defaults(&index->params, err));
    index->width = 2 * index->params.m;
    index->entry = HNSW_SLOT_NONE;
    LLS_TRY(hnsw_codec_init(&index->codec, &index->params, err));
    return hnsw_builder_new(index, &index->builder, err);
}

lls_err hnsw_index_new(const hnsw_params *params, hnsw_index **out, lls_error *err)
{
    hnsw_index *index = lls_alloc(sizeof(*index));
    lls_err e;

    if (!index)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for a vector index");
    index->params = *params;
    init_locks(index);
    e = prepare(index, err);
    if (e != LLS_OK) {
        hnsw_index_free(index);
        return e;
    }
    *out = index;
    return LLS_OK;
}

void hnsw_index_free(hnsw_index *index)
{
    if (!index)
        return;
    for (size_t i = 0; i < HNSW_ARRAYS; i++)
        hnsw_pages_fini(&index->arrays[i]);
    hnsw_pages_fini(&index->upper);
    hnsw_pages_fini(&index->live);
    hnsw_pages_fini(&index->dead);
    hnsw_pages_fini(&index->condemned);
    while (index->scratch.idle) {
        hnsw_scratch *scratch = index->scratch.idle;
        index->scratch.idle = scratch->next;
        hnsw_scratch_free(scratch);
    }
    hnsw_builder_free(index->builder);
    hnsw_codec_fini(&index->codec);
    pthread_rwlock_destroy(&index->gate);
    pthread_mutex_destroy(&index->scratch.lock);
    pthread_mutex_destroy(&index->writer);
    lls_free(index);
}

// Bytes of an array's element.
static size_t element(const hnsw_index *index, hnsw_array array)
{
    bool coded = index->codec.row_bytes > 0;

    switch (array) {
    case HNSW_CODES:
        return index->codec.row_bytes;
    case HNSW_LINKS:
    case HNSW_LINK_LENGTH:
        return coded && index->graph ? index->width * sizeof(uint32_t) : 0;
    case HNSW_UPPER_INDEX:
        return coded && index->graph ? sizeof(uint32_t) : 0;
    case HNSW_ORIGINALS:
        return index->params.dim * sizeof(float);
    case HNSW_FREE:
    case HNSW_ARRAYS:
    default:
        return sizeof(uint32_t);
    }
}

static uint32_t elements(const hnsw_index *index, hnsw_array array, uint32_t slots)
{
    return array == HNSW_ORIGINALS ? slots - (slots < index->base_count ? slots : index->base_count)
                                   : slots;
}

uint64_t hnsw_index_memory(const hnsw_index *index, uint32_t slots)
{
    uint64_t sum = index->upper.block ? index->upper.cap : 0;

    for (hnsw_array i = 0; i < HNSW_ARRAYS; i++) {
        if (!hnsw_pages_borrowed(&index->arrays[i]))
            sum += hnsw_pages_rounded(element(index, i) * elements(index, i, slots));
    }
    return sum + 3 * (slots / 8);
}

static lls_err grow_all(hnsw_index *index, uint32_t capacity, lls_error *err)
{
    size_t bitmap = ((size_t)capacity / 64 + 1) * sizeof(uint64_t);

    for (hnsw_array i = 0; i < HNSW_ARRAYS; i++)
        LLS_TRY(hnsw_pages_grow(&index->arrays[i], element(index, i) * elements(index, i, capacity),
                                err));
    LLS_TRY(hnsw_pages_grow(&index->live, bitmap, err));
    LLS_TRY(hnsw_pages_grow(&index->dead, bitmap, err));
    LLS_TRY(hnsw_pages_grow(&index->condemned, bitmap, err));
    index->capacity = capacity;
    return LLS_OK;
}

lls_err hnsw_index_reserve(hnsw_index *index, uint32_t slots, lls_error *err)
{
    uint64_t capacity = index->capacity > CAPACITY_MIN ? index->capacity : CAPACITY_MIN;
    lls_err e;

    while (capacity < slots)
        capacity += capacity / 2;
    if (capacity > HNSW_SLOTS_MAX)
        capacity = HNSW_SLOTS_MAX;
    pthread_rwlock_wrlock(&index->gate);
    e = grow_all(index, (uint32_t)capacity, err);
    pthread_rwlock_unlock(&index->gate);
    return e;
}

// A slot to write to, with room for it everywhere.
static lls_err take_slot(hnsw_index *index, uint32_t *slot, lls_error *err)
{
    bool again = index->free_count > 0 && index->snapshots == 0;
    uint32_t next = index->slots;

    if (again) {
        next = hnsw_words(&index->arrays[HNSW_FREE])[index->free_count - 1];
    } else {
        if (next >= HNSW_SLOTS_MAX)
            return lls_fail(err, LLS_E_FULL, "over the limit of %u vectors", HNSW_SLOTS_MAX);
        if (index->params.memory_max &&
            hnsw_index_memory(index, next + 1) > index->params.memory_max)
            return lls_fail(err, LLS_E_FULL, "over the limit of %llu bytes of memory",
                            (unsigned long long)index->params.memory_max);
        if (next >= index->capacity)
            LLS_TRY(hnsw_index_reserve(index, next + 1, err));
    }
    if (index->graph)
        LLS_TRY(hnsw_link_prepare(index, next, err));
    LLS_TRY(hnsw_scratch_fit(index->builder->scratch, (size_t)index->slots + 1,
                             index->params.ef_construction, 0, err));
    if (again)
        index->free_count--;
    *slot = next;
    return LLS_OK;
}

// Nobody reads the rows of a slot that is not live and that no link leads to.
static hnsw_tail write_rows(hnsw_index *index, uint32_t slot, const float *vector)
{
    hnsw_tail tail = {0};

    memcpy(hnsw_original_row(index, slot), vector, index->params.dim * sizeof(float));
    if (index->codec.row_bytes > 0)
        tail = hnsw_codec_encode(&index->codec, vector, index->builder->scratch->work,
                                 hnsw_code_row(index, slot));
    return tail;
}

// Numbers that codes cannot stand for: from now on searches use the originals alone.
static void leave_codes(hnsw_index *index)
{
    index->exact_only = true;
    index->graph = false;
}

static lls_err add(hnsw_index *index, const float *vector, uint32_t *slot, lls_error *err)
{
    bool wild = index->params.metric != LLS_VEC_COSINE &&
                !(hnsw_codec_norm(&index->codec, vector) < HNSW_NORM_MAX);
    bool linked;
    hnsw_tail tail;

    LLS_TRY(hnsw_own(index, err));
    LLS_TRY(hnsw_tend_share(index, err));
    LLS_TRY(take_slot(index, slot, err));
    tail = write_rows(index, *slot, vector);
    pthread_rwlock_wrlock(&index->gate);
    if (!wild)
        hnsw_codec_admit(&index->codec, tail);
    if (wild)
        leave_codes(index);
    // a slot beyond what is linked so far waits for its turn
    linked = index->graph && !index->exact_only && *slot <= index->linked;
    if (!linked)
        hnsw_publish(index, *slot);
    pthread_rwlock_unlock(&index->gate);
    if (linked)
        hnsw_link(index, *slot);
    return LLS_OK;
}

lls_err hnsw_index_add(hnsw_index *index, const float *vector, uint32_t *slot, lls_error *err)
{
    uint32_t taken = HNSW_SLOT_NONE;
    lls_err e;

    pthread_mutex_lock(&index->writer);
    e = add(index, vector, &taken, err);
    pthread_mutex_unlock(&index->writer);
    if (e == LLS_OK)
        *slot = taken;
    return e;
}

// Nothing is left: begin anew, without a graph.
static void empty(hnsw_index *index)
{
    uint32_t *free_slots = hnsw_words(&index->arrays[HNSW_FREE]);
    size_t bytes = ((size_t)index->slots + 63) / 64 * 8;

    memset(index->dead.data, 0, bytes);
    memset(index->condemned.data, 0, bytes);
    index->graph = false;
    index->linked = 0;
    index->entry = HNSW_SLOT_NONE;
    index->top = 0;
    index->dead_count = 0;
    index->condemned_count = 0;
    index->sweeping = false;
    for (uint32_t i = 0; i < index->slots; i++)
        free_slots[i] = index->slots - 1 - i;
    index->free_count = index->slots;
}

static lls_err take_out(hnsw_index *index, uint32_t slot, lls_error *err)
{
    if (slot >= index->slots || !hnsw_bit(&index->live, slot))
        return lls_fail(err, LLS_E_NOTFOUND, "slot %u holds no vector", slot);
    LLS_TRY(hnsw_own(index, err));
    pthread_rwlock_wrlock(&index->gate);
    hnsw_bit_clear(&index->live, slot);
    index->live_count--;
    if (index->live_count == 0) {
        empty(index);
    } else if (index->graph && slot < index->linked) {
        hnsw_bit_set(&index->dead, slot);
        index->dead_count++;
    } else {
        hnsw_words(&index->arrays[HNSW_FREE])[index->free_count++] = slot;
    }
    pthread_rwlock_unlock(&index->gate);
    return LLS_OK;
}

lls_err hnsw_index_remove(hnsw_index *index, uint32_t slot, lls_error *err)
{
    lls_err e;

    pthread_mutex_lock(&index->writer);
    e = take_out(index, slot, err);
    if (e == LLS_OK && hnsw_tend_share(index, NULL) != LLS_OK)
        e = LLS_OK; // it is removed: a later call will tidy up what this one could not
    pthread_mutex_unlock(&index->writer);
    return e;
}

static lls_err update(hnsw_index *index, uint32_t *slot, const float *vector, lls_error *err)
{
    uint32_t before = *slot;
    uint32_t after = HNSW_SLOT_NONE;
    const float *original;

    if (before >= index->slots || !hnsw_bit(&index->live, before))
        return lls_fail(err, LLS_E_NOTFOUND, "slot %u holds no vector", before);
    original = hnsw_original_row(index, before);
    if (memcmp(original, vector, index->params.dim * sizeof(float)) == 0)
        return LLS_OK;
    LLS_TRY(add(index, vector, &after, err));
    LLS_TRY(take_out(index, before, err)); // cannot fail: it is live, and all memory is our own
    *slot = after;
    return LLS_OK;
}

lls_err hnsw_index_update(hnsw_index *index, uint32_t *slot, const float *vector, lls_error *err)
{
    lls_err e;

    pthread_mutex_lock(&index->writer);
    e = update(index, slot, vector, err);
    pthread_mutex_unlock(&index->writer);
    return e;
}

lls_err hnsw_index_original(hnsw_index *index, uint32_t slot, float *out, lls_error *err)
{
    lls_err e = LLS_OK;

    pthread_rwlock_rdlock(&index->gate);
    if (slot < index->slots && hnsw_bit(&index->live, slot))
        memcpy(out, hnsw_original_row(index, slot), index->params.dim * sizeof(float));
    else
        e = lls_fail(err, LLS_E_NOTFOUND, "slot %u holds no vector", slot);
    pthread_rwlock_unlock(&index->gate);
    return e;
}

bool hnsw_borrows(const hnsw_index *index)
{
    bool borrowed = hnsw_pages_borrowed(&index->upper);

    for (hnsw_array i = 0; i < HNSW_ARRAYS; i++)
        borrowed = borrowed || hnsw_pages_borrowed(&index->arrays[i]);
    return borrowed;
}

bool hnsw_index_is_attached(hnsw_index *index)
{
    bool borrowed;

    pthread_rwlock_rdlock(&index->gate);
    borrowed = hnsw_borrows(index);
    pthread_rwlock_unlock(&index->gate);
    return borrowed;
}
