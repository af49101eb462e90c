// Which way to find the nearest: by the graph, or by comparing all that may be hits.
#include "backends/hnsw/scan.h"
#include "backends/hnsw/select.h"
#include "base/scope.h"

#include <math.h>

typedef enum search_plan {
    PLAN_ORIGINALS,
    PLAN_CODES,
    PLAN_WALK,   // of all, and drop what is not in the mask
    PLAN_MASKED, // from one slot of the mask to another
} search_plan;

// Rows that a walk of breadth ef compares: 17 to 22 for each place, as measured at 100 to 768
// dimensions; and one compared at random costs what three cost in sequence.
#define ROWS_PER_EF 20.0
#define RANDOM_COST 2.5

static size_t breadth(const hnsw_query *query)
{
    size_t ef = query->ef ? query->ef : 96 + 2 * (size_t)query->k;

    return ef > query->k ? ef : query->k;
}

// How many candidates of a walk to compare by their originals.
static size_t rescored(const hnsw_index *index, const hnsw_query *query)
{
    size_t least = index->params.code == HNSW_CODE_INT8 ? 32 : 48;
    size_t want = 2 * (size_t)query->k;

    return want > least ? want : least;
}

static search_plan choose(const hnsw_index *index, const hnsw_task *task, size_t ef)
{
    const hnsw_query *query = task->query;
    double live = index->live_count;
    double matching = query->allowed ? query->allowed_count : live;
    double share = live > 0 ? matching / live : 1;
    double walk = ROWS_PER_EF * (double)ef * RANDOM_COST;

    if (query->exact || index->exact_only || index->codec.row_bytes == 0)
        return PLAN_ORIGINALS;
    if (index->params.metric != LLS_VEC_COSINE && !(task->norm < HNSW_NORM_MAX))
        return PLAN_ORIGINALS;
    if (!hnsw_graph_ready(index))
        return PLAN_CODES;
    if (share > 0.6)
        return walk / share < matching ? PLAN_WALK : PLAN_CODES;
    // two steps where one led before; and what is compared one by one is found exactly
    return 3 * walk < matching ? PLAN_MASKED : PLAN_CODES;
}

// How far the distance of a code is off, as good as never more: the errors of the query and of the
// row point anywhere, so of their lengths a part counts that falls with the root of the dimension.
static float doubt(const hnsw_index *index, const hnsw_scratch *scratch)
{
    enum { SIGMAS = 4 };
    float most = hnsw_codec_bound(&index->codec, &scratch->probe, index->codec.worst);

    return SIGMAS * most / sqrtf((float)index->codec.padded);
}

// Drop from the pool what is not in the mask, and keep at most `most`.
static void mask_pool(hnsw_scratch *scratch, const hnsw_mask *mask, size_t most)
{
    size_t count = 0;

    for (size_t i = 0; i < scratch->pool_count && count < most; i++) {
        if (hnsw_mask_has(mask, scratch->pool[i].slot))
            scratch->pool[count++] = scratch->pool[i];
    }
    scratch->pool_count = count;
}

// Compare the pool by originals, nearest codes first, until those left are too far to matter.
static void rescore_pool(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task)
{
    size_t bytes = index->params.dim * sizeof(float);
    float slack = doubt(index, scratch);

    for (size_t i = 0; i < HNSW_AHEAD && i < scratch->pool_count; i++)
        hnsw_prefetch(hnsw_original_row(index, scratch->pool[i].slot), bytes);
    for (size_t i = 0; i < scratch->pool_count; i++) {
        if (!hnsw_top_wants(task->hits, scratch->pool[i].distance - slack))
            return;
        if (i + HNSW_AHEAD < scratch->pool_count)
            hnsw_prefetch(hnsw_original_row(index, scratch->pool[i + HNSW_AHEAD].slot), bytes);
        hnsw_rescore(index, task, scratch->pool[i].slot);
    }
}

