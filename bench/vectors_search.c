#include "vectors_parts.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static const double targets[2] = {0.95, 0.99};

uint32_t bench_found(const uint32_t *labels, uint32_t count, const uint32_t *truth)
{
    uint32_t found = 0;

    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t j = 0; j < BENCH_K; j++)
            found += labels[i] == truth[j];
    }
    return found;
}

double bench_recall(const bench_field *field, const bench_runner *runner, uint32_t ef,
                    uint32_t queries, const uint32_t *truth)
{
    const bench_data *data = &field->data;
    uint32_t labels[BENCH_K];
    uint32_t found = 0;

    for (uint32_t q = 0; q < queries; q++) {
        uint32_t count =
            runner->engine->search(runner->index, data->query + (size_t)q * data->dim, ef, labels);
        found += bench_found(labels, count, truth + (size_t)q * BENCH_K);
    }
    return (double)found / (queries * BENCH_K);
}

// The smallest breadth that reaches a recall; 0: not even 2,000 does.
static uint32_t breadth_for(const bench_field *field, const bench_runner *runner, double recall)
{
    const bench_data *data = &field->data;
    uint32_t low = BENCH_K;
    uint32_t high = BENCH_K;

    while (bench_recall(field, runner, high, data->queries, data->truth) < recall) {
        low = high + 1;
        high *= 2;
        if (high > 2000)
            return 0;
    }
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (bench_recall(field, runner, middle, data->queries, data->truth) < recall)
            low = middle + 1;
        else
            high = middle;
    }
    return high;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

// What the rounds of one engine gave.
typedef struct engine_timing {
    double *seconds; // of each round
    double *walls;   // of each query of each round
    size_t queries;
} engine_timing;

static void one_round(const bench_field *field, const bench_runner *runner, uint32_t ef, int round,
                      engine_timing *timing)
{
    const bench_data *data = &field->data;
    uint32_t labels[BENCH_K];
    double cpu = bench_cpu();
    double last = bench_wall();

    for (uint32_t q = 0; q < data->queries; q++) {
        double now;
        runner->engine->search(runner->index, data->query + (size_t)q * data->dim, ef, labels);
        now = bench_wall();
        timing->walls[timing->queries++] = now - last;
        last = now;
    }
    timing->seconds[round] = bench_cpu() - cpu;
}

static void measure(const bench_field *field, int target, engine_timing *timings)
{
    for (int round = 0; round < field->rounds; round++) {
        for (int e = 0; e < field->count; e++) {
            const bench_runner *runner = &field->runners[e];
            if (runner->ef[target] == 0)
                continue;
            bench_recall(field, runner, runner->ef[target], 50, field->data.truth); // warm
            one_round(field, runner, runner->ef[target], round, &timings[e]);
        }
    }
}

static void print_target(const bench_field *field, int target, engine_timing *timings)
{
    printf("| recall@10 %.2f | ef | queries/s | best round | p50 us | p99 us |\n"
           "|---|---|---|---|---|---|\n",
           targets[target]);
    for (int e = 0; e < field->count; e++) {
        const bench_runner *runner = &field->runners[e];
        engine_timing *t = &timings[e];
        if (runner->ef[target] == 0) {
            printf("| %s | never | | | | |\n", runner->engine->name);
            continue;
        }
        qsort(t->seconds, (size_t)field->rounds, sizeof(double), ascending);
        qsort(t->walls, t->queries, sizeof(double), ascending);
        printf("| %s | %u | %.0f | %.0f | %.0f | %.0f |\n", runner->engine->name,
               runner->ef[target], field->data.queries / t->seconds[field->rounds / 2],
               field->data.queries / t->seconds[0], t->walls[t->queries / 2] * 1e6,
               t->walls[t->queries * 99 / 100] * 1e6);
    }
    printf("\n");
    fflush(stdout);
}

void bench_search(bench_field *field)
{
    size_t all = (size_t)field->data.queries * (size_t)field->rounds;

    for (int target = 0; target < 2; target++) {
        engine_timing timings[8] = {0};
        for (int e = 0; e < field->count; e++) {
            bench_runner *runner = &field->runners[e];
            runner->ef[target] = breadth_for(field, runner, targets[target]);
            timings[e].seconds = calloc((size_t)field->rounds, sizeof(double));
            timings[e].walls = calloc(all, sizeof(double));
        }
        measure(field, target, timings);
        print_target(field, target, timings);
        for (int e = 0; e < field->count; e++) {
            free(timings[e].seconds);
            free(timings[e].walls);
        }
    }
}

// One of several threads that share the queries.
typedef struct bench_worker {
    const bench_field *field;
    const bench_runner *runner;
    uint32_t first;
    uint32_t step;
    double seconds;
} bench_worker;

static void *work(void *user)
{
    bench_worker *w = user;
    const bench_data *data = &w->field->data;
    uint32_t labels[BENCH_K];
    double from = bench_cpu();

    for (uint32_t q = w->first; q < data->queries; q += w->step)
        w->runner->engine->search(w->runner->index, data->query + (size_t)q * data->dim,
                                  w->runner->ef[0], labels);
    w->seconds = bench_cpu() - from;
    return NULL;
}

static void with_threads(const bench_field *field, const bench_runner *runner, uint32_t threads,
                         double *cpu, double *wall)
{
    bench_worker workers[2];
    pthread_t ids[2];
    double from = bench_wall();
    double sum = 0;

    for (uint32_t t = 0; t < threads; t++) {
        workers[t] = (bench_worker){.field = field, .runner = runner, .first = t, .step = threads};
        if (pthread_create(&ids[t], NULL, work, &workers[t]) != 0)
            exit(1);
    }
    for (uint32_t t = 0; t < threads; t++) {
        pthread_join(ids[t], NULL);
        sum += workers[t].seconds;
    }
    if (*cpu == 0 || sum < *cpu)
        *cpu = sum;
    if (*wall == 0 || bench_wall() - from < *wall)
        *wall = bench_wall() - from;
}

void bench_threads(bench_field *field)
{
    double cpu[8][2] = {{0}};
    double wall[8][2] = {{0}};

    for (int round = 0; round < field->rounds; round++) {
        for (int e = 0; e < field->count; e++) {
            if (field->runners[e].ef[0] == 0)
                continue;
            for (uint32_t t = 0; t < 2; t++)
                with_threads(field, &field->runners[e], t + 1, &cpu[e][t], &wall[e][t]);
        }
    }
    printf("| at 0.95, best round | queries/s, 1 thread | 2 threads: a processor second | a second "
           "of the clock |\n|---|---|---|---|\n");
    for (int e = 0; e < field->count; e++) {
        double n = field->data.queries;
        if (field->runners[e].ef[0])
            printf("| %s | %.0f | %.0f | %.0f |\n", field->runners[e].engine->name, n / cpu[e][0],
                   n / cpu[e][1], n / wall[e][1]);
    }
    printf("\n");
    fflush(stdout);
}
