// FAISS: its HNSW over float vectors. It cannot remove.
#include "vectors.h"

#include <faiss/IndexHNSW.h>
#include <faiss/index_io.h>
#include <omp.h>

namespace
{

struct Index {
    faiss::IndexHNSWFlat *graph = nullptr;
    std::vector<int64_t> labels;

    ~Index()
    {
        delete graph;
    }
};

Index *of(void *index)
{
    return static_cast<Index *>(index);
}

void *make(uint32_t dim, uint32_t)
{
    auto *index = new Index;
    omp_set_num_threads(1);
    index->graph =
        new faiss::IndexHNSWFlat(static_cast<int>(dim), BENCH_M, faiss::METRIC_INNER_PRODUCT);
    index->graph->hnsw.efConstruction = BENCH_EF_CONSTRUCTION;
    return index;
}

void add(void *index, const float *vector, uint32_t)
{
    of(index)->graph->add(1, vector); // labels are in order of adding
}

uint32_t search(void *index, const float *query, uint32_t ef, uint32_t *labels)
{
    float distances[BENCH_K];
    int64_t found[BENCH_K];
    uint32_t count = 0;

    of(index)->graph->hnsw.efSearch = static_cast<int>(ef);
    of(index)->graph->search(1, query, BENCH_K, distances, found);
    for (int64_t label : found)
        if (label >= 0)
            labels[count++] = static_cast<uint32_t>(label);
    return count;
}

size_t bytes(void *index)
{
    const faiss::IndexHNSWFlat &graph = *of(index)->graph;
    size_t vectors = static_cast<size_t>(graph.ntotal) * static_cast<size_t>(graph.d) * 4;
    return vectors + graph.hnsw.neighbors.size() * 4 + graph.hnsw.offsets.size() * 8;
}

void drop(void *index)
{
    delete of(index);
}

void save(void *index, const char *path)
{
    faiss::write_index(of(index)->graph, path);
}

void *load(const char *path, uint32_t, uint32_t)
{
    auto *index = new Index;
    index->graph = dynamic_cast<faiss::IndexHNSWFlat *>(faiss::read_index(path));
    return index;
}

bench_engine engine()
{
    bench_engine e = {};
    e.name = "faiss";
    e.make = make;
    e.add = add;
    e.search = search;
    e.bytes = bytes;
    e.drop = drop;
    e.save = save;
    e.load = load;
    return e;
}

} // namespace

extern const bench_engine bench_faiss = engine();
