/**
 * engine.h - the real Sled 0.34, behind a C ABI: what engine/ builds as a static library.
 *
 * Keys and values are bytes; trees, versions and tenants are the caller's business. Two things are
 * added to what the engine gives: a batch that reads its own writes, and scans that see one moment.
 * No panic leaves this interface: one that happens inside is a SLED_ENGINE_BROKEN, and the handle
 * answers nothing else from then on; so it is after a write or a flush that failed, since what the
 * engine holds in memory is then more than what is on the disk. Closed and opened again, the
 * database is what recovery finds.
 *
 * The engine has threads of its own, so a process that forked must not go on with a handle.
 *
 * Threads: everything may be called from any thread, and trees be read by many at once. Batches of
 * one tree are committed one at a time: the caller sees to that. A batch and a scan belong to one
 * thread.
 */
#ifndef LLS_BACKENDS_SLED_ENGINE_H
#define LLS_BACKENDS_SLED_ENGINE_H

#include <llmspell/bytes.h>

typedef struct sled_engine sled_engine;
typedef struct sled_engine_tree sled_engine_tree;
typedef struct sled_engine_batch sled_engine_batch;
typedef struct sled_engine_scan sled_engine_scan;

typedef enum sled_engine_code {
    SLED_ENGINE_OK = 0,
    SLED_ENGINE_NONE = 1,         /**< No such key, or no further one. Not a failure. */
    SLED_ENGINE_IO = -1,          /**< The system said no. */
    SLED_ENGINE_CORRUPT = -2,     /**< A checksum is wrong. */
    SLED_ENGINE_UNSUPPORTED = -3, /**< Not as the database is: see the text. */
    SLED_ENGINE_BROKEN = -4,      /**< The engine failed inside, now or before. */
} sled_engine_code;

typedef struct sled_engine_error {
    int sys; /**< errno, where the engine kept it; or 0. */
    char text[256];
} sled_engine_error;

typedef struct sled_engine_options {
    lls_bytes path;         /**< Of the folder, made when it is not there. */
    uint64_t segment_bytes; /**< A power of 2 from 256 to 16 MiB; that of a database for ever. */
    uint64_t cache_bytes;   /**< What the engine may hold of pages. */
    bool compressed;        /**< zstd; that of a database for ever. */
} sled_engine_options;

/** Borrows `options`. Owns: closed with sled_engine_close, after its trees. */
int sled_engine_open(const sled_engine_options *options, sled_engine **out,
                     sled_engine_error *err) LLS_CHECKED;

/** The engine gives its lock back a moment after this, when its threads are done. */
void sled_engine_close(sled_engine *engine);

/** Return when all that was committed has left the engine for the system's files, or cannot. A
 * write that fails late is told within half as long again, see engine/src/flush.rs. */
int sled_engine_flush(sled_engine *engine, sled_engine_error *err) LLS_CHECKED;

/** Open a tree, made when it is not there. Owns: sled_engine_tree_close. */
int sled_engine_tree_open(sled_engine *engine, lls_bytes name, sled_engine_tree **out,
                          sled_engine_error *err) LLS_CHECKED;
void sled_engine_tree_close(sled_engine_tree *tree);

/** Given a value; the view lives for the call. */
typedef void (*sled_engine_take_fn)(void *user, lls_bytes value);

/** SLED_ENGINE_OK when `take` was called; SLED_ENGINE_NONE. */
int sled_engine_get(const sled_engine_tree *tree, lls_bytes key, sled_engine_take_fn take,
                    void *user, sled_engine_error *err) LLS_CHECKED;

/** Begin a batch: writes that nobody sees, and a kill leaves nothing of, until its commit. */
int sled_engine_batch_open(const sled_engine_tree *tree, sled_engine_batch **out,
                           sled_engine_error *err) LLS_CHECKED;
void sled_engine_batch_close(sled_engine_batch *batch);

/** As the tree will be: what the batch wrote, or else what the tree holds. */
int sled_engine_batch_get(const sled_engine_batch *batch, lls_bytes key, sled_engine_take_fn take,
                          void *user, sled_engine_error *err) LLS_CHECKED;
int sled_engine_batch_put(sled_engine_batch *batch, lls_bytes key, lls_bytes value,
                          sled_engine_error *err) LLS_CHECKED;
int sled_engine_batch_delete(sled_engine_batch *batch, lls_bytes key,
                             sled_engine_error *err) LLS_CHECKED;

/** Do all of it at once; the batch is empty then. Not on the disk before sled_engine_flush. */
int sled_engine_batch_commit(sled_engine_batch *batch, sled_engine_error *err) LLS_CHECKED;

/**
 * Walk the keys from `from` up to, and without, `to`; an empty `to` is the end. What is committed
 * after this does not show. Owns: sled_engine_scan_close, before the tree is closed.
 */
int sled_engine_scan_open(const sled_engine_tree *tree, lls_bytes from, lls_bytes to,
                          sled_engine_scan **out, sled_engine_error *err) LLS_CHECKED;

/** The views live until the next call. A failure repeats, as SLED_ENGINE_NONE does. */
int sled_engine_scan_next(sled_engine_scan *scan, lls_bytes *key, lls_bytes *value,
                          sled_engine_error *err) LLS_CHECKED;
void sled_engine_scan_close(sled_engine_scan *scan);

#endif
