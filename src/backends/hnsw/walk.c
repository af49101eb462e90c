#include "backends/hnsw/walk.h"

hnsw_candidate hnsw_walk_entry(const hnsw_index *index, const hnsw_probe *probe)
{
    hnsw_candidate entry = {.slot = index->entry};

    hnsw_codec_distances(&index->codec, hnsw_rows_of(index, &entry.slot, 1), probe,
                         &entry.distance);
    return entry;
}

// Sort what is near enough for the pool to the front of `found`; gives how many.
static size_t admit(const hnsw_scratch *scratch, hnsw_candidate *found, const uint32_t *batch,
                    size_t count, size_t ef)
{
    bool full = scratch->pool_count == ef;
    float worst = full ? scratch->pool[ef - 1].distance : 0;
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        float distance = scratch->distances[i];
        size_t at = kept;
        if (full && distance >= worst)
            continue;
        for (; at > 0 && found[at - 1].distance > distance; at--)
            found[at] = found[at - 1];
        found[at] = (hnsw_candidate){distance, batch[i]};
        kept++;
    }
    return kept;
}

// Merge `found` into the pool, from the back; gives the first place that changed.
static size_t merge(hnsw_scratch *scratch, const hnsw_candidate *found, size_t count, size_t ef)
{
    hnsw_candidate *pool = scratch->pool;
    size_t old = scratch->pool_count;
    size_t at;

    while (count > 0 && old + count > ef) { // one of them drops out
        if (old > 0 && pool[old - 1].distance > found[count - 1].distance)
            old--;
        else
            count--;
    }
    at = old + count;
    scratch->pool_count = at;
    while (count > 0) {
        float distance = found[count - 1].distance;
        for (; old > 0 && pool[old - 1].distance > distance; old--)
            pool[--at] = pool[old - 1];
        pool[--at] = found[--count];
    }
    return at;
}

static void prefetch_links(const hnsw_index *index, uint32_t slot)
{
    hnsw_prefetch(hnsw_ground_row(index, slot), index->width * sizeof(uint32_t));
}

// The unseen neighbours of a slot, marked and their rows asked for, into `batch`. What the loop
// needs lies in locals: the compiler cannot know that the batch is not the index.
static size_t gather(const hnsw_index *index, hnsw_scratch *scratch, uint32_t slot, uint32_t level,
                     uint32_t *batch)
{
    enum { BYTES_MAX = 512 }; // of a row: what follows, the processor asks for by itself
    const hnsw_links links = hnsw_links_of(index, slot, level);
    const uint8_t *codes = index->arrays[HNSW_CODES].data;
    const size_t row = index->codec.row_bytes;
    const size_t bytes = row < BYTES_MAX ? row : BYTES_MAX;
    const uint32_t slots = index->slots;
    uint64_t *seen = scratch->seen;
    size_t count = 0;

    for (size_t i = 0; i < links.room; i++) {
        uint32_t next = links.slots[i];
        uint64_t word;
        if (next >= slots)
            break;
        word = seen[next >> 6];
        batch[count] = next; // overwritten, if it was seen: cheaper than a branch to guess
        count += ~word >> (next & 63) & 1;
        seen[next >> 6] = word | (uint64_t)1 << (next & 63);
    }
    for (size_t i = 0; i < count; i++)
        hnsw_prefetch(codes + batch[i] * row, bytes);
    hnsw_scratch_note(scratch, batch, count);
    return count;
}

// Nobody is compared twice, on no level: who was not nearer then is not nearer now.
hnsw_candidate hnsw_walk_down(const hnsw_index *index, hnsw_scratch *scratch,
                              const hnsw_probe *probe, hnsw_candidate from, uint32_t level)
{
    hnsw_candidate best = from;

    (void)hnsw_scratch_mark(scratch, from.slot);
    for (uint32_t l = index->top; l > level; l--) {
        bool moved = true;
        while (moved) {
            size_t count = gather(index, scratch, best.slot, l, scratch->batch);
            moved = false;
            hnsw_codec_distances(&index->codec, hnsw_rows_of(index, scratch->batch, count), probe,
                                 scratch->distances);
            for (size_t i = 0; i < count; i++) {
                if (scratch->distances[i] < best.distance) {
                    best = (hnsw_candidate){scratch->distances[i], scratch->batch[i]};
                    moved = true;
                }
            }
        }
    }
    hnsw_scratch_clear(scratch);
    return best;
}

// The first from `at` on whose links were not followed yet.
static size_t next_open(const hnsw_scratch *scratch, size_t at)
{
    while (at < scratch->pool_count && (scratch->pool[at].slot & HNSW_EXPANDED))
        at++;
    return at;
}

static void finish(hnsw_scratch *scratch)
{
    for (size_t i = 0; i < scratch->pool_count; i++)
        scratch->pool[i].slot &= ~HNSW_EXPANDED;
    hnsw_scratch_clear(scratch);
}

