/**
 * select.h - which of the near vectors to link to: the paper's algorithm 4. A candidate is taken
 * when it is nearer to the base than to any that was taken before, so links point in all
 * directions.
 */
#ifndef LLS_BACKENDS_HNSW_SELECT_H
#define LLS_BACKENDS_HNSW_SELECT_H

#include "backends/hnsw/graph.h"

/** The candidates taken so far, each as a probe. */
typedef struct hnsw_selector {
    hnsw_probe *probes;
    uint8_t *block;
    size_t room;
} hnsw_selector;

lls_err hnsw_selector_init(hnsw_selector *selector, const hnsw_codec *codec, size_t room,
                           lls_error *err) LLS_CHECKED;
void hnsw_selector_fini(hnsw_selector *selector);

/**
 * Keep at most `most` of `count` candidates, which are in order, nearest first, moving them to the
 * front. Gives how many.
 */
size_t hnsw_select(const hnsw_index *index, hnsw_selector *selector, hnsw_candidate *candidates,
                   size_t count, size_t most);

/** The same beside those already chosen: the first `kept`, in any order, which stay. */
size_t hnsw_select_more(const hnsw_index *index, hnsw_selector *selector,
                        hnsw_candidate *candidates, size_t kept, size_t count, size_t most);

/** Put candidates in order, nearest first, equals by slot. */
void hnsw_candidates_sort(hnsw_candidate *candidates, size_t count);

#endif
