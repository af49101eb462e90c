#include "backends/hnsw/tend.h"
#include "backends/hnsw/build.h"
#include "base/scope.h"

// A sweep costs about the same however many are condemned: wait until it is worth while.
#define SWEEP_SHARE 8u /* begin when one in so many slots is dead, */
#define SWEEP_FROM 64u /* and there are at least so many */
#define LINK_SHARE 4u  /* vectors that each write links while the graph is not complete */
#define PIECE_LINKS 8u /* of one call of hnsw_index_tend */
#define PIECE_SWEEP 128u

lls_err hnsw_catch_up(hnsw_index *index, uint32_t most, lls_error *err)
{
    while (index->linked < index->slots) {
        if (!hnsw_bit(&index->live, index->linked)) {
            pthread_rwlock_wrlock(&index->gate);
            index->linked++;
            pthread_rwlock_unlock(&index->gate);
            continue;
        }
        if (most-- == 0)
            return LLS_OK;
        LLS_TRY(hnsw_link_prepare(index, index->linked, err));
        hnsw_link(index, index->linked);
    }
    return LLS_END;
}

// Another entry, living and as high as there is one.
static void move_entry(hnsw_index *index)
{
    uint32_t best = HNSW_SLOT_NONE;
    uint32_t top = 0;

    for (uint32_t slot = 0; slot < index->linked; slot++) {
        uint32_t level;
        if (!hnsw_bit(&index->live, slot))
            continue;
        level = hnsw_level_of(index, slot);
        if (best == HNSW_SLOT_NONE || level > top) {
            best = slot;
            top = level;
        }
    }
    pthread_rwlock_wrlock(&index->gate);
    index->entry = best;
    index->top = top;
    pthread_rwlock_unlock(&index->gate);
}

void hnsw_sweep_begin(hnsw_index *index)
{
    size_t bytes = ((size_t)index->slots + 63) / 64 * 8;

    memcpy(index->condemned.data, index->dead.data, bytes);
    index->condemned_count = index->dead_count;
    index->sweep = 0;
    index->sweeping = true;
    if (index->entry != HNSW_SLOT_NONE && hnsw_bit(&index->condemned, index->entry))
        move_entry(index);
}

static void free_condemned(hnsw_index *index)
{
    uint32_t *free_slots = hnsw_words(&index->arrays[HNSW_FREE]);

    pthread_rwlock_wrlock(&index->gate);
    for (uint32_t slot = index->slots; slot-- > 0;) { // so that low ones are used again first
        if (!hnsw_bit(&index->condemned, slot))
            continue;
        hnsw_bit_clear(&index->condemned, slot);
        hnsw_bit_clear(&index->dead, slot);
        free_slots[index->free_count++] = slot;
    }
    index->dead_count -= index->condemned_count;
    pthread_rwlock_unlock(&index->gate);
    index->condemned_count = 0;
    index->sweeping = false;
}

void hnsw_sweep_step(hnsw_index *index, uint32_t most)
{
    for (; index->sweep < index->linked; index->sweep++) {
        uint32_t slot = index->sweep;
        bool walked = hnsw_bit(&index->live, slot) || hnsw_bit(&index->dead, slot);
        if (!walked || hnsw_bit(&index->condemned, slot))
            continue;
        if (most-- == 0)
            return;
        hnsw_relink(index, slot);
    }
    free_condemned(index);
}

static bool sweep_due(const hnsw_index *index)
{
    return index->dead_count >= SWEEP_FROM &&
           (uint64_t)index->dead_count * SWEEP_SHARE >= index->slots;
}

// Room for links; searches go on without, until all are linked.
static lls_err begin_graph(hnsw_index *index, lls_error *err)
{
    lls_err e;

    index->graph = true;
    e = hnsw_index_reserve(index, index->slots, err);
    if (e != LLS_OK)
        index->graph = false;
    return e;
}

lls_err hnsw_tend_share(hnsw_index *index, lls_error *err)
{
    lls_err e;

    LLS_TRY(hnsw_learn(index, err));
    if (index->exact_only || index->codec.row_bytes == 0)
        return LLS_OK;
    if (!index->graph && index->live_count > index->params.flat_max)
        LLS_TRY(begin_graph(index, err));
    if (!index->graph)
        return LLS_OK;
    LLS_TRY(hnsw_scratch_fit(index->builder->scratch, index->slots, index->params.ef_construction,
                             0, err));
    e = hnsw_catch_up(index, LINK_SHARE, err);
    if (e != LLS_OK && e != LLS_END)
        return e;
    if (!index->sweeping && sweep_due(index))
        hnsw_sweep_begin(index);
    if (index->sweeping)
        // done by the time that half as many have been written as it will free
        hnsw_sweep_step(index, 2 * index->linked / (index->condemned_count + 1) + 1);
    return LLS_OK;
}

// Our own copy of what is in the sections, made beside the searches.
static lls_err own(hnsw_index *index, hnsw_pages *pages, lls_error *err)
{
    hnsw_pages copy = {0};

    if (!hnsw_pages_borrowed(pages))
        return LLS_OK;
    LLS_TRY(hnsw_pages_grow(&copy, pages->cap, err));
    memcpy(copy.data, pages->data, pages->cap);
    pthread_rwlock_wrlock(&index->gate);
    *pages = copy;
    pthread_rwlock_unlock(&index->gate);
    return LLS_OK;
}

lls_err hnsw_own(hnsw_index *index, lls_error *err)
{
    if (!hnsw_borrows(index))
        return LLS_OK;
    for (size_t i = 0; i < HNSW_ARRAYS; i++)
        LLS_TRY(own(index, &index->arrays[i], err));
    LLS_TRY(own(index, &index->upper, err));
    return hnsw_index_reserve(index, index->slots, err);
}

// One piece. LLS_END: there is none.
static lls_err piece(hnsw_index *index, lls_error *err)
{
    lls_err e;

    if (hnsw_borrows(index))
        return hnsw_own(index, err);
    LLS_TRY(hnsw_tend_share(index, err));
    if (!index->graph)
        return LLS_END;
    if (index->linked < index->slots) {
        e = hnsw_catch_up(index, PIECE_LINKS, err);
        return e == LLS_END ? LLS_OK : e;
    }
    if (!index->sweeping && index->dead_count > 0)
        hnsw_sweep_begin(index);
    if (!index->sweeping)
        return LLS_END;
    hnsw_sweep_step(index, PIECE_SWEEP);
    return LLS_OK;
}

lls_err hnsw_index_tend(hnsw_index *index, lls_error *err)
{
    lls_err e;

    pthread_mutex_lock(&index->writer);
    e = piece(index, err);
    pthread_mutex_unlock(&index->writer);
    return e;
}

bool hnsw_index_due(hnsw_index *index)
{
    pthread_mutex_lock(&index->writer);
    bool graph = atomic_load(&index->graph);
    bool due = graph ? index->linked < index->slots || index->sweeping || sweep_due(index)
                     : !index->exact_only && index->codec.row_bytes != 0 &&
                           index->live_count > index->params.flat_max;
    pthread_mutex_unlock(&index->writer);
    return due;
}

lls_err hnsw_tend_all(hnsw_index *index, lls_error *err)
{
    lls_err e;

    while ((e = piece(index, err)) == LLS_OK)
        ;
    return e == LLS_END ? LLS_OK : e;
}
