/*
 * Vector search against hnswlib, FAISS and usearch, interleaved in one run:
 *
 *     bench-vectors [-q QUERIES] [-r ROUNDS] [-p PARTS] [-e ENGINES] DATA...
 *
 * DATA is 384x50000, generated vectors of that dimension and number, or NAME=PREFIX[,COUNT], read
 * from PREFIX.base.fbin and PREFIX.query.fbin. PARTS are letters: b build, s search, t threads,
 * f filters, o open, c churn; ENGINES are digits from 1, in the order of the tables; all of them
 * unless said. Seconds are of the processor unless said.
 */
#include "vectors.h"
#include "vectors_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const bench_engine *const engines[] = {
    &bench_ours8, &bench_ours4, &bench_hnswlib, &bench_faiss, &bench_usearch,
};

enum { ENGINES = sizeof(engines) / sizeof(*engines) };

// Every engine adds 1,000 vectors in turn, so that what disturbs one disturbs all.
static void build(bench_field *field)
{
    enum { TURN = 1000 };
    const bench_data *data = &field->data;

    for (int e = 0; e < field->count; e++)
        field->runners[e].index = field->runners[e].engine->make(data->dim, data->count);
    for (uint32_t begin = 0; begin < data->count; begin += TURN) {
        uint32_t end = begin + TURN < data->count ? begin + TURN : data->count;
        for (int e = 0; e < field->count; e++) {
            bench_runner *runner = &field->runners[e];
            double from = bench_cpu();
            for (uint32_t i = begin; i < end; i++)
                runner->engine->add(runner->index, data->vectors + (size_t)i * data->dim, i);
            runner->build_seconds += bench_cpu() - from;
        }
    }
    for (int e = 0; e < field->count; e++) {
        bench_runner *runner = &field->runners[e];
        if (runner->engine->settle)
            runner->engine->settle(runner->index);
        runner->bytes = runner->engine->bytes(runner->index) / data->count;
    }
}

static void print_build(const bench_field *field)
{
    printf("| engine | build s | vectors/s | bytes a vector, hot |\n|---|---|---|---|\n");
    for (int e = 0; e < field->count; e++) {
        const bench_runner *r = &field->runners[e];
        printf("| %s | %.1f | %.0f | %zu |\n", r->engine->name, r->build_seconds,
               field->data.count / r->build_seconds, r->bytes);
    }
    printf("\n");
    fflush(stdout);
}

static bench_data parse(char *text, uint32_t queries)
{
    char *equals = strchr(text, '=');
    uint32_t dim;
    uint32_t count = UINT32_MAX;

    if (equals) {
        char *comma = strchr(equals, ',');
        *equals = 0;
        if (comma) {
            *comma = 0;
            count = (uint32_t)strtoul(comma + 1, NULL, 10);
        }
        return bench_read(text, equals + 1, count, queries);
    }
    if (sscanf(text, "%ux%u", &dim, &count) != 2 || dim == 0 || count < 1000) {
        fprintf(stderr, "bad data: %s\n", text);
        exit(2);
    }
    return bench_generate(text, dim, count, queries);
}

// What is measured of an index that holds all.
static void measure(bench_field *field, const char *parts)
{
    build(field);
    print_build(field);
    if (strchr(parts, 's'))
        bench_search(field);
    if (strchr(parts, 't'))
        bench_threads(field);
    if (strchr(parts, 'f'))
        bench_filters(field);
    if (strchr(parts, 'o'))
        bench_open(field);
    for (int e = 0; e < field->count; e++)
        field->runners[e].engine->drop(field->runners[e].index);
}

typedef struct bench_options {
    uint32_t queries;
    int rounds;
    const char *parts;
    const char *engines;
} bench_options;

static void run(bench_data data, const bench_options *options)
{
    bench_field field = {.data = data, .rounds = options->rounds};

    for (int e = 0; e < ENGINES; e++) {
        if (strchr(options->engines, '1' + e))
            field.runners[field.count++].engine = engines[e];
    }
    printf("## %s: %u vectors of %u dimensions, %u queries\n\n", data.name, data.count, data.dim,
           data.queries);
    fflush(stdout);
    bench_truth(&field.data, data.queries, 0, data.count, NULL, field.data.truth);
    if (strpbrk(options->parts, "bstfo"))
        measure(&field, options->parts);
    if (strchr(options->parts, 'c'))
        bench_churn(&field);
    bench_data_free(&field.data);
}

int main(int argc, char **argv)
{
    bench_options options = {.queries = 1000, .rounds = 5, .parts = "bstfoc", .engines = "12345"};
    int c;

    while ((c = getopt(argc, argv, "q:r:p:e:")) != -1) {
        if (c == 'q')
            options.queries = (uint32_t)strtoul(optarg, NULL, 10);
        else if (c == 'r')
            options.rounds = atoi(optarg);
        else if (c == 'p')
            options.parts = optarg;
        else if (c == 'e')
            options.engines = optarg;
        else
            return 2;
    }
    if (optind == argc || options.queries < 10 || options.rounds < 1) {
        fprintf(stderr, "usage: bench-vectors [-q QUERIES] [-r ROUNDS] [-p PARTS] [-e ENGINES] "
                        "DATA...\n");
        return 2;
    }
    for (int i = optind; i < argc; i++)
        run(parse(argv[i], options.queries), &options);
    return 0;
}
