/**
 * base.h - an immutable file with the records of a collection as they once were: the truth up to a
 * moment, from where a log goes on. Records are numbered in byte order of their ids.
 *
 * The vectors lie in a section for each embedding space, in the order of the slots of its index:
 * the index works on this section itself (hnsw_index_attach), so that vectors are kept once.
 */
#ifndef LLS_BACKENDS_HNSW_BASE_H
#define LLS_BACKENDS_HNSW_BASE_H

#include "backends/hnsw/sections.h"
#include "ports/vec.h"

#include <stdatomic.h>

#define HNSW_BASE_MAGIC "LLSVBASE"
#define HNSW_NONE UINT32_MAX /* no record, no space, no slot */

enum { HNSW_SPACES_MAX = 4096 }; /* embedding spaces of one collection */

/** The sections of a base. */
typedef enum hnsw_base_part {
    HNSW_BASE_SPACES = 1, /**< HNSW_SPACE_BYTES for each space. */
    HNSW_BASE_ROWS,       /**< HNSW_ROW_BYTES for each record. */
    HNSW_BASE_IDS,        /**< One behind the other. */
    HNSW_BASE_BODIES,     /**< Canonical values without their vectors. */
    HNSW_BASE_DOCS,       /**< Of a space: the record of each slot, as uint32. */
    HNSW_BASE_ORIGINALS,  /**< Of a space: the vector of each slot. */
} hnsw_base_part;

enum { HNSW_SPACE_BYTES = 144, HNSW_ROW_BYTES = 80 };

/** An open base, mapped twice: as it is, and for the indexes, whose changes nobody else sees. */
typedef struct hnsw_base {
    atomic_uint refs;
    const uint8_t *bytes; /**< The file. */
    uint8_t *own;         /**< The file, writable, changes stay in this process. */
    size_t length;
    hnsw_sections head;
    lls_bytes rows;
    lls_bytes ids;
    lls_bytes bodies;
    uint32_t records;
    uint32_t space_count;
    char path[];
} hnsw_base;

/** One record of a base; views into it. */
typedef struct hnsw_row {
    uint32_t doc;
    lls_bytes id;
    lls_bytes body;
    lls_kv_meta meta;
    int64_t event_usec;
    uint32_t space; /**< HNSW_NONE: no vector. */
    uint32_t slot;
    uint32_t check;        /**< Of all above. */
    uint32_t vector_check; /**< Of the vector. */
} hnsw_row;

/** One embedding space of a base; `space.model` is a view into it. */
typedef struct hnsw_base_space {
    lls_vec_space space;
    uint32_t count; /**< Vectors. */
} hnsw_base_space;

/**
 * Open a base. What tells where records are is checked by its checksums, the rest when it is read.
 * Errors: LLS_E_NOTFOUND, LLS_E_CORRUPT, LLS_E_NEWER, each naming the file.
 */
lls_err hnsw_base_open(const char *path, hnsw_base **out, lls_error *err) LLS_CHECKED;

hnsw_base *hnsw_base_hold(hnsw_base *base); /**< One more holder. */
void hnsw_base_drop(hnsw_base *base);       /**< NULL is fine. */

/** Record `doc`, its body not checked. */
void hnsw_base_row(const hnsw_base *base, uint32_t doc, hnsw_row *out);

/** Only its id. */
lls_bytes hnsw_base_id(const hnsw_base *base, uint32_t doc);

/** Errors: LLS_E_CORRUPT naming the record. */
lls_err hnsw_base_check_row(const hnsw_base *base, const hnsw_row *row, lls_error *err) LLS_CHECKED;

/** The first record whose id is not less than `id`; `records` when there is none. */
uint32_t hnsw_base_seek(const hnsw_base *base, lls_bytes id);

void hnsw_base_space_at(const hnsw_base *base, uint32_t space, hnsw_base_space *out);

/** The vector of a slot as it is in the file: its bytes. */
lls_bytes hnsw_base_vector(const hnsw_base *base, uint32_t space, uint32_t slot);

/** Errors: LLS_E_CORRUPT naming the record when its vector is damaged. */
lls_err hnsw_base_check_vector(const hnsw_base *base, const hnsw_row *row,
                               lls_error *err) LLS_CHECKED;

/**
 * Whether the vectors of a space are what was written. Those that are not become (1, 0, …) in
 * `own`, so that nothing that is derived from them fails. Reads all of them.
 */
bool hnsw_base_check_space(hnsw_base *base, uint32_t space);

/** Append the canonical value of a row, all of it checked. */
lls_err hnsw_base_value(const hnsw_base *base, const hnsw_row *row, lls_buf *out,
                        lls_error *err) LLS_CHECKED;

/* ---- writing ---- */

/** Where the records of a base come from: in byte order of their ids, twice the same. */
typedef struct hnsw_source {
    lls_err (*rewind)(void *user, lls_error *err);
    lls_err (*next)(void *user, lls_kv_item *item, lls_error *err); /**< LLS_END after the last. */

    /** The slot of the vector that is number `rank` of its space in the order of ids; NULL: rank.
     */
    uint32_t (*slot)(void *user, uint32_t space, uint32_t rank);
    void *user;
} hnsw_source;

/**
 * Write the base `number` to `path`: beside it, synced, renamed. Spaces are numbered as they
 * appear. `records` may be NULL.
 */
lls_err hnsw_base_write(const char *path, uint64_t number, uint64_t sequence,
                        const hnsw_source *source, uint32_t *records, lls_error *err) LLS_CHECKED;

/** The checksum of a row: `row` is its bytes but for the two checksums. */
uint32_t hnsw_row_checksum(const uint8_t *row, lls_bytes id, lls_bytes body);

#endif
