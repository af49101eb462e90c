// The product's own index.
#include "backends/hnsw/index.h"
#include "vectors.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct ours {
    hnsw_params params;
    hnsw_index *index;
    hnsw_snapshot *settled; // what the index lies over
    hnsw_index *built;      // and what that was made from
    float *originals;
    uint32_t *label_of; // of each slot
    uint32_t *slot_of;  // of each label
    uint32_t capacity;
    uint64_t *allowed; // by slot
    uint32_t matches;
} ours;

static void must(lls_err e, const lls_error *err)
{
    if (e == LLS_OK || e == LLS_END)
        return;
    fprintf(stderr, "%s\n", err->msg);
    exit(1);
}

static ours *ours_new(uint32_t dim, uint32_t capacity, hnsw_code code)
{
    ours *o = calloc(1, sizeof(*o));

    o->params = (hnsw_params){.dim = dim,
                              .code = code,
                              .m = BENCH_M,
                              .ef_construction = BENCH_EF_CONSTRUCTION,
                              .seed = 1};
    o->capacity = capacity;
    o->label_of = calloc(2 * (size_t)capacity, sizeof(uint32_t));
    o->slot_of = calloc(capacity, sizeof(uint32_t));
    return o;
}

static void *make(uint32_t dim, uint32_t capacity, hnsw_code code)
{
    ours *o = ours_new(dim, capacity, code);
    lls_error err = {0};

    must(hnsw_index_new(&o->params, &o->index, &err), &err);
    return o;
}

static void *make8(uint32_t dim, uint32_t capacity)
{
    return make(dim, capacity, HNSW_CODE_INT8);
}

static void *make4(uint32_t dim, uint32_t capacity)
{
    return make(dim, capacity, HNSW_CODE_INT4);
}

static void add(void *index, const float *vector, uint32_t label)
{
    ours *o = index;
    lls_error err = {0};
    uint32_t slot;

    must(hnsw_index_add(o->index, vector, &slot, &err), &err);
    o->label_of[slot] = label;
    o->slot_of[label] = slot;
}

static uint32_t run(ours *o, const hnsw_query *query, uint32_t labels[BENCH_K])
{
    hnsw_hit hits[BENCH_K];
    size_t count;
    bool exact;
    lls_error err = {0};

    must(hnsw_index_search(o->index, query, hits, &count, &exact, &err), &err);
    for (size_t i = 0; i < count; i++)
        labels[i] = o->label_of[hits[i].slot];
    return (uint32_t)count;
}

static uint32_t search(void *index, const float *query, uint32_t ef, uint32_t labels[BENCH_K])
{
    return run(index, &(hnsw_query){.vector = query, .k = BENCH_K, .ef = ef}, labels);
}

static void filter(void *index, const uint64_t *allowed, uint32_t count, uint32_t matches)
{
    ours *o = index;

    free(o->allowed);
    o->allowed = calloc(2 * (size_t)o->capacity / 64 + 1, sizeof(uint64_t));
    for (uint32_t label = 0; label < count; label++) {
        uint32_t slot = o->slot_of[label];
        if (allowed[label / 64] >> label % 64 & 1)
            o->allowed[slot / 64] |= (uint64_t)1 << slot % 64;
    }
    o->matches = matches;
}

static uint32_t filtered(void *index, const float *query, uint32_t ef, uint32_t labels[BENCH_K])
{
    ours *o = index;

    return run(o,
               &(hnsw_query){.vector = query,
                             .k = BENCH_K,
                             .ef = ef,
                             .allowed = o->allowed,
                             .allowed_slots = o->capacity,
                             .allowed_count = o->matches},
               labels);
}

static size_t bytes(void *index)
{
    ours *o = index;
    hnsw_stats stats;

    hnsw_index_stats(o->index, &stats);
    return (size_t)stats.hot_bytes;
}

static void drop(void *index)
{
    ours *o = index;

    hnsw_index_free(o->index);
    hnsw_snapshot_free(o->settled);
    hnsw_index_free(o->built);
    free(o->originals);
    free(o->label_of);
    free(o->slot_of);
    free(o->allowed);
    free(o);
}

