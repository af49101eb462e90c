#include "backends/hnsw/scan.h"

void hnsw_rescore(const hnsw_index *index, const hnsw_task *task, uint32_t slot)
{
    float distance = hnsw_codec_exact(&index->codec, task->query->vector, task->norm,
                                      hnsw_original_row(index, slot));

    hnsw_top_offer(task->hits, (hnsw_candidate){distance, slot});
}

// Walks over the slots of a mask.
typedef struct slot_cursor {
    const hnsw_mask *mask;
    size_t word;
    uint64_t bits; // of this word, still to come
} slot_cursor;

static slot_cursor cursor_of(const hnsw_mask *mask)
{
    return (slot_cursor){mask, 0, mask->slots > 0 ? hnsw_mask_word(mask, 0) : 0};
}

// The next slots into `out`, at most `room`; 0 at the end.
static size_t cursor_next(slot_cursor *cursor, uint32_t *out, size_t room)
{
    size_t words = ((size_t)cursor->mask->slots + 63) / 64;
    size_t count = 0;

    while (count < room) {
        while (!cursor->bits && ++cursor->word < words)
            cursor->bits = hnsw_mask_word(cursor->mask, cursor->word);
        if (!cursor->bits)
            break;
        out[count++] = (uint32_t)(cursor->word * 64) + (uint32_t)__builtin_ctzll(cursor->bits);
        cursor->bits &= cursor->bits - 1;
    }
    return count;
}

void hnsw_scan_originals(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task)
{
    size_t bytes = index->params.dim * sizeof(float);
    slot_cursor cursor = cursor_of(&task->mask);
    size_t count;

    while ((count = cursor_next(&cursor, scratch->batch, HNSW_BATCH)) > 0) {
        for (size_t i = 0; i < count; i++) {
            if (i + HNSW_AHEAD < count)
                hnsw_prefetch(hnsw_original_row(index, scratch->batch[i + HNSW_AHEAD]), bytes);
            hnsw_rescore(index, task, scratch->batch[i]);
        }
    }
}

// The nearest by code, as many as `nearest` has room for.
static void scan(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task,
                 hnsw_top *nearest)
{
    slot_cursor cursor = cursor_of(&task->mask);
    size_t count;

    while ((count = cursor_next(&cursor, scratch->batch, HNSW_BATCH)) > 0) {
        hnsw_codec_distances(&index->codec, hnsw_rows_of(index, scratch->batch, count),
                             &scratch->probe, scratch->distances);
        for (size_t i = 0; i < count; i++) {
            if (hnsw_top_wants(nearest, scratch->distances[i]))
                hnsw_top_offer(nearest, (hnsw_candidate){scratch->distances[i], scratch->batch[i]});
        }
    }
}

// Whether a slot whose code is this far cannot be among the nearest.
static bool beyond(const hnsw_index *index, const hnsw_scratch *scratch, const hnsw_task *task,
                   hnsw_candidate candidate)
{
    hnsw_tail tail = hnsw_codec_tail(&index->codec, hnsw_code_row(index, candidate.slot));
    float bound = hnsw_codec_bound(&index->codec, &scratch->probe, tail);

    return !hnsw_top_wants(task->hits, candidate.distance - bound);
}

// The first pass did not go far enough to be sure: look again at all that may be among the nearest.
// `after` is the last that it has seen.
static void scan_rest(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task,
                      hnsw_candidate after)
{
    slot_cursor cursor = cursor_of(&task->mask);
    size_t count;

    while ((count = cursor_next(&cursor, scratch->batch, HNSW_BATCH)) > 0) {
        hnsw_codec_distances(&index->codec, hnsw_rows_of(index, scratch->batch, count),
                             &scratch->probe, scratch->distances);
        for (size_t i = 0; i < count; i++) {
            hnsw_candidate candidate = {scratch->distances[i], scratch->batch[i]};
            if (hnsw_nearer(after, candidate) && !beyond(index, scratch, task, candidate))
                hnsw_rescore(index, task, candidate.slot);
        }
    }
}

bool hnsw_scan_codes(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task)
{
    hnsw_top nearest = {.items = scratch->pool, .room = hnsw_scan_room(task->hits->room)};
    size_t bytes = index->params.dim * sizeof(float);
    hnsw_candidate last;
    float bound;

    scan(index, scratch, task, &nearest);
    hnsw_top_sort(&nearest);
    for (size_t i = 0; i < nearest.count; i++) {
        if (beyond(index, scratch, task, nearest.items[i]))
            continue;
        if (i + HNSW_AHEAD < nearest.count)
            hnsw_prefetch(hnsw_original_row(index, nearest.items[i + HNSW_AHEAD].slot), bytes);
        hnsw_rescore(index, task, nearest.items[i].slot);
    }
    if (nearest.count < nearest.room)
        return true; // that was all
    last = nearest.items[nearest.count - 1];
    bound = hnsw_codec_bound(&index->codec, &scratch->probe, index->codec.worst);
    if (!hnsw_top_wants(task->hits, last.distance - bound))
        return true;
    if (index->params.code != HNSW_CODE_INT8)
        return false; // the bound of 4 bits says too little: nearly all might be
    scan_rest(index, scratch, task, last);
    return true;
}
