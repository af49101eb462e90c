/** conf.h - what the options of this backend fill in. */
#ifndef LLS_BACKENDS_POSTGRES_CONF_H
#define LLS_BACKENDS_POSTGRES_CONF_H

#include <stdbool.h>
#include <stdint.h>

typedef struct lls_pg_conf {
    const char *connection;
    const char *role;
    uint64_t pool_size;
    uint64_t connect_timeout; /* milliseconds, as all that follow */
    uint64_t statement_timeout;
    uint64_t lock_timeout;
    uint64_t idle_timeout;
    bool prepared_statements;
} lls_pg_conf;

#endif
