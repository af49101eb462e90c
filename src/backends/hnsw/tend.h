/** tend.h - work that writers put off, and do piece by piece. As the writer. */
#ifndef LLS_BACKENDS_HNSW_TEND_H
#define LLS_BACKENDS_HNSW_TEND_H

#include "backends/hnsw/graph.h"

/**
 * Fit the codec to the vectors and encode all again, if there are enough for the first time, or for
 * a graph. Errors: LLS_E_NOMEM, and nothing has changed.
 */
lls_err hnsw_learn(hnsw_index *index, lls_error *err) LLS_CHECKED;

/** Do so in any case. */
lls_err hnsw_encode_anew(hnsw_index *index, lls_error *err) LLS_CHECKED;

/** Link up to `most` vectors that the graph does not have yet. LLS_END: it has all. */
lls_err hnsw_catch_up(hnsw_index *index, uint32_t most, lls_error *err) LLS_CHECKED;

/** Begin to free the slots of all that are dead now. */
void hnsw_sweep_begin(hnsw_index *index);

/** Go on with the sweep for up to `most` slots; at its end the condemned slots are free. */
void hnsw_sweep_step(hnsw_index *index, uint32_t most);

/** What each write does of it: a share that keeps up with the writes. */
lls_err hnsw_tend_share(hnsw_index *index, lls_error *err) LLS_CHECKED;

/** Copy attached parts into memory of our own, so that they can be changed. */
lls_err hnsw_own(hnsw_index *index, lls_error *err) LLS_CHECKED;

/** All that is left. */
lls_err hnsw_tend_all(hnsw_index *index, lls_error *err) LLS_CHECKED;

#endif
