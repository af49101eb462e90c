/**
 * keeper.h - the thread behind the scenes of a store: it builds what indexes have put off, and
 * folds a log that has grown long into bases. Nothing depends on it but speed.
 */
#ifndef LLS_BACKENDS_HNSW_KEEPER_H
#define LLS_BACKENDS_HNSW_KEEPER_H

#include "backends/hnsw/store.h"

typedef struct hnsw_keeper hnsw_keeper;

/** Tell it that there may be something to do; the first call starts it. */
void hnsw_keeper_poke(hnsw_store *store);

/** End it, in the middle of its work. NULL is fine. */
void hnsw_keeper_end(hnsw_keeper *keeper);

#endif
