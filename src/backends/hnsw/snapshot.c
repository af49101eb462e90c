// A compacted copy of the derived parts: see index.h.
#include "backends/hnsw/build.h"
#include "backends/hnsw/head.h"
#include "backends/hnsw/tend.h"
#include "base/alloc.h"
#include "base/scope.h"

typedef struct compact_copy {
    hnsw_snapshot base;
    uint32_t *place; // of each slot: its number in the copy
    hnsw_pages sections[HNSW_SECTION_COUNT];
} compact_copy;

static void number(compact_copy *copy, uint32_t slot)
{
    copy->place[slot] = copy->base.count;
    copy->base.order[copy->base.count++] = slot;
}

static bool wanted(const hnsw_index *index, const compact_copy *copy, uint32_t slot)
{
    return hnsw_bit(&index->live, slot) && copy->place[slot] == HNSW_SLOT_NONE;
}

// Breadth-first from the entry: what is compared together lies together. Then what was not reached.
static void put_in_order(const hnsw_index *index, compact_copy *copy)
{
    const hnsw_snapshot *snapshot = &copy->base;
    uint32_t done = 0;

    for (uint32_t slot = 0; slot < index->slots; slot++)
        copy->place[slot] = HNSW_SLOT_NONE;
    if (index->graph && index->entry != HNSW_SLOT_NONE && wanted(index, copy, index->entry))
        number(copy, index->entry);
    for (; done < snapshot->count; done++) {
        hnsw_links links = hnsw_links_of(index, snapshot->order[done], 0);
        size_t count = hnsw_links_count(index, links);
        for (size_t i = 0; i < count; i++) {
            if (wanted(index, copy, links.slots[i]))
                number(copy, links.slots[i]);
        }
    }
    for (uint32_t slot = 0; slot < index->slots; slot++) {
        if (wanted(index, copy, slot))
            number(copy, slot);
    }
}

static lls_err room(compact_copy *copy, hnsw_section section, size_t bytes, lls_error *err)
{
    LLS_TRY(hnsw_pages_grow(&copy->sections[section], bytes, err));
    copy->base.sections[section] = (lls_bytes){copy->sections[section].data, bytes};
    return LLS_OK;
}

static lls_err copy_codes(const hnsw_index *index, compact_copy *copy, lls_error *err)
{
    size_t bytes = index->codec.row_bytes;
    uint32_t count = copy->base.count;

    LLS_TRY(room(copy, HNSW_SECTION_CODES, count * bytes, err));
    for (uint32_t i = 0; i < count && bytes > 0; i++)
        memcpy(copy->sections[HNSW_SECTION_CODES].data + i * bytes,
               hnsw_code_row(index, copy->base.order[i]), bytes);
    return LLS_OK;
}

// The links of a slot under their new numbers; what is not in the copy is left out.
static void renumber(const hnsw_index *index, const compact_copy *copy, uint32_t slot,
                     uint32_t level, uint32_t *out)
{
    hnsw_links links = hnsw_links_of(index, slot, level);
    size_t count = hnsw_links_count(index, links);
    size_t kept = 0;

    for (size_t i = 0; i < count; i++) {
        uint32_t place = copy->place[links.slots[i]];
        if (place != HNSW_SLOT_NONE)
            out[kept++] = place;
    }
    while (kept < links.room)
        out[kept++] = HNSW_SLOT_NONE;
}

static uint32_t levels_of(const hnsw_index *index, uint32_t slot)
{
    uint32_t level = 0;

    while (level < HNSW_LEVEL_MAX && hnsw_links_of(index, slot, level + 1).room > 0)
        level++;
    return level;
}

