/** vectors_parts.h - the parts of the benchmark of vector search, each with a table of its own. */
#ifndef LLS_BENCH_VECTORS_PARTS_H
#define LLS_BENCH_VECTORS_PARTS_H

#include "vectors.h"

/** One engine on one set of data. */
typedef struct bench_runner {
    const bench_engine *engine;
    void *index;
    double build_seconds;
    size_t bytes;
    uint32_t ef[2]; /**< That reach 0.95 and 0.99; 0: none does. */
} bench_runner;

typedef struct bench_field {
    bench_data data;
    bench_runner runners[8];
    int count;
    int rounds;
} bench_field;

/** Recall at 10 of the first `queries` queries, whose truth is `truth`. */
double bench_recall(const bench_field *field, const bench_runner *runner, uint32_t ef,
                    uint32_t queries, const uint32_t *truth);

/** How many of `count` labels are among the 10 of `truth`. */
uint32_t bench_found(const uint32_t *labels, uint32_t count, const uint32_t *truth);

/** Queries a second at equal recall, p50 and p99. Sets `ef` of the runners. */
void bench_search(bench_field *field);

/** The same at 0.95 on 1 and on 2 threads. */
void bench_threads(bench_field *field);

/** With a filter that lets 10 %, 1 % and 0.2 % through. */
void bench_filters(bench_field *field);

/** From a file to the first answer. */
void bench_open(bench_field *field);

/** Half of the data; then three rounds of removing 20 % and adding others. */
void bench_churn(bench_field *field);

#endif
