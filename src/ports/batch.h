/** batch.h - writes that are collected, copied, and then applied at once. */
#ifndef LLS_PORTS_BATCH_H
#define LLS_PORTS_BATCH_H

#include "ports/kv.h"

/** Zeroed when empty. */
typedef struct lls_batch {
    lls_buf
        writes; /**< lls_kv_write, one after the other; their views are set by lls_batch_writes. */
    lls_buf data; /**< Key, value, key, value, …: may move while it grows. */
    size_t count;
} lls_batch;

/** Add a write whose key and value are copied; its collection is borrowed. */
lls_err lls_batch_add(lls_batch *batch, const lls_kv_write *write, lls_error *err) LLS_CHECKED;

/** The `batch->count` writes; valid until the next call on `batch`. */
const lls_kv_write *lls_batch_writes(lls_batch *batch);

void lls_batch_clear(lls_batch *batch); /**< Keeps the memory. */
void lls_batch_fini(lls_batch *batch);

static inline void lls_batch_auto(lls_batch *batch)
{
    lls_batch_fini(batch);
}

#endif
