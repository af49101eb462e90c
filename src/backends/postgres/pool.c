#include "backends/postgres/pool.h"

#include "backends/postgres/error.h"
#include "backends/postgres/schema.h"
#include "base/alloc.h"
#include "base/scope.h"
#include "base/time.h"

#include <errno.h>
#include <time.h>

enum { TRIES = 8, FIRST_PAUSE_MS = 20 };

static char *copy_text(const char *text)
{
    size_t len = strlen(text);
    char *copy = lls_alloc(len + 1);

    if (copy)
        memcpy(copy, text, len);
    return copy;
}

static void free_texts(lls_pg_pool *pool)
{
    lls_free((void *)(uintptr_t)pool->conf.connection);
    lls_free((void *)(uintptr_t)pool->conf.role);
}

lls_err lls_pg_pool_init(lls_pg_pool *pool, const lls_pg_conf *conf, lls_error *err)
{
    *pool = (lls_pg_pool){.conf = *conf};
    pool->conf.connection = copy_text(conf->connection);
    pool->conf.role = copy_text(conf->role);
    pool->idle = lls_alloc(conf->pool_size * sizeof(*pool->idle));
    atomic_init(&pool->unnamed, !conf->prepared_statements);
    lls_err e = LLS_OK;
    if (!pool->conf.connection || !pool->conf.role || !pool->idle)
        e = lls_fail(err, LLS_E_NOMEM, "out of memory");
    if (e == LLS_OK)
        e = lls_pg_statements_init(&pool->statements, &pool->conf, err);
    if (e != LLS_OK) {
        lls_pg_statements_fini(&pool->statements);
        lls_free(pool->idle);
        free_texts(pool);
        return e;
    }
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_mutex_init(&pool->lock, NULL);
    (void)pthread_cond_init(&pool->freed, &attributes);
    (void)pthread_condattr_destroy(&attributes);
    return LLS_OK;
}

void lls_pg_pool_fini(lls_pg_pool *pool)
{
    for (size_t i = 0; i < pool->idle_count; i++)
        lls_pg_disconnect(pool->idle[i]);
    (void)pthread_cond_destroy(&pool->freed);
    (void)pthread_mutex_destroy(&pool->lock);
    lls_pg_statements_fini(&pool->statements);
    lls_free(pool->idle);
    free_texts(pool);
}

static void count_closed(lls_pg_pool *pool)
{
    (void)pthread_mutex_lock(&pool->lock);
    pool->open_count--;
    (void)pthread_cond_signal(&pool->freed);
    (void)pthread_mutex_unlock(&pool->lock);
}

static struct timespec after_ms(uint64_t ms)
{
    struct timespec at;

    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += (time_t)(ms / 1000);
    at.tv_nsec += (long)(ms % 1000) * 1000000L;
    if (at.tv_nsec >= 1000000000L) {
        at.tv_sec++;
        at.tv_nsec -= 1000000000L;
    }
    return at;
}

/* Take an idle connection, or the right to open one: then `*out` is NULL. */
static lls_err take(lls_pg_pool *pool, lls_pg_connection **out, lls_error *err)
{
    struct timespec until = after_ms(pool->conf.connect_timeout);
    lls_pg_connection *taken = NULL;
    int waited = 0;

    (void)pthread_mutex_lock(&pool->lock);
    while (waited == 0 && pool->idle_count == 0 && pool->open_count >= pool->conf.pool_size)
        waited = pthread_cond_timedwait(&pool->freed, &pool->lock, &until);
    bool got = pool->idle_count > 0 || pool->open_count < pool->conf.pool_size;
    if (pool->idle_count > 0)
        taken = pool->idle[--pool->idle_count];
    else if (got)
        pool->open_count++;
    (void)pthread_mutex_unlock(&pool->lock);
    if (!got)
        return lls_fail(err, LLS_E_UNAVAILABLE,
                        "all %llu connections of option 'pool_size' are in use",
                        (unsigned long long)pool->conf.pool_size);
    *out = taken;
    return LLS_OK;
}

/* The server, or a firewall on the way, may have forgotten a connection that idled for long. */
static bool is_fresh(const lls_pg_pool *pool, lls_pg_connection *connection)
{
    int64_t idle_usec = lls_monotonic_usec() - connection->used_usec;

    if (pool->conf.idle_timeout && idle_usec > (int64_t)pool->conf.idle_timeout * 1000)
        return false;
    return lls_pg_is_alive(connection);
}

