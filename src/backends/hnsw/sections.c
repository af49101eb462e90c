#include "backends/hnsw/sections.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "base/little.h"
#include "base/scope.h"

/*
 * Head: 0 magic (8), 8 format, 12 checksum, 16 number (8), 24 sequence (8), 32 length (8),
 *       40 records, 44 sections, 48 zeros (16)
 * Entry: 0 kind, 4 space, 8 offset (8), 16 length (8), 24 checksum, 28 zero
 */
enum { FORMAT = 1, HEAD = 64, ENTRY = 32, SECTIONS_MAX = 1 << 20 };

void hnsw_sections_fini(hnsw_sections *sections)
{
    lls_free(sections->parts);
    *sections = (hnsw_sections){0};
}

lls_err hnsw_sections_add(hnsw_sections *sections, uint32_t kind, uint32_t space, uint64_t length,
                          lls_error *err)
{
    hnsw_part *grown = lls_resize(sections->parts, (sections->count + 1) * sizeof(*grown));

    if (!grown)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    sections->parts = grown;
    grown[sections->count++] = (hnsw_part){.kind = kind, .space = space, .length = length};
    return LLS_OK;
}

static uint64_t aligned(uint64_t n)
{
    return (n + HNSW_FILE_ALIGN - 1) / HNSW_FILE_ALIGN * HNSW_FILE_ALIGN;
}

void hnsw_sections_place(hnsw_sections *sections)
{
    uint64_t at = aligned(HEAD + sections->count * ENTRY);

    for (size_t i = 0; i < sections->count; i++) {
        sections->parts[i].offset = at;
        at = aligned(at + sections->parts[i].length);
    }
    sections->length = at;
}

hnsw_part *hnsw_sections_find(const hnsw_sections *sections, uint32_t kind, uint32_t space)
{
    for (size_t i = 0; i < sections->count; i++)
        if (sections->parts[i].kind == kind && sections->parts[i].space == space)
            return &sections->parts[i];
    return NULL;
}

static uint32_t checksum(lls_bytes bytes)
{
    return lls_checksum(&bytes, 1);
}

static uint32_t head_checksum(const uint8_t *head, size_t len)
{
    lls_bytes parts[] = {{head, 12}, {head + 16, len - 16}};

    return lls_checksum(parts, LLS_COUNT(parts));
}

void hnsw_sections_seal(hnsw_sections *sections, const uint8_t *bytes, lls_buf *out)
{
    size_t start = out->len;

    lls_buf_add(out, (lls_bytes){(const uint8_t *)sections->magic, sizeof(sections->magic)});
    lls_little_add(out, FORMAT, 4);
    lls_little_add(out, 0, 4);
    lls_little_add(out, sections->number, 8);
    lls_little_add(out, sections->sequence, 8);
    lls_little_add(out, sections->length, 8);
    lls_little_add(out, sections->records, 4);
    lls_little_add(out, sections->count, 4);
    lls_little_add(out, 0, 8);
    lls_little_add(out, 0, 8);
    for (size_t i = 0; i < sections->count; i++) {
        hnsw_part *part = &sections->parts[i];
        part->checksum = checksum(hnsw_part_bytes(part, bytes));
        lls_little_add(out, part->kind, 4);
        lls_little_add(out, part->space, 4);
        lls_little_add(out, part->offset, 8);
        lls_little_add(out, part->length, 8);
        lls_little_add(out, part->checksum, 4);
        lls_little_add(out, 0, 4);
    }
    if (out->status != LLS_OK)
        return;
    sections->checksum = head_checksum(out->data + start, out->len - start);
    lls_little_set(out->data + start + 12, sections->checksum, 4);
}

static lls_err read_parts(lls_bytes bytes, hnsw_sections *out, lls_error *err)
{
    out->parts = lls_alloc((out->count + 1) * sizeof(*out->parts));
    if (!out->parts)
        return lls_fail(err, LLS_E_NOMEM, "out of memory");
    for (size_t i = 0; i < out->count; i++) {
        const uint8_t *at = bytes.data + HEAD + i * ENTRY;
        hnsw_part *part = &out->parts[i];
        *part = (hnsw_part){.kind = lls_little_get_u32(at),
                            .space = lls_little_get_u32(at + 4),
                            .offset = lls_little_get_u64(at + 8),
                            .length = lls_little_get_u64(at + 16),
                            .checksum = lls_little_get_u32(at + 24)};
        if (part->offset % HNSW_FILE_ALIGN || part->offset > bytes.len ||
            part->length > bytes.len - part->offset)
            return lls_fail(err, LLS_E_CORRUPT, "a section lies outside the file");
    }
    return LLS_OK;
}

lls_err hnsw_sections_read(lls_bytes bytes, const char magic[8], hnsw_sections *out, lls_error *err)
{
    LLS_AUTO(hnsw_sections) got = {0};

    if (bytes.len < HEAD || memcmp(bytes.data, magic, 8) != 0)
        return lls_fail(err, LLS_E_CORRUPT, "not a file of this kind");
    memcpy(got.magic, magic, sizeof(got.magic));
    uint32_t format = lls_little_get_u32(bytes.data + 8);
    if (format > FORMAT && format < 1000)
        return lls_fail(err, LLS_E_NEWER, "format %u; this version knows formats up to %d", format,
                        FORMAT);
    got.checksum = lls_little_get_u32(bytes.data + 12);
    got.number = lls_little_get_u64(bytes.data + 16);
    got.sequence = lls_little_get_u64(bytes.data + 24);
    got.length = lls_little_get_u64(bytes.data + 32);
    got.records = lls_little_get_u32(bytes.data + 40);
    got.count = lls_little_get_u32(bytes.data + 44);
    if (got.length != bytes.len)
        return lls_fail(err, LLS_E_CORRUPT, "it has %zu bytes instead of %llu", bytes.len,
                        (unsigned long long)got.length);
    if (format != FORMAT || got.count > SECTIONS_MAX || HEAD + got.count * ENTRY > bytes.len ||
        head_checksum(bytes.data, HEAD + got.count * ENTRY) != got.checksum)
        return lls_fail(err, LLS_E_CORRUPT, "the head is damaged");
    LLS_TRY(read_parts(bytes, &got, err));
    *out = got;
    got = (hnsw_sections){0};
    return LLS_OK;
}

bool hnsw_part_is_whole(const hnsw_part *part, const uint8_t *bytes)
{
    return checksum(hnsw_part_bytes(part, bytes)) == part->checksum;
}
