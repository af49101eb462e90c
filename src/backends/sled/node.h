/** node.h - one node of a tree, leaf or index: a base and the changes on top of it. */
#ifndef LLS_BACKENDS_SLED_NODE_H
#define LLS_BACKENDS_SLED_NODE_H

#include "backends/sled/page.h"

typedef struct sled_entry {
    lls_bytes key; /* without the node's prefix */
    lls_bytes value;
    uint64_t child; /* of an index */
} sled_entry;

/** Zero is init. All views are into the page that it was read from. */
typedef struct sled_node {
    uint64_t next;          /* the right sibling; 0: none */
    uint64_t merging_child; /* of an index: the child that is being merged away; 0: none */
    bool merging;           /* it is being merged into its left sibling */
    bool index;
    lls_bytes prefix; /* what all keys begin with */
    lls_bytes lo;     /* the lowest key that may be here */
    lls_bytes hi;     /* keys are lower than this; empty: no limit */
    sled_entry *entries;
    size_t count;
    size_t cap;
} sled_node;

/**
 * Read a page as a node, and check it: order, limits, nothing left over.
 *
 * Errors: LLS_E_NOTFOUND, without a message, when the page is not live; LLS_E_CORRUPT.
 */
lls_err sled_node_load(sled_node *node, sled_page *page, const sled_source *source, uint64_t number,
                       lls_error *err) LLS_CHECKED;

void sled_node_fini(sled_node *node);

/** Compare a key of the node, given without its prefix, with a whole one. */
int sled_node_cmp(const sled_node *node, lls_bytes key, lls_bytes whole);

/** The first entry whose key is not less than `whole`; `count` when there is none. */
size_t sled_node_find(const sled_node *node, lls_bytes whole);

static inline void sled_node_auto(sled_node *node)
{
    sled_node_fini(node);
}

#endif
