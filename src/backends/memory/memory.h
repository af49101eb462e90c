/**
 * memory.h - what the files of this backend share. A space is a name and a version of its tree;
 * the names are kept in a small sorted array. Everything is changed under one lock, and read by
 * holding a version.
 */
#ifndef LLS_BACKENDS_MEMORY_MEMORY_H
#define LLS_BACKENDS_MEMORY_MEMORY_H

#include "backends/memory/tree.h"
#include "ports/backend.h"
#include "ports/stage.h"

#include <pthread.h>

/** One named tree: a space that readers see, or one collection of a stage. */
typedef struct memory_entry {
    lls_buf name; /**< Tenant NUL collection, or tenant NUL run NUL collection. */
    memory_tree tree;
} memory_entry;

typedef struct memory_map {
    memory_entry *entries; /**< In byte order of `name`. */
    size_t count;
    size_t cap;
    uint64_t bytes; /**< Of keys and values in all trees. */
} memory_map;

typedef struct memory_kv {
    lls_kv base;
    pthread_mutex_t lock;
    memory_map spaces;
    memory_map stages;
    uint64_t limit; /**< Most bytes of keys and values in `spaces` and `stages` together. */
    bool read_only;
} memory_kv;

/** Append the parts with a NUL between them. */
void memory_name(lls_buf *out, const lls_str *parts, size_t count);

/** The entry of `name`, or NULL. It moves when another is added. */
memory_entry *memory_map_find(const memory_map *map, lls_bytes name);

/** The entry of `name`, an empty one when there was none; NULL when memory is out. */
memory_entry *memory_map_make(memory_map *map, lls_bytes name);

/** Let `entry` of `map` lead to `tree`, whose hold it takes; gives the one of before to drop. */
memory_tree memory_map_swap(memory_map *map, memory_entry *entry, memory_tree tree);

/** Remove every entry whose name begins with `prefix`. */
void memory_map_remove(memory_map *map, lls_bytes prefix);

void memory_map_fini(memory_map *map);

/**
 * Whether there is room for `more` in place of `old`. What does not grow is always fine. The lock
 * is held. Errors: LLS_E_FULL.
 */
lls_err memory_room_check(const memory_kv *kv, uint64_t old, uint64_t more,
                          lls_error *err) LLS_CHECKED;

/** The port of this backend; the ops pointer is the type tag. */
memory_kv *memory_downcast(lls_kv *kv);

/** An iterator over `tree`, whose hold it takes, also when it fails. */
lls_err memory_scan_tree(memory_tree tree, lls_kv_range range, lls_kv_iter **out,
                         lls_error *err) LLS_CHECKED;

lls_err memory_stage_open(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                          lls_error *err) LLS_CHECKED;
lls_err memory_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err) LLS_CHECKED;

extern const lls_kv_ops memory_kv_ops;

#endif
