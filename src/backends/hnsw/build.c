#include "backends/hnsw/build.h"
#include "backends/hnsw/rotation.h"
#include "backends/hnsw/walk.h"
#include "base/alloc.h"
#include "base/scope.h"

// Candidates that a list is chosen from, at most.
static size_t near_room(const hnsw_index *index)
{
    size_t ef = index->params.ef_construction;

    return (ef > HNSW_BATCH ? ef : HNSW_BATCH) + index->width + 1;
}

lls_err hnsw_builder_new(hnsw_index *index, hnsw_builder **out, lls_error *err)
{
    hnsw_builder *builder = lls_alloc(sizeof(*builder));
    size_t width = index->width;
    lls_err e;

    if (!builder)
        return lls_fail(err, LLS_E_NOMEM, "out of memory for a vector index");
    builder->room = (HNSW_LEVEL_MAX + 1) * (index->params.m + 1);
    builder->near = lls_alloc(near_room(index) * sizeof(*builder->near));
    builder->changes = lls_alloc(builder->room * sizeof(*builder->changes));
    builder->lists = lls_alloc(builder->room * width * sizeof(*builder->lists));
    builder->row = lls_alloc(index->codec.row_bytes);
    if (!builder->near || !builder->changes || !builder->lists || !builder->row) {
        hnsw_builder_free(builder);
        return lls_fail(err, LLS_E_NOMEM, "out of memory for a vector index");
    }
    e = hnsw_selector_init(&builder->selector, &index->codec, width, err);
    if (e == LLS_OK)
        e = hnsw_scratch_take(&index->scratch, &index->codec, 0, 1, 1, &builder->scratch, err);
    if (e != LLS_OK) {
        hnsw_builder_free(builder);
        return e;
    }
    *out = builder;
    return LLS_OK;
}

void hnsw_builder_free(hnsw_builder *builder)
{
    if (!builder)
        return;
    hnsw_selector_fini(&builder->selector);
    hnsw_scratch_free(builder->scratch);
    lls_free(builder->near);
    lls_free(builder->changes);
    lls_free(builder->lists);
    lls_free(builder->row);
    lls_free(builder);
}

uint32_t hnsw_level_of(const hnsw_index *index, uint32_t slot)
{
    uint64_t state = index->params.seed ^ ((uint64_t)slot << 32);
    uint32_t level = 0;

    if (slot < index->settled) { // drawn when it had another number
        size_t at = hnsw_words(&index->arrays[HNSW_UPPER_INDEX])[slot];
        bool there = hnsw_links_of(index, slot, 1).room > 0;
        return there ? hnsw_words(&index->upper)[at] : 0;
    }
    while (level < HNSW_LEVEL_MAX && hnsw_random(&state) < UINT64_MAX / index->params.m)
        level++;
    return level;
}

lls_err hnsw_link_prepare(hnsw_index *index, uint32_t slot, lls_error *err)
{
    uint32_t *places = hnsw_words(&index->arrays[HNSW_UPPER_INDEX]);
    uint32_t level = hnsw_level_of(index, slot);
    size_t used = index->upper_used ? index->upper_used : 1; // the first word has no meaning
    size_t want = used + 1 + (size_t)level * index->params.m;

    if (level == 0 || hnsw_links_of(index, slot, level).room > 0)
        return LLS_OK;
    if (want > UINT32_MAX)
        return lls_fail(err, LLS_E_FULL, "over the limit of %u words of upper links", UINT32_MAX);
    if (want * sizeof(uint32_t) > index->upper.cap) {
        size_t bytes = want * sizeof(uint32_t) * 2;
        pthread_rwlock_wrlock(&index->gate);
        lls_err e = hnsw_pages_grow(&index->upper, bytes, err);
        pthread_rwlock_unlock(&index->gate);
        LLS_TRY(e);
    }
    uint32_t *words = hnsw_words(&index->upper);
    words[used] = level;
    for (size_t i = used + 1; i < want; i++)
        words[i] = HNSW_SLOT_NONE;
    pthread_rwlock_wrlock(&index->gate);
    places[slot] = (uint32_t)used;
    index->upper_used = want;
    pthread_rwlock_unlock(&index->gate);
    return LLS_OK;
}

// A new list of links among the changes, for the caller to fill.
static hnsw_candidate *change_of(hnsw_index *index, uint32_t slot, uint32_t level)
{
    hnsw_builder *builder = index->builder;

    builder->changes[builder->count] = (hnsw_change){.slot = slot, .level = level};
    return builder->lists + builder->count++ * index->width;
}

// Set the number of links of the change that was made last.
static void change_sized(hnsw_builder *builder, size_t count)
{
    builder->changes[builder->count - 1].count = (uint32_t)count;
}

