/** conf.h - what may be set on vector files; hnsw.c has the table with the meanings. */
#ifndef LLS_BACKENDS_HNSW_CONF_H
#define LLS_BACKENDS_HNSW_CONF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct hnsw_conf {
    const char *path;
    const char *code; /* "int8" or "int4" */
    const char *sync; /* "full" or "relaxed" */
    uint64_t m;
    uint64_t ef_construction;
    uint64_t ef_search;
    uint64_t flat_max;
    uint64_t memory_limit; /* bytes; 0: none */
    uint64_t log_limit;    /* bytes of a log that is folded into a base by itself; 0: never */
} hnsw_conf;

#endif
