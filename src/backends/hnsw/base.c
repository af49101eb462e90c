#include "backends/hnsw/base.h"

#include "backends/hnsw/mapping.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "base/little.h"
#include "base/scope.h"
#include "ports/record.h"
#include "ports/vec_record.h"

#include <math.h>
#include <string.h>

/*
 * Row: 0 where the id begins (8), 8 where the body begins (8), 16 version (8), 24 created (8),
 *      32 updated (8), 40 expires (8), 48 event (8), 56 bytes of the body, 60 bytes of the id (2),
 *      62 space (2; 0xffff: none), 64 slot, 68 zero, 72 checksum, 76 checksum of the vector
 * Space: 0 dimension, 4 metric (1), 5 normalised (1), 6 bytes of the model (2), 8 count, 12 zero,
 *      16 model (128, zeros behind it)
 */

hnsw_base *hnsw_base_hold(hnsw_base *base)
{
    if (base)
        atomic_fetch_add(&base->refs, 1);
    return base;
}

void hnsw_base_drop(hnsw_base *base)
{
    if (!base || atomic_fetch_sub(&base->refs, 1) != 1)
        return;
    hnsw_unmap(base->bytes, base->length);
    hnsw_unmap(base->own, base->length);
    hnsw_sections_fini(&base->head);
    lls_free(base);
}

static const uint8_t *row_at(const hnsw_base *base, uint32_t doc)
{
    return base->rows.data + (size_t)doc * HNSW_ROW_BYTES;
}

lls_bytes hnsw_base_id(const hnsw_base *base, uint32_t doc)
{
    const uint8_t *at = row_at(base, doc);

    return (lls_bytes){base->ids.data + lls_little_get_u64(at), lls_little_get_u16(at + 60)};
}

void hnsw_base_row(const hnsw_base *base, uint32_t doc, hnsw_row *out)
{
    const uint8_t *at = row_at(base, doc);
    uint16_t space = lls_little_get_u16(at + 62);

    *out = (hnsw_row){
        .doc = doc,
        .id = {base->ids.data + lls_little_get_u64(at), lls_little_get_u16(at + 60)},
        .body = {base->bodies.data + lls_little_get_u64(at + 8), lls_little_get_u32(at + 56)},
        .meta = {.version = lls_little_get_u64(at + 16),
                 .created_usec = (int64_t)lls_little_get_u64(at + 24),
                 .updated_usec = (int64_t)lls_little_get_u64(at + 32),
                 .expires_usec = (int64_t)lls_little_get_u64(at + 40)},
        .event_usec = (int64_t)lls_little_get_u64(at + 48),
        .space = space == UINT16_MAX ? HNSW_NONE : space,
        .slot = lls_little_get_u32(at + 64),
        .check = lls_little_get_u32(at + 72),
        .vector_check = lls_little_get_u32(at + 76),
    };
}

uint32_t hnsw_row_checksum(const uint8_t *row, lls_bytes id, lls_bytes body)
{
    lls_bytes parts[] = {{row, 72}, id, body};

    return lls_checksum(parts, LLS_COUNT(parts));
}

static lls_err damaged(const hnsw_base *base, lls_bytes id, const char *what, lls_error *err)
{
    LLS_AUTO(lls_buf) shown = {0};

    lls_key_show(id, &shown);
    return lls_fail(err, LLS_E_CORRUPT, "'%s': record '%s': %s", base->path, lls_buf_cstr(&shown),
                    what);
}

/* Whether the texts of a body fill it, and its vector is one of its space. */
static bool body_fits(const hnsw_base *base, const hnsw_row *row)
{
    lls_kv_item item = {.key = row->id, .value = row->body};
    hnsw_base_space declared = {0};
    const uint8_t *vector;
    lls_vec_item view;

    lls_vec_record_view(&item, &view, &vector);
    if (row->space != HNSW_NONE)
        hnsw_base_space_at(base, row->space, &declared);
    return (size_t)(vector - row->body.data) == row->body.len &&
           view.space.dim == declared.space.dim;
}

lls_err hnsw_base_check_row(const hnsw_base *base, const hnsw_row *row, lls_error *err)
{
    if (hnsw_row_checksum(row_at(base, row->doc), row->id, row->body) != row->check)
        return damaged(base, row->id, "its checksum is wrong", err);
    if (!body_fits(base, row))
        return damaged(base, row->id, "its lengths do not add up", err);
    return LLS_OK;
}

