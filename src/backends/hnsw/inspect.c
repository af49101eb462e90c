// Facts about an index: how large it is, whether its graph is sound, how good its answers are.
#include "backends/hnsw/graph.h"
#include "base/alloc.h"
#include "base/scope.h"

void hnsw_index_stats(hnsw_index *index, hnsw_stats *out)
{
    size_t links = index->width * sizeof(uint32_t) + sizeof(uint32_t);

    pthread_rwlock_rdlock(&index->gate);
    *out = (hnsw_stats){
        .count = index->live_count,
        .slots = index->slots,
        .dead = index->dead_count,
        .unlinked = index->graph ? index->slots - index->linked : 0,
        .hot_bytes = (uint64_t)index->slots * index->codec.row_bytes,
        .memory_bytes = hnsw_index_memory(index, index->slots),
        .graph = hnsw_graph_ready(index),
        .kernel = index->codec.kernels->name,
    };
    if (index->graph)
        out->hot_bytes += (uint64_t)index->slots * links + index->upper_used * sizeof(uint32_t);
    pthread_rwlock_unlock(&index->gate);
}

// What is wrong with the links of one slot.
static void examine(const hnsw_index *index, uint32_t slot, hnsw_health *health)
{
    const uint32_t *row = hnsw_ground_row(index, slot);

    for (size_t i = 0; i < index->width && row[i] != HNSW_SLOT_NONE; i++) {
        bool twice = false;
        if (row[i] >= index->slots || row[i] == slot) {
            health->astray++;
            continue;
        }
        for (size_t j = 0; j < i; j++)
            twice = twice || row[j] == row[i];
        health->astray += twice;
        health->lost += !hnsw_bit(&index->live, row[i]) && !hnsw_bit(&index->dead, row[i]);
    }
}

// Breadth-first over the ground level, through dead ones, too.
static uint64_t reach(const hnsw_index *index, uint8_t *seen, uint32_t *queue)
{
    uint32_t end = 0;
    uint64_t living = 0;

    if (index->entry == HNSW_SLOT_NONE)
        return 0;
    seen[index->entry] = 1;
    queue[end++] = index->entry;
    for (uint32_t at = 0; at < end; at++) {
        hnsw_links links = hnsw_links_of(index, queue[at], 0);
        size_t count = hnsw_links_count(index, links);
        living += hnsw_bit(&index->live, queue[at]);
        for (size_t i = 0; i < count; i++) {
            if (seen[links.slots[i]])
                continue;
            seen[links.slots[i]] = 1;
            queue[end++] = links.slots[i];
        }
    }
    return living;
}

static lls_err inspect(const hnsw_index *index, hnsw_health *out, lls_error *err)
{
    hnsw_health health = {0};
    uint8_t *seen = lls_alloc(index->slots);
    uint32_t *queue = lls_alloc(index->slots * sizeof(*queue));

    if (!seen || !queue) {
        lls_free(seen);
        lls_free(queue);
        return lls_fail(err, LLS_E_NOMEM, "out of memory to inspect %u vectors", index->slots);
    }
    for (uint32_t slot = 0; index->graph && slot < index->linked; slot++) {
        if (!hnsw_bit(&index->live, slot))
            continue;
        health.count++;
        examine(index, slot, &health);
    }
    if (index->graph)
        health.reached = reach(index, seen, queue);
    lls_free(seen);
    lls_free(queue);
    *out = health;
    return LLS_OK;
}

lls_err hnsw_index_inspect(hnsw_index *index, hnsw_health *out, lls_error *err)
{
    lls_err e;

    pthread_mutex_lock(&index->writer);
    e = inspect(index, out, err);
    pthread_mutex_unlock(&index->writer);
    return e;
}

// The next live slot from `slot` on; HNSW_SLOT_NONE: none.
static uint32_t next_live(hnsw_index *index, uint32_t slot)
{
    uint32_t found = HNSW_SLOT_NONE;

    pthread_rwlock_rdlock(&index->gate);
    for (; slot < index->slots && found == HNSW_SLOT_NONE; slot++) {
        if (hnsw_bit(&index->live, slot))
            found = slot;
    }
    pthread_rwlock_unlock(&index->gate);
    return found;
}

static size_t common(const hnsw_hit *a, size_t a_count, const hnsw_hit *b, size_t b_count)
{
    size_t both = 0;

    for (size_t i = 0; i < a_count; i++) {
        for (size_t j = 0; j < b_count; j++)
            both += a[i].slot == b[j].slot;
    }
    return both;
}

// Work space of hnsw_index_recall.
typedef struct recall_trial {
    float *vector;
    hnsw_hit *true_hits;
    hnsw_hit *hits;
} recall_trial;

static lls_err try_one(hnsw_index *index, const recall_trial *trial, uint32_t k, uint32_t ef,
                       size_t *expected, size_t *found, lls_error *err)
{
    hnsw_query query = {.vector = trial->vector, .k = k, .exact = true};
    size_t true_count;
    size_t count;
    bool exact;

    LLS_TRY(hnsw_index_search(index, &query, trial->true_hits, &true_count, &exact, err));
    query.exact = false;
    query.ef = ef;
    LLS_TRY(hnsw_index_search(index, &query, trial->hits, &count, &exact, err));
    *expected += true_count;
    *found += common(trial->true_hits, true_count, trial->hits, count);
    return LLS_OK;
}

static lls_err recall(hnsw_index *index, const recall_trial *trial, uint32_t samples, uint32_t k,
                      uint32_t ef, double *out, lls_error *err)
{
    size_t expected = 0;
    size_t found = 0;
    hnsw_stats stats;

    hnsw_index_stats(index, &stats);
    for (uint32_t i = 0; i < samples; i++) {
        uint32_t slot = next_live(index, (uint32_t)(stats.slots * i / samples));
        if (slot == HNSW_SLOT_NONE ||
            hnsw_index_original(index, slot, trial->vector, NULL) != LLS_OK)
            continue; // removed meanwhile
        LLS_TRY(try_one(index, trial, k, ef, &expected, &found, err));
    }
    *out = expected ? (double)found / (double)expected : 1;
    return LLS_OK;
}

lls_err hnsw_index_recall(hnsw_index *index, uint32_t samples, uint32_t k, uint32_t ef, double *out,
                          lls_error *err)
{
    recall_trial trial = {
        .vector = lls_alloc(index->params.dim * sizeof(float)),
        .true_hits = lls_alloc(k * sizeof(hnsw_hit)),
        .hits = lls_alloc(k * sizeof(hnsw_hit)),
    };
    lls_err e;

    if (trial.vector && trial.true_hits && trial.hits)
        e = recall(index, &trial, samples, k, ef, out, err);
    else
        e = lls_fail(err, LLS_E_NOMEM, "out of memory for a trial of %u hits", k);
    lls_free(trial.vector);
    lls_free(trial.true_hits);
    lls_free(trial.hits);
    return e;
}
