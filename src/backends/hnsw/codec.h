/**
 * codec.h - how a vector becomes a row of codes, and how far a query is from a row.
 *
 * A vector is made shorter by what all have in common (`centre`), rotated by random signs and
 * Hadamard transforms, which spreads it evenly over its components, and each component rounded to 8
 * or 4 bits. A rotation changes no distance, so queries are rotated likewise and compared with
 * codes by a dot product of integers.
 *
 * Between codes, *distance* is −cosine, −dot product or the squared Euclidean distance: an order by
 * it is an order by the metric. `hnsw_codec_bound` says how wrong it can be at most.
 */
#ifndef LLS_BACKENDS_HNSW_CODEC_H
#define LLS_BACKENDS_HNSW_CODEC_H

#include "backends/hnsw/index.h"
#include "backends/hnsw/kernel.h"

// Longer vectors are not coded: sums of squares would leave the range of floats.
#define HNSW_NORM_MAX 1e15F

/** What follows the codes in a row. */
typedef struct hnsw_tail {
    float factor; /**< What 1 in a code stands for. */
    float add;    /**< To the distance. */
    float error;  /**< Length of the difference of the vector and its code. */
    float norm;   /**< Length of what the code stands for. */
} hnsw_tail;

typedef struct hnsw_codec {
    const hnsw_kernels *kernels;
    lls_vec_metric metric;
    hnsw_code code;
    uint32_t dim;
    size_t padded;     /**< Components of a rotated vector. */
    size_t code_bytes; /**< Of a row, without its tail. */
    size_t row_bytes;
    bool tail;       /**< Rows end with an hnsw_tail; otherwise vectors have length 1. */
    float scale;     /**< Without a tail: what 1 in a code stands for. */
    uint32_t *signs; /**< Sign bits, `padded` for each round of the rotation. */
    float *centre;   /**< `dim` floats; zeroes without a tail. */
    float centre_square;
    hnsw_tail worst; /**< The largest of each, by amount, of all rows: see hnsw_codec_admit. */
} hnsw_codec;

/** A query, ready to be compared with codes. */
typedef struct hnsw_probe {
    int8_t *codes; /**< `padded` of them, aligned to 64. Whose they are, the caller knows. */
    float step;    /**< What 1 in `codes` stands for, times 2 under L2. */
    float add;
    float norm;  /**< Length of the rotated query. */
    float error; /**< Length of the difference of it and its codes. */
    int32_t sum; /**< Of the codes. */
} hnsw_probe;

/** Errors: LLS_E_NOMEM. */
lls_err hnsw_codec_init(hnsw_codec *codec, const hnsw_params *params, lls_error *err) LLS_CHECKED;
void hnsw_codec_fini(hnsw_codec *codec);

/**
 * Set scale and centre by `count` vectors out of those to be encoded. Rows encoded before are void.
 * `work` as below.
 */
void hnsw_codec_learn(hnsw_codec *codec, const float *const *vectors, size_t count, float *work);

/**
 * Encode: writes `row_bytes` to `row` and returns its tail, also when the row has none. `work` has
 * room for `padded` floats, aligned to 64.
 */
hnsw_tail hnsw_codec_encode(const hnsw_codec *codec, const float *vector, float *work,
                            uint8_t *row);

/** A row with this tail joins the others: bounds from now on hold for it, too. */
void hnsw_codec_admit(hnsw_codec *codec, hnsw_tail tail);

/** Make `probe` of a query. */
void hnsw_codec_probe(const hnsw_codec *codec, const float *vector, float *work, hnsw_probe *probe);

/** Make `probe` of a row: its distance to others is that between vectors that both codes stand for.
 */
void hnsw_codec_probe_row(const hnsw_codec *codec, const uint8_t *row, hnsw_probe *probe);

/** The distances of rows to a query, into `rows.count` floats. */
void hnsw_codec_distances(const hnsw_codec *codec, hnsw_rows rows, const hnsw_probe *probe,
                          float *out);

/**
 * How far the distance of a row with this tail to a query can be from that of its original, at
 * most. With `codec->worst`: of any row.
 */
float hnsw_codec_bound(const hnsw_codec *codec, const hnsw_probe *probe, hnsw_tail tail);

/** The tail of a row; the worst of all when rows have none. */
hnsw_tail hnsw_codec_tail(const hnsw_codec *codec, const uint8_t *row);

/** The exact distance, in the order of those between codes. `norm` is that of the query. */
float hnsw_codec_exact(const hnsw_codec *codec, const float *query, float norm,
                       const float *original);

/** The length of a vector. */
float hnsw_codec_norm(const hnsw_codec *codec, const float *vector);

/** A distance as above, in the metric. */
float hnsw_codec_metric(const hnsw_codec *codec, float distance);

#endif
