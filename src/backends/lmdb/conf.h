/** conf.h - what may be set on an LMDB store; lmdb.c has the table with the meanings. */
#ifndef LLS_BACKENDS_LMDB_CONF_H
#define LLS_BACKENDS_LMDB_CONF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct lmdb_conf {
    const char *path;
    uint64_t map_size;
    uint64_t map_max;
    uint64_t maxreaders;
    uint64_t growth_timeout; /* ms */
    const char *durability;  /* "full" or "relaxed" */
    bool allow_network_fs;
} lmdb_conf;

#endif
