/** vec_best.h - the best few of many records, by a rank: a heap with the worst of them on top. */
#ifndef LLS_BACKENDS_MEMORY_VEC_BEST_H
#define LLS_BACKENDS_MEMORY_VEC_BEST_H

#include "backends/memory/tree.h"

typedef struct memory_ranked {
    const memory_record *record;
    float distance;     /**< The less, the better; then */
    int64_t event_usec; /**< the less, the better; then in byte order of the keys. */
} memory_ranked;

/** Zeroed but for `limit` and `reversed` is empty. */
typedef struct memory_best {
    size_t limit;
    bool reversed; /**< The order is the other way round. */
    memory_ranked *kept;
    size_t count;
    size_t cap;
} memory_best;

/** Whether there is room for `r`: only then is it worth a look at its metadata. */
bool memory_best_wants(const memory_best *best, const memory_ranked *r);

/** Keep `r`, which is wanted; the worst goes when it is one too many. */
lls_err memory_best_keep(memory_best *best, const memory_ranked *r, lls_error *err) LLS_CHECKED;

/** Bring what was kept in order, the best first. The end: nothing can be kept any more. */
void memory_best_sort(memory_best *best);

void memory_best_fini(memory_best *best);
static inline void memory_best_auto(memory_best *best)
{
    memory_best_fini(best);
}

#endif
