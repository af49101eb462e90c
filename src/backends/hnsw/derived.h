/**
 * derived.h - the file beside a base that has the derived parts of its indexes: codes and links.
 * Whatever is wrong with it costs time and no answer: it is made again.
 *
 * Its sections are those of index.h, `kind` being one more; its `number` is that of the base, its
 * `sequence` the checksum of the base's head.
 */
#ifndef LLS_BACKENDS_HNSW_DERIVED_H
#define LLS_BACKENDS_HNSW_DERIVED_H

#include "backends/hnsw/coll.h"

#define HNSW_DERIVED_MAGIC "LLSVINDX"

/** Map the file of derived parts of `coll`, if it is there and belongs to its base. */
void hnsw_derived_map(hnsw_coll *coll, const char *path);

/** Larger files are checked when something is known to be wrong: it would delay the opening. */
#define HNSW_CHECKED_AT_OPEN ((size_t)16 << 20)

/** Make the index of a space of the base, over its derived parts if these are good. */
lls_err hnsw_derived_attach(hnsw_coll *coll, uint32_t space, lls_error *err) LLS_CHECKED;

/**
 * Write the derived parts of the indexes over `base` to `path`. `snapshots[i]` is of space `i`.
 * Errors: LLS_E_FULL and the like.
 */
lls_err hnsw_derived_write(const char *path, const hnsw_base *base, hnsw_snapshot *const *snapshots,
                           lls_error *err) LLS_CHECKED;

/** The name of the first section whose checksum is wrong, or NULL. Reads the whole file. */
const char *hnsw_derived_damage(lls_bytes file);

#endif