static lls_err copy_upper(const hnsw_index *index, compact_copy *copy, lls_error *err)
{
    uint32_t m = index->params.m;
    uint32_t count = copy->base.count;
    size_t words = 1;
    uint32_t *places;
    uint32_t *blocks;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t level = levels_of(index, copy->base.order[i]);
        words += level ? 1 + (size_t)level * m : 0;
    }
    LLS_TRY(room(copy, HNSW_SECTION_UPPER_INDEX, count * sizeof(uint32_t), err));
    LLS_TRY(room(copy, HNSW_SECTION_UPPER, words * sizeof(uint32_t), err));
    places = hnsw_words(&copy->sections[HNSW_SECTION_UPPER_INDEX]);
    blocks = hnsw_words(&copy->sections[HNSW_SECTION_UPPER]);
    words = 1;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t slot = copy->base.order[i];
        uint32_t level = levels_of(index, slot);
        places[i] = level ? (uint32_t)words : 0;
        if (level == 0)
            continue;
        blocks[words++] = level;
        for (uint32_t l = 1; l <= level; l++, words += m)
            renumber(index, copy, slot, l, blocks + words);
    }
    return LLS_OK;
}

static lls_err copy_links(const hnsw_index *index, compact_copy *copy, lls_error *err)
{
    size_t row = index->width * sizeof(uint32_t);

    LLS_TRY(room(copy, HNSW_SECTION_LINKS, copy->base.count * row, err));
    for (uint32_t i = 0; i < copy->base.count; i++)
        renumber(index, copy, copy->base.order[i], 0,
                 hnsw_words(&copy->sections[HNSW_SECTION_LINKS]) + (size_t)i * index->width);
    return copy_upper(index, copy, err);
}

static lls_err take(hnsw_index *index, compact_copy *copy, lls_error *err)
{
    uint32_t entry = HNSW_SLOT_NONE;

    LLS_TRY(hnsw_tend_all(index, err));
    copy->place = lls_alloc(index->slots * sizeof(*copy->place));
    copy->base.order = lls_alloc(index->slots * sizeof(*copy->base.order));
    if (!copy->place || !copy->base.order)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for a snapshot of %u vectors",
                        index->slots);
    put_in_order(index, copy);
    LLS_TRY(copy_codes(index, copy, err));
    if (hnsw_graph_ready(index) && copy->base.count > index->params.flat_max / 2) {
        entry = copy->place[index->entry];
        LLS_TRY(copy_links(index, copy, err));
    }
    LLS_TRY(room(copy, HNSW_SECTION_HEAD, hnsw_head_bytes(index), err));
    hnsw_head_write(index, copy->base.count, entry, copy->sections[HNSW_SECTION_HEAD].data);
    lls_free(copy->place);
    copy->place = NULL;
    copy->base.index = index;
    index->snapshots++;
    return LLS_OK;
}

lls_err hnsw_snapshot_new(hnsw_index *index, hnsw_snapshot **out, lls_error *err)
{
    compact_copy *copy = lls_alloc(sizeof(*copy));
    lls_err e;

    if (!copy)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for a snapshot");
    pthread_mutex_lock(&index->writer);
    e = take(index, copy, err);
    pthread_mutex_unlock(&index->writer);
    if (e != LLS_OK) {
        hnsw_snapshot_free(&copy->base);
        return e;
    }
    *out = &copy->base;
    return LLS_OK;
}

void hnsw_snapshot_free(hnsw_snapshot *snapshot)
{
    compact_copy *copy = snapshot ? LLS_OUTER(snapshot, compact_copy, base) : NULL;

    if (!copy)
        return;
    if (snapshot->index) {
        pthread_mutex_lock(&snapshot->index->writer);
        snapshot->index->snapshots--;
        pthread_mutex_unlock(&snapshot->index->writer);
    }
    for (size_t i = 0; i < HNSW_SECTION_COUNT; i++)
        hnsw_pages_fini(&copy->sections[i]);
    lls_free(copy->place);
    lls_free(snapshot->order);
    lls_free(copy);
}

const float *hnsw_snapshot_original(const hnsw_snapshot *snapshot, uint32_t i)
{
    return hnsw_original_row(snapshot->index, snapshot->order[i]);
}