// Compare a batch and put it into the pool; gives the first place that changed.
static size_t take_in(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_probe *probe,
                      const uint32_t *batch, size_t count, size_t ef)
{
    hnsw_candidate found[HNSW_BATCH / 2];

    hnsw_codec_distances(&index->codec, hnsw_rows_of(index, batch, count), probe,
                         scratch->distances);
    count = admit(scratch, found, batch, count, ef);
    return count > 0 ? merge(scratch, found, count, ef) : ef;
}

// Links of the best that are still open, from `at` on: the next ones to be followed, most likely.
static void look_ahead(const hnsw_index *index, const hnsw_scratch *scratch, size_t at)
{
    enum { LINKS_OF = 3 };

    for (int i = 0; i < LINKS_OF && at < scratch->pool_count; i++) {
        prefetch_links(index, scratch->pool[at].slot);
        at = next_open(scratch, at + 1);
    }
}

// Two candidates are under way at any time: while the rows behind one are compared, those behind
// the next come from memory.
void hnsw_walk_level(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_probe *probe,
                     hnsw_candidate from, uint32_t level, size_t ef)
{
    uint32_t *batch = scratch->batch;
    uint32_t *coming = scratch->batch + HNSW_BATCH / 2;
    size_t open = 1; // the first place whose links were not followed
    size_t count;

    scratch->pool[0] = from;
    scratch->pool_count = 1;
    (void)hnsw_scratch_mark(scratch, from.slot);
    count = gather(index, scratch, from.slot, level, batch);
    scratch->pool[0].slot |= HNSW_EXPANDED;
    while (count > 0 || open < scratch->pool_count) {
        uint32_t *done = batch;
        size_t coming_count = 0;
        size_t lowest;
        if (open < scratch->pool_count) {
            coming_count = gather(index, scratch, scratch->pool[open].slot, level, coming);
            scratch->pool[open].slot |= HNSW_EXPANDED;
        }
        lowest = take_in(index, scratch, probe, batch, count, ef);
        open = next_open(scratch, lowest < open ? lowest : open);
        if (level == 0)
            look_ahead(index, scratch, open);
        batch = coming;
        count = coming_count;
        coming = done;
    }
    finish(scratch);
}

// Where the mask has slots that are spread over all of it, so that a walk has somewhere to begin
// even when all that is near the entry is outside.
static size_t sample(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_mask *mask)
{
    enum { SAMPLES = 16 };
    size_t words = ((size_t)mask->slots + 63) / 64;
    size_t count = 0;

    (void)index;
    for (size_t i = 0; i < SAMPLES; i++) {
        size_t begin = words * i / SAMPLES;
        size_t end = words * (i + 1) / SAMPLES;
        for (size_t w = begin; w < end; w++) {
            uint64_t bits = hnsw_mask_word(mask, w);
            uint32_t slot = (uint32_t)(w * 64) + (uint32_t)(bits ? __builtin_ctzll(bits) : 0);
            if (!bits)
                continue;
            if (hnsw_scratch_mark(scratch, slot))
                scratch->batch[count++] = slot;
            break;
        }
    }
    return count;
}

// As gather, of slots in the mask, in two steps where the first leads outside.
static size_t gather_masked(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_mask *mask,
                            uint32_t slot, size_t count)
{
    hnsw_links links = {hnsw_ground_row(index, slot), index->width};
    size_t most = count + index->width;
    size_t outside = 0;
    uint32_t through[128]; // 2 m at most

    for (size_t i = 0; i < links.room && links.slots[i] < index->slots; i++) {
        uint32_t next = links.slots[i];
        if (!hnsw_scratch_mark(scratch, next))
            continue;
        if (hnsw_mask_has(mask, next)) {
            hnsw_prefetch(hnsw_code_row(index, next), index->codec.row_bytes);
            scratch->batch[count++] = next;
        } else {
            prefetch_links(index, next);
            through[outside++] = next;
        }
    }
    for (size_t o = 0; o < outside && count < most; o++) {
        const uint32_t *row = hnsw_ground_row(index, through[o]);
        for (size_t i = 0; i < index->width && row[i] < index->slots && count < most; i++) {
            if (!hnsw_mask_has(mask, row[i]) || !hnsw_scratch_mark(scratch, row[i]))
                continue;
            hnsw_prefetch(hnsw_code_row(index, row[i]), index->codec.row_bytes);
            scratch->batch[count++] = row[i];
        }
    }
    return count;
}

void hnsw_walk_masked(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_probe *probe,
                      hnsw_candidate from, const hnsw_mask *mask, size_t ef)
{
    size_t at = 0;
    size_t count;

    scratch->pool_count = 0;
    count = sample(index, scratch, mask);
    if (hnsw_scratch_mark(scratch, from.slot) && hnsw_mask_has(mask, from.slot))
        scratch->batch[count++] = from.slot;
    count = gather_masked(index, scratch, mask, from.slot, count);
    do {
        size_t lowest;
        lowest = take_in(index, scratch, probe, scratch->batch, count, ef);
        at = next_open(scratch, lowest < at ? lowest : at);
        if (at == scratch->pool_count)
            break;
        count = gather_masked(index, scratch, mask, scratch->pool[at].slot, 0);
        scratch->pool[at].slot |= HNSW_EXPANDED;
    } while (at < scratch->pool_count);
    finish(scratch);
}
