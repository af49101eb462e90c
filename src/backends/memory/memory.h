/**
 * memory.h - what the files of this backend share. A space is a name and a version of its tree;
 * the names are kept in a small sorted array. Everything is changed under one lock, and read by
 * holding a version.
 *
 * The records of the vector port are trees too, in a second memory_kv beside the first. What the
 * port needs besides, the embedding spaces that they declare, is one more tree of each version; the
 * index of words follows when somebody searches (vec_words.c).
 */
#ifndef LLS_BACKENDS_MEMORY_MEMORY_H
#define LLS_BACKENDS_MEMORY_MEMORY_H

#include "backends/memory/tree.h"
#include "ports/backend.h"
#include "ports/stage.h"

#include <pthread.h>

typedef struct memory_words memory_words; /* vec_words.h */

/** What a space holds at one moment. */
typedef struct memory_version {
    memory_tree records;
    memory_tree declared; /**< The embedding spaces: vec_declared.h. The kv port has none. */
} memory_version;

memory_version memory_version_hold(memory_version version); /**< One more holder; the same. */
void memory_version_drop(memory_version version);

/** One named version: a space that readers see, or one collection of a stage. */
typedef struct memory_entry {
    lls_buf name; /**< Tenant NUL collection, or tenant NUL run NUL collection. */
    memory_version version;
    memory_words *words; /**< NULL until somebody searches for words. */
} memory_entry;

typedef struct memory_map {
    memory_entry *entries; /**< In byte order of `name`. */
    size_t count;
    size_t cap;
    uint64_t bytes; /**< Of keys and values in all trees of records. */
} memory_map;

/** What the ports of one backend have in common. */
typedef struct memory_shared {
    pthread_mutex_t lock;
    uint64_t limit; /**< Most bytes of keys and values in all maps together. */
    bool read_only;
} memory_shared;

typedef struct memory_kv {
    lls_kv base;
    memory_shared *shared;
    const struct memory_kv *neighbour; /**< The other port: its bytes count, too. */
    memory_map spaces;
    memory_map stages;
} memory_kv;

/** Append the parts with a NUL between them. */
void memory_name(lls_buf *out, const lls_str *parts, size_t count);

/** The entry of `name`, or NULL. It moves when another is added. */
memory_entry *memory_map_find(const memory_map *map, lls_bytes name);

/** The entry of `name`, an empty one when there was none; NULL when memory is out. */
memory_entry *memory_map_make(memory_map *map, lls_bytes name);

/** Let `entry` of `map` lead to `version`, whose hold it takes; gives the one of before to drop. */
memory_version memory_map_swap(memory_map *map, memory_entry *entry, memory_version version);

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

/** The name of a space, into `out`, replaced. */
lls_err memory_name_space(lls_buf *out, lls_kv_space space, lls_error *err) LLS_CHECKED;

/** Hold the version of a space that is current. An empty one is zero. */
lls_err memory_hold_space(memory_kv *kv, lls_kv_space space, memory_version *out,
                          lls_error *err) LLS_CHECKED;

/** An iterator over `tree`, whose hold it takes, also when it fails. */
lls_err memory_scan_tree(memory_tree tree, lls_kv_range range, lls_kv_iter **out,
                         lls_error *err) LLS_CHECKED;

lls_err memory_stage_open(lls_kv *kv, const lls_stage_spec *spec, lls_kv_stage **out,
                          lls_error *err) LLS_CHECKED;
lls_err memory_stage_discard(lls_kv *kv, lls_str tenant, lls_str run, lls_error *err) LLS_CHECKED;

extern const lls_kv_ops memory_kv_ops;

#endif
