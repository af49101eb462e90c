/**
 * vectors.h - what the benchmark of vector search is made of: data, and contestants behind one
 * interface, which C++ implements for the peers. Labels are the numbers of the vectors in the data.
 */
#ifndef LLS_BENCH_VECTORS_H
#define LLS_BENCH_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Vectors of length 1, and what is nearest to the queries. */
typedef struct bench_data {
    const char *name;
    uint32_t dim;
    uint32_t count;
    uint32_t queries;
    float *vectors;
    float *query;    /**< `queries` of them, not among the vectors. */
    uint32_t *truth; /**< For each query its 10 nearest by cosine, nearest first. */
} bench_data;

enum { BENCH_K = 10 };

/** One engine. Any function but the first five may be NULL: it cannot. */
typedef struct bench_engine {
    const char *name;
    void *(*make)(uint32_t dim, uint32_t capacity);
    void (*add)(void *index, const float *vector, uint32_t label);
    uint32_t (*search)(void *index, const float *query, uint32_t ef, uint32_t labels[BENCH_K]);
    size_t (*bytes)(void *index); /**< In memory, the vectors that are compared exactly excluded. */
    void (*drop)(void *index);

    /** Ready for searches only: what an engine does when it writes its files. */
    void (*settle)(void *index);

    void (*remove)(void *index, uint32_t label);
    void (*replace)(void *index, const float *vector, uint32_t label); /**< After some removes. */

    /** Set which labels may be found, before filtered searches; bit by label. */
    void (*filter)(void *index, const uint64_t *allowed, uint32_t count, uint32_t matches);
    uint32_t (*filtered)(void *index, const float *query, uint32_t ef, uint32_t labels[BENCH_K]);

    void (*save)(void *index, const char *path);
    void *(*load)(const char *path, uint32_t dim, uint32_t capacity);
} bench_engine;

extern const bench_engine bench_ours8;
extern const bench_engine bench_ours4;
extern const bench_engine bench_hnswlib;
extern const bench_engine bench_faiss;
extern const bench_engine bench_usearch;

/** Links above the ground level, and breadth while building: the same for all. */
enum { BENCH_M = 16, BENCH_EF_CONSTRUCTION = 200 };

/** Generate clustered vectors as embeddings are, from a fixed seed. */
bench_data bench_generate(const char *name, uint32_t dim, uint32_t count, uint32_t queries);

/** Read `PREFIX.base.fbin` and `PREFIX.query.fbin`; at most `count` and `queries`. */
bench_data bench_read(const char *name, const char *prefix, uint32_t count, uint32_t queries);

void bench_data_free(bench_data *data);

/**
 * The 10 nearest of each of `queries` queries among the vectors from `from` on, `to` excluded, that
 * `allowed` has (NULL: all), into `out`.
 */
void bench_truth(const bench_data *data, uint32_t queries, uint32_t from, uint32_t to,
                 const uint64_t *allowed, uint32_t *out);

/** Seconds of this thread's processor; of a clock on the wall. */
double bench_cpu(void);
double bench_wall(void);

#ifdef __cplusplus
}
#endif

#endif