lls_err lls_pg_acquire(lls_pg_pool *pool, lls_pg_connection **out, lls_error *err)
{
    lls_pg_connection *connection = NULL;

    for (;;) {
        LLS_TRY(take(pool, &connection, err));
        if (!connection)
            break;
        if (is_fresh(pool, connection)) {
            *out = connection;
            return LLS_OK;
        }
        lls_pg_drop(pool, connection);
    }
    lls_err e = lls_pg_connect(&pool->conf, &connection, err);
    if (e != LLS_OK) {
        count_closed(pool);
        return e;
    }
    *out = connection;
    return LLS_OK;
}

void lls_pg_drop(lls_pg_pool *pool, lls_pg_connection *connection)
{
    lls_pg_disconnect(connection);
    count_closed(pool);
}

void lls_pg_release(lls_pg_pool *pool, lls_pg_connection *connection)
{
    if (lls_pg_is_lost(connection) || lls_pg_reset(connection, NULL) != LLS_OK) {
        lls_pg_drop(pool, connection);
        return;
    }
    connection->used_usec = lls_monotonic_usec();
    (void)pthread_mutex_lock(&pool->lock);
    pool->idle[pool->idle_count++] = connection;
    (void)pthread_cond_signal(&pool->freed);
    (void)pthread_mutex_unlock(&pool->lock);
}

/* 20, 40, 80 … ms, a little different in each thread, so that two do not collide for ever. */
static void pause_before(int attempt)
{
    int64_t ms = (int64_t)FIRST_PAUSE_MS << attempt;

    ms += lls_monotonic_usec() % ms;
    struct timespec pause = {.tv_sec = ms / 1000, .tv_nsec = (ms % 1000) * 1000000};
    (void)nanosleep(&pause, NULL);
}

/* Prepared statements by name that are not there, or there already: a pooler is in between. */
static bool names_fail(lls_pg_pool *pool, const lls_error *why)
{
    if (!lls_pg_is(why, "26000") && !lls_pg_is(why, "42P05"))
        return false;
    atomic_store(&pool->unnamed, true);
    return true;
}

static bool is_transient(const lls_error *why)
{
    return lls_pg_is(why, "40001") || lls_pg_is(why, "40P01");
}

/* One try. `*lost` tells whether the connection did not survive it. */
static lls_err try_once(lls_pg_pool *pool, const lls_pg_work *work, bool *lost, lls_error *why)
{
    lls_pg_connection *connection = NULL;

    *lost = false;
    LLS_TRY(lls_pg_acquire(pool, &connection, why));
    lls_err e = work->run(pool, connection, work->user, why);
    *lost = e != LLS_OK && lls_pg_has_ended(connection, why);
    if (e != LLS_OK && !*lost && lls_pg_schema_is_missing(why)) {
        (void)lls_pg_reset(connection, NULL);
        e = lls_pg_schema_explain(connection, why);
    }
    if (e == LLS_OK && work->keep)
        *work->keep = connection;
    else if (*lost)
        lls_pg_drop(pool, connection);
    else
        lls_pg_release(pool, connection);
    return e;
}

lls_err lls_pg_run(lls_pg_pool *pool, const lls_pg_work *work, lls_error *err)
{
    bool was_lost = false;

    for (int attempt = 0;; attempt++) {
        lls_error why = {0};
        bool lost;
        lls_err e = try_once(pool, work, &lost, &why);

        if (e == LLS_OK || e == LLS_END)
            return e;
        bool again = names_fail(pool, &why) || is_transient(&why);
        if (lost && work->lost) {
            e = work->lost(pool, work->user, &why);
            if (e == LLS_END)
                return LLS_OK;
            again = e == LLS_OK;
        } else if (lost) {
            again = true;
        } else if (was_lost && e == LLS_E_UNAVAILABLE) {
            again = true; // the server that left us is not back yet
        }
        was_lost = was_lost || lost;
        if (!again || attempt + 1 == TRIES) {
            if (err)
                *err = why;
            return e == LLS_OK ? why.code : e;
        }
        pause_before(attempt);
    }
}
