// Filters, opening, and vectors that come and go.
#include "vectors_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

// Every `one_in`-th label, as good as at random.
static uint32_t choose(uint64_t *bits, uint32_t count, uint32_t one_in)
{
    uint32_t matches = 0;

    for (uint32_t label = 0; label < count; label++) {
        uint64_t hash = (label + 1) * 0x9e3779b97f4a7c15u;
        if ((hash >> 40) % one_in != 0)
            continue;
        bits[label / 64] |= (uint64_t)1 << label % 64;
        matches++;
    }
    return matches;
}

typedef struct bench_outcome {
    double recall;
    double seconds;
} bench_outcome;

static bench_outcome search_filtered(const bench_field *field, const bench_runner *runner,
                                     uint32_t queries, const uint32_t *truth)
{
    enum { EF = 64 };
    const bench_data *data = &field->data;
    uint32_t labels[BENCH_K];
    uint32_t found = 0;
    double from = bench_cpu();

    for (uint32_t q = 0; q < queries; q++) {
        uint32_t count = runner->engine->filtered(runner->index,
                                                  data->query + (size_t)q * data->dim, EF, labels);
        found += bench_found(labels, count, truth + (size_t)q * BENCH_K);
    }
    return (bench_outcome){(double)found / (queries * BENCH_K), bench_cpu() - from};
}

void bench_filters(bench_field *field)
{
    static const uint32_t one_in[] = {10, 100, 500};
    const bench_data *data = &field->data;
    uint32_t queries = data->queries < 100 ? data->queries : 100;
    uint32_t *truth = calloc((size_t)queries * BENCH_K, sizeof(uint32_t));

    printf("| filter, ef 64 | lets through | recall@10 | queries/s |\n|---|---|---|---|\n");
    for (size_t i = 0; i < sizeof(one_in) / sizeof(*one_in); i++) {
        uint64_t *bits = calloc(data->count / 64 + 1, sizeof(uint64_t));
        uint32_t matches = choose(bits, data->count, one_in[i]);
        bench_truth(data, queries, 0, data->count, bits, truth);
        for (int e = 0; e < field->count; e++) {
            const bench_runner *runner = &field->runners[e];
            bench_outcome best = {0};
            if (!runner->engine->filtered)
                continue;
            runner->engine->filter(runner->index, bits, data->count, matches);
            for (int round = 0; round < 3; round++) {
                bench_outcome now = search_filtered(field, runner, queries, truth);
                if (round == 0 || now.seconds < best.seconds)
                    best = now;
            }
            printf("| %s | %.1f %% | %.3f | %.0f |\n", runner->engine->name,
                   100.0 * matches / data->count, best.recall, queries / best.seconds);
            fflush(stdout);
        }
        free(bits);
    }
    printf("\n");
    free(truth);
}

static void open_one(bench_field *field, bench_runner *runner, double *open_ms, double *first_ms)
{
    char path[] = "/tmp/bench-vectors-XXXXXX";
    int file = mkstemp(path);
    uint32_t labels[BENCH_K];

    if (file < 0)
        exit(1);
    close(file);
    runner->engine->save(runner->index, path);
    for (int round = 0; round < 3; round++) {
        double from = bench_wall();
        void *index = runner->engine->load(path, field->data.dim, field->data.count);
        double opened = bench_wall();
        runner->engine->search(index, field->data.query, 64, labels);
        double answered = bench_wall();
        if (round == 0 || (opened - from) * 1e3 < *open_ms) {
            *open_ms = (opened - from) * 1e3;
            *first_ms = (answered - opened) * 1e3;
        }
        runner->engine->drop(index);
    }
    unlink(path);
}

void bench_open(bench_field *field)
{
    printf("| engine | open ms, cached file | first query ms |\n|---|---|---|\n");
    for (int e = 0; e < field->count; e++) {
        bench_runner *runner = &field->runners[e];
        double open_ms = 0;
        double first_ms = 0;
        if (!runner->engine->load)
            continue;
        open_one(field, runner, &open_ms, &first_ms);
        printf("| %s | %.2f | %.2f |\n", runner->engine->name, open_ms, first_ms);
        fflush(stdout);
    }
    printf("\n");
}

// Remove the labels from `gone` on and add those from `next` on, `count` of each.
static void change(const bench_field *field, bench_runner *runner, uint32_t gone, uint32_t next,
                   uint32_t count, double *removing, double *adding)
{
    const bench_data *data = &field->data;
    double from = bench_cpu();

    for (uint32_t i = 0; i < count; i++)
        runner->engine->remove(runner->index, gone + i);
    *removing = bench_cpu() - from;
    from = bench_cpu();
    for (uint32_t i = 0; i < count; i++)
        runner->engine->replace(runner->index, data->vectors + (size_t)(next + i) * data->dim,
                                next + i);
    *adding = bench_cpu() - from;
}

// A new index of the labels from `first` on, `count` of them.
static void make_of(const bench_data *data, bench_runner *runner, uint32_t first, uint32_t count)
{
    runner->index = runner->engine->make(data->dim, data->count);
    for (uint32_t i = first; i < first + count; i++)
        runner->engine->add(runner->index, data->vectors + (size_t)i * data->dim, i);
}

static void churn_one(bench_field *field, bench_runner *runner, uint32_t *truth, uint32_t queries)
{
    enum { ROUNDS = 3, EF = 64 };
    const bench_data *data = &field->data;
    uint32_t half = data->count * 5 / 8; // and three times a fifth of it are the rest
    uint32_t part = half / 5;
    double from = bench_cpu();
    double fresh;

    make_of(data, runner, 0, half);
    fresh = half / (bench_cpu() - from);
    for (uint32_t round = 0; round <= ROUNDS; round++) {
        double removing = 0;
        double adding = 0;
        if (round > 0)
            change(field, runner, (round - 1) * part, half + (round - 1) * part, part, &removing,
                   &adding);
        bench_truth(data, queries, round * part, half + round * part, NULL, truth);
        printf("| %s | %u | %.4f | ", runner->engine->name, round,
               bench_recall(field, runner, EF, queries, truth));
        if (round == 0)
            printf("1 | | %.0f |\n", fresh);
        else
            printf("%.2f | %.2f | %.0f |\n", part / adding / fresh,
                   part / (adding + removing) / fresh, part / adding);
        fflush(stdout);
    }
    runner->engine->drop(runner->index);
    make_of(data, runner, ROUNDS * part, half);
    printf("| %s | made anew | %.4f | | | |\n", runner->engine->name,
           bench_recall(field, runner, EF, queries, truth));
    fflush(stdout);
    runner->engine->drop(runner->index);
}

void bench_churn(bench_field *field)
{
    uint32_t queries = field->data.queries < 500 ? field->data.queries : 500;
    uint32_t *truth = calloc((size_t)queries * BENCH_K, sizeof(uint32_t));

    printf("| churn: 20 %% a round | round | recall@10, ef 64 | adding, against fresh | with "
           "removing | added/s |\n|---|---|---|---|---|---|\n");
    for (int e = 0; e < field->count; e++) {
        if (field->runners[e].engine->replace)
            churn_one(field, &field->runners[e], truth, queries);
    }
    printf("\n");
    free(truth);
}
