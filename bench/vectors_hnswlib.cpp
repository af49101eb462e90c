// hnswlib 0.8, a header: https://github.com/nmslib/hnswlib.
#include "vectors.h"

#include <hnswlib/hnswlib.h>

namespace
{

using Graph = hnswlib::HierarchicalNSW<float>;

struct Allowed final : hnswlib::BaseFilterFunctor {
    const uint64_t *bits = nullptr;
    bool operator()(hnswlib::labeltype label) override
    {
        return bits[label / 64] >> label % 64 & 1;
    }
};

struct Index {
    hnswlib::InnerProductSpace space; // vectors have length 1: the order is that of cosine
    Graph graph;
    Allowed allowed;

    Index(uint32_t dim, uint32_t capacity)
        : space(dim), graph(&space, capacity, BENCH_M, BENCH_EF_CONSTRUCTION, 100, true)
    {
    }
    Index(uint32_t dim, uint32_t capacity, const char *path)
        : space(dim), graph(&space, path, false, capacity, true)
    {
    }
};

Index *of(void *index)
{
    return static_cast<Index *>(index);
}

void *make(uint32_t dim, uint32_t capacity)
{
    return new Index(dim, capacity);
}

void add(void *index, const float *vector, uint32_t label)
{
    of(index)->graph.addPoint(vector, label);
}

template <typename Queue> uint32_t take(Queue queue, uint32_t *labels)
{
    uint32_t count = 0;
    for (; !queue.empty(); queue.pop())
        labels[count++] = static_cast<uint32_t>(queue.top().second);
    return count;
}

uint32_t search(void *index, const float *query, uint32_t ef, uint32_t *labels)
{
    if (of(index)->graph.ef_ != ef)
        of(index)->graph.setEf(ef);
    return take(of(index)->graph.searchKnn(query, BENCH_K), labels);
}

size_t bytes(void *index)
{
    const Graph &graph = of(index)->graph; // vectors are searched: all is hot
    return graph.cur_element_count * graph.size_data_per_element_;
}

void drop(void *index)
{
    delete of(index);
}

void mark(void *index, uint32_t label)
{
    of(index)->graph.markDelete(label);
}

void save(void *index, const char *path)
{
    of(index)->graph.saveIndex(path);
}

void *load(const char *path, uint32_t dim, uint32_t capacity)
{
    return new Index(dim, capacity, path);
}

void replace(void *index, const float *vector, uint32_t label)
{
    of(index)->graph.addPoint(vector, label, true);
}

void filter(void *index, const uint64_t *allowed, uint32_t, uint32_t)
{
    of(index)->allowed.bits = allowed;
}

uint32_t filtered(void *index, const float *query, uint32_t ef, uint32_t *labels)
{
    of(index)->graph.setEf(ef);
    return take(of(index)->graph.searchKnn(query, BENCH_K, &of(index)->allowed), labels);
}

bench_engine engine()
{
    bench_engine e = {};
    e.name = "hnswlib";
    e.make = make;
    e.add = add;
    e.search = search;
    e.bytes = bytes;
    e.drop = drop;
    e.save = save;
    e.load = load;
    e.remove = mark;
    e.replace = replace;
    e.filter = filter;
    e.filtered = filtered;
    return e;
}

} // namespace

extern const bench_engine bench_hnswlib = engine();
