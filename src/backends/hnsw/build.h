/** build.h - changing the graph: linking a vector in, and links that avoid removed ones. */
#ifndef LLS_BACKENDS_HNSW_BUILD_H
#define LLS_BACKENDS_HNSW_BUILD_H

#include "backends/hnsw/graph.h"
#include "backends/hnsw/select.h"

/** Links that will be stored: found out beside the searches, stored at once. */
typedef struct hnsw_change {
    uint32_t slot;
    uint32_t level;
    uint32_t count;
} hnsw_change;

/** What the writer works with. */
struct hnsw_builder {
    hnsw_scratch *scratch;
    hnsw_selector selector;
    hnsw_candidate *near;  /**< Candidates for links. */
    hnsw_change *changes;  /**< `room` of them. */
    hnsw_candidate *lists; /**< Their links, `width` for each. */
    size_t count;
    size_t room;
    uint8_t *row; /**< A row of codes. */
};

lls_err hnsw_builder_new(hnsw_index *index, hnsw_builder **out, lls_error *err) LLS_CHECKED;
void hnsw_builder_free(hnsw_builder *builder);

/** Make room for the upper links of a slot. What remains cannot fail. */
lls_err hnsw_link_prepare(hnsw_index *index, uint32_t slot, lls_error *err) LLS_CHECKED;

/**
 * Link a slot into the graph (the paper's algorithm 1), whose code is in its row and which is
 * prepared. Afterwards it is live, and found by walks. Stops searches to store.
 */
void hnsw_link(hnsw_index *index, uint32_t slot);

/** Replace the links of a slot to condemned ones, on all levels, by links to what those led to. */
void hnsw_relink(hnsw_index *index, uint32_t slot);

/** A slot whose rows are written becomes live. Under the gate, exclusively. */
void hnsw_publish(hnsw_index *index, uint32_t slot);

#endif