// As when a segment is published and mapped: compacted, in the order of the graph.
static void settle(void *index)
{
    ours *o = index;
    size_t dim = o->params.dim;
    uint32_t *labels = calloc(2 * (size_t)o->capacity, sizeof(uint32_t));
    lls_error err = {0};
    lls_err e = LLS_OK;

    must(hnsw_snapshot_new(o->index, &o->settled, &err), &err);
    o->originals = malloc(o->settled->count * dim * sizeof(float) + (4u << 20));
    for (uint32_t i = 0; i < o->settled->count; i++) {
        memcpy(o->originals + i * dim, hnsw_snapshot_original(o->settled, i), dim * sizeof(float));
        labels[i] = o->label_of[o->settled->order[i]];
        o->slot_of[labels[i]] = i;
    }
    free(o->label_of);
    o->label_of = labels;
    o->built = o->index;
    must(hnsw_index_attach(&o->params, o->settled->sections, o->originals, o->settled->count,
                           &o->index, &err),
         &err);
    while (e == LLS_OK)
        e = hnsw_index_tend(o->index, &err);
    must(e, &err);
}

static void take(void *index, uint32_t label)
{
    ours *o = index;
    lls_error err = {0};

    must(hnsw_index_remove(o->index, o->slot_of[label], &err), &err);
}

// A file as the product maps it, but without checksums: head, codes, links, upper, originals.
#define PART_ALIGN ((size_t)4096)

static size_t part_end(size_t at, size_t len)
{
    return (at + len + PART_ALIGN - 1) / PART_ALIGN * PART_ALIGN;
}

static void save(void *index, const char *path)
{
    ours *o = index;
    lls_bytes parts[HNSW_SECTION_COUNT + 1];
    uint64_t lengths[PART_ALIGN / sizeof(uint64_t)] = {0};
    FILE *file = fopen(path, "wb");
    size_t at = PART_ALIGN;

    if (!o->settled)
        settle(o);
    memcpy(parts, o->settled->sections, sizeof(o->settled->sections));
    parts[HNSW_SECTION_COUNT] = (lls_bytes){
        (const uint8_t *)o->originals, (size_t)o->settled->count * o->params.dim * sizeof(float)};
    for (size_t i = 0; i <= HNSW_SECTION_COUNT; i++)
        lengths[i] = parts[i].len;
    lengths[HNSW_SECTION_COUNT + 1] = (uint64_t)o->params.code;
    fwrite(lengths, sizeof(lengths), 1, file);
    for (size_t i = 0; i <= HNSW_SECTION_COUNT; i++) {
        fseek(file, (long)at, SEEK_SET);
        if (parts[i].len && fwrite(parts[i].data, parts[i].len, 1, file) != 1)
            exit(1);
        at = part_end(at, parts[i].len);
    }
    fclose(file);
}

static void *load(const char *path, uint32_t dim, uint32_t capacity)
{
    int file = open(path, O_RDONLY);
    lls_bytes sections[HNSW_SECTION_COUNT];
    size_t at = PART_ALIGN;
    struct stat info;
    lls_error err = {0};

    if (file < 0 || fstat(file, &info))
        exit(1);
    uint8_t *map = mmap(NULL, (size_t)info.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, file, 0);
    const uint64_t *lengths = (const uint64_t *)(const void *)map;
    close(file);
    ours *o = ours_new(dim, capacity, (hnsw_code)lengths[HNSW_SECTION_COUNT + 1]);
    for (size_t i = 0; i < HNSW_SECTION_COUNT; i++) {
        sections[i] = (lls_bytes){map + at, lengths[i]};
        at = part_end(at, lengths[i]);
    }
    must(hnsw_index_attach(&o->params, sections, (float *)(void *)(map + at), capacity, &o->index,
                           &err),
         &err);
    return o; // the mapping lasts as long as the process
}

const bench_engine bench_ours8 = {
    .name = "llmspell int8",
    .make = make8,
    .add = add,
    .search = search,
    .bytes = bytes,
    .drop = drop,
    .settle = settle,
    .remove = take,
    .replace = add,
    .filter = filter,
    .filtered = filtered,
    .save = save,
    .load = load,
};

const bench_engine bench_ours4 = {
    .name = "llmspell int4",
    .make = make4,
    .add = add,
    .search = search,
    .bytes = bytes,
    .drop = drop,
    .settle = settle,
    .remove = take,
    .replace = add,
    .filter = filter,
    .filtered = filtered,
};
