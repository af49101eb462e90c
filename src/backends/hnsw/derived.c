#include "backends/hnsw/derived.h"

#include "backends/hnsw/mapping.h"
#include "backends/hnsw/output.h"
#include "base/scope.h"

static const char *const names[HNSW_SECTION_COUNT] = {
    [HNSW_SECTION_HEAD] = "head",         [HNSW_SECTION_CODES] = "codes",
    [HNSW_SECTION_LINKS] = "links",       [HNSW_SECTION_UPPER_INDEX] = "upper index",
    [HNSW_SECTION_UPPER] = "upper links",
};

const char *hnsw_derived_damage(lls_bytes file)
{
    LLS_AUTO(hnsw_sections) head = {0};

    if (hnsw_sections_read(file, HNSW_DERIVED_MAGIC, &head, NULL) != LLS_OK)
        return "head of the file";
    for (size_t i = 0; i < head.count; i++)
        if (!hnsw_part_is_whole(&head.parts[i], file.data))
            return head.parts[i].kind && head.parts[i].kind <= HNSW_SECTION_COUNT
                       ? names[head.parts[i].kind - 1]
                       : "unknown section";
    return NULL;
}

void hnsw_derived_map(hnsw_coll *coll, const char *path)
{
    LLS_AUTO(hnsw_sections) head = {0};
    const uint8_t *bytes;
    size_t length;

    if (!path || hnsw_map(path, HNSW_MAP_SHARED, &bytes, &length, NULL) != LLS_OK)
        return;
    lls_bytes file = {bytes, length};
    bool good = hnsw_sections_read(file, HNSW_DERIVED_MAGIC, &head, NULL) == LLS_OK &&
                head.number == coll->base->head.number &&
                head.sequence == coll->base->head.checksum &&
                (length > HNSW_CHECKED_AT_OPEN || !hnsw_derived_damage(file));
    if (good) {
        coll->derived = bytes;
        coll->derived_length = length;
    } else {
        hnsw_unmap(bytes, length);
    }
}

lls_err hnsw_derived_attach(hnsw_coll *coll, uint32_t number, lls_error *err)
{
    LLS_AUTO(hnsw_sections) head = {0};
    lls_bytes sections[HNSW_SECTION_COUNT] = {{0}};
    hnsw_space *space = coll->spaces[number];
    hnsw_params params = hnsw_space_params(coll->conf, &space->space);
    const hnsw_part *part = hnsw_sections_find(&coll->base->head, HNSW_BASE_ORIGINALS, number);
    float *originals = (float *)(void *)(coll->base->own + part->offset);
    lls_err e = LLS_E_CORRUPT;

    if (coll->derived) {
        LLS_TRY(hnsw_sections_read((lls_bytes){coll->derived, coll->derived_length},
                                   HNSW_DERIVED_MAGIC, &head, err));
        for (uint32_t i = 0; i < HNSW_SECTION_COUNT; i++)
            sections[i] = hnsw_part_bytes(hnsw_sections_find(&head, i + 1, number), coll->derived);
        e = hnsw_index_attach(&params, sections, originals, space->base_slots, &space->index, err);
    }
    space->rebuilding = e != LLS_OK;
    if (e != LLS_E_CORRUPT && e != LLS_E_NEWER)
        return e;
    if (coll->base->length > HNSW_CHECKED_AT_OPEN) // all of it is read now in any case
        space->damaged = !hnsw_base_check_space(coll->base, number);
    memset(sections, 0, sizeof(sections));
    return hnsw_index_attach(&params, sections, originals, space->base_slots, &space->index, err);
}

static lls_err plan(hnsw_sections *head, const hnsw_base *base, hnsw_snapshot *const *snapshots,
                    lls_error *err)
{
    for (uint32_t space = 0; space < base->space_count; space++)
        for (uint32_t i = 0; i < HNSW_SECTION_COUNT; i++)
            LLS_TRY(hnsw_sections_add(head, i + 1, space, snapshots[space]->sections[i].len, err));
    hnsw_sections_place(head);
    return LLS_OK;
}

static lls_err fill(hnsw_output *out, hnsw_sections *head, uint32_t spaces,
                    hnsw_snapshot *const *snapshots, lls_error *err)
{
    for (uint32_t space = 0; space < spaces; space++)
        for (uint32_t i = 0; i < HNSW_SECTION_COUNT; i++)
            LLS_TRY(hnsw_output_write(out, hnsw_sections_find(head, i + 1, space)->offset,
                                      snapshots[space]->sections[i], err));
    return hnsw_output_publish(out, head, err);
}

lls_err hnsw_derived_write(const char *path, const hnsw_base *base, hnsw_snapshot *const *snapshots,
                           lls_error *err)
{
    LLS_AUTO(hnsw_sections)
    head = {.number = base->head.number, .sequence = base->head.checksum, .records = base->records};
    hnsw_output *out;

    memcpy(head.magic, HNSW_DERIVED_MAGIC, sizeof(head.magic));
    LLS_TRY(plan(&head, base, snapshots, err));
    LLS_TRY(hnsw_output_open(path, head.length, &out, err));
    lls_err e = fill(out, &head, base->space_count, snapshots, err);
    hnsw_output_close(out);
    return e;
}
