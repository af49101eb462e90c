#include "vectors.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

double bench_cpu(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double bench_wall(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void *room(size_t count, size_t size)
{
    void *block = calloc(count, size);

    if (!block) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return block;
}

// splitmix64, and from it a normal distribution by Box and Muller.
static uint64_t state;

static double uniform(void)
{
    uint64_t z = state += 0x9e3779b97f4a7c15u;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static double normal(void)
{
    return sqrt(-2 * log(uniform() + 1e-300)) * cos(6.283185307179586 * uniform());
}

static void to_length_1(float *vector, uint32_t dim)
{
    double sum = 0;

    for (uint32_t i = 0; i < dim; i++)
        sum += (double)vector[i] * (double)vector[i];
    for (uint32_t i = 0; i < dim; i++)
        vector[i] = (float)((double)vector[i] / sqrt(sum));
}

/*
 * x = A z + noise: z lies around one of 500 centres in an inner space of few dimensions, and A has
 * a spectrum that falls off; some centres are much more frequent than others, and some much wider.
 */
typedef struct shape {
    uint32_t inner;
    double noise;
    float *map;
    float *centres;
    double *width;
    double *share; // summed up
} shape;

enum { CENTRES = 500 };

static shape shape_new(uint32_t dim)
{
    shape s = {.inner = dim >= 768 ? 24 : 40, .noise = dim >= 768 ? 0.1 : 0.3};
    double sum = 0;
    double signal = 0;

    s.map = room((size_t)dim * s.inner, sizeof(float));
    s.centres = room((size_t)CENTRES * s.inner, sizeof(float));
    s.width = room(CENTRES, sizeof(double));
    s.share = room(CENTRES, sizeof(double));
    for (uint32_t i = 0; i < dim * s.inner; i++)
        s.map[i] = (float)(normal() * pow(i % s.inner + 1, -0.25));
    for (uint32_t c = 0; c < CENTRES; c++) {
        for (uint32_t j = 0; j < s.inner; j++)
            s.centres[c * s.inner + j] = (float)normal();
        s.width[c] = 0.5 + uniform();
        s.share[c] = sum += pow(c + 1, -0.7);
    }
    for (uint32_t j = 0; j < s.inner; j++)
        signal += pow(j + 1, -0.5);
    s.noise = sqrt(s.noise * 0.49 * signal);
    return s;
}

static void draw(const shape *s, float *out, uint32_t dim)
{
    double at = uniform() * s->share[CENTRES - 1];
    float z[64];
    uint32_t c = 0;

    while (c < CENTRES - 1 && s->share[c] < at)
        c++;
    for (uint32_t j = 0; j < s->inner; j++)
        z[j] = s->centres[c * s->inner + j] + (float)(0.7 * s->width[c] * normal());
    for (uint32_t i = 0; i < dim; i++) {
        float sum = (float)(s->noise * normal());
        for (uint32_t j = 0; j < s->inner; j++)
            sum += s->map[i * s->inner + j] * z[j];
        out[i] = sum;
    }
    to_length_1(out, dim);
}

bench_data bench_generate(const char *name, uint32_t dim, uint32_t count, uint32_t queries)
{
    bench_data data = {.name = name, .dim = dim, .count = count, .queries = queries};
    shape s;

    state = dim;
    s = shape_new(dim);
    data.vectors = room((size_t)count * dim, sizeof(float));
    data.query = room((size_t)queries * dim, sizeof(float));
    data.truth = room((size_t)queries * BENCH_K, sizeof(uint32_t));
    for (uint32_t i = 0; i < count; i++)
        draw(&s, data.vectors + (size_t)i * dim, dim);
    for (uint32_t i = 0; i < queries; i++)
        draw(&s, data.query + (size_t)i * dim, dim);
    free(s.map);
    free(s.centres);
    free(s.width);
    free(s.share);
    return data;
}

static float *read_part(const char *prefix, const char *part, uint32_t *count, uint32_t *dim)
{
    char path[512];
    int32_t head[2];
    FILE *file;
    float *out = NULL;

    snprintf(path, sizeof(path), "%s.%s.fbin", prefix, part);
    file = fopen(path, "rb");
    if (file && fread(head, sizeof(head), 1, file) == 1) {
        *count = (uint32_t)head[0] < *count ? (uint32_t)head[0] : *count;
        *dim = (uint32_t)head[1];
        out = room((size_t)*count * *dim, sizeof(float));
        if (fread(out, sizeof(float) * *dim, *count, file) != *count)
            *count = 0;
    }
    if (!out || *count == 0) {
        fprintf(stderr, "cannot read %s\n", path);
        exit(1);
    }
    fclose(file);
    for (uint32_t i = 0; i < *count; i++)
        to_length_1(out + (size_t)i * *dim, *dim);
    return out;
}

bench_data bench_read(const char *name, const char *prefix, uint32_t count, uint32_t queries)
{
    bench_data data = {.name = name, .count = count, .queries = queries};

    data.vectors = read_part(prefix, "base", &data.count, &data.dim);
    data.query = read_part(prefix, "query", &data.queries, &data.dim);
    data.truth = room((size_t)data.queries * BENCH_K, sizeof(uint32_t));
    return data;
}

void bench_data_free(bench_data *data)
{
    free(data->vectors);
    free(data->query);
    free(data->truth);
}

// In eight sums, which the compiler turns into as many lanes.
static float dot(const float *a, const float *b, uint32_t dim)
{
    float sums[8] = {0};
    float sum = 0;
    uint32_t i = 0;

    for (; i + 8 <= dim; i += 8) {
        for (uint32_t lane = 0; lane < 8; lane++)
            sums[lane] += a[i + lane] * b[i + lane];
    }
    for (; i < dim; i++)
        sum += a[i] * b[i];
    for (uint32_t lane = 0; lane < 8; lane++)
        sum += sums[lane];
    return sum;
}

static void keep(float *best, uint32_t *labels, uint32_t *count, float score, uint32_t label)
{
    uint32_t at = *count < BENCH_K ? (*count)++ : BENCH_K;

    if (at == BENCH_K) {
        if (score <= best[BENCH_K - 1])
            return;
        at = BENCH_K - 1;
    }
    for (; at > 0 && best[at - 1] < score; at--) {
        best[at] = best[at - 1];
        labels[at] = labels[at - 1];
    }
    best[at] = score;
    labels[at] = label;
}

void bench_truth(const bench_data *data, uint32_t queries, uint32_t from, uint32_t to,
                 const uint64_t *allowed, uint32_t *out)
{
    enum { BLOCK = 256 }; // vectors that stay in the cache for all queries
    float *best = room((size_t)queries * BENCH_K, sizeof(float));
    uint32_t *count = room(queries, sizeof(uint32_t));

    memset(out, 0xff, (size_t)queries * BENCH_K * sizeof(*out));
    for (uint32_t begin = from; begin < to; begin += BLOCK) {
        uint32_t end = begin + BLOCK < to ? begin + BLOCK : to;
        for (uint32_t q = 0; q < queries; q++) {
            const float *query = data->query + (size_t)q * data->dim;
            for (uint32_t i = begin; i < end; i++) {
                if (allowed && !(allowed[i / 64] >> i % 64 & 1))
                    continue;
                keep(best + q * BENCH_K, out + q * BENCH_K, &count[q],
                     dot(query, data->vectors + (size_t)i * data->dim, data->dim), i);
            }
        }
    }
    free(best);
    free(count);
}
