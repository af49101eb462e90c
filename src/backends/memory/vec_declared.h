/**
 * vec_declared.h - the embedding spaces that the records of a version declare, and how many records
 * each has: a tree of its own, so that it is as stable as the version. A space is there as long as
 * a record is in it. Records without a vector are counted as a space of 0 dimensions.
 */
#ifndef LLS_BACKENDS_MEMORY_VEC_DECLARED_H
#define LLS_BACKENDS_MEMORY_VEC_DECLARED_H

#include "backends/memory/memory.h"

/** One space, as memory_declared_each tells it. Its model lives as long as the tree. */
typedef struct memory_declared {
    lls_vec_space space;
    uint64_t count;
    uint64_t bytes; /**< Of keys and values. */
} memory_declared;

/** `record` is in the version from now on, and agrees with the others or not. */
lls_err memory_declared_join(memory_tree *declared, const memory_record *record,
                             lls_error *err) LLS_CHECKED;

/** `record` is not in the version any more; it was. */
lls_err memory_declared_leave(memory_tree *declared, const memory_record *record,
                              lls_error *err) LLS_CHECKED;

/**
 * Whether the records that joined agree with those that did not leave: asked once all have.
 * `before` is what was declared before any of them. Errors: LLS_E_MISMATCH.
 */
lls_err memory_declared_agree(memory_tree before, memory_tree declared, lls_error *err) LLS_CHECKED;

/** The space of a model, or of a dimension when `model` is empty. False when there is none. */
bool memory_declared_find(memory_tree declared, lls_str model, uint32_t dim, memory_declared *out);

/** What a record of the tree stands for. */
memory_declared memory_declared_of(const memory_record *record);

#endif
