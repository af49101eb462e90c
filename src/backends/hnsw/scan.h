/** scan.h - searching without the graph. Under the gate. */
#ifndef LLS_BACKENDS_HNSW_SCAN_H
#define LLS_BACKENDS_HNSW_SCAN_H

#include "backends/hnsw/walk.h"

/** A search as the plans see it. */
typedef struct hnsw_task {
    const hnsw_query *query;
    hnsw_mask mask;
    float norm;     /**< Length of the query's vector. */
    hnsw_top *hits; /**< What has been compared by originals: the best k so far. */
} hnsw_task;

/** Compare the originals of all in the mask. */
void hnsw_scan_originals(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task);

/**
 * Compare the codes of all in the mask, then the originals of those that may be nearest. The codes'
 * distances are wrong by less than a bound; whatever might be among the nearest, for all the bound
 * says, is looked at. Whether that was possible: with 8-bit codes always.
 */
bool hnsw_scan_codes(const hnsw_index *index, hnsw_scratch *scratch, const hnsw_task *task);

/** Candidates that it wants room for in the scratch's pool, for k hits. */
static inline size_t hnsw_scan_room(size_t k)
{
    return 4 * k + 64;
}

/** Compare the original of a slot. */
void hnsw_rescore(const hnsw_index *index, const hnsw_task *task, uint32_t slot);

#endif
