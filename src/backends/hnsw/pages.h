/**
 * pages.h - one array that grows in place, on huge pages when it is large.
 *
 * A search of a graph touches rows at random: with pages of 4 KiB nearly every touch also misses
 * the TLB, and prefetching is lost on it. Small arrays come from the heap, for there may be very
 * many small collections, and a mapping each is what the system has few of.
 */
#ifndef LLS_BACKENDS_HNSW_PAGES_H
#define LLS_BACKENDS_HNSW_PAGES_H

#include <llmspell/bytes.h>

/** Zeroed: empty. `data` is aligned to 64 bytes. */
typedef struct hnsw_pages {
    uint8_t *data;
    size_t cap;     /**< Bytes; may be written unless borrowed. */
    size_t mapped;  /**< Bytes mapped; 0: `block` is from the heap, or nothing is owned. */
    void *block;    /**< What to free. */
    bool anonymous; /**< Mapped, as opposed to from the heap. */
} hnsw_pages;

/**
 * Make room for `bytes`; what is gained is zeroed. Nobody else may be reading. An array that was
 * borrowed becomes our own copy. Errors: LLS_E_NOMEM; nothing has changed then.
 */
lls_err hnsw_pages_grow(hnsw_pages *pages, size_t bytes, lls_error *err) LLS_CHECKED;

/** Borrow `bytes` that are not to be written; what was owned is freed. */
void hnsw_pages_borrow(hnsw_pages *pages, const void *data, size_t bytes);

/** Whether the memory is not ours. An empty array is ours. */
static inline bool hnsw_pages_borrowed(const hnsw_pages *pages)
{
    return pages->data && !pages->block;
}

void hnsw_pages_fini(hnsw_pages *pages);

/** Bytes of memory of our own that a growth to `bytes` would make it. */
size_t hnsw_pages_rounded(size_t bytes);

#endif
