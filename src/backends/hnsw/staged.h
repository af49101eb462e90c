/**
 * staged.h - the records that a stage has of one collection, in a file of their own: a log of
 * nothing but PUTs, in order of their ids. What a crash cut off, or damaged, is cut off when it is
 * opened again: whoever fills the stage asks how far it got, and goes on from there.
 */
#ifndef LLS_BACKENDS_HNSW_STAGED_H
#define LLS_BACKENDS_HNSW_STAGED_H

#include "backends/hnsw/frame.h"

typedef struct hnsw_staged {
    char *path;
    int fd;
    uint64_t at;       /**< Where the next frame goes. */
    uint64_t sequence; /**< Of the last frame in the file, */
    uint32_t link;     /**< and its checksum. */
    lls_buf frame;     /**< What was added since; empty: nothing. */
    lls_buf last;      /**< The greatest id of all. */
    uint64_t count;
} hnsw_staged;

/** Open the file, new or as it was left; its folder is there. Owns: fini. */
lls_err hnsw_staged_open(const char *path, hnsw_staged *out, lls_error *err) LLS_CHECKED;

/** What was added and not flushed is gone. Zeroed with `path` NULL is fine. */
void hnsw_staged_fini(hnsw_staged *staged);

/**
 * Add a record. Errors: LLS_E_INVALID for a value that is not canonical; LLS_E_INTERNAL when its
 * key is not behind all others.
 */
lls_err hnsw_staged_add(hnsw_staged *staged, lls_str coll, const lls_kv_item *item,
                        lls_error *err) LLS_CHECKED;

/** Put everything on the disk. */
lls_err hnsw_staged_flush(hnsw_staged *staged, lls_error *err) LLS_CHECKED;

/** A walk over a file that was flushed. Zeroed but for `fd`, which is -1, it may be begun. */
typedef struct hnsw_staged_walk {
    int fd;
    uint64_t at;
    uint64_t sequence;
    uint32_t link;
    lls_buf bytes; /**< The frame that is being walked. */
    hnsw_change_walk changes;
} hnsw_staged_walk;

/** Begin, or begin again, at the first record. */
lls_err hnsw_staged_rewind(const char *path, hnsw_staged_walk *walk, lls_error *err) LLS_CHECKED;

/** LLS_OK, LLS_END, LLS_E_CORRUPT. The item is good until the next call. */
lls_err hnsw_staged_next(hnsw_staged_walk *walk, lls_kv_item *item, lls_error *err) LLS_CHECKED;
void hnsw_staged_walk_fini(hnsw_staged_walk *walk);

#endif