// Under the gate, exclusively.
static void store_changes(hnsw_index *index)
{
    hnsw_builder *builder = index->builder;

    for (size_t c = 0; c < builder->count; c++) {
        const hnsw_change *change = &builder->changes[c];
        const hnsw_candidate *list = builder->lists + c * index->width;
        hnsw_links links = hnsw_links_of(index, change->slot, change->level);
        float *lengths = change->level == 0 ? hnsw_length_row(index, change->slot) : NULL;
        for (size_t i = 0; i < links.room; i++) {
            bool used = i < change->count;
            links.slots[i] = used ? list[i].slot : HNSW_SLOT_NONE;
            if (lengths)
                lengths[i] = used ? list[i].distance : 0;
        }
    }
    builder->count = 0;
}

// The links of a slot as candidates with their distances, into `out`; gives how many. The distances
// of the ground level are kept with the links; where they are not known, they are found out.
static size_t list_links(hnsw_index *index, uint32_t slot, uint32_t level, hnsw_candidate *out)
{
    hnsw_scratch *scratch = index->builder->scratch;
    hnsw_links links = hnsw_links_of(index, slot, level);
    const float *lengths = level == 0 ? hnsw_length_row(index, slot) : NULL;
    size_t count = hnsw_links_count(index, links);
    bool known = lengths;

    for (size_t i = 0; i < count && known; i++)
        known = lengths[i] != 0;
    if (!known && count > 0) {
        hnsw_codec_probe_row(&index->codec, hnsw_code_row(index, slot),
                             &index->builder->selector.probes[0]);
        hnsw_codec_distances(&index->codec, hnsw_rows_of(index, links.slots, count),
                             &index->builder->selector.probes[0], scratch->distances);
        lengths = scratch->distances;
    }
    for (size_t i = 0; i < count; i++)
        out[i] = (hnsw_candidate){lengths[i], links.slots[i]};
    return count;
}

// `to` gets a link to `slot`; when it has no room left, it chooses anew among all.
static void link_back(hnsw_index *index, uint32_t to, uint32_t level, hnsw_candidate slot)
{
    hnsw_builder *builder = index->builder;
    size_t most = level == 0 ? index->width : index->params.m;
    hnsw_candidate *list = change_of(index, to, level);
    hnsw_candidate near[2 * 64 + 1]; // 2 m and the new one
    size_t count = list_links(index, to, level, near);

    for (size_t i = 0; i < count; i++) {
        if (near[i].slot == slot.slot)
            near[i] = near[--count]; // from an earlier life
    }
    near[count++] = slot;
    if (count > most) {
        hnsw_candidates_sort(near, count);
        count = hnsw_select(index, &builder->selector, near, count, most);
    }
    memcpy(list, near, count * sizeof(*near));
    change_sized(builder, count);
}

// What the walk has found that may be linked to, into `near`.
static size_t live_of_pool(hnsw_index *index, uint32_t slot)
{
    hnsw_builder *builder = index->builder;
    const hnsw_scratch *scratch = builder->scratch;
    size_t room = near_room(index);
    size_t count = 0;

    for (size_t i = 0; i < scratch->pool_count && count < room; i++) {
        uint32_t found = scratch->pool[i].slot;
        if (found != slot && hnsw_bit(&index->live, found))
            builder->near[count++] = scratch->pool[i];
    }
    return count;
}

// Choose and note the links of `slot` on one level; gives where to go on below.
static hnsw_candidate link_level(hnsw_index *index, uint32_t slot, uint32_t level,
                                 hnsw_candidate from)
{
    hnsw_builder *builder = index->builder;
    hnsw_scratch *scratch = builder->scratch;
    size_t ef = index->params.ef_construction;
    hnsw_candidate nearest;
    size_t count;

    hnsw_walk_level(index, scratch, &scratch->probe, from, level, ef);
    nearest = scratch->pool[0];
    count = live_of_pool(index, slot);
    if (level == 0 && count < index->params.m && index->dead_count > 0) {
        // all around was removed: look further, through the dead to the living
        hnsw_mask mask = {.live = (const uint64_t *)(const void *)index->live.data,
                          .slots = index->linked};
        hnsw_walk_masked(index, scratch, &scratch->probe, from, &mask, ef);
        count = live_of_pool(index, slot);
    }
    count = hnsw_select(index, &builder->selector, builder->near, count, index->params.m);
    memcpy(change_of(index, slot, level), builder->near, count * sizeof(*builder->near));
    change_sized(builder, count);
    for (size_t i = 0; i < count; i++) {
        hnsw_prefetch(hnsw_ground_row(index, builder->near[i].slot), index->width * 4);
        hnsw_prefetch(hnsw_length_row(index, builder->near[i].slot), index->width * 4);
    }
    for (size_t i = 0; i < count; i++)
        link_back(index, builder->near[i].slot, level,
                  (hnsw_candidate){builder->near[i].distance, slot});
    return nearest;
}

void hnsw_publish(hnsw_index *index, uint32_t slot)
{
    if (slot >= index->slots)
        index->slots = slot + 1;
    if (!hnsw_bit(&index->live, slot)) {
        hnsw_bit_set(&index->live, slot);
        index->live_count++;
    }
}

