/**
 * tree.h - an ordered map whose versions share what they have in common.
 *
 * A treap (Aragon and Seidel, "Randomized Search Trees", 1989): a binary search tree by key and a
 * heap by a priority that is as good as random, so its shape does not depend on the order of
 * insertion. The priority is a hash of where the node was made: were it one of the key, somebody
 * who chooses keys could make the tree as deep as a list. Nodes and records count their holders. A
 * node that somebody else holds too is copied before it is changed, one path from the root; a node
 * that nobody else holds is changed in place. So a root that was kept is a stable view for ever,
 * and costs nothing to keep.
 */
#ifndef LLS_BACKENDS_MEMORY_TREE_H
#define LLS_BACKENDS_MEMORY_TREE_H

#include "ports/kv.h"

#include <stdatomic.h>

/** A stored record: never changed, shared by all versions of the tree that hold it. */
typedef struct memory_record {
    atomic_uint refs;
    lls_kv_item item; /**< Its views point into `bytes`. */
    uint8_t bytes[];
} memory_record;

typedef struct memory_node memory_node;

/** A version of the tree: NULL is the empty one. */
typedef memory_node *memory_tree;

/** A new record with one holder, or NULL when memory is out. */
memory_record *memory_record_new(lls_bytes key, lls_bytes value, const lls_kv_meta *meta);

/** Let go of a record that no tree took. */
void memory_record_drop(memory_record *record);

memory_tree memory_tree_hold(memory_tree tree); /**< One more holder; gives the same tree. */
void memory_tree_drop(memory_tree tree);        /**< NULL is fine. */

/** The record of `key`, or NULL. It lives as long as the tree is held. */
const memory_record *memory_tree_find(memory_tree tree, lls_bytes key);

/**
 * Put `record` in, over one with the same key. Takes the caller's hold on `record` in any case.
 * Errors: LLS_E_NOMEM; the tree is then good for nothing but to be dropped, so whoever wants to go
 * back holds what it was before.
 */
lls_err memory_tree_put(memory_tree *tree, memory_record *record, lls_error *err) LLS_CHECKED;

/** The same with a record of another tree, which both then hold. */
lls_err memory_tree_put_shared(memory_tree *tree, const memory_record *record,
                               lls_error *err) LLS_CHECKED;

/** Take the record of `key` out; none is fine. Errors: LLS_E_NOMEM, as above. */
lls_err memory_tree_remove(memory_tree *tree, lls_bytes key, lls_error *err) LLS_CHECKED;

/** The first record whose key is not less than `key` (FROM), or greater (AFTER); NULL: none. */
typedef enum memory_bound { MEMORY_FROM, MEMORY_AFTER } memory_bound;
const memory_record *memory_tree_next(memory_tree tree, lls_bytes key, memory_bound bound);

/** The last record, or NULL. */
const memory_record *memory_tree_last(memory_tree tree);

/** Visit the records in order, until `visit` gives something else than LLS_OK: that is returned. */
typedef lls_err (*memory_visit)(void *user, const memory_record *record, lls_error *err);
lls_err memory_tree_each(memory_tree tree, memory_visit visit, void *user,
                         lls_error *err) LLS_CHECKED;

/** How many records, and the bytes of their keys and values. */
uint64_t memory_tree_count(memory_tree tree);
uint64_t memory_tree_bytes(memory_tree tree);

#endif
