/** choose.h - which records of a collection a filter lets through, as a set of their numbers. */
#ifndef LLS_BACKENDS_HNSW_CHOOSE_H
#define LLS_BACKENDS_HNSW_CHOOSE_H

#include "backends/hnsw/coll.h"

/** A set of records. Zeroed is empty. */
typedef struct hnsw_choice {
    bool all; /**< Every living record; `words` is NULL. */
    uint64_t *words;
    uint32_t docs;  /**< Bits in `words`. */
    uint32_t count; /**< Of those that are set. */
    const hnsw_coll *coll;
} hnsw_choice;

/** Exactly those that `filter` lets through at `now_usec`. The tenant's lock is held to read. */
lls_err hnsw_choose(hnsw_coll *coll, const lls_filter *filter, int64_t now_usec, hnsw_choice *out,
                    lls_error *err) LLS_CHECKED;
void hnsw_choice_fini(hnsw_choice *choice);

static inline bool hnsw_choice_has(const hnsw_choice *choice, uint32_t doc)
{
    if (choice->all)
        return hnsw_coll_lives(choice->coll, doc);
    return doc < choice->docs && (choice->words[doc / 64] >> (doc % 64) & 1);
}

/** The same as slots of a space: words of `*slots` bits. Owns: lls_free. */
lls_err hnsw_choice_slots(const hnsw_choice *choice, uint32_t space, uint64_t **words,
                          uint32_t *slots, uint32_t *count, lls_error *err) LLS_CHECKED;

#endif
