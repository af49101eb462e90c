/**
 * batch.h - writes that happen all at once: they are done to versions that nobody sees, and these
 * are then put in place.
 */
#ifndef LLS_BACKENDS_MEMORY_BATCH_H
#define LLS_BACKENDS_MEMORY_BATCH_H

#include "backends/memory/memory.h"

/** A space that a batch touches: where it is in the map, and the version being made. */
typedef struct memory_touched {
    size_t index;
    memory_version version;
    lls_buf keys; /**< What was written, for the index of words; each behind its length. */
} memory_touched;

typedef struct memory_batch {
    memory_kv *kv;
    lls_str tenant;
    int64_t now_usec;
    memory_touched *spaces;
    size_t count;
} memory_batch;

/**
 * Begin a batch and take the lock, until memory_batch_end, which follows also when this fails. Of
 * `writes` only the collections are looked at: those that the batch may touch.
 */
lls_err memory_batch_begin(memory_batch *batch, memory_kv *kv, lls_str tenant, int64_t now_usec,
                           const lls_kv_write *writes, size_t count, lls_error *err) LLS_CHECKED;

/** One write. After a failure the batch is good for nothing but its end. */
lls_err memory_batch_write(memory_batch *batch, const lls_kv_write *write,
                           lls_error *err) LLS_CHECKED;

/** What the space of `coll` holds after the writes so far. Lives until the next write. */
lls_err memory_batch_look(memory_batch *batch, lls_str coll, memory_tree *out,
                          lls_error *err) LLS_CHECKED;

/** Let everybody see what was written if `e` is LLS_OK and there is room; gives what came of it. */
lls_err memory_batch_end(memory_batch *batch, lls_err e, lls_error *err) LLS_CHECKED;

/** Fail with "key 'x' …". */
lls_err memory_fail_key(lls_error *err, lls_err code, lls_bytes key, const char *what);

#endif