static void walk(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task,
                 search_plan plan, size_t ef)
{
    const hnsw_query *query = task->query;
    hnsw_candidate from = hnsw_walk_entry(index, &scratch->probe);

    from = hnsw_walk_down(index, scratch, &scratch->probe, from, 0);
    if (plan == PLAN_MASKED)
        hnsw_walk_masked(index, scratch, &scratch->probe, from, &task->mask, ef);
    else
        hnsw_walk_level(index, scratch, &scratch->probe, from, 0, ef);
    mask_pool(scratch, &task->mask, rescored(index, query));
    rescore_pool(index, scratch, task);
}

// The places that a walk needs for `ef` that count: dead slots and others take some, too.
static size_t widened(const hnsw_index *index, const hnsw_query *query, search_plan plan, size_t ef)
{
    double live = index->live_count;
    double share = live / (live + index->dead_count);

    if (plan != PLAN_WALK)
        return ef;
    if (query->allowed && query->allowed_count < live)
        share *= query->allowed_count / live;
    return (size_t)((double)ef / share) + 1;
}

static bool run(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task,
                search_plan plan, size_t ef)
{
    if (plan == PLAN_ORIGINALS) {
        hnsw_scan_originals(index, scratch, task);
        return true;
    }
    hnsw_codec_probe(&index->codec, task->query->vector, scratch->work, &scratch->probe);
    if (plan == PLAN_CODES)
        return hnsw_scan_codes(index, scratch, task);
    walk(index, scratch, task, plan, ef);
    if (task->hits->count == task->hits->room)
        return false;
    // fewer than asked for: there are no more, or the walk did not get to them
    task->hits->count = 0;
    return hnsw_scan_codes(index, scratch, task);
}

static size_t deliver(const hnsw_index *index, const hnsw_task *task, hnsw_hit *hits)
{
    hnsw_top *top = task->hits;
    size_t count = 0;

    for (size_t i = 0; i < top->count; i++)
        top->items[i].distance = hnsw_codec_metric(&index->codec, top->items[i].distance);
    hnsw_candidates_sort(top->items, top->count); // what differed may be equal in the metric
    for (size_t i = 0; i < top->count; i++) {
        if (task->query->has_within && !(top->items[i].distance <= task->query->within))
            break;
        hits[count++] = (hnsw_hit){top->items[i].slot, top->items[i].distance};
    }
    return count;
}

static lls_err search(hnsw_index *index, const hnsw_query *query, hnsw_hit *hits, size_t *count,
                      bool *exact, lls_error *err)
{
    uint32_t k = query->k < index->live_count ? query->k : index->live_count;
    hnsw_top top = {.room = k};
    hnsw_task task = {.query = query, .hits = &top};
    size_t ef = breadth(query);
    hnsw_scratch *scratch;
    search_plan plan;
    size_t pool;

    task.mask = (hnsw_mask){.live = (const uint64_t *)(const void *)index->live.data,
                            .allowed = query->allowed,
                            .slots = index->slots};
    if (query->allowed && query->allowed_slots < index->slots)
        task.mask.slots = query->allowed_slots;
    task.norm = hnsw_codec_norm(&index->codec, query->vector);
    plan = choose(index, &task, ef);
    ef = widened(index, query, plan, ef);
    pool = ef > hnsw_scan_room(k) ? ef : hnsw_scan_room(k);
    LLS_TRY(
        hnsw_scratch_take(&index->scratch, &index->codec, index->slots, pool, k, &scratch, err));
    top.items = scratch->best;
    *exact = run(index, scratch, &task, plan, ef);
    *count = deliver(index, &task, hits);
    hnsw_scratch_give(&index->scratch, scratch);
    return LLS_OK;
}

lls_err hnsw_index_search(hnsw_index *index, const hnsw_query *query, hnsw_hit *hits, size_t *count,
                          bool *exact, lls_error *err)
{
    lls_err e;

    pthread_rwlock_rdlock(&index->gate);
    e = search(index, query, hits, count, exact, err);
    pthread_rwlock_unlock(&index->gate);
    return e;
}
