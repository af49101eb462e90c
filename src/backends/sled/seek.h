/** seek.h - finding the leaf of a tree that a key belongs to. */
#ifndef LLS_BACKENDS_SLED_SEEK_H
#define LLS_BACKENDS_SLED_SEEK_H

#include "backends/sled/node.h"

/** A leaf that is loaded. Zero is init. */
typedef struct sled_leaf {
    const sled_source *source;
    uint64_t root;
    sled_page page;
    sled_node node;
    lls_buf hi; /* upper limit of the leaf that was left last */
} sled_leaf;

/**
 * Load the leaf whose limits `key` lies in; the first one for an empty key.
 *
 * Errors: LLS_E_CORRUPT.
 */
lls_err sled_leaf_seek(sled_leaf *leaf, lls_bytes key, lls_error *err) LLS_CHECKED;

/** Go to the right sibling. LLS_END when there is none. */
lls_err sled_leaf_next(sled_leaf *leaf, lls_error *err) LLS_CHECKED;

void sled_leaf_fini(sled_leaf *leaf);

static inline void sled_leaf_auto(sled_leaf *leaf)
{
    sled_leaf_fini(leaf);
}

#endif
