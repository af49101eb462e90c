// usearch: a header, with SimSIMD's kernels.
#include "vectors.h"

#include <usearch/index_dense.hpp>

#include <cstdio>
#include <cstdlib>

namespace
{

using Graph = unum::usearch::index_dense_gt<uint32_t>;

struct Index {
    Graph graph;
    const uint64_t *allowed = nullptr;
};

Index *of(void *index)
{
    return static_cast<Index *>(index);
}

Index *new_index(uint32_t dim)
{
    using namespace unum::usearch;
    metric_punned_t metric(dim, metric_kind_t::ip_k, scalar_kind_t::f32_k);
    index_dense_config_t config(BENCH_M, BENCH_EF_CONSTRUCTION, 64);
    auto *index = new Index;
    index->graph = Graph::make(metric, config);
    return index;
}

void *make(uint32_t dim, uint32_t capacity)
{
    Index *index = new_index(dim);
    if (!index->graph.try_reserve(unum::usearch::index_limits_t(capacity, 2))) {
        std::fprintf(stderr, "usearch: no room\n");
        std::exit(1);
    }
    return index;
}

void add(void *index, const float *vector, uint32_t label)
{
    auto result = of(index)->graph.add(label, vector);
    if (!result) {
        std::fprintf(stderr, "usearch: %s\n", result.error.release());
        std::exit(1);
    }
}

uint32_t search(void *index, const float *query, uint32_t ef, uint32_t *labels)
{
    of(index)->graph.change_expansion_search(ef);
    auto found = of(index)->graph.search(query, BENCH_K);
    return static_cast<uint32_t>(found.dump_to(labels));
}

void filter(void *index, const uint64_t *allowed, uint32_t, uint32_t)
{
    of(index)->allowed = allowed;
}

uint32_t filtered(void *index, const float *query, uint32_t ef, uint32_t *labels)
{
    const uint64_t *allowed = of(index)->allowed;
    of(index)->graph.change_expansion_search(ef);
    auto found = of(index)->graph.filtered_search(
        query, BENCH_K, [=](uint32_t label) { return allowed[label / 64] >> label % 64 & 1; });
    return static_cast<uint32_t>(found.dump_to(labels));
}

size_t bytes(void *index)
{
    return of(index)->graph.memory_usage();
}

void drop(void *index)
{
    delete of(index);
}

void take(void *index, uint32_t label)
{
    (void)of(index)->graph.remove(label);
}

void save(void *index, const char *path)
{
    (void)of(index)->graph.save(path);
}

void *load(const char *path, uint32_t dim, uint32_t)
{
    Index *index = new_index(dim);
    (void)index->graph.view(path);
    (void)index->graph.try_reserve(unum::usearch::index_limits_t(index->graph.size(), 2));
    return index;
}

bench_engine engine()
{
    bench_engine e = {};
    e.name = "usearch";
    e.make = make;
    e.add = add;
    e.search = search;
    e.bytes = bytes;
    e.drop = drop;
    e.save = save;
    e.load = load;
    e.remove = take;
    e.replace = add;
    e.filter = filter;
    e.filtered = filtered;
    return e;
}

} // namespace

extern const bench_engine bench_usearch = engine();
