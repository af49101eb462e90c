/**
 * pool.h - connections that are shared by threads, and what is repeated when one of them dies.
 *
 * Threads: all functions may be called from any number of threads at once. A connection belongs
 * to one thread between acquire and release.
 */
#ifndef LLS_BACKENDS_POSTGRES_POOL_H
#define LLS_BACKENDS_POSTGRES_POOL_H

#include "backends/postgres/connection.h"
#include "backends/postgres/table.h"

#include <pthread.h>
#include <stdatomic.h>

typedef struct lls_pg_pool {
    lls_pg_conf conf; /* its texts are owned */
    lls_pg_statements statements;
    atomic_bool unnamed; /* a pooler gives each transaction another session: prepare nothing */
    bool read_only;
    pthread_mutex_t lock;
    pthread_cond_t freed;
    lls_pg_connection **idle; /* the last released is on top */
    size_t idle_count;
    size_t open_count; /* idle, in use, or being connected */
} lls_pg_pool;

/** Make a pool without a connection. `conf` is copied. */
lls_err lls_pg_pool_init(lls_pg_pool *pool, const lls_pg_conf *conf, lls_error *err) LLS_CHECKED;
void lls_pg_pool_fini(lls_pg_pool *pool);

/**
 * Take a connection that is known to be alive, or connect; wait for one when all are in use.
 *
 * Errors: LLS_E_UNAVAILABLE when none gets free within connect_timeout; as lls_pg_connect.
 */
lls_err lls_pg_acquire(lls_pg_pool *pool, lls_pg_connection **out, lls_error *err) LLS_CHECKED;

/** Give it back. Whatever it was in the middle of is rolled back; a dead one is closed. */
void lls_pg_release(lls_pg_pool *pool, lls_pg_connection *connection);

/** Close it instead. */
void lls_pg_drop(lls_pg_pool *pool, lls_pg_connection *connection);

/** Something to do on a connection, as often as it takes. */
typedef struct lls_pg_work {
    lls_err (*run)(lls_pg_pool *pool, lls_pg_connection *connection, void *user, lls_error *err);
    void *user;
    lls_pg_connection **keep; /**< Not NULL: after a success, gets the connection, unreleased. */

    /**
     * Asked after the connection died inside `run`: LLS_OK to repeat it, LLS_END when it turns out
     * to have succeeded, else the failure to report. NULL: repeating is harmless.
     */
    lls_err (*lost)(lls_pg_pool *pool, void *user, lls_error *err);
} lls_pg_work;

/**
 * Do `work` on a connection of the pool, and repeat it after a deadlock, a serialization failure,
 * a lost connection or when prepared statements turn out not to work.
 */
lls_err lls_pg_run(lls_pg_pool *pool, const lls_pg_work *work, lls_error *err) LLS_CHECKED;

#endif