void hnsw_link(hnsw_index *index, uint32_t slot)
{
    hnsw_builder *builder = index->builder;
    hnsw_scratch *scratch = builder->scratch;
    uint32_t level = hnsw_level_of(index, slot);
    bool first = index->entry == HNSW_SLOT_NONE;

    builder->count = 0;
    if (!first) {
        uint32_t common = level < index->top ? level : index->top;
        hnsw_candidate from;
        if (index->params.code == HNSW_CODE_INT8)
            hnsw_codec_probe_row(&index->codec, hnsw_code_row(index, slot), &scratch->probe);
        else
            hnsw_codec_probe(&index->codec, hnsw_original_row(index, slot), scratch->work,
                             &scratch->probe);
        from = hnsw_walk_entry(index, &scratch->probe);
        from = hnsw_walk_down(index, scratch, &scratch->probe, from, common);
        for (uint32_t l = common + 1; l-- > 0;)
            from = link_level(index, slot, l, from);
    }
    for (uint32_t l = first ? 0 : index->top + 1; l <= level; l++)
        (void)change_of(index, slot, l); // nobody is up there yet: lists without links
    pthread_rwlock_wrlock(&index->gate);
    store_changes(index);
    if (first || level > index->top) {
        index->entry = slot;
        index->top = level;
    }
    hnsw_publish(index, slot);
    if (slot >= index->linked)
        index->linked = slot + 1;
    pthread_rwlock_unlock(&index->gate);
}

// Slots that condemned links of `slot` lead to, into the batch: living ones, each once.
static size_t heirs(hnsw_index *index, uint32_t slot, uint32_t level)
{
    hnsw_scratch *scratch = index->builder->scratch;
    hnsw_links links = hnsw_links_of(index, slot, level);
    size_t have = hnsw_links_count(index, links);
    size_t count = 0;

    (void)hnsw_scratch_mark(scratch, slot);
    for (size_t i = 0; i < have; i++)
        (void)hnsw_scratch_mark(scratch, links.slots[i]);
    for (size_t i = 0; i < have; i++) {
        hnsw_links beyond;
        size_t n;
        if (!hnsw_bit(&index->condemned, links.slots[i]))
            continue;
        beyond = hnsw_links_of(index, links.slots[i], level);
        n = hnsw_links_count(index, beyond);
        for (size_t j = 0; j < n && count < HNSW_BATCH; j++) {
            uint32_t heir = beyond.slots[j];
            if (hnsw_bit(&index->live, heir) && hnsw_scratch_mark(scratch, heir))
                scratch->batch[count++] = heir;
        }
    }
    hnsw_scratch_clear(scratch);
    return count;
}

static bool has_condemned(const hnsw_index *index, uint32_t slot, uint32_t level)
{
    hnsw_links links = hnsw_links_of(index, slot, level);
    size_t count = hnsw_links_count(index, links);

    for (size_t i = 0; i < count; i++) {
        if (hnsw_bit(&index->condemned, links.slots[i]))
            return true;
    }
    return false;
}

static void relink_level(hnsw_index *index, uint32_t slot, uint32_t level)
{
    hnsw_builder *builder = index->builder;
    hnsw_scratch *scratch = builder->scratch;
    size_t most = level == 0 ? index->width : index->params.m;
    size_t have = list_links(index, slot, level, builder->near);
    size_t count = 0;
    size_t survivors;
    size_t more;

    for (size_t i = 0; i < have; i++) {
        if (!hnsw_bit(&index->condemned, builder->near[i].slot))
            builder->near[count++] = builder->near[i];
    }
    survivors = count;
    more = heirs(index, slot, level);
    hnsw_codec_probe_row(&index->codec, hnsw_code_row(index, slot), &scratch->probe);
    hnsw_codec_distances(&index->codec, hnsw_rows_of(index, scratch->batch, more), &scratch->probe,
                         scratch->distances);
    for (size_t i = 0; i < more; i++)
        builder->near[count++] = (hnsw_candidate){scratch->distances[i], scratch->batch[i]};
    hnsw_candidates_sort(builder->near + survivors, more);
    count = hnsw_select_more(index, &builder->selector, builder->near, survivors, count, most);
    memcpy(change_of(index, slot, level), builder->near, count * sizeof(*builder->near));
    change_sized(builder, count);
}

void hnsw_relink(hnsw_index *index, uint32_t slot)
{
    index->builder->count = 0;
    for (uint32_t level = 0; level <= HNSW_LEVEL_MAX; level++) {
        if (hnsw_links_of(index, slot, level).room == 0)
            break;
        if (has_condemned(index, slot, level))
            relink_level(index, slot, level);
    }
    if (index->builder->count == 0)
        return;
    pthread_rwlock_wrlock(&index->gate);
    store_changes(index);
    pthread_rwlock_unlock(&index->gate);
}
