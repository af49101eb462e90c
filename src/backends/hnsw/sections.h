/**
 * sections.h - the frame of our immutable files: a head with a table of sections, and the sections,
 * each with a checksum. docs/formats/hnsw.md has the bytes.
 */
#ifndef LLS_BACKENDS_HNSW_SECTIONS_H
#define LLS_BACKENDS_HNSW_SECTIONS_H

#include <llmspell/bytes.h>

enum { HNSW_FILE_ALIGN = 64 }; /* bytes: where sections begin in a file */

typedef struct hnsw_part {
    uint32_t kind;  /**< What it is: see base.h and derived.h. */
    uint32_t space; /**< Of which embedding space; 0 where that means nothing. */
    uint64_t offset;
    uint64_t length;
    uint32_t checksum;
} hnsw_part;

/** The head of a file. Zeroed is empty. */
typedef struct hnsw_sections {
    char magic[8];
    uint64_t number;   /**< Of the base. */
    uint64_t sequence; /**< Of a base: the last frame that it knows. Of an index: see derived.h. */
    uint64_t length;   /**< Of the whole file. */
    uint32_t records;
    uint32_t checksum; /**< Of the head, and so of the whole file. */
    hnsw_part *parts;
    size_t count;
} hnsw_sections;

void hnsw_sections_fini(hnsw_sections *sections);
static inline void hnsw_sections_auto(hnsw_sections *sections)
{
    hnsw_sections_fini(sections);
}

/** Plan one more section, behind those before it. Errors: LLS_E_NOMEM. */
lls_err hnsw_sections_add(hnsw_sections *sections, uint32_t kind, uint32_t space, uint64_t length,
                          lls_error *err) LLS_CHECKED;

/** Give every section its place in the file, once all are planned. */
void hnsw_sections_place(hnsw_sections *sections);

/** The section, or NULL. */
hnsw_part *hnsw_sections_find(const hnsw_sections *sections, uint32_t kind, uint32_t space);

/** Fill in the checksums, from the `length` bytes of the file at `bytes`, and append the head. */
void hnsw_sections_seal(hnsw_sections *sections, const uint8_t *bytes, lls_buf *out);

/**
 * Read the head of a file whose whole contents are `bytes`; sections themselves are not read.
 * Owns: fini `out`. Errors: LLS_E_CORRUPT, LLS_E_NEWER, LLS_E_NOMEM.
 */
lls_err hnsw_sections_read(lls_bytes bytes, const char magic[8], hnsw_sections *out,
                           lls_error *err) LLS_CHECKED;

/** The bytes of a section of a file at `bytes`; NULL gives the empty view. */
static inline lls_bytes hnsw_part_bytes(const hnsw_part *part, const uint8_t *bytes)
{
    return part ? (lls_bytes){bytes + part->offset, (size_t)part->length} : (lls_bytes){0};
}

/** Whether a section holds what was written. Reads all of it. */
bool hnsw_part_is_whole(const hnsw_part *part, const uint8_t *bytes);

#endif
