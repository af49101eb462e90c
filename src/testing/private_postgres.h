/**
 * private_postgres.h - a PostgreSQL server for one test, through scripts/private-postgres: in a
 * temporary folder, on a Unix socket, stopped and removed when the test ends, however it ends.
 */
#ifndef LLS_TESTING_PRIVATE_POSTGRES_H
#define LLS_TESTING_PRIVATE_POSTGRES_H

#include <llmspell/bytes.h>

typedef struct lls_private_postgres {
    char dir[128];
    char connection[256]; /**< For libpq: as the superuser, on the socket. */
    int port;             /**< On 127.0.0.1, when it was asked for. */
} lls_private_postgres;

typedef struct lls_private_postgres_options {
    bool fsync;                  /**< Off unless a test is about crashes of the machine. */
    bool tcp;                    /**< Listen on 127.0.0.1 too. */
    const char *const *settings; /**< "name = value" for postgresql.conf; ends with NULL. */
    const char *const *hba;      /**< Lines before those of pg_hba.conf; ends with NULL. */
} lls_private_postgres_options;

/** Whether a server is installed at all; without one, a test exits with 77. */
bool lls_private_postgres_is_possible(void);

/** Start one. `options` may be NULL. */
lls_err lls_private_postgres_start(lls_private_postgres *server,
                                   const lls_private_postgres_options *options,
                                   lls_error *err) LLS_CHECKED;

/** Stop it as a power cut would ("immediate"), or decently ("fast"); the data stays. */
lls_err lls_private_postgres_halt(lls_private_postgres *server, const char *mode,
                                  lls_error *err) LLS_CHECKED;

/** Start it again after a halt. */
lls_err lls_private_postgres_again(lls_private_postgres *server, lls_error *err) LLS_CHECKED;

/** Put PgBouncer in transaction mode before it; `connection` gets how to reach that. */
lls_err lls_private_postgres_bouncer(lls_private_postgres *server, char connection[256],
                                     lls_error *err) LLS_CHECKED;

/** Stop it and remove its folder. */
void lls_private_postgres_stop(lls_private_postgres *server);

#endif