uint32_t hnsw_base_seek(const hnsw_base *base, lls_bytes id)
{
    uint32_t low = 0;
    uint32_t high = base->records;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (lls_bytes_cmp(hnsw_base_id(base, middle), id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

void hnsw_base_space_at(const hnsw_base *base, uint32_t space, hnsw_base_space *out)
{
    lls_bytes all =
        hnsw_part_bytes(hnsw_sections_find(&base->head, HNSW_BASE_SPACES, 0), base->bytes);
    const uint8_t *at = all.data + (size_t)space * HNSW_SPACE_BYTES;

    *out = (hnsw_base_space){
        .space = {.model = {(const char *)at + 16, lls_little_get_u16(at + 6)},
                  .dim = lls_little_get_u32(at),
                  .metric = (lls_vec_metric)at[4],
                  .normalised = at[5] != 0},
        .count = lls_little_get_u32(at + 8),
    };
}

lls_bytes hnsw_base_vector(const hnsw_base *base, uint32_t space, uint32_t slot)
{
    const hnsw_part *part = hnsw_sections_find(&base->head, HNSW_BASE_ORIGINALS, space);
    hnsw_base_space declared;

    hnsw_base_space_at(base, space, &declared);
    size_t row = declared.space.dim * sizeof(float);
    return (lls_bytes){base->bytes + part->offset + slot * row, row};
}

lls_err hnsw_base_check_vector(const hnsw_base *base, const hnsw_row *row, lls_error *err)
{
    lls_bytes vector = hnsw_base_vector(base, row->space, row->slot);

    if (lls_checksum(&vector, 1) != row->vector_check)
        return damaged(base, row->id, "the checksum of its vector is wrong", err);
    return LLS_OK;
}

static bool is_finite(const float *floats, uint32_t count)
{
    uint32_t i = 0;

    while (i < count && isfinite(floats[i]))
        i++;
    return i == count;
}

bool hnsw_base_check_space(hnsw_base *base, uint32_t space)
{
    const hnsw_part *part = hnsw_sections_find(&base->head, HNSW_BASE_ORIGINALS, space);
    const hnsw_part *docs = hnsw_sections_find(&base->head, HNSW_BASE_DOCS, space);
    hnsw_base_space declared;
    bool good = true;

    bool whole = hnsw_part_is_whole(part, base->bytes);
    hnsw_base_space_at(base, space, &declared);
    for (uint32_t slot = 0; slot < declared.count; slot++) {
        lls_bytes vector = hnsw_base_vector(base, space, slot);
        float *own = (float *)(void *)(base->own + (vector.data - base->bytes));
        hnsw_row row;
        hnsw_base_row(base, lls_little_get_u32(base->bytes + docs->offset + slot * 4), &row);
        if (is_finite(own, declared.space.dim) &&
            (whole || lls_checksum(&vector, 1) == row.vector_check))
            continue;
        memset(own, 0, vector.len);
        own[0] = 1;
        good = false;
    }
    return whole && good;
}

lls_err hnsw_base_value(const hnsw_base *base, const hnsw_row *row, lls_buf *out, lls_error *err)
{
    LLS_TRY(hnsw_base_check_row(base, row, err));
    lls_buf_add(out, row->body);
    if (row->space != HNSW_NONE) {
        LLS_TRY(hnsw_base_check_vector(base, row, err));
        lls_buf_add(out, hnsw_base_vector(base, row->space, row->slot));
    }
    return lls_buf_status(out, err);
}

/* ---- opening ---- */

static bool space_fits(const hnsw_base *base, uint32_t space)
{
    const hnsw_part *docs = hnsw_sections_find(&base->head, HNSW_BASE_DOCS, space);
    const hnsw_part *originals = hnsw_sections_find(&base->head, HNSW_BASE_ORIGINALS, space);
    hnsw_base_space got;

    hnsw_base_space_at(base, space, &got);
    return docs && originals && got.space.dim > 0 && got.space.dim <= LLS_VEC_DIM_MAX &&
           got.space.metric <= LLS_VEC_L1 && got.space.model.len <= LLS_VEC_MODEL_MAX &&
           docs->length == (uint64_t)got.count * 4 &&
           originals->length == (uint64_t)got.count * got.space.dim * sizeof(float);
}

/* Whether what a row points to is there. */
static bool row_fits(const hnsw_base *base, uint32_t doc, const uint32_t *counts)
{
    const uint8_t *at = row_at(base, doc);
    uint64_t id_at = lls_little_get_u64(at);
    uint64_t body_at = lls_little_get_u64(at + 8);
    uint32_t body_len = lls_little_get_u32(at + 56);
    uint16_t id_len = lls_little_get_u16(at + 60);
    uint16_t space = lls_little_get_u16(at + 62);

    if (id_len == 0 || id_len > LLS_VEC_ID_MAX || id_at > base->ids.len ||
        id_len > base->ids.len - id_at || body_at > base->bodies.len ||
        body_len > base->bodies.len - body_at || body_len < 32)
        return false;
    return space == UINT16_MAX ||
           (space < base->space_count && lls_little_get_u32(at + 64) < counts[space]);
}

static lls_err check_rows(const hnsw_base *base, lls_error *err)
{
    uint32_t *counts = lls_alloc((base->space_count + 1) * sizeof(*counts));
    hnsw_base_space space;

    if (!counts)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (uint32_t i = 0; i < base->space_count; i++) {
        hnsw_base_space_at(base, i, &space);
        counts[i] = space.count;
    }
    uint32_t doc = 0;
    while (doc < base->records && row_fits(base, doc, counts))
        doc++;
    lls_free(counts);
    if (doc < base->records)
        return lls_fail(err, LLS_E_CORRUPT, "'%s': record number %u cannot be", base->path, doc);
    return LLS_OK;
}

/* Every slot leads to a record. */
static lls_err check_docs(const hnsw_base *base, uint32_t space, lls_error *err)
{
    const hnsw_part *part = hnsw_sections_find(&base->head, HNSW_BASE_DOCS, space);
    lls_bytes docs = hnsw_part_bytes(part, base->bytes);

    if (!hnsw_part_is_whole(part, base->bytes))
        return lls_fail(err, LLS_E_CORRUPT, "'%s': section 'docs' is damaged", base->path);
    for (size_t at = 0; at < docs.len; at += 4)
        if (lls_little_get_u32(docs.data + at) >= base->records)
            return lls_fail(err, LLS_E_CORRUPT, "'%s': a slot without a record", base->path);
    return LLS_OK;
}

static lls_err check(hnsw_base *base, lls_error *err)
{
    static const char *const names[] = {
        [HNSW_BASE_SPACES] = "spaces", [HNSW_BASE_ROWS] = "rows", [HNSW_BASE_IDS] = "ids"};
    const hnsw_part *spaces = hnsw_sections_find(&base->head, HNSW_BASE_SPACES, 0);
    const hnsw_part *rows = hnsw_sections_find(&base->head, HNSW_BASE_ROWS, 0);
    const hnsw_part *ids = hnsw_sections_find(&base->head, HNSW_BASE_IDS, 0);
    const hnsw_part *bodies = hnsw_sections_find(&base->head, HNSW_BASE_BODIES, 0);

    if (!spaces || !rows || !ids || !bodies || spaces->length % HNSW_SPACE_BYTES ||
        spaces->length / HNSW_SPACE_BYTES > HNSW_SPACES_MAX ||
        rows->length != (uint64_t)base->head.records * HNSW_ROW_BYTES)
        return lls_fail(err, LLS_E_CORRUPT, "'%s': sections that do not fit together", base->path);
    for (uint32_t kind = HNSW_BASE_SPACES; kind <= HNSW_BASE_IDS; kind++)
        if (!hnsw_part_is_whole(hnsw_sections_find(&base->head, kind, 0), base->bytes))
            return lls_fail(err, LLS_E_CORRUPT, "'%s': section '%s' is damaged", base->path,
                            names[kind]);
    base->rows = hnsw_part_bytes(rows, base->bytes);
    base->ids = hnsw_part_bytes(ids, base->bytes);
    base->bodies = hnsw_part_bytes(bodies, base->bytes);
    base->records = base->head.records;
    base->space_count = (uint32_t)(spaces->length / HNSW_SPACE_BYTES);
    for (uint32_t i = 0; i < base->space_count; i++)
        if (!space_fits(base, i))
            return lls_fail(err, LLS_E_CORRUPT, "'%s': space %u cannot be", base->path, i);
    LLS_TRY(check_rows(base, err));
    for (uint32_t i = 0; i < base->space_count; i++)
        LLS_TRY(check_docs(base, i, err));
    return LLS_OK;
}

lls_err hnsw_base_open(const char *path, hnsw_base **out, lls_error *err)
{
    size_t path_len = strlen(path) + 1;
    hnsw_base *base = lls_alloc(sizeof(*base) + path_len);

    if (!base)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    atomic_store(&base->refs, 1);
    memcpy(base->path, path, path_len);
    lls_err e = hnsw_map(path, HNSW_MAP_SHARED, &base->bytes, &base->length, err);
    if (e == LLS_OK) {
        const uint8_t *own = NULL;
        size_t length = 0;
        e = hnsw_map(path, HNSW_MAP_OWN, &own, &length, err);
        base->own = (uint8_t *)(uintptr_t)own;
        if (e == LLS_OK && length != base->length)
            e = lls_fail(err, LLS_E_CORRUPT, "'%s' changes its length", path);
    }
    if (e == LLS_OK) {
        e = hnsw_sections_read((lls_bytes){base->bytes, base->length}, HNSW_BASE_MAGIC, &base->head,
                               err);
        if (e != LLS_OK)
            e = lls_wrap(err, e, "'%s'", path);
    }
    if (e == LLS_OK)
        e = check(base, err);
    if (e == LLS_OK)
        *out = base;
    else
        hnsw_base_drop(base);
    return e;
}
