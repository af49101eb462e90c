/**
 * embedding.h - vectors that stand for meaning, as the caller's model made them. This library
 * stores, compares and finds them; it makes none.
 */
#ifndef LLMSPELL_EMBEDDING_H
#define LLMSPELL_EMBEDDING_H

#include <llmspell/bytes.h>
#include <llmspell/error.h>

LLS_BEGIN_DECLS

/** How far apart two vectors are. */
typedef enum lls_vec_metric {
    LLS_VEC_COSINE, /**< 1 − cos(a, b): 0 to 2. Vectors of length 0 are refused. */
    LLS_VEC_L2,     /**< The Euclidean distance itself, not its square. */
    LLS_VEC_IP,     /**< −(a · b): the smaller, the nearer. */
    LLS_VEC_L1,     /**< The sum of |aᵢ − bᵢ|. Always searched exactly. */
} lls_vec_metric;

/** "cosine", "l2", "ip", "l1". */
LLS_API const char *lls_vec_metric_name(lls_vec_metric metric);

/** The metric of that name. Errors: LLS_E_INVALID. */
LLS_API lls_err lls_vec_metric_find(lls_str name, lls_vec_metric *out, lls_error *err) LLS_CHECKED;

/**
 * One vector and the space that it lies in. Vectors of different spaces are never compared. The
 * first vector of a model declares its space; one that disagrees is refused with LLS_E_MISMATCH.
 */
typedef struct lls_embedding {
    const float *values; /**< `dimension` of them, finite. */
    uint32_t dimension;  /**< 1 to 16384; 0: no vector. */
    lls_str model;       /**< Names the space; empty: "the space of this dimension". */
    lls_vec_metric metric;
    bool normalised; /**< All vectors of the space have length 1. */
} lls_embedding;

LLS_END_DECLS

#endif
