#include "backends/hnsw/build.h"
#include "backends/hnsw/head.h"
#include "backends/hnsw/tend.h"
#include "base/scope.h"

// Bytes that each section must have, by what the head says.
static size_t expected(const hnsw_index *index, hnsw_section section, uint32_t count)
{
    switch (section) {
    case HNSW_SECTION_CODES:
        return count * index->codec.row_bytes;
    case HNSW_SECTION_LINKS:
        return index->graph ? count * (size_t)index->width * sizeof(uint32_t) : 0;
    case HNSW_SECTION_UPPER_INDEX:
        return index->graph ? count * sizeof(uint32_t) : 0;
    case HNSW_SECTION_HEAD:
    case HNSW_SECTION_UPPER:
    case HNSW_SECTION_COUNT:
    default:
        return 0;
    }
}

static lls_err check_sections(const hnsw_index *index, const lls_bytes *sections, uint32_t count,
                              lls_error *err)
{
    for (hnsw_section s = HNSW_SECTION_CODES; s <= HNSW_SECTION_UPPER_INDEX; s++) {
        if (sections[s].len != expected(index, s, count))
            return lls_fail(err, LLS_E_CORRUPT, "section %d of the index has %zu bytes, not %zu",
                            (int)s, sections[s].len, expected(index, s, count));
    }
    for (hnsw_section s = HNSW_SECTION_CODES; s < HNSW_SECTION_COUNT; s++) {
        if ((uintptr_t)sections[s].data % HNSW_SECTION_ALIGN != 0)
            return lls_fail(err, LLS_E_INVALID, "section %d of the index is not aligned", (int)s);
    }
    return LLS_OK;
}

static void borrow(hnsw_index *index, const lls_bytes *sections)
{
    static const hnsw_array places[] = {
        [HNSW_SECTION_CODES] = HNSW_CODES,
        [HNSW_SECTION_LINKS] = HNSW_LINKS,
        [HNSW_SECTION_UPPER_INDEX] = HNSW_UPPER_INDEX,
    };
    lls_bytes upper = sections[HNSW_SECTION_UPPER];

    for (hnsw_section s = HNSW_SECTION_CODES; s <= HNSW_SECTION_UPPER_INDEX; s++) {
        if (sections[s].len > 0)
            hnsw_pages_borrow(&index->arrays[places[s]], sections[s].data, sections[s].len);
    }
    if (index->graph && upper.len > 0) {
        hnsw_pages_borrow(&index->upper, upper.data, upper.len / 4 * 4);
        index->upper_used = upper.len / sizeof(uint32_t);
    }
}

// All slots are there, and live.
static lls_err fill(hnsw_index *index, float *originals, uint32_t count, lls_error *err)
{
    size_t bitmap = ((size_t)count / 64 + 1) * sizeof(uint64_t);

    LLS_TRY(hnsw_pages_grow(&index->live, bitmap, err));
    LLS_TRY(hnsw_pages_grow(&index->dead, bitmap, err));
    LLS_TRY(hnsw_pages_grow(&index->condemned, bitmap, err));
    memset(index->live.data, 0xff, count / 64 * sizeof(uint64_t));
    for (uint32_t slot = count / 64 * 64; slot < count; slot++)
        hnsw_bit_set(&index->live, slot);
    index->base = originals;
    index->base_count = count;
    index->slots = count;
    index->live_count = count;
    return LLS_OK;
}

// Whether there are numbers that codes cannot stand for: nothing is left that would say so.
static bool has_wild(const hnsw_index *index, const float *originals, uint32_t count)
{
    if (index->params.metric == LLS_VEC_COSINE)
        return false;
    for (uint32_t slot = 0; slot < count; slot++)
        if (!(hnsw_codec_norm(&index->codec, originals + (size_t)slot * index->params.dim) <
              HNSW_NORM_MAX))
            return true;
    return false;
}

static lls_err attach(hnsw_index *index, const lls_bytes *sections, float *originals,
                      uint32_t count, lls_error *err)
{
    uint32_t said;

    if (sections[HNSW_SECTION_HEAD].len == 0) {
        LLS_TRY(fill(index, originals, count, err));
        LLS_TRY(hnsw_index_reserve(index, count, err));
        index->exact_only = has_wild(index, originals, count);
        return index->exact_only ? LLS_OK : hnsw_encode_anew(index, err);
    }
    LLS_TRY(hnsw_head_read(index, sections[HNSW_SECTION_HEAD], &said, err));
    if (said != count)
        return lls_fail(err, LLS_E_CORRUPT, "the index is of %u vectors, not %u", said, count);
    LLS_TRY(check_sections(index, sections, count, err));
    LLS_TRY(fill(index, originals, count, err));
    borrow(index, sections);
    index->linked = index->graph ? count : 0;
    index->settled = index->linked;
    return LLS_OK;
}

lls_err hnsw_index_attach(const hnsw_params *params, const lls_bytes sections[HNSW_SECTION_COUNT],
                          float *originals, uint32_t count, hnsw_index **out, lls_error *err)
{
    hnsw_index *index;
    lls_err e;

    if (count > HNSW_SLOTS_MAX)
        return lls_fail(err, LLS_E_CORRUPT, "an index of %u vectors is over the limit", count);
    LLS_TRY(hnsw_index_new(params, &index, err));
    e = attach(index, sections, originals, count, err);
    if (e != LLS_OK) {
        hnsw_index_free(index);
        return e;
    }
    *out = index;
    return LLS_OK;
}

lls_err hnsw_index_adopt(hnsw_index *index, float *originals, uint32_t count, lls_error *err)
{
    lls_err e = LLS_OK;
    size_t row = index->params.dim * sizeof(float);
    hnsw_pages rest = {0};

    pthread_mutex_lock(&index->writer);
    if (count > index->slots)
        e = lls_fail(err, LLS_E_INVALID, "%u originals for %u slots", count, index->slots);
    if (e == LLS_OK)
        e = hnsw_pages_grow(&rest, (size_t)(index->slots - count) * row, err);
    if (e == LLS_OK) {
        for (uint32_t slot = count; slot < index->slots; slot++)
            memcpy(rest.data + (slot - count) * row, hnsw_original_row(index, slot), row);
        pthread_rwlock_wrlock(&index->gate);
        hnsw_pages_fini(&index->arrays[HNSW_ORIGINALS]);
        index->arrays[HNSW_ORIGINALS] = rest;
        index->base = originals;
        index->base_count = count;
        index->capacity = index->slots;
        pthread_rwlock_unlock(&index->gate);
    }
    pthread_mutex_unlock(&index->writer);
    return e;
}
