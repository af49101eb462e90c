/**
 * feed.h - read a scan ahead in a thread of its own, in batches of bounded size.
 *
 * While the caller works on one batch, the thread fills the next ones. A batch ends at `batch_max`
 * records or LLS_FEED_BYTES, whichever comes first; one record may be larger than that alone.
 */
#ifndef LLS_MIGRATE_FEED_H
#define LLS_MIGRATE_FEED_H

#include "base/hash.h"
#include "ports/kv.h"

#define LLS_FEED_BYTES                                                                             \
    ((size_t)4 << 20) /* of one batch: records, and what it takes to list them                     \
                       */

typedef struct lls_feed lls_feed;

typedef struct lls_feed_batch {
    const lls_kv_item *items;
    const lls_digest *digests; /**< Of each item, as lls_record_digest gives it. */
    size_t count;
} lls_feed_batch;

/**
 * Begin to read `scan`, whose records are of `coll`. The scan belongs to the feed's thread until
 * lls_feed_close; the caller closes it after that.
 */
lls_err lls_feed_open(lls_kv_iter *scan, lls_str coll, size_t batch_max, lls_feed **out,
                      lls_error *err) LLS_CHECKED;

/** The next batch, never empty; it lives until the next call. LLS_END after the last. */
lls_err lls_feed_next(lls_feed *feed, lls_feed_batch *out, lls_error *err) LLS_CHECKED;

void lls_feed_close(lls_feed *feed); /**< Stops the thread. NULL is fine. */

typedef lls_feed *lls_feed_ref; /* so that LLS_AUTO can name it */
static inline void lls_feed_ref_auto(lls_feed_ref *feed)
{
    lls_feed_close(*feed);
}

#endif
