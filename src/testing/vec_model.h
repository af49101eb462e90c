/**
 * vec_model.h - the oracle of the vector suite: what a collection holds, and what a search of it
 * must give, by the definitions alone. It reads everything, each time.
 */
#ifndef LLS_TESTING_VEC_MODEL_H
#define LLS_TESTING_VEC_MODEL_H

#include "ports/vec.h"

/** Zeroed is empty. */
typedef struct vec_model {
    lls_vec_hits kept; /**< Copies of all records; those that were replaced have no id. */
} vec_model;

/** One record of an answer. */
typedef struct vec_answer_hit {
    const lls_vec_item *item;
    double rank; /**< A distance, or a score with its sign changed: the less, the better. */
} vec_answer_hit;

typedef struct vec_answer {
    vec_answer_hit *hits;
    size_t count; /**< Of those asked for. */
    size_t all;   /**< Of all that match, also those behind. */
} vec_answer;

void vec_model_put(vec_model *model, const lls_vec_item *item);
void vec_model_remove(vec_model *model, lls_bytes id);
void vec_model_fini(vec_model *model);
static inline void vec_model_auto(vec_model *model)
{
    vec_model_fini(model);
}

/** What must be found, best first; equals by their ids. Owns: fini it. */
vec_answer vec_model_search(const vec_model *model, lls_vec_metric metric,
                            const lls_vec_query *query, int64_t now_usec);
vec_answer vec_model_words(const vec_model *model, const lls_vec_words *words, int64_t now_usec);
vec_answer vec_model_hybrid(const vec_model *model, lls_vec_metric metric,
                            const lls_vec_query *query, lls_str words, int64_t now_usec);
void vec_answer_fini(vec_answer *answer);
static inline void vec_answer_auto(vec_answer *answer)
{
    vec_answer_fini(answer);
}

/** How many of the best `answer->count` records are among the hits, of 1. */
double vec_answer_recall(const vec_answer *answer, const lls_vec_hits *hits);

/**
 * The hits must be the answer: in number, in order, with these distances (or scores), within what
 * arithmetic in floats may differ. Where two are that close, they may be the other way round.
 */
void vec_answer_expect(const vec_answer *answer, const lls_vec_hits *hits, bool by_distance);

/** What every list of hits must be, exact or not: rising distances, equals by id, none twice. */
void vec_hits_expect_order(const lls_vec_hits *hits, bool by_distance);

#endif
